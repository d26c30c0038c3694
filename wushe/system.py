"""The composition: which services there are, and all of them in one process.

This is the only place that knows every service. `SERVICES` is the list; `System` wires each to its adapters.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from services.directory import app as directory
from services.matching import app as matching
from services.needs import app as needs
from services.resources import app as resources
from services.volunteers import app as volunteers
from shared.contracts import Event
from shared.contracts.directory import AccountChanged, OrganisationChanged, SiteChanged, VillageAdded
from shared.http.api import Settled, make_api
from shared.places import Atlas
from shared.ports import Adapters, Clock, Ids
from shared.records import Record
from shared.run.dead_letters import DeadLetter
from shared.run.kit import Kit, Service, watch
from shared.run.letters_http import letters_service
from shared.run.metrics import Metrics
from shared.run.private import PrivateReader
from shared.run.unit import Unit
from shared.security.passwords import Hasher
from shared.security.tokens import TokenMint, TokenVerifier

RECORDS: dict[str, tuple[type[Record], ...]] = {
    "directory": (*directory.RECORDS, DeadLetter),
    "needs": (*needs.RECORDS, DeadLetter),
    "volunteers": (*volunteers.RECORDS, DeadLetter),
    "resources": (*resources.RECORDS, DeadLetter),
    "matching": (*matching.RECORDS, DeadLetter),
}
"""Every service there is, with the kinds of records that it stores."""

SERVICES = tuple(RECORDS)


def group_of(service: str) -> str:
    """The group that this service's loop reads in."""
    return f"wushe.{service}.handle"


@dataclass(frozen=True)
class Security:
    """What signing in stands on. Only the directory holds a mint."""

    verifier: TokenVerifier
    mint: TokenMint | None = None
    hasher: Hasher | None = None


class System:
    """Some services (embedded: all) in this process, each on its own adapters, sharing one atlas and one origin."""

    def __init__(
        self,
        adapters: dict[str, Adapters],
        security: Security,
        *,
        clock: Clock,
        ids: Ids,
        access_log: bool = False,
        settled: Settled | None = None,
    ) -> None:
        self.atlas = Atlas()
        self.security = security
        self.settled = settled
        self.also_missing: list[str] = []
        """What whoever starts this system has yet to do before it is ready."""
        self.clock = clock
        self.metrics = Metrics()
        self.units: dict[str, Unit] = {}
        for name, given in adapters.items():
            kit = Kit(store=given.store, clock=clock, ids=ids, atlas=self.atlas)
            self.units[name] = Unit(self._build(name, kit, security), given, self.metrics)
        self.places = PrivateReader("atlas", _atlas_watches(self.atlas), next(iter(adapters.values())))
        self.api = self._api(security, access_log, settled)

    async def run(self) -> None:
        """Everything that moves, until cancelled. Without the stations, their policies and tiers nothing can be decided."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._measure(), name="measure")
            await self.places.catch_up()
            tasks.create_task(self.places.run(), name="atlas")
            for unit in self.units.values():
                tasks.create_task(unit.run(), name=unit.service.name)

    async def step(self) -> int:
        """One round of everything, without waiting: for a simulated world."""
        done = await self.places.step(0.0)
        if not self.places.caught_up:
            return done
        for unit in self.units.values():
            done += await unit.step()
        return done

    async def missing(self) -> list[str]:
        """What keeps the system from being ready; empty when nothing does."""
        found = list(self.also_missing)
        if not self.places.caught_up:
            found.append("the atlas has not caught up")
        for unit in self.units.values():
            found += await unit.missing()
        return found

    async def ready(self, seconds: float = 60.0) -> None:
        """Wait until nothing is missing. Raises TimeoutError, naming what is, once nothing was read for so long: the whole
        log of many years may take its time."""
        now = asyncio.get_running_loop().time
        readers = [self.places, *(unit.private for unit in self.units.values())]
        end, read = now() + seconds, 0
        while missing := await self.missing():
            before, read = read, sum(reader.read for reader in readers if not reader.caught_up)
            if read != before:
                end = now() + seconds
            elif now() > end:
                raise TimeoutError("; ".join(missing))
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        await self.places.close()
        for unit in self.units.values():
            await unit.close()

    def _build(self, name: str, kit: Kit, security: Security) -> Service:
        match name:
            case "directory":
                if security.mint is None or security.hasher is None:
                    raise ValueError("the directory service needs a signing key")
                return directory.build(kit, mint=security.mint, hasher=security.hasher)
            case "needs":
                return needs.build(kit)
            case "volunteers":
                return volunteers.build(kit)
            case "resources":
                return resources.build(kit)
            case "matching":
                return matching.build(kit, ready=lambda: self.units["matching"].private.caught_up)
            case _:
                raise ValueError(f"no such service: {name}; there are {', '.join(SERVICES)}")

    def _api(self, security: Security, access_log: bool, settled: Settled | None) -> FastAPI:
        async def missing() -> str | None:
            return "; ".join(await self.missing()) or None

        built = [unit.service for unit in self.units.values()]
        return make_api(
            [*built, letters_service(self.units)],
            atlas=self.atlas,
            verifier=security.verifier,
            registry=self.metrics.registry,
            checks={"system": missing},
            is_open=lambda: self.places.caught_up,
            settled=settled,
            access_log=access_log,
        )

    async def _measure(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(1.0)
            self.metrics.loop_delay.set(max(0.0, loop.time() - before - 1.0))
            for unit in self.units.values():
                await unit.measure()


def hears(system: System) -> dict[str, Sequence[type[Event]]]:
    """Which service hears which events: from the handler tables and the private readers' tables."""
    return {
        name: tuple(sorted({row.event for row in _rows(unit.service)}, key=lambda e: e.type()))
        for name, unit in system.units.items()
    }


def _rows(service: Service) -> list[Any]:
    return [*service.handlers, *service.watches]


def _atlas_watches(atlas: Atlas) -> list[Any]:
    notes: list[tuple[type[Event], Callable[..., None]]] = [
        (VillageAdded, atlas.note_village),
        (SiteChanged, atlas.note_site),
        (OrganisationChanged, atlas.note_organisation),
        (AccountChanged, atlas.note_account),
    ]
    return [watch(event, note) for event, note in notes]

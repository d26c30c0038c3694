"""The ground of the fault tests: two instances of each service, one station, and a crowd for each test."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

import httpx2

from shared.embedded.clock import SystemClock
from shared.ports import Store
from shared.run.settings import Settings
from tests.cast import Cast
from tests.cluster.asking import PatientLine
from tests.cluster.faults.recovery import GOAL_SECONDS, Figures, Recovery, seconds_to_zero_lag
from tests.cluster.processes import Cluster
from tests.live.crowd import Crowd
from tests.live.figures import figures
from tests.live.http import Line, cast_of, signer
from tests.servers.fixtures import Server
from tests.servers.native.daemon import Failed
from wushe.check.cluster import evidence_on
from wushe.check.evidence import Evidence
from wushe.check.recount import recount
from wushe.routing import services

PEOPLE = 8
POLICY = {"first_wave": 3, "wave_seconds": 6, "hold_seconds": 40, "invitation_seconds": 30}
TOKEN_SECONDS = 240.0


class Healing(NamedTuple):
    """A fault that has ended, and the seconds from then until all lags are zero."""

    fault: str
    seconds: asyncio.Task[float]


class Ground:
    """Everything that can be made to fail, and how it is held to its promises afterwards."""

    def __init__(self, cluster: Cluster, broker: Server, store: Server, told: Figures) -> None:
        self.cluster = cluster
        self.broker = broker
        self.store = store
        self.told = told
        self._site: tuple[str, str] | None = None
        self._crowds = itertools.count(1)
        self._evidence: Evidence | None = None

    @property
    def settings(self) -> Settings:
        given = self.cluster.environment
        return Settings(
            kafka=given["WUSHE_KAFKA"], mongo=given["WUSHE_MONGO"], station=given["WUSHE_STATION"]
        )

    @property
    def evidence(self) -> Evidence:
        """Of the system as it runs, while there is a crowd."""
        assert self._evidence is not None
        return self._evidence

    @property
    def stores(self) -> Mapping[str, Store]:
        return self.evidence.stores

    @asynccontextmanager
    async def crowd(self, pace: float = 0.6) -> AsyncIterator[Crowd]:
        """People who have settled in at the station; they clear away when they leave."""
        number = next(self._crowds)
        async with self.line() as patient, self.hurried() as hurried, evidence_on(self.settings) as evidence:
            self._evidence = evidence
            cast = await self._cast(patient)
            crowd = Crowd(cast, patient, PEOPLE, number, name=f"{number}-", pace=pace)
            await crowd.settle_in(lots=2, homes=2)
            crowd.speaks_over(hurried)
            try:
                yield crowd
            finally:
                crowd.speaks_over(patient)
                with suppress(httpx2.HTTPError):
                    await crowd.leaves()

    @asynccontextmanager
    async def living(self, crowd: Crowd) -> AsyncIterator[None]:
        """The crowd lives inside this block, with tokens that do not end."""
        over = asyncio.Event()

        async def appoint() -> None:
            while not over.is_set():
                crowd.cast.appoint()
                with suppress(TimeoutError):
                    async with asyncio.timeout(TOKEN_SECONDS):
                        await over.wait()

        living = asyncio.gather(crowd.live(over.is_set), appoint())
        try:
            yield
        finally:
            over.set()
            await living

    async def has_posted(self, crowd: Crowd, more: int, seconds: float = 60.0) -> None:
        """Wait until so many more needs have been acknowledged."""
        wanted, until = len(crowd.promises.needs) + more, time.monotonic() + seconds
        while len(crowd.promises.needs) < wanted:
            assert time.monotonic() < until, f"nobody could post any more: {crowd.answers}"
            await asyncio.sleep(0.05)

    async def restart(self, names: Sequence[str], fault: str = "") -> None:
        """Kill these if they live, and start them; with `fault` each kills itself at that point, perhaps at once."""

        def one(name: str) -> None:
            self.cluster.instances[name].kill()
            try:
                self.cluster.start_one(name, fault)
            except Failed:
                if not fault:
                    raise

        await asyncio.gather(*(asyncio.to_thread(one, name) for name in names))

    async def leave(self, names: Sequence[str]) -> None:
        """These are asked to end, and do."""
        await asyncio.gather(*(asyncio.to_thread(self.cluster.instances[name].stop) for name in names))

    def healed(self, fault: str) -> Healing:
        """To be called at the moment in which a fault ends: from now on it is measured how soon all lags are zero."""
        began = time.monotonic()
        return Healing(fault, asyncio.create_task(seconds_to_zero_lag(self.evidence, began)))

    async def recovers(self, crowd: Crowd, healing: Healing) -> None:
        """The lags come to zero, and how soon is noted; then every promise stands."""
        seconds = await healing.seconds
        print(f"{healing.fault}: all lags zero {seconds:.1f} s after healing", flush=True)
        self.told.recoveries.append(Recovery(healing.fault, round(seconds, 2)))
        assert seconds <= GOAL_SECONDS
        await self.holds_to(crowd)

    async def holds_to(self, crowd: Crowd) -> None:
        """Every acknowledged need and seat is accounted for, nothing waits for a person, and the recount of
        `wushe check` is clean."""
        self.cluster.all_live()
        living = [name for name, instance in self.cluster.instances.items() if instance.pid is not None]
        await asyncio.to_thread(self.cluster.wait_ready, names=living)
        usual = crowd.line
        async with self.line() as patient:
            crowd.speaks_over(patient)
            crowd.cast.appoint()
            await crowd.ask_again()
            await seconds_to_zero_lag(self.evidence, time.monotonic())
            await crowd.holds_them_to_it()
            assert await self.letters(crowd.cast) == []
            crowd.speaks_over(usual)
        report = await recount(self.evidence, SystemClock(), seconds=300)
        assert report.clean and not report.unsettled, report.violations

    async def letters(self, cast: Cast) -> list[dict[str, Any]]:
        """All dead letters that wait for a decision."""
        cast.appoint()
        return [
            letter
            for service in services()
            for letter in (await cast.got(cast.admin, f"/api/dead-letters/{service}"))["items"]
        ]

    async def figures(self, names: Sequence[str] | None = None) -> Mapping[str, Mapping[str, float]]:
        """What each of these instances tells Prometheus."""
        self.cluster.all_live()
        asked = names or list(self.cluster.instances)
        urls = [self.cluster.instances[name].url for name in asked]
        told = await asyncio.gather(*(asyncio.to_thread(figures, url) for url in urls))
        return dict(zip(asked, told, strict=True))

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        line = PatientLine(self.cluster.url, prefix=_new())
        try:
            yield line
        finally:
            await line.close()

    @asynccontextmanager
    async def hurried(self) -> AsyncIterator[Line]:
        line = Line(self.cluster.url, prefix=_new())
        try:
            yield line
        finally:
            await line.close()

    async def _cast(self, line: Line) -> Cast:
        cast = cast_of(line, signer(self.cluster.place))
        if self._site is None:
            await cast.arrive(**POLICY)
            self._site = cast.station, cast.charity
        cast.station, cast.charity = self._site
        cast.appoint()
        return cast


def _new() -> str:
    return f"f{os.urandom(4).hex()}"

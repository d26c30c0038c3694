"""A whole town in one simulated world: all services in memory, a clock that stands still, seeded ids.

async with town() as t:
    staff = await t.signs_in("staff")
    answer = await t.call(staff, "POST", "/api/needs", {...})
    await t.settle()                    # everything that follows from it has happened
    await t.passes(minutes=15)          # deadlines fall due in their order
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.contracts import REGISTRY, TOPICS, Message
from shared.contracts.vocabulary import Role
from shared.embedded.clock import FixedClock
from shared.embedded.engine import SqliteEngine
from shared.embedded.ids import SeededIds
from shared.ports import Bus, NoFaults, Store
from shared.security.access import Principal
from shared.security.passwords import Hasher
from shared.security.tokens import TokenMint, TokenVerifier
from wushe.embedded import adapters
from wushe.system import Security, System

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""Monday 2 March 2026, 09:00 in Fuquan."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: httpx2.Headers


class Town:
    """The system, its clock, and a way to call it as anybody."""

    def __init__(self, seed: int = 1, wrap: Callable[[Bus], Bus] = lambda bus: bus) -> None:
        self.clock = FixedClock(START)
        self.ids = SeededIds(seed, self.clock)
        self.engine = SqliteEngine(":memory:", inline=True)
        self.mint = TokenMint(Ed25519PrivateKey.generate())
        security = Security(TokenVerifier(self.mint.public_key, self.clock), self.mint, Hasher.cheap())
        given = adapters(self.engine, self.clock, self.ids, NoFaults())
        self.bus = given["needs"].bus
        given = {name: replace(a, bus=wrap(a.bus)) for name, a in given.items()}
        self.stores: dict[str, Store] = {name: a.store for name, a in given.items()}
        self.system = System(given, security, clock=self.clock, ids=self.ids)
        transport = httpx2.ASGITransport(app=self.system.api)
        self.http = httpx2.AsyncClient(transport=transport, base_url="http://town")
        self._keys = 0

    def token(
        self, account_id: str, *roles: Role, site_id: str | None = None, organisation_id: str | None = None
    ) -> str:
        """A token for anybody, as the directory would sign it."""
        principal = Principal(account_id, roles, site_id, organisation_id, self.clock.now())
        return self.mint.sign(principal, f"session-{account_id}")

    async def call(
        self,
        token: str | None,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request, while the system goes on moving. Every change gets a fresh Idempotency-Key unless given one."""
        self._keys += 1
        sent = {"Idempotency-Key": key or f"key-{self._keys}"} if method != "GET" else {}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        request = asyncio.ensure_future(
            self.http.request(
                method,
                path,
                content=None if body is None else json.dumps(body, ensure_ascii=False).encode(),
                headers={
                    **sent,
                    **({"Content-Type": "application/json"} if body is not None else {}),
                    **(headers or {}),
                },
            )
        )
        response = await self.meanwhile(request)
        kind = response.headers.get("content-type", "")
        return Answer(
            response.status_code, response.json() if "json" in kind else response.text, response.headers
        )

    async def meanwhile(self, waited_for: asyncio.Future[Any]) -> Any:
        """Keep the system moving until this is done."""
        while not waited_for.done():
            if not await self.system.step():
                await asyncio.sleep(0)
        return waited_for.result()

    async def settle(self) -> None:
        """Step until nothing moves."""
        for _ in range(10_000):
            if not await self.system.step():
                return
        raise AssertionError("the town never comes to rest")

    async def passes(self, **duration: float) -> None:
        """Let time pass; every deadline on the way falls due in its order."""
        until = self.clock.now() + timedelta(**duration)
        await self.settle()
        while (due := await self._next_due()) is not None and due <= until:
            self.clock.advance_to(max(due, self.clock.now()) + timedelta(milliseconds=1))
            await self.settle()
        if until > self.clock.now():
            self.clock.advance_to(until)
        await self.settle()

    async def log(self) -> list[Message]:
        """Every message ever published, topic by topic."""
        reading = await self.bus.read(TOPICS, group=None)
        try:
            found: list[Message] = []
            while batch := await reading.fetch(1000, 0.0):
                found += [REGISTRY.decode(delivery.value) for delivery in batch]
            return found
        finally:
            await reading.close()

    async def _next_due(self) -> datetime | None:
        due = [await store.next_due() for store in self.stores.values()]
        return min((d for d in due if d is not None), default=None)


@asynccontextmanager
async def town(seed: int = 1, wrap: Callable[[Bus], Bus] = lambda bus: bus) -> AsyncIterator[Town]:
    t = Town(seed, wrap)
    try:
        await t.settle()
        yield t
    finally:
        await t.http.aclose()
        await t.system.close()
        await t.engine.close()

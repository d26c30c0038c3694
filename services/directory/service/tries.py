"""Patience with those who try passwords: counted in the store, so that it holds over restarts and instances."""

from __future__ import annotations

import hmac
from asyncio import Lock
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple
from weakref import WeakValueDictionary

from services.directory.domain.accounts import same_login
from services.directory.domain.sessions import (
    TRIES,
    TRIES_FROM_ADDRESS,
    Tries,
    forget,
    forgive,
    note_try,
    require_patience,
    tries_of,
)
from shared.run.kit import Kit

_BUCKET_DIGITS = 3


class _Place(NamedTuple):
    """Where the tries of one login or address are counted: a record of many, and the name within it."""

    bucket: str
    whose: str


class Patience:
    """Five failures on a login, or thirty from an address (the people of a station share one), within a quarter of
    an hour, and no more tries.

    Those who try one login take turns, so that many guesses at once gain nothing: at most one more per instance.
    """

    def __init__(self, kit: Kit, secret: Callable[[], Awaitable[str]]) -> None:
        self._store = kit.store
        self._clock = kit.clock
        self._secret = secret
        self._turns: WeakValueDictionary[str, Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, login: str, address: str | None = None) -> AsyncIterator[None]:
        """Wait for one's turn to try this login. Raises TooManyTries."""
        mine = await self._of_login(login)
        turn = self._turns.setdefault(mine.whose, Lock())
        async with turn:
            await self._require(mine, TRIES)
            if address is not None:
                await self._require(await self._of_address(address), TRIES_FROM_ADDRESS)
            yield

    async def failed(self, login: str, address: str | None = None) -> None:
        """Count a failure. Raises TooManyTries if others have used up the tries meanwhile."""
        await self._note(await self._of_login(login), TRIES)
        if address is not None:
            await self._note(await self._of_address(address), TRIES_FROM_ADDRESS)

    async def right(self, login: str) -> None:
        """Forget the failures on this login, if there were any."""
        place, now = await self._of_login(login), self._clock.now()
        if await self._failures(place):
            await self._store.change(
                Tries, place.bucket, lambda known: forgive(known, place.bucket, place.whose, now)
            )

    async def wake(self, bucket: str) -> None:
        """Drop the tries that no longer count."""
        now = self._clock.now()
        await self._store.change(Tries, bucket, lambda known: forget(known, bucket, now))

    async def _note(self, place: _Place, limit: int) -> None:
        now = self._clock.now()
        await self._store.change(
            Tries, place.bucket, lambda known: note_try(known, place.bucket, place.whose, limit, now)
        )

    async def _require(self, place: _Place, limit: int) -> None:
        require_patience(await self._failures(place), limit, self._clock.now())

    async def _failures(self, place: _Place) -> tuple[int, ...]:
        known = await self._store.get(Tries, place.bucket)
        return tries_of(known.record if known else None, place.whose, self._clock.now())

    async def _of_address(self, address: str) -> _Place:
        return await self._place(f"from {_network(address)}")

    async def _of_login(self, login: str) -> _Place:
        return await self._place(f"login {same_login(login)}")

    async def _place(self, whose: str) -> _Place:
        secret = await self._secret()
        digest = hmac.new(secret.encode(), whose.encode(), sha256).hexdigest()
        return _Place(digest[:_BUCKET_DIGITS], digest[:32])


def _network(address: str) -> str:
    """The address, or for IPv6 the /64 that one subscriber has all of."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
    return str(parsed)

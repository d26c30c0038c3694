"""Patience with those who try passwords: counted in the store, so that it holds over restarts and instances."""

from __future__ import annotations

import hmac
from asyncio import Lock
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
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
from shared.records import Change
from shared.run.kit import Kit

_BUCKET_DIGITS = 3


class _Place(NamedTuple):
    """Where the tries of one login or address are counted: a record of many, and the name within it."""

    bucket: str
    whose: str


class Guest(NamedTuple):
    """Who tries to sign in: the login, the address of the machine if there is one to count by, and whether this login
    has been opened from there before. Who is signed in and says the password again is at home, at no address."""

    login: str
    address: str | None = None
    at_home: bool = False


class Patience:
    """Five failures on a login, or thirty from an address (the people of a station share one), within a quarter of
    an hour, and no more tries.

    Where somebody has signed in of late their failures are counted apart, five as well: so nobody locks others out of
    their own desk by guessing, neither from afar nor from the next one. Those who try one login take turns, so that many
    guesses at once gain nothing: at most one more per instance.
    """

    def __init__(self, kit: Kit, secret: Callable[[], Awaitable[str]]) -> None:
        self._store = kit.store
        self._clock = kit.clock
        self._secret = secret
        self._turns: WeakValueDictionary[str, Lock] = WeakValueDictionary()

    async def door(self, account_id: str, address: str) -> str:
        """The name of this account's way in from this network: the same each time, and telling neither."""
        return await self._digest(f"door {account_id} {_network(address)}")

    @asynccontextmanager
    async def turn(self, guest: Guest) -> AsyncIterator[None]:
        """Wait for one's turn to try this login. Raises TooManyTries."""
        limits = await self._limits(guest)
        turn = self._turns.setdefault(limits[0][0].whose, Lock())
        async with turn:
            for place, limit in limits:
                require_patience(await self._failures(place), limit, self._clock.now())
            yield

    async def failed(self, guest: Guest) -> None:
        """Count a failure. Raises TooManyTries if others have used up the tries meanwhile."""
        now = self._clock.now()
        for place, limit in await self._limits(guest):
            await self._store.change(Tries, place.bucket, partial(_noted, place, limit, now))

    async def right(self, guest: Guest) -> None:
        """Forget the failures on this login, or at home those from there, if there were any."""
        (place, _), now = (await self._limits(guest))[0], self._clock.now()
        if await self._failures(place):
            await self._store.change(
                Tries, place.bucket, lambda known: forgive(known, place.bucket, place.whose, now)
            )

    async def wake(self, bucket: str) -> None:
        """Drop the tries that no longer count."""
        now = self._clock.now()
        await self._store.change(Tries, bucket, lambda known: forget(known, bucket, now))

    async def _limits(self, guest: Guest) -> list[tuple[_Place, int]]:
        """Where this one's failures are counted, and how many may be; first what a right password forgives."""
        login, network = f"login {same_login(guest.login)}", _network(guest.address or "")
        if guest.at_home:
            return [(await self._place(f"{login} at home {network}"), TRIES)]
        found = [(await self._place(login), TRIES)]
        if guest.address is not None:
            found.append((await self._place(f"from {network}"), TRIES_FROM_ADDRESS))
        return found

    async def _failures(self, place: _Place) -> tuple[int, ...]:
        known = await self._store.get(Tries, place.bucket)
        return tries_of(known.record if known else None, place.whose, self._clock.now())

    async def _place(self, whose: str) -> _Place:
        digest = await self._digest(whose)
        return _Place(digest[:_BUCKET_DIGITS], digest)

    async def _digest(self, text: str) -> str:
        secret = await self._secret()
        return hmac.new(secret.encode(), text.encode(), sha256).hexdigest()[:32]


def _noted(place: _Place, limit: int, now: datetime, known: Tries | None) -> Change[Tries]:
    return note_try(known, place.bucket, place.whose, limit, now)


def _network(address: str) -> str:
    """The address, or for IPv6 the /64 that one subscriber has all of."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
    return str(parsed)

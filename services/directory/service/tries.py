"""Patience with those who try passwords: counted in the store, so that it holds over restarts and instances."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple

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
    """Five failures on a login, or thirty from an address, within a quarter of an hour, and no more tries.

    A try on a login is counted before the password is looked at, so that many at once gain nothing, and forgotten if
    it was right. An address only counts failures, and more of them: the people of a station share one.
    """

    def __init__(self, kit: Kit, secret: Callable[[], Awaitable[str]]) -> None:
        self._store = kit.store
        self._clock = kit.clock
        self._secret = secret

    async def arrive(self, address: str) -> None:
        """Raises TooManyTries if there were too many failures from this address."""
        place, now = await self._place(f"from {_network(address)}"), self._clock.now()
        known = await self._store.get(Tries, place.bucket)
        require_patience(tries_of(known.record if known else None, place.whose, now), TRIES_FROM_ADDRESS, now)

    async def begin(self, login: str) -> None:
        """Count a try on this login. Raises TooManyTries."""
        await self._note(await self._of_login(login), TRIES)

    async def failed(self, address: str) -> None:
        """Count a failure from this address. Raises TooManyTries."""
        await self._note(await self._place(f"from {_network(address)}"), TRIES_FROM_ADDRESS)

    async def right(self, login: str) -> None:
        """Forget the tries on this login."""
        place, now = await self._of_login(login), self._clock.now()
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

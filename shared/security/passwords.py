"""Passwords: kept as argon2id hashes, and never hashed on the event loop."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from shared.errors import Refusal

T = TypeVar("T")

WAITING_AT_MOST = 200


class Cost(NamedTuple):
    """What one hash takes: rounds, kibibytes of memory, lanes."""

    rounds: int
    memory_kib: int
    lanes: int


CAREFUL = Cost(rounds=3, memory_kib=64 * 1024, lanes=4)
"""RFC 9106, second recommended option: about 50 ms."""
CHEAP = Cost(rounds=1, memory_kib=8, lanes=1)
"""For tests and invented people only: no protection."""


class TooBusy(Refusal):
    code = "too-busy"
    status = 503
    zh = "登录的人太多，请稍等几秒再试"
    en = "Too many people are signing in; try again in a few seconds"


class Hasher:
    """Hashes and verifies in two threads of its own."""

    def __init__(self, cost: Cost = CAREFUL) -> None:
        self._argon2 = PasswordHasher(cost.rounds, cost.memory_kib, cost.lanes, type=Type.ID)
        self._threads = ThreadPoolExecutor(2, "argon2")
        self._waiting = 0
        self._nobody: str | None = None

    @classmethod
    def cheap(cls) -> Hasher:
        """For tests and invented people."""
        return cls(CHEAP)

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._argon2.hash(_normal(password)))

    async def verify(self, hashed: str | None, password: str) -> bool:
        """Whether this is the password. None, for a login that nobody has, takes as long as a hash and is never it;
        a hash that cannot be read belongs to no password."""
        return await self._run(lambda: self._verify(hashed, _normal(password)))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, hashed: str | None, password: str) -> bool:
        if self._nobody is None:
            self._nobody = self._argon2.hash("nobody signs in with this")
        try:
            return self._argon2.verify(hashed or self._nobody, password) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_AT_MOST:
            raise TooBusy(retry_after=5)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def _normal(password: str) -> str:
    """One form of each character (NFC, as RFC 8265 asks), since keyboards differ in how they compose them."""
    return unicodedata.normalize("NFC", password)

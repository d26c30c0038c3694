"""What an error of the driver means: try again, give up for now, or a fault of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)

from shared.errors import Outage
from shared.ports import Ids

T = TypeVar("T")

ANSWER_SECONDS = 5.0
PATIENCE_SECONDS = 4.5
"""Shorter than one answer: whoever has waited that long in vain is told to come again rather than made to wait twice."""
FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.5

DUPLICATE = 11000
DEADLOCK = 16908292
TOO_LARGE = frozenset({10334, 17419, 285999133})
"""MongoDB's two codes for a document beyond 16 MB, and DocumentDB's."""
PASSING = frozenset(
    {
        1,
        6,
        7,
        24,
        46,
        50,
        64,
        89,
        91,
        112,
        133,
        189,
        251,
        262,
        9001,
        10107,
        11600,
        11602,
        13435,
        13436,
        DEADLOCK,
    }
)
"""Codes of a server that is stopping, electing, overloaded or cut off from its data, or that ended one of two calls which
waited for each other. Code 1 is what FerretDB says when PostgreSQL is gone; whether a write happened is then unknown."""


class Doubt(Outage):
    """The server did not answer, or not properly: whether it did what it was asked is unknown. Worth another try."""


class Pauses:
    """Longer and longer pauses between tries, of random length so that rivals part, until patience is at its end."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._until = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        self._pause = FIRST_PAUSE

    async def another(self, *, in_a_race: bool = False) -> bool:
        """Wait for the next try; False if there should be none. Who lost a race tries again soon: a rival that writes on and
        on leaves gaps of milliseconds, and whoever waits longer and longer never meets one."""
        if asyncio.get_running_loop().time() > self._until:
            return False
        if in_a_race:
            await asyncio.sleep(FIRST_PAUSE * self._ids.random())
            return True
        await asyncio.sleep(self._pause * self._ids.random())
        self._pause = min(LONGEST_PAUSE, self._pause * 2)
        return True


async def patiently(call: Callable[[], Awaitable[T]], ids: Ids) -> T:
    """The answer to something that may be asked more than once. Raises Outage when patience is at its end."""
    return await again_and_again(lambda: answered(call()), ids)


async def again_and_again(call: Callable[[], Awaitable[T]], ids: Ids) -> T:
    """The same for what raises Doubt by itself. The first try counts: one that took all the patience is the only one."""
    pauses = Pauses(ids)
    while True:
        try:
            return await call()
        except Doubt:
            if not await pauses.another():
                raise


async def answered(call: Awaitable[T], seconds: float = ANSWER_SECONDS) -> T:
    """The server's answer. Raises Doubt, Outage; and, as it is, what says that a key is taken or a document too large.

    A call that takes too long is left to the time-outs of the driver and never cancelled: PyMongo, when it is interrupted
    at the wrong moment, loses a lock of its pool, and answers nobody any more.
    """
    asking = asyncio.ensure_future(call)
    asking.add_done_callback(_looked_at)
    if not (await asyncio.wait((asking,), timeout=seconds))[0]:
        raise Doubt(f"the store did not answer in {seconds} s")
    try:
        return asking.result()
    except PyMongoError as e:
        if is_duplicate(e) or is_fault(e):
            raise
        raise (Doubt if is_passing(e) else Outage)(_words(e)) from e
    except (RuntimeError, asyncio.CancelledError) as e:  # of a connection that was closed under it
        raise Doubt(type(e).__name__) from e


def _looked_at(asking: asyncio.Future[T]) -> None:
    """What a call that was given up comes to in the end is nobody's any more."""
    if not asking.cancelled():
        asking.exception()


def is_duplicate(error: PyMongoError) -> bool:
    """Whether the only trouble is that some document was there already."""
    return isinstance(error, DuplicateKeyError) or _codes(error) == {DUPLICATE}


def is_fault(error: PyMongoError) -> bool:
    """Whether what was written can never be written, however often it is tried."""
    return isinstance(error, DocumentTooLarge) or not TOO_LARGE.isdisjoint(_codes(error))


def is_passing(error: PyMongoError) -> bool:
    """Whether the same call may well succeed a moment later."""
    if isinstance(error, ConnectionFailure | ExecutionTimeout | WriteConcernError):
        return True
    if isinstance(error, BulkWriteError):
        return _codes(error) <= PASSING | {DUPLICATE}
    return not PASSING.isdisjoint(_codes(error))


def _codes(error: PyMongoError) -> set[int]:
    if isinstance(error, BulkWriteError):
        return {each["code"] for each in (error.details or {}).get("writeErrors", ())}
    return {error.code} if isinstance(error, OperationFailure) and error.code is not None else set()


def _words(error: PyMongoError) -> str:
    """What happened, without the server's own text, which may quote what was stored."""
    code = getattr(error, "code", None)
    return type(error).__name__ if code is None else f"{type(error).__name__} {code}"

"""Many changes asked for together: each stands alone, but a store may have a shorter way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from shared.contracts.base import Message
from shared.errors import Outage
from shared.ports import Decide, Op, Store
from shared.records import Outcome, Record, Versioned

R = TypeVar("R", bound=Record)
A = TypeVar("A")
B = TypeVar("B")


class Wanted(NamedTuple, Generic[R]):
    """One change, as `Store.change` takes it."""

    id: str
    decide: Decide[R]
    op: Op | None = None


async def change_many(
    store: Store, kind: type[R], wanted: Sequence[Wanted[R]], *, cause: Message | None = None
) -> list[Outcome[R] | Exception]:
    """Change these records, one after another, each exactly as `Store.change` would. Gives for each in turn what
    came of it, or what `Store.change` would have raised: one that fails takes no other with it.

    Raises Outage: then some may have been changed.
    """
    shorter_way = getattr(store, "change_many", None)
    if shorter_way is None:
        return await one_by_one(store, kind, wanted, cause)
    found: list[Outcome[R] | Exception] = await shorter_way(kind, wanted, cause=cause)
    return found


async def get_many(store: Store, kind: type[R], ids: Sequence[str]) -> list[Versioned[R] | None]:
    """These records, in turn. A store that `reads_on_the_spot` needs no tasks for it; others are asked for all at once."""
    if getattr(store, "reads_on_the_spot", False):
        return [await store.get(kind, id) for id in ids]
    return await asyncio.gather(*(store.get(kind, id) for id in ids))


async def first_then(store: Store, first: Awaitable[A], then: Callable[[], Awaitable[B]]) -> tuple[A, B]:
    """Both changes; the second is never durable without the first. A store that `keeps_order` in which it was asked
    anyway is asked for both at once, and needs one commit."""
    if getattr(store, "keeps_order", False):
        return await asyncio.gather(first, then())
    return await first, await then()


async def one_by_one(
    store: Store, kind: type[R], wanted: Sequence[Wanted[R]], cause: Message | None
) -> list[Outcome[R] | Exception]:
    """The long way."""
    changes = (store.change(kind, one.id, one.decide, cause=cause, op=one.op) for one in wanted)
    return settled(await asyncio.gather(*changes, return_exceptions=True))


def settled(results: Sequence[Outcome[R] | BaseException]) -> list[Outcome[R] | Exception]:
    """The results, unless there is one among them that is not about a single record."""
    found: list[Outcome[R] | Exception] = []
    for result in results:
        if isinstance(result, Outage) or (
            isinstance(result, BaseException) and not isinstance(result, Exception)
        ):
            raise result
        found.append(result)
    return found


def outcomes(results: Sequence[Outcome[R] | Exception]) -> list[Outcome[R]]:
    """What came of each. Raises the first error, as a message's handler must."""
    found: list[Outcome[R]] = []
    for result in results:
        if isinstance(result, Exception):
            raise result
        found.append(result)
    return found

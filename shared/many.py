"""Many changes asked for together: each stands alone, but a store may carry them out in one go."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

from shared.contracts.base import Message
from shared.errors import Outage
from shared.ports import Decide, Op, Store
from shared.records import Outcome, Record

R = TypeVar("R", bound=Record)


class Wanted(NamedTuple, Generic[R]):
    """One change, as `Store.change` takes it."""

    id: str
    decide: Decide[R]
    op: Op | None = None


@runtime_checkable
class ManyAtOnce(Protocol):
    """A store that has a shorter way for many changes."""

    async def change_many(
        self, kind: type[R], wanted: Sequence[Wanted[R]], *, cause: Message | None = None
    ) -> list[Outcome[R] | Exception]: ...


async def change_many(
    store: Store, kind: type[R], wanted: Sequence[Wanted[R]], *, cause: Message | None = None
) -> list[Outcome[R] | Exception]:
    """Change these records, one after another, each exactly as `Store.change` would. Gives for each in turn what
    came of it, or what `Store.change` would have raised: one that fails takes no other with it.

    Raises Outage: then some may have been changed.
    """
    if isinstance(store, ManyAtOnce):
        return await store.change_many(kind, wanted, cause=cause)
    return await one_by_one(store, kind, wanted, cause)


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

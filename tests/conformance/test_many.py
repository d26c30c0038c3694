"""Many changes asked for together: each stands or falls alone, as if `change` had been called for each."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import KeyReused
from shared.many import Wanted, change_many
from shared.ports import Op, Store
from shared.records import Outcome
from tests.conformance.homes import StoreHome
from tests.conformance.toys import Basket, BasketFull, Fill, break_down, heard, keep, refuse


def fills(*ids: str) -> list[Wanted[Basket]]:
    return [Wanted(id, Fill(id)) for id in ids]


def counts(results: Sequence[Outcome[Basket] | Exception]) -> list[object]:
    return [r.record.count if isinstance(r, Outcome) else type(r) for r in results]


async def test_nothing_wanted_is_nothing_done(store: Store) -> None:
    assert await change_many(store, Basket, []) == []


async def test_each_result_stands_in_the_place_of_its_wish(store: Store) -> None:
    ids = [f"b{n}" for n in range(150)]
    assert counts(await change_many(store, Basket, fills(*ids))) == [1] * 150
    assert len(await store.pending(500)) == 150


async def test_the_later_change_of_a_record_sees_the_earlier(store: Store) -> None:
    assert counts(await change_many(store, Basket, fills("a", "b", "a", "a"))) == [1, 1, 2, 3]
    assert [(m.id, m.sequence) for m in await store.pending(9) if m.id == "a"] == [
        ("a", 1), ("a", 2), ("a", 3)
    ]  # fmt: skip


async def test_a_refusal_and_a_fault_take_no_other_with_them(home: StoreHome, store: Store) -> None:
    wanted = [
        *fills("a"), Wanted("b", refuse), *fills("c"), Wanted("d", break_down), *fills("e"),
    ]  # fmt: skip
    assert counts(await change_many(store, Basket, wanted)) == [1, BasketFull, 1, ZeroDivisionError, 1]
    store = await home.restarted()
    for id, there in (("a", True), ("b", False), ("c", True), ("d", False), ("e", True)):
        assert (await store.get(Basket, id) is not None) == there


async def test_a_cause_is_heard_once_by_each(store: Store) -> None:
    first = await change_many(store, Basket, fills("a", "b"), cause=heard(1))
    again = await change_many(store, Basket, fills("a", "b", "c"), cause=heard(1))
    assert [r.applied for r in first if isinstance(r, Outcome)] == [True, True]
    assert [r.applied for r in again if isinstance(r, Outcome)] == [False, False, True]
    assert counts(again) == [1, 1, 1]


async def test_a_refused_message_is_done_with_too(store: Store) -> None:
    await change_many(store, Basket, fills("a"))
    refused = await change_many(store, Basket, [Wanted("a", refuse)], cause=heard(1))
    again = await change_many(store, Basket, [Wanted("a", Fill())], cause=heard(1))
    assert counts(refused) == [BasketFull]
    assert counts(again) == [1]


async def test_a_repeated_request_is_met_from_memory(store: Store) -> None:
    wanted = [Wanted("a", Fill("a"), Op("key", "body"))]
    await change_many(store, Basket, wanted)
    again, other, kept = await change_many(
        store, Basket, [*wanted, Wanted("a", Fill("a"), Op("key", "another")), Wanted("a", keep)]
    )
    assert isinstance(again, Outcome)
    assert (again.applied, again.answer) == (False, {"count": 1})
    assert isinstance(other, KeyReused)
    assert isinstance(kept, Outcome) and kept.record.count == 1

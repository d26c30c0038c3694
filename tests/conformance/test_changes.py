"""One record, one change after another, each on the newest state."""

from __future__ import annotations

import asyncio

import pytest

from shared.errors import NotFound, Stale
from shared.ports import Store
from shared.records import Change
from tests.conformance.homes import StoreHome
from tests.conformance.toys import (
    DEADLINE,
    Basket,
    BasketFilled,
    BasketFull,
    Fill,
    Shelf,
    SourceSpoke,
    break_down,
    keep,
    put,
    refuse,
)


async def test_a_record_that_was_never_written_is_none(store: Store) -> None:
    assert await store.get(Basket, "a") is None


async def test_a_new_record_begins_at_version_one(store: Store) -> None:
    outcome = await store.change(Basket, "a", Fill())
    assert (outcome.version, outcome.applied, outcome.record.count) == (1, True, 1)
    found = await store.get(Basket, "a")
    assert found is not None
    assert (found.version, found.record) == (1, outcome.record)


async def test_a_record_may_begin_without_a_word(store: Store) -> None:
    outcome = await store.change(Basket, "a", put(Basket(id="a")))
    assert outcome.version == 1
    assert await store.pending(10) == []


async def test_each_change_decides_on_the_newest_state(store: Store) -> None:
    fill = Fill()
    versions = [(await store.change(Basket, "a", fill)).version for _ in range(3)]
    assert versions == [1, 2, 3]
    assert [basket.count if basket else None for basket in fill.saw] == [None, 1, 2]


async def test_a_hundred_changes_at_once_lose_nothing(store: Store) -> None:
    outcomes = await asyncio.gather(*(store.change(Basket, "a", Fill()) for _ in range(100)))
    assert sorted(outcome.version for outcome in outcomes) == list(range(1, 101))
    assert sorted(outcome.record.count for outcome in outcomes) == list(range(1, 101))
    assert [message.sequence for message in await store.pending(200)] == list(range(1, 101))


async def test_many_records_change_at_once_each_on_its_own(store: Store) -> None:
    ids = [f"b{n}" for n in range(20)]
    await asyncio.gather(*(store.change(Basket, id, Fill(id)) for _ in range(5) for id in ids))
    for id in ids:
        found = await store.get(Basket, id)
        assert found is not None
        assert (found.record.count, found.version) == (5, 5)


async def test_of_two_who_create_at_once_one_finds_the_record_there(store: Store) -> None:
    one, two = Fill(), Fill()
    await asyncio.gather(store.change(Basket, "a", one), store.change(Basket, "a", two))
    assert sorted(call.saw[-1] is None for call in (one, two)) == [False, True]


async def test_an_unchanged_record_without_events_writes_nothing(store: Store) -> None:
    await store.change(Basket, "a", put(Basket(id="a", count=1)))
    same = await store.change(Basket, "a", keep)
    equal = await store.change(Basket, "a", put(Basket(id="a", count=1)))
    assert (same.version, same.applied, equal.version, equal.applied) == (1, True, 1, True)


async def test_an_unchanged_record_that_says_something_is_a_new_version(store: Store) -> None:
    await store.change(Basket, "a", put(Basket(id="a")))
    outcome = await store.change(Basket, "a", lambda b: Change(b or Basket(id="?"), BasketFilled(count=0)))
    assert outcome.version == 2
    assert len(await store.pending(10)) == 1


async def test_a_refusal_leaves_no_trace(store: Store) -> None:
    await store.change(Basket, "a", put(Basket(id="a")))
    for id in ("a", "never-written"):
        with pytest.raises(BasketFull):
            await store.change(Basket, id, refuse)
    found = await store.get(Basket, "a")
    assert found is not None
    assert found.version == 1
    assert await store.get(Basket, "never-written") is None
    assert await store.pending(10) == []


async def test_a_fault_in_a_decision_hurts_nobody_else(store: Store) -> None:
    results = await asyncio.gather(
        store.change(Basket, "a", Fill("a")),
        store.change(Basket, "a", break_down),
        store.change(Basket, "b", refuse),
        store.change(Basket, "a", Fill("a")),
        return_exceptions=True,
    )
    assert [type(result).__name__ for result in results] == [
        "Outcome",
        "ZeroDivisionError",
        "BasketFull",
        "Outcome",
    ]
    found = await store.get(Basket, "a")
    assert found is not None
    assert found.record.count == 2


async def test_what_cannot_be_saved_hurts_nobody_else(store: Store) -> None:
    unreadable = Basket.model_construct(id="bad", note="\ud800")
    results = await asyncio.gather(
        store.change(Basket, "a", Fill("a")),
        store.change(Basket, "bad", put(unreadable)),
        store.change(
            Basket,
            "c",
            lambda _: Change(Basket(id="c"), BasketFilled.model_construct(count=1, note="\udfff")),
        ),
        store.change(Basket, "a", Fill("a")),
        return_exceptions=True,
    )
    assert [isinstance(result, Exception) for result in results] == [False, True, True, False]
    assert await store.get(Basket, "bad") is None
    assert await store.get(Basket, "c") is None
    assert [message.id for message in await store.pending(10)] == ["a", "a"]


async def test_a_decision_may_not_come_to_another_record(store: Store) -> None:
    with pytest.raises(ValueError, match="another record"):
        await store.change(Basket, "a", put(Basket(id="b")))


async def test_a_record_may_not_say_what_belongs_to_another_topic(store: Store) -> None:
    with pytest.raises(ValueError, match="another topic"):
        await store.change(Basket, "a", lambda _: Change(Basket(id="a"), SourceSpoke()))
    assert await store.get(Basket, "a") is None


async def test_the_expected_version_lets_the_change_through(store: Store) -> None:
    await store.change(Basket, "a", Fill())
    assert (await store.change(Basket, "a", Fill(), expect=1)).version == 2


async def test_another_version_than_expected_is_stale_and_decides_nothing(store: Store) -> None:
    await store.change(Basket, "a", Fill())
    await store.change(Basket, "a", Fill())
    late = Fill()
    with pytest.raises(Stale) as refusal:
        await store.change(Basket, "a", late, expect=1)
    assert refusal.value.facts == {"current": 2}
    assert late.saw == []


async def test_to_expect_a_version_of_nothing_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.change(Basket, "a", Fill(), expect=1)
    assert await store.get(Basket, "a") is None


async def test_of_two_who_expect_the_same_version_one_wins(store: Store) -> None:
    await store.change(Basket, "a", Fill())
    results = await asyncio.gather(
        *(store.change(Basket, "a", Fill(), expect=1) for _ in range(5)), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["Outcome", *["Stale"] * 4]


async def test_kinds_with_the_same_id_are_apart(store: Store) -> None:
    await store.change(Basket, "a", put(Basket(id="a", note="basket")))
    await store.change(Shelf, "a", lambda _: Change(Shelf(id="a", note="shelf")))
    basket, shelf = await store.get(Basket, "a"), await store.get(Shelf, "a")
    assert basket is not None
    assert shelf is not None
    assert (basket.record.note, shelf.record.note) == ("basket", "shelf")


async def test_services_cannot_read_each_other(home: StoreHome) -> None:
    await home.store("toys").change(Basket, "a", Fill())
    assert await home.store("games").get(Basket, "a") is None
    assert await home.store("games").pending(10) == []


async def test_what_was_answered_is_there_after_a_restart(home: StoreHome) -> None:
    await home.store().change(Basket, "a", Fill())
    await home.store().change(Basket, "a", Fill())
    store = await home.restarted()
    found = await store.get(Basket, "a")
    assert found is not None
    assert (found.version, found.record.count) == (2, 2)
    assert (await store.change(Basket, "a", Fill())).version == 3
    assert [message.sequence for message in await store.pending(10)] == [1, 2, 3]


async def test_a_crash_keeps_what_was_answered_and_halves_nothing(home: StoreHome) -> None:
    store = home.store()
    answered: list[str] = []

    async def fill(id: str) -> None:
        await store.change(Basket, id, Fill(id))
        answered.append(id)

    under_way = [asyncio.create_task(fill(f"b{n}")) for n in range(300)]
    await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
    await home.crash()
    for task in under_way:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)

    await home.start()
    store = home.store()
    said, kept = await said_and_kept(store)
    async with asyncio.timeout(DEADLINE):
        while said != kept:  # a server may still carry out what it was sent before the crash
            home.clock.advance(5)
            said, kept = await said_and_kept(store)
    assert kept >= set(answered)
    assert answered


async def said_and_kept(store: Store) -> tuple[set[str], set[str]]:
    said = {message.id for message in await store.pending(1000)}
    kept = {f"b{n}" for n in range(300) if await store.get(Basket, f"b{n}") is not None}
    return said, kept

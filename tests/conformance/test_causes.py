"""A message is applied at most once per record, in the same write as its effect."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from shared.contracts.base import Message
from shared.embedded.clock import FixedClock
from shared.errors import TooOld
from shared.ports import Store
from tests.conformance.homes import StoreHome
from tests.conformance.toys import TOYS, Basket, BasketFull, Fill, break_down, heard, keep, put, refuse


async def decides(store: Store, cause: Message, id: str = "a") -> bool:
    """Whether the record decides anything on this message."""
    fill = Fill(id)
    outcome = await store.change(Basket, id, fill, cause=cause)
    assert outcome.applied is bool(fill.saw)
    return outcome.applied


async def test_a_message_that_comes_again_decides_and_writes_nothing(store: Store) -> None:
    first = await store.change(Basket, "a", Fill(), cause=heard(1))
    again = Fill()
    outcome = await store.change(Basket, "a", again, cause=heard(1))
    assert (outcome.applied, outcome.version, outcome.record) == (False, first.version, first.record)
    assert again.saw == []
    assert len(await store.pending(10)) == 1
    assert store.duplicates_absorbed == 1


async def test_gaps_are_normal_and_what_lies_below_was_heard(store: Store) -> None:
    assert await decides(store, heard(3))
    assert not await decides(store, heard(2))
    assert await decides(store, heard(10))
    assert not await decides(store, heard(9))


async def test_sources_are_heard_apart(store: Store) -> None:
    assert await decides(store, heard(5, "s"))
    assert await decides(store, heard(1, "t"))
    assert not await decides(store, heard(5, "s"))


async def test_records_hear_apart(store: Store) -> None:
    assert await decides(store, heard(1), "a")
    assert await decides(store, heard(1), "b")


async def test_the_watermark_outlives_the_process(home: StoreHome) -> None:
    assert await decides(home.store(), heard(4))
    store = await home.restarted()
    assert not await decides(store, heard(4))
    assert await decides(store, heard(5))


async def test_one_message_ten_times_at_once_is_applied_once(store: Store) -> None:
    outcomes = await asyncio.gather(*(store.change(Basket, "a", Fill(), cause=heard(1)) for _ in range(10)))
    assert [outcome.applied for outcome in outcomes].count(True) == 1
    assert {outcome.record.count for outcome in outcomes} == {1}


async def test_a_message_that_changes_nothing_is_heard_without_a_new_version(home: StoreHome) -> None:
    await home.store().change(Basket, "a", put(Basket(id="a")))
    outcome = await home.store().change(Basket, "a", keep, cause=heard(1))
    assert (outcome.applied, outcome.version) == (True, 1)
    assert not await decides(home.store(), heard(1))
    assert not await decides(await home.restarted(), heard(1))


async def test_a_refused_message_is_heard_and_its_replay_decides_nothing(home: StoreHome) -> None:
    store = home.store()
    await store.change(Basket, "a", put(Basket(id="a")))
    with pytest.raises(BasketFull):
        await store.change(Basket, "a", refuse, cause=heard(1))
    found = await store.get(Basket, "a")
    assert found is not None
    assert found.version == 1
    assert not await decides(store, heard(1))
    store = await home.restarted()
    assert not await decides(store, heard(1))
    assert await decides(store, heard(2))


async def test_a_message_refused_where_there_is_no_record_leaves_nothing(store: Store) -> None:
    with pytest.raises(BasketFull):
        await store.change(Basket, "a", refuse, cause=heard(1))
    assert await store.get(Basket, "a") is None
    assert await decides(store, heard(1))


async def test_a_fault_leaves_the_message_unheard(store: Store) -> None:
    await store.change(Basket, "a", put(Basket(id="a")))
    with pytest.raises(ZeroDivisionError):
        await store.change(Basket, "a", break_down, cause=heard(1))
    assert await decides(store, heard(1))


async def test_events_tell_what_caused_them(store: Store) -> None:
    await store.change(Basket, "a", Fill(), cause=heard(1))
    await store.change(Basket, "a", Fill())
    caused, own = [TOYS.decode(message.value) for message in await store.pending(10)]
    assert (caused.correlation_id, caused.causation_id) == ("story", "s-1")
    assert (own.correlation_id, own.causation_id) == (own.id, None)


async def test_many_sources_are_all_remembered_while_they_are_young(store: Store, clock: FixedClock) -> None:
    for n in range(100):
        assert await decides(store, heard(1, f"s{n}", clock.now()))
    assert not [n for n in range(100) if await decides(store, heard(1, f"s{n}", clock.now()))]


async def test_sources_long_silent_are_forgotten_and_their_old_messages_set_aside(home: StoreHome) -> None:
    clock, store = home.clock, home.store()
    long_ago = clock.now()
    for n in range(64):
        assert await decides(store, heard(1, f"s{n}", long_ago + timedelta(minutes=n)))
    clock.advance(100 * 24 * 3600)
    assert await decides(store, heard(1, "young", clock.now()))

    for _ in range(2):
        late = Fill()
        with pytest.raises(TooOld):
            await store.change(Basket, "a", late, cause=heard(2, "s3", long_ago + timedelta(minutes=63)))
        assert late.saw == []
        store = await home.restarted()

    assert not await decides(store, heard(1, "young", clock.now()))
    assert await decides(store, heard(3, "s3", long_ago + timedelta(minutes=64)))
    assert await decides(store, heard(1, "s3", long_ago), "a record that has forgotten nothing")


async def test_few_sources_are_remembered_for_ever(store: Store, clock: FixedClock) -> None:
    message = heard(1, "s", clock.now())
    assert await decides(store, message)
    clock.advance(400 * 24 * 3600)
    assert await decides(store, heard(1, "t", clock.now()))
    assert not await decides(store, message)

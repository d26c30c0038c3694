"""What a record says is saved with the record, in order, and waits until it is known to be published."""

from __future__ import annotations

import asyncio

import pytest

from shared.embedded.clock import FixedClock
from shared.errors import Oversized
from shared.ports import Outgoing, Store
from shared.records import Change
from tests.conformance.homes import StoreHome
from tests.conformance.toys import BASKETS, TOYS, Basket, BasketFilled, Fill, Shelf, put, settled, soon


def places(messages: list[Outgoing]) -> list[tuple[str, int]]:
    return [(message.id, message.sequence) for message in messages]


async def test_events_wait_in_the_outbox_with_all_that_a_bus_needs(store: Store, clock: FixedClock) -> None:
    await store.change(Basket, "a", Fill(times=2))
    first, second = await store.pending(10)
    assert first[:5] == ("basket", "a", 1, BASKETS.name, "a")
    assert second[:5] == ("basket", "a", 2, BASKETS.name, "a")
    message = TOYS.decode(second.value)
    assert (message.subject, message.sequence, message.time) == ("a", 2, clock.now())
    assert message.data == BasketFilled(count=2)


async def test_event_ids_are_new_and_sort_by_time_of_making(store: Store) -> None:
    for id in ("b", "a", "b"):
        await store.change(Basket, id, Fill(id, times=3))
    ids = [TOYS.decode(message.value).id for message in await store.pending(10)]
    assert len(set(ids)) == 9
    assert {id[14] for id in ids} == {"7"}
    mine = [TOYS.decode(message.value).id for message in await store.pending(10) if message.id == "b"]
    assert mine == sorted(mine)


async def test_the_outbox_is_in_order_per_record(store: Store) -> None:
    await asyncio.gather(*(store.change(Basket, id, Fill(id, times=2)) for _ in range(5) for id in "abc"))
    pending = await store.pending(100)
    assert len(pending) == 30
    for id in "abc":
        assert [message.sequence for message in pending if message.id == id] == list(range(1, 11))


async def test_only_so_many_are_given_the_first_of_each_record_first(store: Store) -> None:
    for _ in range(5):
        await store.change(Basket, "a", Fill())
    assert places(await store.pending(2)) == [("a", 1), ("a", 2)]
    assert places(await store.pending(2)) == [("a", 1), ("a", 2)]


async def test_trimmed_messages_are_gone_and_the_version_stays(store: Store) -> None:
    await store.change(Basket, "a", Fill(times=3))
    await store.trim((await store.pending(10))[:2])
    assert places(await store.pending(10)) == [("a", 3)]
    found = await store.get(Basket, "a")
    assert found is not None
    assert found.version == 1
    assert (await store.change(Basket, "a", Fill(), expect=1)).version == 2
    assert places(await store.pending(10)) == [("a", 3), ("a", 4)]


async def test_to_trim_twice_or_too_much_does_no_harm(store: Store) -> None:
    await store.change(Basket, "a", Fill())
    published = await store.pending(10)
    await store.trim([])
    await store.trim(published)
    await store.change(Basket, "a", Fill())
    await store.trim(published)
    await store.trim([published[0]._replace(id="unheard-of")])
    assert places(await store.pending(10)) == [("a", 2)]
    assert await store.outbox_age() is not None


async def test_sequences_go_on_after_trimming_and_after_a_restart(home: StoreHome) -> None:
    store = home.store()
    await store.change(Basket, "a", Fill(times=2))
    await store.trim(await store.pending(10))
    store = await home.restarted()
    assert await store.pending(10) == []
    await store.change(Basket, "a", Fill())
    assert places(await store.pending(10)) == [("a", 3)]


async def test_what_was_published_by_the_process_before_can_be_trimmed(home: StoreHome) -> None:
    store = home.store()
    await store.change(Basket, "a", Fill(times=2))
    published = (await store.pending(10))[:1]
    store = await home.restarted()
    await store.trim(published)
    assert places(await store.pending(10)) == [("a", 2)]


async def test_messages_are_the_same_bytes_after_a_restart(home: StoreHome) -> None:
    await home.store().change(
        Basket, "a", lambda _: Change(Basket(id="a"), BasketFilled(count=1, note="𠮷野家·བོད"))
    )
    before = await home.store().pending(10)
    assert await (await home.restarted()).pending(10) == before


async def test_the_relay_is_woken_when_something_is_said(store: Store) -> None:
    waiting = asyncio.create_task(store.outgoing())
    await settled()
    await store.change(Basket, "a", put(Basket(id="a")))
    await store.change(Shelf, "a", lambda _: Change(Shelf(id="a")))
    await settled()
    assert not waiting.done()
    await store.change(Basket, "a", Fill())
    await soon(waiting)


async def test_the_relay_need_not_wait_while_something_is_pending(home: StoreHome) -> None:
    await home.store().change(Basket, "a", Fill())
    await soon(home.store().outgoing())
    store = await home.restarted()
    await soon(store.outgoing())
    await store.trim(await store.pending(10))
    waiting = asyncio.create_task(store.outgoing())
    await settled()
    assert not waiting.done()
    waiting.cancel()


async def test_the_age_of_the_outbox_is_that_of_its_oldest_message(store: Store, clock: FixedClock) -> None:
    assert await store.outbox_age() is None
    await store.change(Basket, "a", Fill())
    clock.advance(5)
    await store.change(Basket, "b", Fill("b"))
    clock.advance(2.5)
    assert await store.outbox_age() == 7.5
    await store.trim((await store.pending(10))[:1])
    assert await store.outbox_age() == 2.5
    await store.trim(await store.pending(10))
    assert await store.outbox_age() is None


async def test_the_depth_of_the_outbox_is_the_number_of_messages_that_wait(store: Store) -> None:
    assert await store.outbox_depth() == 0
    await store.change(Basket, "a", Fill(times=3))
    await store.change(Basket, "b", Fill("b"))
    assert await store.outbox_depth() == 4
    await store.trim((await store.pending(10))[:1])
    assert await store.outbox_depth() == 3
    await store.trim(await store.pending(10))
    assert await store.outbox_depth() == 0


async def test_an_event_too_large_for_any_topic_is_refused_and_nothing_is_saved(store: Store) -> None:
    said = BasketFilled(count=1, note="多" * 400_000)
    with pytest.raises(Oversized):
        await store.change(Basket, "b", lambda old: Change(Basket(id="b", count=1), said))
    assert await store.get(Basket, "b") is None
    assert await store.pending(10) == []
    await store.change(Basket, "b", lambda old: Change(Basket(id="b", count=2), BasketFilled(count=2)))
    assert [m.sequence for m in await store.pending(10)] == [1]

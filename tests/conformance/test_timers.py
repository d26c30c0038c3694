"""Records that are due, and waiting for a record to come to something."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from shared.embedded.clock import FixedClock
from shared.ports import Store
from shared.records import Change, Versioned
from tests.conformance.homes import StoreHome
from tests.conformance.toys import Basket, Fill, Shelf, put, settled, soon


async def set_alarm(store: Store, id: str, at: datetime | None) -> None:
    await store.change(Basket, id, put(Basket(id=id, wake_at=at)))


async def test_due_records_come_earliest_first(store: Store, clock: FixedClock) -> None:
    now = clock.now()
    for id, minutes in (("late", -1), ("earliest", -9), ("future", 1), ("now", 0), ("early", -5)):
        await set_alarm(store, id, now + timedelta(minutes=minutes))
    await set_alarm(store, "never", None)
    assert await store.due(Basket, now, 10) == ["earliest", "early", "late", "now"]
    assert await store.due(Basket, now, 2) == ["earliest", "early"]
    assert await store.due(Shelf, now, 10) == []


async def test_a_record_is_due_no_more_when_it_says_so(home: StoreHome) -> None:
    now = home.clock.now()
    await set_alarm(home.store(), "a", now)
    await set_alarm(home.store(), "b", now)
    await set_alarm(home.store(), "a", None)
    assert await home.store().due(Basket, now, 10) == ["b"]
    assert await (await home.restarted()).due(Basket, now, 10) == ["b"]


async def test_who_is_woken_finds_that_the_moment_has_come(store: Store, clock: FixedClock) -> None:
    alarm = clock.now() + timedelta(microseconds=100)
    await set_alarm(store, "a", alarm)
    assert await store.due(Basket, clock.now(), 10) == []
    following = await store.next_due()
    assert following is not None
    assert alarm <= following <= alarm + timedelta(milliseconds=1)
    assert await store.due(Basket, following, 10) == ["a"]


async def test_the_next_moment_is_the_earliest_of_all_kinds(store: Store, clock: FixedClock) -> None:
    assert await store.next_due() is None
    soonest, later = clock.now() + timedelta(hours=1), clock.now() + timedelta(hours=2)
    await set_alarm(store, "a", later)
    assert await store.next_due() == later
    await store.change(Shelf, "s", lambda _: Change(Shelf(id="s", wake_at=soonest)))
    assert await store.next_due() == soonest


async def test_the_sweeper_is_woken_when_a_record_becomes_due_earlier(
    store: Store, clock: FixedClock
) -> None:
    waiting = asyncio.create_task(store.changed())
    await settled()
    await set_alarm(store, "a", clock.now() + timedelta(hours=2))
    await soon(waiting)
    waiting = asyncio.create_task(store.changed())
    await settled()
    await set_alarm(store, "a", clock.now() + timedelta(hours=1))
    await soon(waiting)


async def test_a_call_that_comes_while_the_sweeper_is_busy_is_not_lost(
    store: Store, clock: FixedClock
) -> None:
    await set_alarm(store, "a", clock.now())
    await soon(store.changed())


async def test_who_waits_for_what_is_already_so_does_not_wait(store: Store) -> None:
    await store.change(Basket, "a", Fill())
    found = await store.wait(Basket, "a", lambda basket: basket.count == 1, 60)
    assert found is not None
    assert found.version == 1


async def test_who_waits_is_told_when_it_is_so(store: Store) -> None:
    many = [
        asyncio.create_task(store.wait(Basket, "a", lambda basket: basket.count >= 3, 60)) for _ in range(5)
    ]
    await settled()
    for count in (1, 2, 3):
        assert not any(task.done() for task in many)
        await store.change(Basket, "a", Fill())
        await settled()
        assert count == 3 or not any(task.done() for task in many)
    await soon(asyncio.wait(many))
    assert [found.record.count for task in many if (found := task.result())] == [3] * 5


async def test_who_has_waited_long_enough_gets_the_latest_state(store: Store, clock: FixedClock) -> None:
    await store.change(Basket, "a", Fill())
    waiting = asyncio.create_task(store.wait(Basket, "a", lambda basket: basket.count == 9, 60))
    nothing = asyncio.create_task(store.wait(Basket, "never-written", lambda _: True, 60))
    await settled()
    await store.change(Basket, "a", Fill())
    clock.advance(59)
    await settled()
    assert not waiting.done()
    assert not nothing.done()
    clock.advance(1)
    await soon(asyncio.wait([waiting, nothing]))
    found = waiting.result()
    assert found is not None
    assert found.record.count == 2
    assert nothing.result() is None


async def test_what_was_read_before_time_was_up_is_not_told_as_the_latest_state(
    store: Store, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read may take its time: the record can have changed since it was made, and time can be up meanwhile."""
    await store.change(Basket, "a", Fill())
    read, has_read, may_answer = store.get, asyncio.Event(), asyncio.Event()

    async def slowly(kind: type[Basket], id: str) -> Versioned[Basket] | None:
        found = await read(kind, id)
        has_read.set()
        await may_answer.wait()
        return found

    monkeypatch.setattr(store, "get", slowly)
    waiting = asyncio.create_task(store.wait(Basket, "a", lambda basket: basket.count == 9, 60))
    await soon(has_read.wait())
    await store.change(Basket, "a", Fill())
    clock.advance(60)
    await settled()
    may_answer.set()
    await soon(waiting)
    found = waiting.result()
    assert found is not None
    assert found.record.count == 2


async def test_who_gives_up_waiting_leaves_the_others_waiting(store: Store) -> None:
    leaving = asyncio.create_task(store.wait(Basket, "a", lambda _: True, 60))
    staying = asyncio.create_task(store.wait(Basket, "a", lambda _: True, 60))
    await settled()
    leaving.cancel()
    await store.change(Basket, "a", Fill())
    await soon(staying)


async def test_a_store_that_can_write_says_so(store: Store) -> None:
    for _ in range(3):
        await store.ping()

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from shared.embedded.clock import FixedClock, SystemClock, first_of
from shared.embedded.ids import SeededIds, SystemIds, uuid7
from shared.times import EPOCH, milliseconds, milliseconds_up, moment_of
from tests.conformance.toys import settled, soon

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


async def test_sleepers_wake_when_their_moment_has_come_in_order() -> None:
    clock, woken = FixedClock(START), list[int]()

    async def sleeper(seconds: int) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (5, 1, 3)]
    await settled()
    assert clock.next_wake == START + timedelta(seconds=1)
    clock.advance(3)
    await settled()
    assert woken == [1, 3]
    assert clock.next_wake == START + timedelta(seconds=5)
    clock.advance(100)
    await asyncio.gather(*tasks)
    assert woken == [1, 3, 5]
    assert clock.next_wake is None


async def test_a_sleeper_that_went_away_does_not_wake() -> None:
    clock = FixedClock(START)
    gone = asyncio.create_task(clock.sleep(1))
    await settled()
    gone.cancel()
    await settled()
    assert clock.next_wake is None
    clock.advance(2)


async def test_no_sleep_at_all_needs_no_time() -> None:
    await soon(FixedClock(START).sleep(0))
    await soon(SystemClock().sleep(0))


async def test_a_fixed_clock_goes_back_only_when_it_is_put_back() -> None:
    clock = FixedClock(START)
    with pytest.raises(ValueError, match="never goes back"):
        clock.advance(-1)
    clock.set(START - timedelta(days=1))
    assert clock.now() == START - timedelta(days=1)


async def test_waiting_ends_with_the_first_of_event_and_time() -> None:
    clock = FixedClock(START)
    event = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(first_of(clock, event, 10))
    await settled()
    clock.advance(10)
    await soon(waiting)
    assert not event.done()
    waiting = asyncio.create_task(first_of(clock, event, 10))
    await settled()
    event.set_result(None)
    await soon(waiting)
    await soon(first_of(clock, event, 10))


def test_ids_are_uuids_of_version_seven_with_their_time() -> None:
    id = UUID(SeededIds(1, FixedClock(START)).new())
    assert (id.version, id.variant) == (7, "specified in RFC 4122")
    assert id.int >> 80 == milliseconds(START)
    assert uuid7(0x017F22E279B0, 0xCC3 << 62 | 0x18C4DC0C0C07398F) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


def test_the_same_seed_mints_the_same_ids() -> None:
    one, same, other = (SeededIds(seed, FixedClock(START)) for seed in (1, 1, 2))
    minted = [one.new() for _ in range(100)]
    assert minted == [same.new() for _ in range(100)]
    assert not set(minted) & {other.new() for _ in range(100)}
    assert one.random() == same.random() != other.random()


def test_ids_rise_within_a_millisecond_and_when_the_clock_goes_back() -> None:
    clock = FixedClock(START)
    for ids in (SystemIds(clock), SeededIds(1, clock)):
        clock.set(START)
        minted = [ids.new() for _ in range(1000)]
        clock.set(START - timedelta(hours=1))
        minted += [ids.new() for _ in range(1000)]
        assert minted == sorted(set(minted))
    assert 0 <= SystemIds(clock).random() < 1


def test_milliseconds_are_exact_both_ways() -> None:
    for ms in (0, 1, 999, 1_772_413_200_123, 4_102_444_799_999):
        assert milliseconds(moment_of(ms)) == milliseconds_up(moment_of(ms)) == ms
    late = EPOCH + timedelta(microseconds=1500)
    assert (milliseconds(late), milliseconds_up(late)) == (1, 2)

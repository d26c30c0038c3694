"""A log by topic: order per key, groups with offsets of their own, nothing lost that was acknowledged."""

from __future__ import annotations

import asyncio

import pytest

from shared.contracts.base import Topic
from shared.ports import Bus, Delivery, Outgoing, Position
from tests.conformance.homes import BusHome
from tests.conformance.toys import BASKETS, DEADLINE, NEWS, outgoing, soon, take


def ends(deliveries: list[Delivery]) -> dict[Position, int]:
    """What to commit after these: one above the highest offset of each partition."""
    return {delivery.position: delivery.offset + 1 for delivery in deliveries}


def values(deliveries: list[Delivery]) -> list[bytes]:
    return [delivery.value for delivery in deliveries]


def some(count: int, key: str = "a") -> list[Outgoing]:
    return [outgoing(key, n) for n in range(1, count + 1)]


async def test_bytes_and_key_arrive_as_they_were_sent(bus: Bus) -> None:
    reading = await bus.read([BASKETS], group="g")
    await bus.publish([outgoing("键-𠮷", 1, value='{"n": "བོད · 🙏"}\x00'.encode() + b"\xff")])
    [delivery] = await take(reading, 1)
    assert (delivery.key, delivery.value) == ("键-𠮷", '{"n": "བོད · 🙏"}\x00'.encode() + b"\xff")
    assert delivery.position.topic == BASKETS.name


async def test_order_is_kept_per_key(bus: Bus) -> None:
    keys = [f"k{n}" for n in range(10)]
    for first in range(1, 31, 3):
        await bus.publish([outgoing(key, n) for n in range(first, first + 3) for key in keys])
    read = await take(await bus.read([BASKETS], group="g"), 300)
    for key in keys:
        assert [d.value for d in read if d.key == key] == [f"{key}-{n}".encode() for n in range(1, 31)]


async def test_offsets_rise_by_one_within_a_partition(bus: Bus) -> None:
    await bus.publish(some(10))
    offsets: dict[Position, list[int]] = {}
    for delivery in await take(await bus.read([BASKETS], group="g"), 10):
        offsets.setdefault(delivery.position, []).append(delivery.offset)
    for run in offsets.values():
        assert run == list(range(run[0], run[0] + len(run)))


async def test_publishing_at_once_loses_nothing(bus: Bus) -> None:
    await asyncio.gather(*(bus.publish(some(5, f"k{n}")) for n in range(20)))
    read = await take(await bus.read([BASKETS], group=None), 100)
    assert len({(d.position, d.offset) for d in read}) == 100
    for n in range(20):
        assert [d.value for d in read if d.key == f"k{n}"] == [f"k{n}-{m}".encode() for m in range(1, 6)]


async def test_nothing_there_is_an_empty_fetch(bus: Bus) -> None:
    reading = await bus.read([BASKETS], group="g")
    assert await reading.fetch(10, 0.01) == []
    assert await reading.lag() == 0
    await bus.publish([])
    assert await reading.fetch(10, 0) == []


async def test_a_reader_is_woken_by_what_comes(bus: Bus) -> None:
    reading = await bus.read([BASKETS], group="g")
    waiting = asyncio.create_task(take(reading, 1))
    await asyncio.sleep(0)
    await bus.publish(some(1))
    await soon(waiting)


async def test_a_fetch_gives_no_more_than_asked(bus: Bus) -> None:
    await bus.publish(some(10))
    reading = await bus.read([BASKETS], group="g")
    fetched = [await reading.fetch(4, DEADLINE) for _ in range(3)]
    assert all(0 < len(part) <= 4 for part in fetched)


async def test_topics_are_apart_and_a_reader_of_two_gets_both(bus: Bus) -> None:
    await bus.publish([outgoing("a", 1, BASKETS), outgoing("a", 1, NEWS, b"news"), outgoing("a", 2, BASKETS)])
    news, both = await bus.read([NEWS], group="news"), await bus.read([NEWS, BASKETS], group="both")
    assert values(await take(news, 1)) == [b"news"]
    assert await news.lag() == 0
    read = await take(both, 3)
    assert [d.value for d in read if d.position.topic == BASKETS.name] == [b"a-1", b"a-2"]
    assert [d.value for d in read if d.position.topic == NEWS.name] == [b"news"]


async def test_a_busy_topic_does_not_starve_a_quiet_one(bus: Bus) -> None:
    await bus.publish([*some(500), outgoing("a", 1, NEWS, b"news")])
    reading = await bus.read([BASKETS, NEWS], group="g")
    early = [await reading.fetch(10, 1.0) for _ in range(8)]
    assert b"news" in [value for part in early for value in values(part)]


async def test_groups_read_independently(bus: Bus) -> None:
    await bus.publish(some(3))
    one, two = await bus.read([BASKETS], group="one"), await bus.read([BASKETS], group="two")
    await one.commit(ends(await take(one, 3)))
    assert len(await take(two, 3)) == 3
    assert (await one.lag(), await two.lag()) == (0, 0)


async def test_a_new_member_resumes_exactly_behind_the_last_commit(bus: Bus) -> None:
    await bus.publish(some(6))
    first = await bus.read([BASKETS], group="g")
    await first.commit(ends(await take(first, 2)))
    await take(first, 2)
    await first.close()
    second = await bus.read([BASKETS], group="g")
    assert await second.lag() == 4
    assert values(await take(second, 4)) == [b"a-3", b"a-4", b"a-5", b"a-6"]


async def test_a_group_without_commit_begins_at_the_start(bus: Bus) -> None:
    await bus.publish(some(2))
    first = await bus.read([BASKETS], group="g")
    await take(first, 2)
    await first.close()
    assert len(await take(await bus.read([BASKETS], group="g"), 2)) == 2


async def test_a_member_that_has_left_commits_no_more(bus: Bus) -> None:
    await bus.publish(some(2))
    left = await bus.read([BASKETS], group="g")
    read = await take(left, 2)
    await left.close()
    await left.commit(ends(read))
    assert len(await take(await bus.read([BASKETS], group="g"), 2)) == 2


async def test_rewound_messages_come_again(bus: Bus) -> None:
    await bus.publish(some(5))
    reading = await bus.read([BASKETS], group="g")
    read = await take(reading, 4)
    await reading.rewind({read[1].position: read[1].offset})
    assert await reading.lag() == 4
    assert values(await take(reading, 4)) == [b"a-2", b"a-3", b"a-4", b"a-5"]


async def test_to_rewind_one_topic_leaves_the_others(bus: Bus) -> None:
    await bus.publish([*some(2), outgoing("a", 1, NEWS, b"news")])
    reading = await bus.read([BASKETS, NEWS], group="g")
    read = await take(reading, 3)
    first = next(d for d in read if d.value == b"a-1")
    await reading.rewind({first.position: first.offset})
    assert values(await take(reading, 2)) == [b"a-1", b"a-2"]
    assert await reading.lag() == 0


async def test_a_private_reader_gets_everything_from_the_start_each_time(bus: Bus) -> None:
    await bus.publish(some(3))
    for _ in range(2):
        private = await bus.read([BASKETS], group=None)
        read = await take(private, 3)
        assert values(read) == [b"a-1", b"a-2", b"a-3"]
        await private.commit(ends(read))
    await bus.publish([outgoing("a", 4)])
    assert values(await take(private, 1)) == [b"a-4"]


async def test_private_readers_and_groups_do_not_disturb_each_other(bus: Bus) -> None:
    await bus.publish(some(2))
    private, member = await bus.read([BASKETS], group=None), await bus.read([BASKETS], group="g")
    assert values(await take(private, 2)) == values(await take(member, 2))


async def test_lag_is_what_lies_ahead(bus: Bus) -> None:
    reading = await bus.read([BASKETS, NEWS], group="g")
    await bus.publish([*some(7), outgoing("a", 1, NEWS)])
    assert await reading.lag() == 8
    await take(reading, 3)
    assert await reading.lag() == 5


@pytest.mark.parametrize("group", ["g", None])
async def test_who_reads_on_while_others_write_on_has_caught_up_with_what_lay_there(
    bus: Bus, group: str | None
) -> None:
    await bus.publish(some(5))
    reading = await bus.read([BASKETS], group=group)
    await take(reading, 1)
    assert not await reading.caught_up()
    await bus.publish(some(1, "b"))
    while (await take(reading, 1))[0].value != b"a-5":
        pass
    assert await reading.caught_up()
    await bus.publish(some(1, "c"))
    assert not await reading.caught_up(), "asked again, it is about what lies there now"
    while not await reading.caught_up():
        await take(reading, 1)
    assert await reading.lag() == 0


async def test_messages_and_commits_outlive_the_process(bus_home: BusHome) -> None:
    bus = await bus_home.start()
    await bus.publish(some(5))
    reading = await bus.read([BASKETS], group="g")
    await reading.commit(ends(await take(reading, 2)))
    bus = await bus_home.restarted()
    reading = await bus.read([BASKETS], group="g")
    assert values(await take(reading, 3)) == [b"a-3", b"a-4", b"a-5"]
    await bus.publish([outgoing("a", 6)])
    assert values(await take(reading, 1)) == [b"a-6"]
    assert len(await take(await bus.read([BASKETS], group=None), 6)) == 6


async def test_a_crash_loses_nothing_that_was_acknowledged(bus_home: BusHome) -> None:
    bus = await bus_home.start()
    acknowledged: list[int] = []

    async def publish(n: int) -> None:
        await bus.publish([outgoing("a", n)])
        acknowledged.append(n)

    under_way = [asyncio.create_task(publish(n)) for n in range(300)]
    await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
    await bus_home.crash()
    for task in under_way:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)
    reading = await (await bus_home.start()).read([BASKETS], group=None)
    kept = values(await take(reading, len(acknowledged)))
    assert acknowledged
    assert set(kept) >= {f"a-{n}".encode() for n in acknowledged}


async def test_a_long_log_is_read_from_its_start_to_its_newest(bus: Bus) -> None:
    for first in range(0, 5000, 500):
        await bus.publish([outgoing("a", n) for n in range(first, first + 500)])
    read = await take(await bus.read([BASKETS], group="g"), 5000)
    assert values(read) == [f"a-{n}".encode() for n in range(5000)]


async def test_a_topic_nobody_has_written_to_can_be_read_and_written_later(bus: Bus) -> None:
    reading = await bus.read([Topic("toys", "new-kind")], group="g")
    assert await reading.lag() == 0
    await bus.publish([outgoing("a", 1, Topic("toys", "new-kind"))])
    assert values(await take(reading, 1)) == [b"a-1"]


@pytest.mark.needs("rebalancing")
async def test_two_members_of_a_group_share_the_keys(bus: Bus) -> None:
    members = [await bus.read([BASKETS], group="g") for _ in range(2)]
    keys = [f"k{n}" for n in range(48)]
    await bus.publish([outgoing(key, n) for n in (1, 2) for key in keys])
    shares: list[list[Delivery]] = [[], []]
    async with asyncio.timeout(DEADLINE):
        while sum(map(len, shares)) < 96:
            for share, member in zip(shares, members, strict=True):
                share += await member.fetch(100, 0.2)
    assert all(shares)
    assert not {d.key for d in shares[0]} & {d.key for d in shares[1]}
    for share in shares:
        for key in {d.key for d in share}:
            assert [d.value for d in share if d.key == key] == [f"{key}-1".encode(), f"{key}-2".encode()]


async def test_a_bus_that_can_be_reached_says_so(bus: Bus) -> None:
    for _ in range(3):
        await bus.ping()

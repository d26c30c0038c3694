"""What the MongoDB adapter spares itself must not show: parts of records, guesses, and outboxes kept in memory."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any, ClassVar

import pytest
from pydantic import Field
from pymongo import ReadPreference

from shared.contracts.base import Topic
from shared.embedded.clock import SystemClock
from shared.embedded.ids import SystemIds
from shared.mongo import Connection, MongoStore, outbox
from shared.ports import Op, Query, Where
from shared.records import Change, Record, index
from tests.conformance.toys import BASKETS, BasketFilled
from tests.servers.fixtures import mongo_server

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

CLOCK = SystemClock()
IDS = SystemIds(CLOCK)


class Shelf(Record):
    """Things by name, in the order in which they were put there."""

    kind = "shelf"
    topic: ClassVar[Topic | None] = BASKETS

    things: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    label: str | None = None
    places: dict[int, str] = Field(default_factory=dict)


def say(note: str, shelf: Shelf | None = None, id: str = "a") -> Change[Shelf]:
    return Change(shelf or Shelf(id=id), BasketFilled(count=1, note=note))


@pytest.fixture
def prefix() -> str:
    return f"t{secrets.token_hex(4)}"


@asynccontextmanager
async def process(prefix: str, kind: type[Record] = Shelf) -> AsyncIterator[MongoStore]:
    """A store as one process has it; several with the same prefix share their records."""
    connection = Connection(mongo_server().address, prefix=prefix)
    store = MongoStore(connection, "shelves", [kind], CLOCK, IDS)
    try:
        yield store
    finally:
        await store.close()
        await connection.close()


def edited(shelf: Shelf, random: Random) -> Shelf:
    """Some entries changed, added, taken away and put behind again; odd names among them."""
    things = dict(shelf.things)
    for _ in range(random.randint(1, 3)):
        name = random.choice(["a", "b", "c", "志愿", "x.y", "$z", "1", "0", ""])
        match random.randrange(4):
            case 0:
                things.pop(name, None)
            case 1:
                things[name] = things.pop(name, (0,))
            case _:
                things[name] = (*things.get(name, ()), random.randrange(10))
    label = random.choice([shelf.label, None, "new"])
    places = {**shelf.places, random.randrange(3): "here"} if random.random() < 0.3 else shelf.places
    return shelf.but(things=things, label=label, places=places)


async def test_a_record_changed_in_parts_is_read_elsewhere_as_it_was_meant(prefix: str) -> None:
    random = Random(5)
    async with process(prefix) as writer, process(prefix) as reader:
        meant = Shelf(id="a")
        await writer.change(Shelf, "a", lambda _: Change(meant))
        for _ in range(150):
            changed = edited(meant, random)
            if changed == meant:  # another order alone is no change
                continue
            await writer.change(Shelf, "a", lambda _, changed=changed: Change(changed))  # type: ignore[misc]
            found = await reader.get(Shelf, "a")
            assert found is not None
            assert found.record == changed
            assert list(found.record.things) == list(changed.things)
            meant = changed


async def test_after_many_new_records_one_that_is_there_already_is_not_taken_for_new(prefix: str) -> None:
    async with process(prefix) as one, process(prefix) as other:
        await other.change(Shelf, "old", lambda _: Change(Shelf(id="old", label="kept")))
        for n in range(20):
            await one.change(Shelf, f"new{n}", lambda _, n=n: Change(Shelf(id=f"new{n}")))  # type: ignore[misc]
        seen: list[str | None] = []

        def look(shelf: Shelf | None) -> Change[Shelf]:
            seen.append(shelf.label if shelf else None)
            return say("seen", shelf, "old")

        outcome = await one.change(Shelf, "old", look)
        assert (seen[-1], outcome.version, outcome.record.label) == ("kept", 2, "kept")


async def test_no_message_gets_ahead_of_an_earlier_one_of_another_process(prefix: str) -> None:
    async with process(prefix) as one, process(prefix) as other:
        assert await one.pending(10) == await other.pending(10) == []
        await one.change(Shelf, "a", lambda _: say("1"))
        await other.change(Shelf, "a", lambda shelf: say("2", shelf))
        assert [message.sequence for message in await other.pending(10)] == [1, 2]
        assert [message.sequence for message in await one.pending(10)] == [1]


async def test_what_a_living_process_has_just_said_is_left_to_it(prefix: str) -> None:
    async with process(prefix) as one, process(prefix) as other:
        assert await other.pending(10) == []
        await one.change(Shelf, "a", lambda _: say("1"))
        assert await other.pending(10) == []
        async with asyncio.timeout(20):
            while not await other.pending(10):
                await other.wait(Shelf, "none", lambda _: False, 0.2)


async def test_the_next_change_takes_out_what_was_published(prefix: str) -> None:
    connection = Connection(mongo_server().address, prefix=prefix)
    async with process(prefix) as store:
        for n in range(1, 4):
            await store.change(Shelf, "a", lambda shelf, n=n: say(str(n), shelf))  # type: ignore[misc]
            document = await connection.collection("shelves", "shelf").find_one({"_id": "a"})
            assert document is not None
            assert [each["sequence"] for each in document["outbox"]] == [n]
            await store.trim(await store.pending(10))
    document = await connection.collection("shelves", "shelf").find_one({"_id": "a"})
    assert document is not None
    assert document["outbox"] == []
    await connection.close()


async def test_after_a_flood_every_message_comes_out_in_order(
    prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "REMEMBERED", 20)
    async with process(prefix) as store:
        for n in range(15):
            await asyncio.gather(
                *(store.change(Shelf, id, lambda shelf, id=id, n=n: say(str(n), shelf, id)) for id in "abcd")  # type: ignore[misc]
            )
        said: dict[str, list[int]] = {id: [] for id in "abcd"}
        while batch := await store.pending(16):
            await store.trim(batch)
            for message in batch:
                said[message.id].append(message.sequence)
        assert said == {id: list(range(1, 16)) for id in "abcd"}
        await store.change(Shelf, "a", lambda shelf: say("after", shelf))
        assert [message.sequence for message in await store.pending(10)] == [16]


async def test_in_a_flood_no_change_takes_out_what_has_yet_to_be_published(
    prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "REMEMBERED", 2)
    async with process(prefix) as store:
        for n in range(1, 5):
            await store.change(Shelf, "a", lambda shelf, n=n: say(str(n), shelf))  # type: ignore[misc]
        published = await store.pending(2)
        assert [message.sequence for message in published] == [1, 2]
        await store.trim(published)
        await store.change(Shelf, "a", lambda shelf: say("5", shelf))
        assert [message.sequence for message in await store.pending(10)] == [3, 4, 5]


async def test_what_a_dead_process_left_outlasts_a_change_made_while_it_is_looked_for(
    prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "TRIM_SECONDS", 1000.0)
    monkeypatch.setattr(outbox, "OTHERS_EVERY_SECONDS", 1000.0)
    connection = Connection(mongo_server().address, prefix=prefix)
    async with process(prefix) as living:
        await living.change(Shelf, "a", lambda shelf: say("1", shelf))
        await living.trim(await living.pending(10))
        async with process(prefix) as dying:
            await dying.change(Shelf, "a", lambda shelf: say("2", shelf))
        await living.change(Shelf, "a", lambda shelf: Change((shelf or Shelf(id="a")).but(label="quiet")))
        await asyncio.gather(living.pending(10), living.change(Shelf, "a", lambda shelf: say("3", shelf)))
        document = await connection.collection("shelves", "shelf").find_one({"_id": "a"})
        assert document is not None
        assert {2, 3} <= {each["sequence"] for each in document["outbox"]}
        assert [message.sequence for message in await living.pending(10)] == [2, 3]
    await connection.close()


async def test_nothing_overtakes_what_came_into_doubt_while_others_were_looked_at(
    prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "OTHERS_EVERY_SECONDS", 1000.0)
    look = outbox.Outboxes._find
    async with process(prefix) as living:
        assert await living.pending(10) == []
        async with process(prefix) as dying:
            for id in "ab":
                await dying.change(Shelf, id, lambda shelf, id=id: say("1", shelf, id))  # type: ignore[misc]
        await living.change(Shelf, "b", lambda shelf: say("2", shelf, "b"))

        async def meanwhile(self: outbox.Outboxes, *which: Any) -> Any:
            monkeypatch.setattr(outbox.Outboxes, "_find", look)
            found = await look(self, *which)
            await living.change(Shelf, "a", lambda shelf: say("2", shelf, "a"))
            return found

        monkeypatch.setattr(outbox.Outboxes, "_find", meanwhile)
        first = await living.pending(10)
        assert [(m.id, m.sequence) for m in first] == [("b", 1), ("b", 2)]
        await living.trim(first)
        assert [(m.id, m.sequence) for m in await living.pending(10)] == [("a", 1), ("a", 2)]


async def test_nothing_overtakes_what_another_said_while_a_flood_ended(
    prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "OTHERS_EVERY_SECONDS", 1000.0)
    look = outbox.Outboxes._find
    async with process(prefix) as here, process(prefix) as other:
        assert await here.pending(10) == await other.pending(10) == []
        monkeypatch.setattr(outbox, "REMEMBERED", 2)
        for _ in range(4):
            await here.change(Shelf, "z", lambda shelf: say("x", shelf, "z"))
        monkeypatch.setattr(outbox, "REMEMBERED", 2000)
        await here.trim(await here.pending(4))

        async def meanwhile(self: outbox.Outboxes, *which: Any) -> Any:
            monkeypatch.setattr(outbox.Outboxes, "_find", look)
            found = await look(self, *which)
            await other.change(Shelf, "a", lambda shelf: say("1", shelf, "a"))
            await here.change(Shelf, "a", lambda shelf: Change((shelf or Shelf(id="a")).but(label="quiet")))
            return found

        monkeypatch.setattr(outbox.Outboxes, "_find", meanwhile)
        assert await here.pending(10) == []
        await here.change(Shelf, "a", lambda shelf: say("2", shelf, "a"))
        assert [(m.id, m.sequence) for m in await here.pending(10)] == [("a", 1), ("a", 2)]


class LaterShelf(Shelf):
    """What a later version keeps of the same records: it searches by one field more."""

    indexes = (index("status"),)

    status: str = "open"


@pytest.mark.parametrize("only_noted", [False, True])
async def test_what_an_earlier_version_wrote_is_found_by_its_new_field_once_it_was_changed(
    prefix: str, only_noted: bool
) -> None:
    async with process(prefix) as earlier:
        await earlier.change(Shelf, "a", lambda _: Change(Shelf(id="a")))
    async with process(prefix, LaterShelf) as later:
        if only_noted:  # a request that changes nothing, whose answer is kept
            await later.change(LaterShelf, "a", lambda shelf: Change(known(shelf)), op=Op("key", "request"))
        await later.change(LaterShelf, "a", lambda shelf: Change(known(shelf).but(label="changed")))
        found = await later.find(LaterShelf, Query((Where("status", "equal", "open"),)))
        assert [one.record.label for one in found] == ["changed"]


def known(shelf: LaterShelf | None) -> LaterShelf:
    assert shelf is not None
    return shelf


async def test_whatever_an_address_prefers_the_one_that_is_written_to_is_read() -> None:
    """Decisions go by what is read: one on an old view would refuse what is no longer so."""
    connection = Connection("mongodb://127.0.0.1:9/?readPreference=secondaryPreferred&retryWrites=true&w=1")
    collection = connection.collection("shelves", "shelf")
    await connection.close()
    assert collection.read_preference == ReadPreference.PRIMARY
    assert collection.write_concern.document["w"] == "majority"

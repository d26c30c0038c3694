"""The same messages again, twice, or in another order across topics: no record changes, no rule breaks."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from shared.contracts import EVENTS, REGISTRY, TOPICS, Part, Registry
from shared.contracts.json import json_of, json_without_nothing
from shared.ports import Bus, Query
from shared.run.dispatch import Failure
from tests.cast import Cast
from tests.simulation.shuffled import ShuffledBus
from tests.town import Town, town
from wushe.check.embedded import evidence_of
from wushe.check.recount import recount
from wushe.system import RECORDS


async def a_story_without_races(t: Town) -> dict[str, str]:
    """Six needs that go six ways, one after the other. Gives what became of each, by its number."""
    cast = await Cast(t.call, t.token, t.clock.now).arrive(first_wave=1, wave_seconds=600)
    await t.settle()
    li = await cast.volunteer("li")
    await cast.lot(100)
    home = await cast.household()
    await t.settle()
    needs: dict[str, dict[str, Any]] = {}
    for number in ("served", "cancelled", "dropped", "lapsed", "declined", "goods"):
        lines = [cast.goods_line(2, needed_by=None)] if number == "goods" else [cast.people_line(hours=3)]
        if number == "served":
            lines.append(cast.goods_line(3))
        needs[number] = await cast.need(home, *lines)
        await t.settle()
        await _goes(t, cast, li.id, number, needs[number])
        await t.passes(hours=12)
        cast.appoint()
    await t.passes(days=1)
    cast.appoint()
    ended = {}
    for number, need in needs.items():
        found = await cast.got(cast.staff, f"/api/needs/{need['id']}")
        ended[number] = f"{found['status']} {found['waiting']}"
    lots = (await cast.got(cast.donor, "/api/lots"))["items"]
    ended["stock"] = " ".join(str(lots[0][k]) for k in ("received", "held", "issued", "available"))
    return ended


async def _goes(t: Town, cast: Cast, volunteer: str, number: str, need: dict[str, Any]) -> None:
    li = cast.person(volunteer)
    pending = [i for i in await cast.invitations(li) if i["status"] == "pending"]
    if number in ("served", "cancelled", "dropped"):
        won = await cast.does(li, f"/api/invitations/{pending[0]['id']}/accept")
        assert won.status in (200, 202), won.body
        await t.settle()
    if number == "declined":
        await cast.does(li, f"/api/invitations/{pending[0]['id']}/decline", {"reason": "no_time"})
    if number == "cancelled":
        await cast.does(cast.staff, f"/api/needs/{need['id']}/cancel", {"reason": "solved"})
    if number == "dropped":
        await cast.does(li, f"/api/tasks/{pending[0]['id']}/withdraw")
    if number == "served":
        await t.passes(hours=3)
        li = cast.person(volunteer)
        cast.appoint()
        assert (await cast.does(li, f"/api/tasks/{pending[0]['id']}/check-in")).status == 200
        (hold,) = (await cast.got(cast.staff, f"/api/holds?need_id={need['id']}"))["items"]
        assert (await cast.does(cast.staff, f"/api/holds/{hold['id']}/issue")).status == 200
        signed = {"relation": "resident", "by_phone": True}
        assert (await cast.does(cast.staff, f"/api/holds/{hold['id']}/receipt", signed)).status == 200
        await t.passes(minutes=50)
        li = cast.person(volunteer)
        assert (await cast.does(li, f"/api/tasks/{pending[0]['id']}/check-out")).status == 200
        await t.settle()
        cast.appoint()
        rated = await cast.does(cast.staff, f"/api/needs/{need['id']}/rate", {"score": 5, "channel": "phone"})
        assert rated.status == 200, rated.body
    await t.settle()


async def every_record(t: Town) -> dict[tuple[str, str, str], tuple[int, str]]:
    """Every record of every service with its version."""
    found: dict[tuple[str, str, str], tuple[int, str]] = {}
    for service, kinds in RECORDS.items():
        for kind in kinds:
            for v in await t.stores[service].find(kind, Query(limit=100_000)):
                found[service, kind.kind, v.record.id] = (v.version, v.record.model_dump_json())
    return found


async def is_clean(t: Town) -> None:
    report = await recount(evidence_of(t.engine, t.clock, live=False), t.clock)
    assert report.clean and not report.unsettled, report.violations
    assert report.dead_letters == 0


async def test_replaying_the_whole_log_from_the_start_changes_no_record() -> None:
    async with town() as t:
        await a_story_without_races(t)
        before = await every_record(t)
        reading = await t.bus.read(TOPICS, group=None)
        replayed = 0
        while batch := await reading.fetch(1000, 0.0):
            for delivery in batch:
                for unit in t.system.units.values():
                    if delivery.position.topic in {topic.name for topic in unit.dispatch.topics}:
                        with suppress(Failure):
                            await unit.dispatch.apply(delivery)
                            replayed += 1
        await reading.close()
        assert replayed > 100
        assert await every_record(t) == before
        assert not any([await store.pending(1) for store in t.stores.values()])
        await is_clean(t)


async def test_what_readers_in_the_same_process_are_given_is_what_the_bytes_say() -> None:
    """A message is not decoded where it was written; that must make no difference, not even of a type."""
    async with town() as t:
        await a_story_without_races(t)
        reading = await t.bus.read(TOPICS, group=None)
        seen = set()
        while batch := await reading.fetch(1000, 0.0):
            for delivery in batch:
                given, read = REGISTRY.decode(delivery.value), Registry(EVENTS).decode(delivery.value)
                assert given is not read
                assert _alike(given._replace(data=read.data), read)
                assert _alike(given.data, read.data), given.type
                seen.add(given.type)
        await reading.close()
        assert len(seen) > 25, seen


async def test_records_and_events_are_written_as_pydantic_would_write_them() -> None:
    async with town() as t:
        await a_story_without_races(t)
        kinds = set()
        for service, records in RECORDS.items():
            for kind in records:
                for found in await t.stores[service].find(kind, Query(limit=100_000)):
                    read = kind.model_validate_json(json_of(found.record))
                    assert json.loads(json_of(found.record)) == json.loads(found.record.model_dump_json())
                    assert read == found.record and json_of(read) == json_of(found.record)
                    kinds.add(kind)
        assert len(kinds) > 12, kinds
        for message in await t.log():
            written = json_without_nothing(message.data)
            assert json.loads(written) == json.loads(message.data.model_dump_json(exclude_none=True))


def _alike(one: object, other: object) -> bool:
    """Equal, and of the same types all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Part) and isinstance(other, Part):
        return all(_alike(getattr(one, f), getattr(other, f)) for f in type(one).model_fields)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[k], other[k]) for k in one)
    return one == other


@pytest.mark.parametrize("seed", range(8))
async def test_every_message_twice_and_shuffled_across_topics_ends_the_same(seed: int) -> None:
    async with town() as t:
        in_order = await a_story_without_races(t)
    made: list[ShuffledBus] = []

    def shuffled(bus: Bus) -> Bus:
        made.append(ShuffledBus(bus, seed + len(made)))
        return made[-1]

    async with town(wrap=shuffled) as t:
        ended = await a_story_without_races(t)
        assert ended == in_order
        await is_clean(t)
        absorbed = sum(store.duplicates_absorbed for store in t.stores.values())
        assert absorbed > 50, "the duplicates never came"

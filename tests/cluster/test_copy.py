"""Growing up: a station moves from one machine to Kafka and MongoDB, and goes on where it stopped."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from shared.bookkeeping import Held
from shared.contracts import TOPICS
from shared.contracts.needs import NeedCancelled
from shared.embedded.contents import Kept, standing_still
from shared.kafka import KafkaBus
from shared.mongo import Connection
from shared.mongo.document import outgoing_of, stored_of
from shared.ports import Outgoing
from shared.records import Record
from shared.run.dead_letters import DeadLetter
from shared.run.settings import Settings
from tests.cast import Cast, Person, volunteer_id
from tests.cluster.processes import ROOT, Cluster
from tests.cluster.station import NEEDS, TOMORROW, Station, a_station, found, later, one_more_need
from tests.live.http import Line
from tests.servers.fixtures import kafka_server, mongo_server
from wushe.cluster import link_for
from wushe.contracts.examples import example
from wushe.embedded import DATABASE
from wushe.system import RECORDS

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600), pytest.mark.xdist_group("cluster")]

SHELVES = [(service, kind) for service, kinds in RECORDS.items() for kind in kinds]


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Station:
    return asyncio.run(a_station(tmp_path_factory.mktemp("embedded")))


@pytest.fixture
def target() -> Settings:
    """Empty databases and topics of their own, on the servers of this run."""
    name = f"c{secrets.token_hex(4)}"
    return Settings(kafka=kafka_server().address, mongo=mongo_server().address, mongo_file=None, station=name)


def copy(place: Path, target: Settings, fault: str = "") -> subprocess.CompletedProcess[str]:
    environment = {"WUSHE_STATION": target.station, "WUSHE_FAULT": fault, "WUSHE_LANGUAGE": "en"}
    done = subprocess.run(
        [sys.executable, "-m", "wushe", "copy", "--from", str(place), "--to", target.mongo, "--kafka", target.kafka],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    print(done.stdout, done.stderr)
    return done


def complete(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Both sides are the same" in done.stdout
    return done.stdout


def sums(said: str) -> list[str]:
    """The rows of the table."""
    return [line for line in said.splitlines() if line.rstrip().endswith("=")]


def plain(held: Held[Record]) -> Held[Record]:
    """The same, whether an adapter gives pairs as lists or as tuples."""
    applied = {source: tuple(mark) for source, mark in held.applied.items()}
    return held._replace(applied=applied, ops={key: tuple(answer) for key, answer in held.ops.items()})


async def in_the_source(place: Path) -> dict[tuple[str, str, str], tuple[Held[Record], list[Outgoing]]]:
    """Every record there, by service, kind and id, with its outbox."""
    async with standing_still(place / DATABASE, RECORDS, TOPICS) as contents:
        return {
            (service, kind.kind, kept.held.record.id): (
                plain(kept.held),
                [message for message, _ in kept.waiting],
            )
            for service, kind in SHELVES
            for kept in contents.records(service, kind)
            if isinstance(kept, Kept)
        }


async def in_the_target(target: Settings) -> dict[tuple[str, str, str], tuple[Held[Record], list[Outgoing]]]:
    """The same, as the MongoDB adapter reads it."""
    read = {}
    async with documents_of(target) as documents:
        for service, kind, document in documents:
            held = plain(stored_of(kind, document).held)
            read[service, kind.kind, held.record.id] = (held, outgoing_of(kind, document))
    return read


@asynccontextmanager
async def documents_of(target: Settings) -> AsyncIterator[list[tuple[str, type[Record], dict[str, Any]]]]:
    """Every document there is."""
    connection = Connection(target.mongo, prefix=target.station)
    try:
        yield [
            (service, kind, document)
            for service, kind in SHELVES
            for document in await connection.collection(service, kind.kind).find({}).sort("_id").to_list(None)
        ]
    finally:
        await connection.close()


async def everything_in(target: Settings) -> list[tuple[str, str, dict[str, Any]]]:
    async with documents_of(target) as documents:
        return [(service, kind.kind, document) for service, kind, document in documents]


def digest(place: Path) -> str:
    return hashlib.sha256((place / DATABASE).read_bytes()).hexdigest()


async def test_every_record_moves_and_a_second_run_writes_nothing(station: Station, target: Settings) -> None:
    before = digest(station.place)
    first = complete(await asyncio.to_thread(copy, station.place, target))
    here, there = await in_the_source(station.place), await in_the_target(target)
    assert {k: v for k, v in here.items() if k[1] != "dead_letter"} == {
        k: v for k, v in there.items() if k[1] != "dead_letter"
    }
    assert len(here) == len(there)
    assert any(waiting for _, waiting in there.values())
    written = await everything_in(target)
    second = complete(await asyncio.to_thread(copy, station.place, target))
    assert "nothing was written" in second
    assert sums(first) == sums(second)
    assert await everything_in(target) == written
    assert digest(station.place) == before


async def test_a_dead_letter_tells_where_its_message_lies_now(station: Station, target: Settings) -> None:
    complete(await asyncio.to_thread(copy, station.place, target))
    letters = [held.record for held, _ in (await in_the_target(target)).values()]
    asked = {
        (letter.topic_name, letter.partition, letter.offset): letter.message
        for letter in letters
        if isinstance(letter, DeadLetter)
    }
    assert len({place[2] for place in asked}) >= 2
    bus = KafkaBus(link_for(target))
    reading = await bus.read([topic for topic in TOPICS if topic.name == NEEDS], group=None)
    lying: dict[tuple[str, int, int], bytes] = {}
    while not asked.keys() <= lying.keys():
        for delivery in await reading.fetch(1000, 1.0):
            lying[(*delivery.position, delivery.offset)] = delivery.value
    assert {place: lying[place] for place in asked} == asked
    await bus.close()


def test_killed_anywhere_and_repeated_it_ends_the_same(station: Station, target: Settings) -> None:
    whole = target.model_copy(update={"station": f"{target.station}w"})
    uninterrupted = complete(copy(station.place, whole))
    for fault in (
        "copy.recorded:2",
        "copy.recorded:9",
        "copy.published:1",
        "copy.published:7",
        "copy.committed:2",
    ):
        killed = copy(station.place, target, fault)
        assert killed.returncode == -9, killed.stdout + killed.stderr
    again = complete(copy(station.place, target))
    assert sums(again) == sums(uninterrupted)
    assert asyncio.run(everything_in(target)) == asyncio.run(everything_in(whole))


async def test_a_rehearsal_is_brought_up_to_date_by_the_next_copy(
    station: Station, target: Settings, tmp_path: Path
) -> None:
    place = tmp_path / "station"
    shutil.copytree(station.place, place)
    complete(await asyncio.to_thread(copy, place, target))
    await one_more_need(station, place)
    later_on = complete(await asyncio.to_thread(copy, place, target))
    assert "nothing was written" not in later_on
    older = await asyncio.to_thread(copy, station.place, target)
    assert older.returncode == 2
    assert "went on after it was copied" in older.stderr


def test_what_cannot_be_read_is_named_and_nothing_is_written(
    station: Station, target: Settings, tmp_path: Path
) -> None:
    place = tmp_path / "station"
    shutil.copytree(station.place, place)
    id = station.asked["id"]
    with sqlite3.connect(place / DATABASE) as database:
        database.execute('UPDATE "needs.need" SET body = ? WHERE id = ?', ('{"id": 5}', id))
        database.execute('CREATE TABLE "insight.board" AS SELECT 1 AS one')
    database.close()
    refused = copy(place, target)
    assert refused.returncode == 2
    assert f"needs.need {id}" in refused.stderr
    assert "insight.board" in refused.stderr
    assert asyncio.run(everything_in(target)) == []


async def pending(cast: Cast, need: dict[str, Any]) -> list[tuple[Person, dict[str, Any]]]:
    """Who of the two is asked for this need, and has not answered."""
    cast.appoint()
    people = [cast.person(volunteer_id(name)) for name in ("li", "wang")]
    return [
        (person, invitation)
        for person in people
        for invitation in await cast.invitations(person)
        if invitation["need_id"] == need["id"] and invitation["status"] == "pending"
    ]


async def is_now(cast: Cast, need: dict[str, Any], *statuses: str) -> bool:
    cast.appoint()
    return (await cast.got(cast.staff, f"/api/needs/{need['id']}"))["status"] in statuses


async def is_completed(cast: Cast, need: dict[str, Any]) -> None:
    """Somebody accepts, comes, goes; the goods are signed for; the resident is content."""
    (person, invitation), *_ = await found(lambda: pending(cast, need), "the invitation")
    await cast.does(person, f"/api/invitations/{invitation['id']}/accept")
    await found(lambda: is_now(cast, need, "matched"), "the match")
    (task,) = [
        t for t in (await cast.got(person, f"/api/tasks?volunteer_id={person.id}"))["items"]
        if t["need_id"] == need["id"]
    ]  # fmt: skip
    assert (await cast.does(person, f"/api/tasks/{task['id']}/check-in")).status == 200
    (hold,) = (await cast.got(cast.staff, f"/api/holds?need_id={need['id']}"))["items"]
    assert (await cast.does(cast.staff, f"/api/holds/{hold['id']}/issue")).status == 200
    signed = {"relation": "resident", "signature": "罗"}
    assert (await cast.does(cast.staff, f"/api/holds/{hold['id']}/receipt", signed)).status == 200
    assert (await cast.does(person, f"/api/tasks/{task['id']}/check-out")).status == 200
    await found(lambda: is_now(cast, need, "awaiting_confirmation"), "the end of the service")
    rating = {"score": 5, "channel": "phone"}
    assert (await cast.does(cast.staff, f"/api/needs/{need['id']}/rate", rating)).status == 200
    await found(lambda: is_now(cast, need, "completed"), "the completion")


async def order_is_kept_behind_a_dead_letter(cast: Cast, target: Settings) -> None:
    """A message that comes after the move waits behind those from before; given up, the first lets them go in turn."""
    bus = KafkaBus(link_for(target))
    third = later(json.loads(example(NeedCancelled)), 3)
    await bus.publish([Outgoing("need", TOMORROW, 3, NEEDS, TOMORROW, third)])
    await bus.close()

    async def waiting() -> list[dict[str, Any]]:
        cast.appoint()
        open_ = (await cast.got(cast.admin, "/api/dead-letters/matching"))["items"]
        return [letter for letter in open_ if letter["record"] == TOMORROW]

    async def three() -> list[dict[str, Any]]:
        return them if len(them := await waiting()) == 3 else []

    async def none() -> bool:
        return not await waiting()

    behind = sorted(await found(three, "the third letter"), key=lambda letter: int(letter["offset"]))
    assert [letter["status"] for letter in behind] == ["parked", "waiting", "waiting"]
    path = f"/api/dead-letters/matching/{behind[0]['id']}/discard"
    assert (await cast.does(cast.admin, path, {"reason": "not for us"})).status == 200
    await found(none, "the end of the dead letters")


async def test_services_on_the_target_go_on_where_the_station_stopped(
    station: Station, target: Settings, tmp_path: Path
) -> None:
    complete(await asyncio.to_thread(copy, station.place, target))
    shutil.copytree(station.place / "keys", tmp_path / "keys")
    cluster = Cluster.new(tmp_path, target.kafka, target.mongo, WUSHE_STATION=target.station)
    line = Line(cluster.url, prefix="after")
    cast = station.cast_over(line, tmp_path)
    try:
        await asyncio.to_thread(cluster.start)
        again = await line.call(cast.staff.token, "POST", "/api/needs", station.last_body, key="the-last")
        assert again.body["id"] == station.last["id"]
        await is_completed(cast, station.asked)
        await found(lambda: pending(cast, station.last), "what lay in the outbox")
        await found(lambda: _both_were_asked(cast, station.last), "the second wave, by its deadline")
        await order_is_kept_behind_a_dead_letter(cast, target)
        assert (await asyncio.to_thread(check, target)).returncode == 0
        attended = await asyncio.to_thread(copy, station.place, target)
        assert (attended.returncode, "services are running" in attended.stderr) == (2, True)
    finally:
        await line.close()
        await asyncio.to_thread(cluster.stop)
    moved_on = await asyncio.to_thread(copy, station.place, target)
    assert (moved_on.returncode, "went on after it was copied" in moved_on.stderr) == (2, True)


async def _both_were_asked(cast: Cast, need: dict[str, Any]) -> bool:
    cast.appoint()
    asked = [await cast.invitations(cast.person(volunteer_id(name))) for name in ("li", "wang")]
    return all(any(i["need_id"] == need["id"] for i in each) for each in asked)


def check(target: Settings) -> subprocess.CompletedProcess[str]:
    """The recount of what runs there."""
    environment = {"WUSHE_STATION": target.station, "WUSHE_KAFKA": target.kafka, "WUSHE_MONGO": target.mongo}
    done = subprocess.run(
        [sys.executable, "-m", "wushe", "check"],
        cwd=ROOT, env={**os.environ, **environment, "WUSHE_LANGUAGE": "en"}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    print(done.stdout, done.stderr)
    return done


def test_in_a_copy_that_no_service_runs_on_yet_no_rule_is_broken_but_not_all_can_be_told(
    station: Station, target: Settings
) -> None:
    """The station was killed, and its last need has yet to be heard of."""
    complete(copy(station.place, target))
    recounted = check(target)
    assert (recounted.returncode, "nobody can tell yet" in recounted.stdout) == (2, True), recounted.stdout
    assert "violation" not in recounted.stdout

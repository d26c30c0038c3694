"""Copying without servers: where messages will lie, what sums notice, and what is refused at once."""

from __future__ import annotations

import os
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from shared.embedded.bus import SqliteBus
from shared.embedded.engine import SqliteEngine
from shared.kafka.publisher import partition_of
from shared.ports import Delivery, Position
from wushe.cli import app
from wushe.copy.layout import Chains, Layout
from wushe.copy.sums import Sum, canonical, digest_of
from wushe.embedded import DATABASE

TOPIC = "wushe.needs.need.v1"
FOUR = {TOPIC: 4}


def deliveries(*keys: str) -> list[Delivery]:
    return [Delivery(Position(TOPIC, 0), n, key, f"{n}".encode()) for n, key in enumerate(keys)]


def laid_out(
    *keys: str, asked: tuple[int, ...] = (), marks: tuple[int, ...] = ()
) -> tuple[Layout, dict[int, dict[Position, int]]]:
    layout = Layout(FOUR, partition_of, [(TOPIC, offset) for offset in asked])
    return layout, layout.lay(TOPIC, deliveries(*keys), marks)


def test_a_message_lies_behind_those_before_it_in_the_partition_of_its_key() -> None:
    keys = [f"need-{n % 7}" for n in range(60)]
    layout, _ = laid_out(*keys, asked=tuple(range(60)))
    places = [layout.place(TOPIC, n) for n in range(60)]
    for n, place in enumerate(places):
        at = Position(TOPIC, partition_of(keys[n], 4))
        before = sum(1 for earlier in keys[:n] if partition_of(earlier, 4) == at.partition)
        assert place == (at, before)
    assert layout.place(TOPIC, 60) is None


def test_a_group_that_read_so_far_has_read_as_many_of_each_partition() -> None:
    keys = [f"need-{n % 7}" for n in range(60)]
    _, reached = laid_out(*keys, marks=(0, 25, 60, 99))
    assert [sum(reached[mark].values()) for mark in (0, 25, 60, 99)] == [0, 25, 60, 60]
    for at, count in reached[25].items():
        assert count == sum(1 for key in keys[:25] if partition_of(key, 4) == at.partition)


def test_a_log_that_was_broken_off_is_a_beginning_and_one_that_went_on_is_not() -> None:
    whole, part = laid_out("a", "b", "c", "a", "b")[0].chains, laid_out("a", "b", "c")[0].chains
    other = laid_out("a", "b", "c", "b", "a")[0].chains
    assert part.unlike(whole) == []
    assert whole.unlike(whole) == []
    assert whole.unlike(part)
    assert other.unlike(whole)
    assert Chains(FOUR).unlike(part) == []


def test_the_sum_of_a_topic_notices_the_order_within_a_partition() -> None:
    one = {TOPIC: 1}
    sums = set()
    for order in permutations(deliveries("a", "b", "c")):
        chains = Chains(one)
        for delivery in order:
            chains.add(delivery.position, delivery.key, delivery.value)
        sums.add(str(chains.sum_of(TOPIC)))
    assert len(sums) == 6


def test_the_sum_of_records_does_not_mind_their_order_and_notices_everything_else() -> None:
    documents = [{"_id": f"n{n}", "version": n, "body": {"名": "罗阿婆", "due": None}} for n in range(5)]
    forth, back = Sum(), Sum()
    for document, other in zip(documents, reversed(documents), strict=True):
        forth.add(digest_of(canonical(document)))
        back.add(digest_of(canonical(dict(reversed(other.items())))))
    assert forth == back
    changes: list[dict[str, Any]] = [{"version": 9}, {"outbox": []}, {"body": {"名": "罗阿公", "due": None}}]
    for changed in changes:
        assert canonical({**documents[0], **changed}) != canonical(documents[0])
    assert canonical({**documents[0], "rev": 1, "writes": ["copy"]}) == canonical(documents[0])


def test_two_that_are_the_same_are_not_taken_for_none() -> None:
    twice = Sum()
    twice.add(digest_of(b"a"))
    twice.add(digest_of(b"a"))
    assert twice != Sum(2, 0)


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["copy", *arguments])
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return str(result.output)


def test_a_station_at_work_is_not_copied_and_the_one_at_work_is_named(tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path / DATABASE)
    said = refused("--from", str(tmp_path), "--to", "mongodb://127.0.0.1:1/", "--kafka", "127.0.0.1:1")
    assert f"pid {os.getpid()}" in said
    engine.abandon()


@pytest.mark.parametrize("given", [[], ["--to", "mongodb://127.0.0.1:1/"]])
def test_nothing_to_copy_or_nowhere_to_copy_to_is_said_at_once(given: list[str], tmp_path: Path) -> None:
    said = refused("--from", str(tmp_path), *given)
    assert ("--to" if not given else str(tmp_path)) in said


def test_backup_and_restore_say_what_they_did(tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path / "data" / DATABASE)
    SqliteBus(engine)
    engine.abandon()
    file = str(tmp_path / "one.backup")
    runner = CliRunner()
    made = runner.invoke(app, ["backup", "--data", str(tmp_path / "data"), "--to", file])
    assert (made.exit_code, "signing.pem" in made.output) == (0, True)
    assert runner.invoke(app, ["backup", "--data", str(tmp_path / "data"), "--to", file]).exit_code == 2
    back = runner.invoke(app, ["restore", "--data", str(tmp_path / "other"), "--from", file])
    assert (back.exit_code, (tmp_path / "other" / DATABASE).exists()) == (0, True)
    assert runner.invoke(app, ["restore", "--data", str(tmp_path / "other"), "--from", file]).exit_code == 2
    assert runner.invoke(app, ["restore", "--data", str(tmp_path / "x"), "--from", __file__]).exit_code == 2

"""What travels between services: every event has its example and its schema, and old ones stay readable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from jsonschema import Draft202012Validator

from shared.contracts import EVENTS, REGISTRY, TOPICS, Event
from shared.errors import TooNew, Unreadable
from wushe.contracts.compatible import breaks
from wushe.contracts.write import EXAMPLES, ROOT, SCHEMAS, stem

FROZEN = sorted((ROOT / EXAMPLES).glob("*.json"))


@pytest.mark.parametrize("path", FROZEN, ids=lambda p: p.stem)
def test_every_example_there_ever_was_can_still_be_read(path: Path) -> None:
    message = REGISTRY.decode(path.read_bytes())
    assert message.data.topic in TOPICS
    assert path.stem.startswith(message.data.name) or message.data.version > 1


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: stem(e))
def test_every_event_has_an_example_that_its_schema_allows(event: type[Event]) -> None:
    example = json.loads((ROOT / EXAMPLES / f"{stem(event)}.json").read_bytes())
    schema = json.loads((ROOT / SCHEMAS / f"{stem(event)}.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(example["data"])


def test_the_cloudevents_sdk_reads_our_bytes() -> None:
    for path in FROZEN:
        value = path.read_bytes()
        message = HTTPMessage(headers={"content-type": "application/cloudevents+json"}, body=value)
        read = from_structured_event(message)
        ours = json.loads(value)
        assert (read.get_id(), read.get_type(), read.get_subject()) == (
            ours["id"],
            ours["type"],
            ours["subject"],
        )


def test_names_and_topics_are_never_shared() -> None:
    assert len({(e.name, e.version) for e in EVENTS}) == len(EVENTS)
    assert len({t.name for t in TOPICS}) == len(TOPICS)
    assert {e.topic for e in EVENTS} == set(TOPICS)


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({}, 0),
        ({"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}, 0),
        ({"properties": {}}, 1),
        ({"required": ["a"]}, 1),
        ({"properties": {"a": {"type": "integer"}}}, 1),
        ({"properties": {"a": {"type": "string", "enum": ["x"]}}}, 1),
    ],
    ids=["same", "optional-added", "field-gone", "newly-required", "other-type", "enum-where-none-was"],
)
def test_only_what_old_readers_bear_keeps_the_version(change: dict[str, Any], broken: int) -> None:
    old = {"properties": {"a": {"type": "string"}}}
    assert len(breaks(old, {**old, **change})) == broken


def test_an_enumeration_may_grow_and_not_shrink() -> None:
    small = {"properties": {"a": {"enum": ["x"]}}}
    large = {"properties": {"a": {"enum": ["x", "y"]}}}
    assert breaks(small, large) == [] and len(breaks(large, small)) == 1
    inner_small, inner_large = ({"properties": {"goods": {"type": "object", **s}}} for s in (small, large))
    assert breaks(inner_small, inner_large) == [] and len(breaks(inner_large, inner_small)) == 1


def test_a_version_from_the_future_is_told_from_garbage() -> None:
    example = json.loads(FROZEN[0].read_bytes())
    with pytest.raises(TooNew):
        REGISTRY.decode(json.dumps({**example, "type": example["type"][:-1] + "99"}).encode())
    with pytest.raises(Unreadable):
        REGISTRY.decode(json.dumps({**example, "sequence": "many"}).encode())


def test_a_word_from_the_future_waits_for_a_reader_that_knows_it() -> None:
    """Set aside, it would be lost to an instance that is upgraded a moment later."""
    (path,) = (path for path in FROZEN if path.stem == "match.reopened.v1")
    example = json.loads(path.read_bytes())
    with pytest.raises(TooNew):
        REGISTRY.decode(json.dumps({**example, "data": example["data"] | {"reason": "new"}}).encode())
    with pytest.raises(Unreadable):
        REGISTRY.decode(
            json.dumps({**example, "data": example["data"] | {"reason": "new", "seats": 1}}).encode()
        )

"""A search in another thread meets changes half made: at whatever line it is interrupted, it tells no untruth."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from types import FrameType
from typing import Any, TypeVar

import pytest

from services.matching.index import people as known
from services.matching.index.memory import MemoryIndex
from services.matching.index.port import PeopleQuery
from shared.contracts.parts import VolunteerState, Window
from shared.contracts.vocabulary import Mode, Ring

T = TypeVar("T")
U = TypeVar("U")
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HERE, NEXT_TOWNSHIP = "522702001001", "522702002001"
LI = VolunteerState(site_id="s", area=HERE, hours=tuple(range(168)), quiet_from=0, quiet_to=0)
QUERY = PeopleQuery(
    line_id="p1",
    window=Window(start_at=NOW + timedelta(days=1), end_at=NOW + timedelta(days=1, hours=2)),
    area=HERE,
    now=NOW,
    seed="need-1",
    waiting_since=NOW,
    mode=Mode.ON_SITE,
    widest=Ring.COUNTY,
)


@pytest.fixture(autouse=True)
def rows_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody has a row in order of area at once, so that whoever moves gets another."""
    monkeypatch.setattr(known, "UNORDERED_AT_LEAST", 0)


def an_index_with_li() -> MemoryIndex:
    index = MemoryIndex()
    index.note_person("li", LI, 1)
    return index


def moves(index: MemoryIndex) -> None:
    index.note_person("li", LI.model_copy(update={"area": NEXT_TOWNSHIP}), 2)


def search(index: MemoryIndex, query: PeopleQuery = QUERY) -> list[str]:
    return [one.volunteer_id for one in index.people(query).candidates]


def interrupted(
    work: Callable[[MemoryIndex], T], meanwhile: Callable[[MemoryIndex], U]
) -> Iterator[tuple[T, U]]:
    """What comes of both if the one happens within the other: just before its first line, its second, and so on."""
    for step in count(1):
        done, told = _interrupted_at(step, an_index_with_li(), work, meanwhile)
        if not told:
            break
        yield done, told[0]
    assert step > 50, "the lines of the index are seen"


def _interrupted_at(
    step: int, index: MemoryIndex, work: Callable[[MemoryIndex], T], meanwhile: Callable[[MemoryIndex], U]
) -> tuple[T, list[U]]:
    seen, told, traced_before = 0, list[U](), sys.gettrace()

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal seen
        if "services/matching/index" not in frame.f_code.co_filename:
            return None
        seen += event == "line"
        if event == "line" and seen == step:
            sys.settrace(None)
            told.append(meanwhile(index))
        return trace

    sys.settrace(trace)
    try:
        return work(index), told
    finally:
        sys.settrace(traced_before)


def test_who_moves_while_a_search_goes_on_is_not_asked_again() -> None:
    asked_before = replace(QUERY, excluded=frozenset({"li"}))
    for found, _ in interrupted(lambda index: search(index, asked_before), moves):
        assert found == []


def test_who_is_on_the_move_is_never_found_twice() -> None:
    for _, found in interrupted(moves, search):
        assert len(found) <= 1


def test_quiet_hours_in_a_zone_that_nobody_had_before_do_not_break_a_search() -> None:
    far_off = LI.model_copy(update={"zone": "Pacific/Apia", "quiet_from": 60, "quiet_to": 120})
    for found, _ in interrupted(search, lambda index: index.note_person("wang", far_off, 1)):
        assert "li" in found

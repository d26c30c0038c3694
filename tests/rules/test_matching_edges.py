"""The index at the edges of the calendar: clocks put forward and back, weeks over the year's end, the very minute at
which a rule begins to hold. Held against the plain search, whatever the order in which everything was heard."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.index import people as known
from services.matching.index.memory import MemoryIndex
from services.matching.index.port import PeopleQuery
from shared.contracts.parts import CalendarLoad, CertificateHeld, SitePolicy, VolunteerState, Window
from shared.contracts.vocabulary import Certificate, Mode, Ring
from tests.rules import plain_search as plain
from tests.rules.plain_search import Person

ZONES = [
    "Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia",
]  # fmt: skip
EDGES = [
    datetime(2026, 3, 8, 6, 0, tzinfo=UTC),
    datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
    datetime(2026, 4, 4, 14, 0, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    datetime(2026, 11, 1, 5, 0, tzinfo=UTC),
    datetime(2026, 12, 31, 10, 0, tzinfo=UTC),
    datetime(2027, 1, 3, 12, 0, tzinfo=UTC),
]
AREAS = ["522702001001", "522702001002", "522702001", "522702", "5227", "52", "520100001001"]
WEEKS = ["2026-W10", "2026-W13", "2026-W14", "2026-W43", "2026-W44", "2026-W53", "2027-W01"]
CERTIFICATES = [Certificate.NURSE, Certificate.SOCIAL_WORKER]


@pytest.fixture(autouse=True, scope="module")
def rows_are_put_in_order_often() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(known, "UNORDERED_AT_LEAST", 3)
        yield


def a_window(r: random.Random, edge: datetime) -> Window:
    start = edge + timedelta(minutes=15 * r.randint(-8, 200))
    return Window(start_at=start, end_at=start + timedelta(minutes=15 * r.choice([1, 4, 10, 30, 90])))


def some_windows(r: random.Random, edge: datetime, at_most: int) -> tuple[Window, ...]:
    return tuple(a_window(r, edge) for _ in range(r.randint(0, at_most)))


def a_state(r: random.Random, edge: datetime) -> VolunteerState:
    return VolunteerState(
        site_id="s",
        area=r.choice(AREAS),
        certificates=tuple(
            CertificateHeld(certificate=c, expires_on=edge.date() + timedelta(days=r.randint(-1, 3)))
            for c in r.choices(CERTIFICATES, k=r.randint(0, 3))
        ),
        modes=(Mode.ON_SITE, Mode.REMOTE),
        zone=r.choice(ZONES),
        hours=tuple(r.sample(range(168), r.choice([120, 160, 168]))),
        free=some_windows(r, edge, 3),
        busy=some_windows(r, edge, 1) if r.random() < 0.2 else (),
        weekly_cap_minutes=r.choice([60, 120, 600]),
        weekly_contacts=r.choice([1, 3, 9, 12]),
        quiet_from=r.choice([0, 1320, 1439, 540]),
        quiet_to=r.choice([0, 420, 1, 480]),
        blocked_until=edge + timedelta(minutes=r.choice([-1, 0, 1])) if r.random() < 0.2 else None,
    )


def a_load(r: random.Random, edge: datetime) -> CalendarLoad:
    return CalendarLoad(
        busy=some_windows(r, edge, 1),
        contacted_at=tuple(
            edge - timedelta(hours=r.choice([0, 1, 167, 168, 169])) for _ in range(r.choice([0, 1, 3, 12]))
        ),
        minutes_by_week={week: r.choice([0, 60, 540]) for week in r.sample(WEEKS, 4)},
        tasks_by_month={"2026-12": r.randint(0, 3), "2027-01": r.randint(0, 3)},
    )


def a_query(r: random.Random, edge: datetime, ids: list[str]) -> PeopleQuery:
    ring, widest = sorted(r.choices(list(Ring), k=2), key=list(Ring).index)
    mode = r.choice([Mode.ON_SITE, Mode.ON_SITE, Mode.REMOTE])
    return PeopleQuery(
        line_id="p1",
        window=a_window(r, edge),
        area=r.choice(AREAS),
        now=edge + timedelta(minutes=r.choice([0, 0, 1, 60, 419, 420, 900])),
        seed="need-1",
        waiting_since=edge,
        certificates=r.choice([(), (), tuple(CERTIFICATES)]),
        mode=mode,
        named=r.random() < 0.2,
        ring=ring,
        widest=widest,
        areas=r.choice([(), ("522702",), ("52",)]),
        wanted=r.choice([1, 3, 20]),
        excluded=(excluded := frozenset(r.sample(ids, min(len(ids), 2)))),
        refused=frozenset(sorted(excluded)[:1]),
        engaged=frozenset(sorted(excluded)[1:2]),
        criteria=SitePolicy().criteria,
        explain=True,
    )


@given(seed=st.integers(0, 10**9), size=st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_the_index_is_as_exact_at_the_edges_of_the_calendar(seed: int, size: int) -> None:
    r = random.Random(seed)
    edge, index = r.choice(EDGES), MemoryIndex()
    told: list[tuple[str, int, VolunteerState | CalendarLoad]] = []
    people: list[Person] = []
    for number in range(size):
        id, versions = f"v{number}", range(1, r.randint(1, 4) + 1)
        states, loads = [a_state(r, edge) for _ in versions], [a_load(r, edge) for _ in versions]
        told += [(id, n, state) for n, state in zip(versions, states, strict=True)]
        told += [(id, n, load) for n, load in zip(versions, loads, strict=True)]
        people.append(Person(id, states[-1], loads[-1]))
    for id, sequence, said in r.sample(told, len(told)) + r.sample(told, len(told) // 4):
        if isinstance(said, VolunteerState):
            index.note_person(id, said, sequence)
        else:
            index.note_load(id, said, sequence)
    for _ in range(3):
        query = a_query(r, edge, [one.id for one in people])
        found = index.people(query)
        assert (found.ring, [one.volunteer_id for one in found.candidates]) == plain.best_people(
            people, query
        )
        assert found.diagnosis is not None
        assert {one.rule: one.count for one in found.diagnosis.removed} == plain.removed(people, query)
        assert {one.rule: one.gain for one in found.diagnosis.relaxations} == plain.relaxed(people, query)

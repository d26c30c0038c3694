"""The index gives exactly what a plain search through everybody gives, in every population that can be thought of."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

import h3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.index.memory import MemoryIndex
from services.matching.index.port import (
    SMALLEST_CHANGE_FIRST,
    SMALLEST_GOODS_CHANGE_FIRST,
    LotsQuery,
    PeopleQuery,
)
from shared.contracts.goods import Unit
from shared.contracts.parts import CalendarLoad, CertificateHeld, Earmark, LotState, VolunteerState, Window
from shared.contracts.vocabulary import (
    NAMED_CERTIFICATES,
    Category,
    Certificate,
    Criterion,
    GoodsCategory,
    GoodsRule,
    Language,
    LotKind,
    Mode,
    Ring,
    Rule,
    Skill,
    TargetGroup,
)
from tests.rules import plain_search as plain
from tests.rules.plain_search import Gift, Person

T = TypeVar("T")
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HERE = h3.latlng_to_cell(26.70, 107.51, 7)
CELLS = [None, *sorted(h3.grid_disk(HERE, 4))[::7], h3.latlng_to_cell(26.0, 108.5, 7)]
AREAS = [
    "522702001001",
    "522702001002",
    "522702001",
    "522702002001",
    "522702",
    "522701003001",
    "520100001001",
]
ZONES = ["Asia/Shanghai", "Asia/Urumqi"]
SKILLS = [Skill.HOME_VISIT, Skill.ERRANDS, Skill.TUTORING]
CERTIFICATES = [Certificate.NURSE, Certificate.SOCIAL_WORKER, Certificate.DRIVER]
LANGUAGES = [Language.MANDARIN, Language.MIAO]
CRITERIA = list(Criterion)


def hours_from(start: int, hours: int) -> Window:
    return Window(start_at=NOW + timedelta(hours=start), end_at=NOW + timedelta(hours=start + hours))


def some(values: list[T], r: random.Random, at_most: int = 3) -> tuple[T, ...]:
    return tuple(r.sample(values, r.randint(0, min(at_most, len(values)))))


def a_person(r: random.Random, number: int) -> Person:
    """Somebody, more often fit than not, so that every rule gets its turn."""
    rarely = r.random() < 0.25
    days = r.sample(range(7), 5)
    state = VolunteerState(
        active=r.random() < 0.9,
        site_id="s",
        area=r.choice(AREAS),
        cell=r.choice(CELLS),
        skills=some(SKILLS, r),
        certificates=tuple(
            CertificateHeld(
                certificate=c,
                expires_on=r.choice([None, date(2026, 3, 3), date(2026, 2, 1), date(2027, 1, 1)]),
            )
            for c in r.sample(CERTIFICATES, r.randint(0, 3))
        ),
        languages=some(LANGUAGES, r),
        modes=r.choice([(Mode.ON_SITE,), (Mode.REMOTE,), (Mode.ON_SITE, Mode.REMOTE)]),
        reach_km=r.choice([0, 3, 20, 200]),
        zone=r.choices(ZONES, [9, 1])[0],
        hours=tuple(h for d in days for h in range(d * 24 + 6, d * 24 + 22)) if r.random() < 0.8 else (),
        free=(hours_from(r.randint(0, 60), r.randint(1, 8)),) if r.random() < 0.4 else (),
        busy=(hours_from(r.randint(0, 60), r.randint(1, 8)),) if rarely else (),
        weekly_cap_minutes=r.choice([0, 120, 600]),
        weekly_contacts=r.choice([0, 1, 2, 5]),
        quiet_from=r.choice([0, 600, 1320]),
        quiet_to=r.choice([0, 420, 900]),
        blocked_until=NOW + timedelta(days=r.randint(-2, 2)) if rarely else None,
    )
    load = CalendarLoad(
        busy=tuple(hours_from(r.randint(0, 60), r.randint(1, 4)) for _ in range(r.randint(0, 2))),
        contacted_at=tuple(NOW - timedelta(hours=r.randint(0, 200)) for _ in range(r.randint(0, 3))),
        minutes_by_week={"2026-W10": r.choice([0, 60, 500])} if rarely else {},
        tasks_by_month={"2026-03": r.randint(0, 3)} if rarely else {},
    )
    return Person(f"v{number}", state, load)


def a_query(r: random.Random, people: list[Person]) -> PeopleQuery:
    ring, widest = sorted(r.choices(range(5), k=2))
    ids = [p.id for p in people]
    return PeopleQuery(
        line_id="p1",
        window=Window(
            start_at=(start := NOW + timedelta(minutes=r.randint(0, 3000))),
            end_at=start + timedelta(minutes=r.choice([15, 60, 90, 200])),
        ),
        area=r.choice(AREAS),
        now=NOW + timedelta(minutes=r.choice([0, 700, 1300])),
        seed=f"need-{r.randint(0, 9)}",
        waiting_since=NOW - timedelta(hours=1),
        skills=some(SKILLS, r, 1),
        certificates=some(CERTIFICATES, r, 2) if r.random() < 0.3 else (),
        languages=some(LANGUAGES, r, 2) if r.random() < 0.4 else (),
        mode=r.choice(list(Mode)),
        cell=r.choice(CELLS),
        named=r.random() < 0.2,
        crisis=r.random() < 0.2,
        ring=list(Ring)[ring],
        widest=list(Ring)[widest],
        areas=r.choice([(), ("522701",), ("5227", "522702")]),
        wanted=(wanted := r.choice([1, 3, 20])),
        least=r.choice([1, wanted]),
        excluded=(excluded := frozenset(r.sample(ids, min(len(ids), 3)))),
        refused=frozenset(sorted(excluded)[:1]),
        engaged=frozenset(sorted(excluded)[1:2]),
        familiar={id: r.randint(1, 3) for id in r.sample(ids, min(len(ids), 4))},
        criteria=tuple(r.sample(CRITERIA, r.randint(0, 5))),
        explain=True,
    )


def an_index(people: list[Person], r: random.Random) -> MemoryIndex:
    """An index that has heard of these people in some order, and of some of them several times."""
    index = MemoryIndex()
    for person in r.sample(people, len(people)):
        if r.random() < 0.3:
            before = person.state.model_copy(update={"area": r.choice(AREAS), "skills": ()})
            index.note_person(person.id, before, 1)
        if r.random() < 0.3:
            index.note_load(person.id, CalendarLoad(minutes_by_week={"2026-W10": 600}), 1)
        index.note_person(person.id, person.state, 2)
        index.note_load(person.id, person.load, 2)
        if r.random() < 0.1:
            index.note_person(person.id, person.state.model_copy(update={"active": False}), 1)
    return index


@given(seed=st.integers(0, 10**9), size=st.integers(0, 60))
@settings(max_examples=150, deadline=None)
def test_the_index_finds_the_same_people_in_the_same_order_as_a_plain_search(seed: int, size: int) -> None:
    r = random.Random(seed)
    people = [a_person(r, n) for n in range(size)]
    index = an_index(people, r)
    for _ in range(5):
        query = a_query(r, people)
        found = index.people(query)
        assert (found.ring, [c.volunteer_id for c in found.candidates]) == plain.best_people(people, query)


@given(seed=st.integers(0, 10**9), size=st.integers(1, 60))
@settings(max_examples=100, deadline=None)
def test_only_people_whose_certificates_are_in_force_are_asked_for_a_child_or_in_a_crisis(
    seed: int, size: int
) -> None:
    """Whatever the reason is called that keeps the others away."""
    r = random.Random(seed)
    people = [a_person(r, n) for n in range(size)]
    named = replace(a_query(r, people), named=True, wanted=size, least=size)
    papers = [NAMED_CERTIFICATES, *([named.certificates] if named.certificates else [])]
    may = {p.id for p in people if all(plain.certified(p, named, among, True) for among in papers)}
    anybody = plain.eligible(people, replace(named, named=False, certificates=()))
    assert {p.id for p in plain.eligible(people, named)} == {p.id for p in anybody} & may
    found = {c.volunteer_id for c in an_index(people, r).people(named).candidates}
    assert found == {p.id for p in anybody} & may


@given(seed=st.integers(0, 10**9), size=st.integers(1, 60))
@settings(max_examples=100, deadline=None)
def test_the_diagnosis_counts_everybody_by_the_first_rule_and_its_relaxations_come_true(
    seed: int, size: int
) -> None:
    r = random.Random(seed)
    people = [a_person(r, n) for n in range(size)]
    query = a_query(r, people)
    diagnosis = an_index(people, r).people(query).diagnosis
    assert diagnosis is not None
    counted = plain.removed(people, query)
    assert {one.rule: one.count for one in diagnosis.removed} == counted
    assert [one.rule for one in diagnosis.removed] == [rule for rule in Rule if rule in counted]
    assert diagnosis.looked_at == size == sum(counted.values()) + diagnosis.remaining
    assert {one.rule: one.gain for one in diagnosis.relaxations} == plain.relaxed(people, query)
    order = [[rule.value for rule in SMALLEST_CHANGE_FIRST].index(one.rule) for one in diagnosis.relaxations]
    assert order == sorted(order)


def test_a_reordered_index_of_many_answers_as_before() -> None:
    """Enough people that rows are put in order several times, and then some who move."""
    r = random.Random(7)
    index, people = MemoryIndex(), {}
    for n in range(7_000):
        person = a_person(r, n % 5_500)
        people[person.id] = person
        index.note_load(person.id, person.load, n + 1)
        index.note_person(person.id, person.state, n + 1)
    everybody = list(people.values())
    for _ in range(2):
        query = replace(a_query(r, everybody), explain=False)
        found = index.people(query)
        assert (found.ring, [c.volunteer_id for c in found.candidates]) == plain.best_people(everybody, query)


def test_reasons_say_what_the_ranking_saw_in_the_order_of_the_criteria() -> None:
    index = MemoryIndex()
    near = VolunteerState(
        site_id="s", area=AREAS[0], cell=HERE, skills=(Skill.ERRANDS,), hours=tuple(range(168)),
        languages=(Language.MANDARIN, Language.MIAO),
    )  # fmt: skip
    index.note_person("li", near, 1)
    index.note_load("li", CalendarLoad(tasks_by_month={"2026-03": 2}), 1)
    query = PeopleQuery(
        line_id="p1",
        window=hours_from(24, 2),
        area=AREAS[0],
        cell=HERE,
        now=NOW,
        seed="n",
        waiting_since=NOW - timedelta(minutes=90),
        languages=(Language.MANDARIN, Language.MIAO),
        familiar={"li": 4},
        criteria=(Criterion.CONTINUITY, Criterion.FIT, Criterion.DISTANCE, Criterion.LOAD, Criterion.WAITING),
    )
    (li,) = index.people(query).candidates
    assert [(reason.criterion, reason.value) for reason in li.reasons] == [
        (Criterion.CONTINUITY, 4),
        (Criterion.FIT, 1),
        (Criterion.DISTANCE, 0),
        (Criterion.LOAD, 2),
        (Criterion.WAITING, 90),
    ]


def test_an_index_that_has_heard_of_nobody_says_so() -> None:
    query = replace(a_query(random.Random(1), []), explain=True)
    found = MemoryIndex().people(query)
    assert found.candidates == ()
    assert found.diagnosis is not None and found.diagnosis.looked_at == 0


def a_gift(r: random.Random, number: int) -> Gift:
    received = r.choice([0, 3, 10, 50])
    held = r.randint(0, received)
    earmark = Earmark(
        purposes=r.choice([(), (), (Category.COMFORT,), (Category.COMFORT, Category.RIGHTS)]),
        target_groups=r.choice([(), (), (TargetGroup.ORPHAN,)]),
        areas=r.choice([(), (), ("5227",), ("522702001",)]),
        from_day=r.choice([None, date(2026, 3, 1), date(2026, 4, 1)]),
        to_day=r.choice([None, date(2026, 3, 1), date(2026, 4, 1)]),
    )
    state = LotState(
        charity_id="c",
        kind=LotKind.GOODS,
        category=r.choice([GoodsCategory.FOOD, GoodsCategory.SCHOOL]),
        unit=r.choices([Unit.BOX, Unit.KILOGRAM, Unit.PIECE], [4, 1, 1])[0],
        received=received,
        held=held,
        issued=0,
        written_off=0,
        attributes=r.choice(
            [{}, {"size": "M"}, {"size": "M", "age_band": "child"}, {"batch": "B0417"}, {"batch": "B0500"}]
        ),
        expires_on=r.choice([None, date(2026, 3, 2), date(2026, 3, 9), date(2026, 5, 1)]),
        area=r.choice(AREAS),
        earmark=earmark,
        open=r.random() < 0.9,
    )
    return Gift(f"l{number}", state)


def a_goods_query(r: random.Random, gifts: list[Gift]) -> LotsQuery:
    today = date(2026, 3, 2)
    return LotsQuery(
        line_id="g1",
        category=GoodsCategory.FOOD,
        unit=Unit.BOX,
        quantity=r.choice([1, 8, 60]),
        area=r.choice(AREAS),
        today=today,
        good_on=today + timedelta(days=r.randint(0, 10)),
        purpose=r.choice([Category.COMFORT, Category.RIGHTS]),
        seed="n",
        attributes=r.choice([{}, {"size": "M"}, {"batch": "B0417"}]),
        target_groups=r.choice([(), (TargetGroup.ORPHAN,)]),
        widest=r.choice(list(Ring)),
        areas=r.choice([(), ("522701",)]),
        excluded=frozenset(g.id for g in gifts[:2]),
        going={g.id: r.randint(1, 10) for g in gifts[1::7]},
        explain=True,
    )


@given(seed=st.integers(0, 10**9), size=st.integers(0, 60))
@settings(max_examples=150, deadline=None)
def test_lots_are_chosen_and_explained_as_by_a_plain_search(seed: int, size: int) -> None:
    r = random.Random(seed)
    gifts = [a_gift(r, n) for n in range(size)]
    index = MemoryIndex()
    for gift in gifts:
        index.note_lot(gift.id, gift.state, 2)
        index.note_lot(gift.id, gift.state.model_copy(update={"open": False}), 1)
    query = a_goods_query(r, gifts)
    found = index.lots(query)
    expected = plain.chosen(gifts, query)
    assert [take[1:] for take in found.takes] == [take[1:] for take in expected]
    assert {take.lot_id for take in found.takes} <= {gift.id for gift in plain.fitting(gifts, query)}
    assert found.diagnosis is not None and found.diagnosis.looked_at == size
    assert {one.rule: one.count for one in found.diagnosis.removed} == plain.goods_removed(gifts, query)
    assert {one.rule: one.gain for one in found.diagnosis.relaxations} == plain.goods_relaxed(gifts, query)


@pytest.mark.parametrize("rule", [GoodsRule.EXPIRED, GoodsRule.CATEGORY, GoodsRule.QUANTITY, GoodsRule.BATCH])
def test_nobody_is_advised_to_give_what_cannot_be_given(rule: GoodsRule) -> None:
    assert rule not in SMALLEST_GOODS_CHANGE_FIRST
    assert Rule.AUDIENCE not in SMALLEST_CHANGE_FIRST


def test_a_search_in_another_thread_survives_what_is_noted_meanwhile() -> None:
    r = random.Random(3)
    people = [a_person(r, n) for n in range(3000)]
    index = an_index(people[:1000], r)
    queries = [a_query(r, people[:1000]) for _ in range(20)]
    with ThreadPoolExecutor(1) as aside:
        searches = [aside.submit(index.people, query) for query in queries]
        for person in people[1000:]:
            index.note_person(person.id, person.state, 9)
            index.note_load(person.id, person.load, 9)
        found = [search.result() for search in searches]
    assert index.size == 3000
    assert all(one.diagnosis is not None and one.diagnosis.looked_at >= 1000 for one in found)

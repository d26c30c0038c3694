"""The plain search: everybody looked at one by one, rule by rule, as a person would. Every index is held against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import h3

from services.matching.index.people import chance_of
from services.matching.index.port import (
    SMALLEST_CHANGE_FIRST,
    SMALLEST_GOODS_CHANGE_FIRST,
    LotsQuery,
    PeopleQuery,
    Take,
)
from services.matching.index.ranking import drawn, seed_of
from shared.contracts.parts import CalendarLoad, LotState, VolunteerState, Window
from shared.contracts.vocabulary import (
    NAMED_CERTIFICATES,
    Certificate,
    Criterion,
    GoodsRule,
    Mode,
    Ring,
    Rule,
)
from shared.places.atlas import RING_DIGITS

RINGS = list(Ring)
STEPS = (1, 3, 5, 10, 20, 50)


@dataclass(frozen=True)
class Person:
    id: str
    state: VolunteerState
    load: CalendarLoad

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.state.zone)


def lies_in(ring: Ring, query: PeopleQuery | LotsQuery, area: str) -> bool:
    digits = RING_DIGITS[ring]
    return query.area[:digits] == area[:digits] or area.startswith(query.areas)


def ring_of(one: str, other: str) -> int:
    return next(n for n, ring in enumerate(RINGS) if one[: RING_DIGITS[ring]] == other[: RING_DIGITS[ring]])


def km(one: str | None, other: str | None) -> float | None:
    if one is None or other is None:
        return None
    return float(h3.great_circle_distance(h3.cell_to_latlng(one), h3.cell_to_latlng(other), unit="km"))


def free(person: Person, window: Window) -> bool:
    """Minute by minute: in no busy window, and in the weekly pattern or a free one."""
    state, moment = person.state, window.start_at
    if any(busy.overlaps(window) for busy in state.busy):
        return False
    while moment < window.end_at:
        local = moment.astimezone(person.zone)
        usual = local.weekday() * 24 + local.hour in state.hours
        if not usual and not any(f.start_at <= moment < f.end_at for f in state.free):
            return False
        moment += timedelta(minutes=1)
    return True


def certified(person: Person, query: PeopleQuery, among: Collection[Certificate], in_force: bool) -> bool:
    last = max(query.window.start_at, query.window.end_at - timedelta(microseconds=1))
    day = last.astimezone(person.zone).date()
    return any(
        held.certificate in among and (not in_force or held.expires_on is None or held.expires_on >= day)
        for held in person.state.certificates
    )


def asleep(person: Person, now: datetime) -> bool:
    local, state = now.astimezone(person.zone), person.state
    minute = local.hour * 60 + local.minute
    if state.quiet_from <= state.quiet_to:
        return state.quiet_from <= minute < state.quiet_to
    return minute >= state.quiet_from or minute < state.quiet_to


def contacts(person: Person, now: datetime) -> int:
    return sum(at > now - timedelta(days=7) for at in person.load.contacted_at)


def week_minutes(person: Person, moment: datetime) -> int:
    year, week, _ = moment.astimezone(person.zone).isocalendar()
    return person.load.minutes_by_week.get(f"{year}-W{week:02}", 0)


def too_far(person: Person, query: PeopleQuery) -> bool:
    distance = km(person.state.cell, query.cell)
    return query.mode != Mode.REMOTE and distance is not None and distance > person.state.reach_km + 1e-9


FAILS: Mapping[Rule, Callable[[Person, PeopleQuery], bool]] = {
    Rule.INACTIVE: lambda p, q: not p.state.active,
    Rule.AUDIENCE: lambda p, q: q.named and not certified(p, q, NAMED_CERTIFICATES, False),
    Rule.SKILL: lambda p, q: not set(q.skills) <= set(p.state.skills),
    Rule.CERTIFICATE: lambda p, q: bool(q.certificates) and not certified(p, q, q.certificates, False),
    Rule.CERTIFICATE_EXPIRED: lambda p, q: any(
        certified(p, q, among, False) and not certified(p, q, among, True)
        for among in (q.certificates, NAMED_CERTIFICATES if q.named else ())
    ),
    Rule.LANGUAGE: lambda p, q: bool(q.languages) and not set(q.languages) & set(p.state.languages),
    Rule.MODE: lambda p, q: q.mode not in p.state.modes,
    Rule.RING: lambda p, q: q.mode != Mode.REMOTE and not lies_in(q.widest, q, p.state.area),
    Rule.REACH: too_far,
    Rule.WINDOW: lambda p, q: not free(p, q.window),
    Rule.OVERLAP: lambda p, q: any(busy.overlaps(q.window) for busy in p.load.busy),
    Rule.BLOCKED: lambda p, q: p.state.blocked_until is not None and q.now < p.state.blocked_until,
    Rule.CAP: lambda p, q: week_minutes(p, q.window.start_at) + q.window.minutes > p.state.weekly_cap_minutes,
    Rule.BUDGET: lambda p, q: not q.crisis and contacts(p, q.now) >= p.state.weekly_contacts,
    Rule.QUIET: lambda p, q: not q.crisis and asleep(p, q.now),
    Rule.ASKED: lambda p, q: p.id in q.excluded,
}


def rank(person: Person, query: PeopleQuery) -> tuple[object, ...]:
    """The place of a person by the station's criteria, smallest first."""
    place: list[object] = []
    for criterion in query.criteria:
        match criterion:
            case Criterion.FIT:
                spoken = len(set(query.languages) & set(person.state.languages))
                held = {c for c in query.certificates if certified(person, query, {c}, True)}
                place.append(-spoken - len(held))
            case Criterion.DISTANCE if query.mode != Mode.REMOTE:
                distance = km(person.state.cell, query.cell)
                step = len(STEPS) if distance is None else sum(distance > s for s in STEPS)
                place.append((ring_of(person.state.area, query.area), step))
            case Criterion.LOAD:
                month = query.now.astimezone(person.zone).strftime("%Y-%m")
                place.append(person.load.tasks_by_month.get(month, 0))
            case Criterion.CONTINUITY:
                place.append(-query.familiar.get(person.id, 0))
            case _:
                continue
    return (*place, min(8, contacts(person, query.now)), drawn(chance_of(person.id), seed_of(query.seed)))


def eligible(people: list[Person], query: PeopleQuery, besides: Rule | None = None) -> list[Person]:
    rules = [fails for rule, fails in FAILS.items() if rule not in (besides, Rule.ASKED)]
    fit = [p for p in people if not any(fails(p, query) for fails in rules)]
    return [p for p in fit if not stands_in_the_way(p, query, besides)]


def stands_in_the_way(person: Person, query: PeopleQuery, besides: Rule | None) -> bool:
    """Whether it does that they were asked before. What a calendar refused is put down to what else keeps them away."""
    if besides is Rule.ASKED:
        return person.id in query.engaged
    put_down = besides is not None and person.id in query.refused and FAILS[besides](person, query)
    return person.id in query.excluded and not put_down


def best_people(people: list[Person], query: PeopleQuery) -> tuple[Ring, list[str]]:
    """The ring that is settled on, and the people to ask, best first."""
    last = RINGS.index(query.widest)
    first = min(RINGS.index(query.ring), last)
    if query.mode == Mode.REMOTE:
        first = last = RINGS.index(Ring.ANYWHERE)
    for number in range(first, last + 1):
        ring = RINGS[number]
        found = sorted(eligible(people, replace(query, widest=ring)), key=lambda p: rank(p, query))
        if number == last or len(found) >= (query.least if number == first else query.wanted):
            return ring, [p.id for p in found[: query.wanted]]
    raise AssertionError("the widest ring counts in any case")


def removed(people: list[Person], query: PeopleQuery) -> dict[Rule, int]:
    """How many each rule removes, everybody counted by the first."""
    counts: dict[Rule, int] = {}
    for person in people:
        first = next((rule for rule, fails in FAILS.items() if fails(person, query)), None)
        if first is not None:
            counts[first] = counts.get(first, 0) + 1
    return counts


def relaxed(people: list[Person], query: PeopleQuery) -> dict[Rule, int]:
    """How many remain if only this rule is dropped, where that helps."""
    now = len(eligible(people, query))
    gains = {rule: len(eligible(people, query, rule)) for rule in SMALLEST_CHANGE_FIRST}
    if query.mode == Mode.REMOTE:  # whoever comes in person must live near enough to come
        on_site = replace(query, mode=Mode.ON_SITE)
        gains[Rule.MODE] = sum(
            Mode.REMOTE in p.state.modes or not (FAILS[Rule.RING](p, on_site) or too_far(p, on_site))
            for p in eligible(people, query, Rule.MODE)
        )
    gains[Rule.QUIET] = sum(wakes_in_time(p, query) for p in eligible(people, query, Rule.QUIET))
    return {rule: gain for rule, gain in gains.items() if gain > now}


def wakes_in_time(person: Person, query: PeopleQuery) -> bool:
    """Whether there is a minute before the window in which the person may be asked."""
    if query.crisis or not asleep(person, query.now):
        return True
    minutes = int(min(query.window.start_at - query.now, timedelta(days=1)) / timedelta(minutes=1))
    return any(not asleep(person, query.now + timedelta(minutes=n)) for n in range(minutes))


@dataclass(frozen=True)
class Gift:
    id: str
    state: LotState


def left(gift: Gift, query: LotsQuery) -> int:
    """What another line of the need does not take."""
    return gift.state.available - query.going.get(gift.id, 0)


GOODS_FAILS: Mapping[GoodsRule, Callable[[Gift, LotsQuery], bool]] = {
    GoodsRule.CATEGORY: lambda g, q: g.state.category != q.category,
    GoodsRule.UNIT: lambda g, q: g.state.unit != q.unit,
    GoodsRule.ATTRIBUTES: lambda g, q: any(g.state.attributes.get(k) != x for k, x in q.attributes.items()),
    GoodsRule.BATCH: lambda g, q: g.state.attributes.get("batch") not in (None, q.attributes.get("batch")),
    GoodsRule.EXPIRED: lambda g, q: (
        g.state.expires_on is not None and g.state.expires_on < max(q.good_on, q.today)
    ),
    GoodsRule.EARMARK_PURPOSE: lambda g, q: (
        bool(g.state.earmark.purposes) and q.purpose not in g.state.earmark.purposes
    ),
    GoodsRule.EARMARK_GROUP: lambda g, q: (
        bool(g.state.earmark.target_groups) and not set(g.state.earmark.target_groups) & set(q.target_groups)
    ),
    GoodsRule.EARMARK_AREA: lambda g, q: (
        bool(g.state.earmark.areas) and not any(q.area.startswith(a) for a in g.state.earmark.areas)
    ),
    GoodsRule.EARMARK_DATE: lambda g, q: (
        not ((g.state.earmark.from_day or q.today) <= q.today <= (g.state.earmark.to_day or q.today))
    ),
    GoodsRule.AREA: lambda g, q: not lies_in(q.widest, q, g.state.area),
    GoodsRule.QUANTITY: lambda g, q: not g.state.open or left(g, q) <= 0,
    GoodsRule.REFUSED: lambda g, q: g.id in q.excluded,
}


def fitting(gifts: list[Gift], query: LotsQuery, besides: GoodsRule | None = None) -> list[Gift]:
    rules = [fails for rule, fails in GOODS_FAILS.items() if rule is not besides]
    return [g for g in gifts if not any(fails(g, query) for fails in rules)]


def chosen(gifts: list[Gift], query: LotsQuery) -> list[Take]:
    """One lot that has it all: soonest expiry, nearest ring, least left over; or several in that order."""

    def take(gift: Gift, quantity: int) -> Take:
        state = gift.state
        ring = RINGS[ring_of(state.area, query.area)]
        return Take(gift.id, quantity, left(gift, query), state.expires_on, ring)

    def order(gift: Gift) -> tuple[object, ...]:
        never = datetime.max.replace(tzinfo=UTC).date()
        return gift.state.expires_on or never, ring_of(gift.state.area, query.area)

    found = fitting(gifts, query)
    whole = [g for g in found if left(g, query) >= query.quantity]
    if whole:
        return [take(min(whole, key=lambda g: (*order(g), left(g, query))), query.quantity)]
    takes, missing = [], query.quantity
    for gift in sorted(found, key=lambda g: (*order(g), -left(g, query))):
        if missing:
            takes.append(take(gift, min(missing, left(gift, query))))
            missing -= takes[-1].quantity
    return takes


def goods_removed(gifts: list[Gift], query: LotsQuery) -> dict[GoodsRule, int]:
    counts: dict[GoodsRule, int] = {}
    for gift in gifts:
        first = next((rule for rule, fails in GOODS_FAILS.items() if fails(gift, query)), None)
        if first is not None:
            counts[first] = counts.get(first, 0) + 1
    return counts


def goods_relaxed(gifts: list[Gift], query: LotsQuery) -> dict[GoodsRule, int]:
    now = len(fitting(gifts, query))
    gains = {rule: len(fitting(gifts, query, rule)) for rule in SMALLEST_GOODS_CHANGE_FIRST}
    others = Counter(
        g.state.unit for g in fitting(gifts, query, GoodsRule.UNIT) if g.state.unit != query.unit
    )
    gains[GoodsRule.UNIT] = now + max(others.values(), default=0)
    return {rule: gain for rule, gain in gains.items() if gain > now}

"""The hard rules over columns: for each rule the rows that fail it.

Two things cannot be said in columns, because they differ from person to person in number: single free or busy
windows, and the tasks in a calendar. There the columns say who has any, and `judge` decides one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from services.matching.index.columns import (
    ACTIVE,
    CERTIFICATES,
    KNOWN,
    LANGUAGES,
    MODES,
    SKILLS,
    Columns,
    Flags,
    Rows,
)
from services.matching.index.geography import point_of, spans
from services.matching.index.hours import micros, needed, overlaps, span_of, words
from services.matching.index.port import PeopleQuery
from shared.contracts.vocabulary import Mode, Ring, Rule

T = TypeVar("T")
Numbers = NDArray[Any]
_INSTANT = timedelta(microseconds=1)


def week_of(moment: datetime, zone: ZoneInfo) -> str:
    year, week, _ = moment.astimezone(zone).isocalendar()
    return f"{year}-W{week:02}"


def minute_of(moment: datetime, zone: ZoneInfo) -> int:
    local = moment.astimezone(zone)
    return local.hour * 60 + local.minute


class Sieve:
    """One query over one state of the columns."""

    def __init__(self, columns: Columns, zones: list[ZoneInfo], query: PeopleQuery) -> None:
        self.columns = columns
        self.zones = zones
        self.query = query
        self.window = query.window
        self.start, self.end = span_of(query.window)
        self.now = micros(query.now)
        self.skills = sum(SKILLS[skill] for skill in set(query.skills))
        self.languages = sum(LANGUAGES[language] for language in set(query.languages))
        self.certificates = [CERTIFICATES[c] for c in dict.fromkeys(query.certificates)]
        self.needed = [needed(self.window.start_at, self.window.end_at, zone) for zone in zones]
        last_moment = max(self.window.start_at, self.window.end_at - _INSTANT)
        self.day = last_moment.astimezone(query.zone).date().toordinal()
        self.point = np.array(point_of(query.cell))
        self.remote = query.mode == Mode.REMOTE
        self.excluded = query.excluded

    @property
    def must_have(self) -> int:
        """The facts that everybody who can be asked has."""
        return KNOWN | ACTIVE | self.skills | MODES[self.query.mode]

    def fails(self, rule: Rule, rows: Rows) -> Flags:
        """Which of these rows fail the rule, as far as columns can tell; `judge` adds the rest."""
        return _RULES[rule](self, rows)

    def column(self, name: str, rows: Rows) -> Numbers:
        return self.columns.arrays[name][rows]

    def by_zone(self, say: Callable[[ZoneInfo], T], rows: Rows) -> T | Numbers:
        """What depends on the person's zone: one value if all share it, else one for each row."""
        said = [say(zone) for zone in self.zones]
        if len(set(said)) == 1:
            return said[0]
        return np.array(said)[self.column("zone", rows)]

    def squared(self, rows: Rows) -> Numbers:
        """The squared chords from the need; nan where either place is unknown."""
        apart = self.columns.arrays["point"][rows] - self.point
        distances: Numbers = np.einsum("ij,ij->i", apart, apart)
        return distances

    def fit_minutes(self, rows: Rows) -> Numbers | int:
        """The minutes of task in the window's week, in each person's own zone."""
        weeks = [week_of(self.window.start_at, zone) for zone in self.zones]
        return self.tallied(self.columns.minutes, weeks, rows)

    def tallied(self, counts: dict[str, Numbers], keys: list[str], rows: Rows) -> Numbers | int:
        """What stands under the key of each person's zone."""
        if len(set(keys)) == 1:
            column = counts.get(keys[0])
            return 0 if column is None else column[rows]
        zone, found = self.column("zone", rows), np.zeros(len(rows), np.int64)
        for number, key in enumerate(keys):
            if key in counts:
                found = np.where(zone == number, counts[key][rows], found)
        return found

    def doubtful(self, rows: Rows) -> Flags:
        """The rows that columns cannot tell everything about."""
        flags: Flags = self.column("special", rows) | self.maybe_busy(rows)
        return flags

    def maybe_busy(self, rows: Rows) -> Flags:
        flags: Flags = (self.column("busy_from", rows) < self.end) & (
            self.column("busy_to", rows) > self.start
        )
        return flags

    def is_free(self, row: int) -> bool:
        """Whether pattern and single windows cover the window, for a person who has single windows."""
        exceptions = self.columns.exceptions[row]
        return exceptions is None or exceptions.allow(self.needed[self.columns.arrays["zone"][row]])

    def is_busy(self, row: int) -> bool:
        return overlaps(self.columns.busy[row], self.start, self.end)


def _inactive(s: Sieve, rows: Rows) -> Flags:
    return _lacks_any(s, rows, ACTIVE)


def _audience(s: Sieve, rows: Rows) -> Flags:
    if not s.query.named:
        return np.zeros(len(rows), np.bool_)
    return _flags(s.column("named_until", rows) < s.day)


def _skill(s: Sieve, rows: Rows) -> Flags:
    return _lacks_any(s, rows, s.skills)


def _certificate(s: Sieve, rows: Rows) -> Flags:
    """Has never had any of them."""
    if not s.certificates:
        return np.zeros(len(rows), np.bool_)
    return _flags(s.columns["certified_until"][np.ix_(rows, s.certificates)].max(axis=1) == 0)


def _certificate_expired(s: Sieve, rows: Rows) -> Flags:
    """Has had one of them, but none is in force to the end of the window."""
    if not s.certificates:
        return np.zeros(len(rows), np.bool_)
    until = s.columns["certified_until"][np.ix_(rows, s.certificates)].max(axis=1)
    return _flags((until > 0) & (until < s.day))


def _language(s: Sieve, rows: Rows) -> Flags:
    if not s.languages:
        return np.zeros(len(rows), np.bool_)
    return _flags((s.column("facts", rows) & np.uint64(s.languages)) == 0)


def _mode(s: Sieve, rows: Rows) -> Flags:
    return _lacks_any(s, rows, MODES[s.query.mode])


def _ring(s: Sieve, rows: Rows) -> Flags:
    outside = np.ones(len(rows), np.bool_)
    if s.remote or s.query.widest == Ring.ANYWHERE:
        return ~outside
    area = s.column("area", rows)
    for first, last in spans(s.query.widest, s.query.area, s.query.areas):
        outside &= (area < first) | (area >= last)
    return outside


def _reach(s: Sieve, rows: Rows) -> Flags:
    """Too far by the person's own measure. Where a place is unknown, the ring decides alone."""
    if s.remote:
        return np.zeros(len(rows), np.bool_)
    return _flags(s.squared(rows) > s.column("reach", rows))


def _window(s: Sieve, rows: Rows) -> Flags:
    """Not free by the weekly pattern, for those who have no single windows."""
    fails = np.zeros(len(rows), np.bool_)
    asked = [words(window.bits) for window in s.needed]
    zone = s.column("zone", rows) if len(set(asked)) > 1 else None
    for word in range(3):
        bits = np.array([three[word] for three in asked], np.uint64)
        if bits.any():
            want = bits[zone] if zone is not None else bits[0]
            fails |= (s.columns["hours"][rows, word] & want) != want
    return fails & ~s.column("special", rows)


def _nothing(s: Sieve, rows: Rows) -> Flags:
    return np.zeros(len(rows), np.bool_)


def _blocked(s: Sieve, rows: Rows) -> Flags:
    return _flags(s.column("blocked_until", rows) > s.now)


def _cap(s: Sieve, rows: Rows) -> Flags:
    return _flags(s.fit_minutes(rows) + s.window.minutes > s.column("cap", rows))


def _budget(s: Sieve, rows: Rows) -> Flags:
    if s.query.crisis:
        return np.zeros(len(rows), np.bool_)
    return _flags(s.column("free_again_at", rows) > s.now)


def _quiet(s: Sieve, rows: Rows) -> Flags:
    """Asleep: quiet hours may wrap midnight, and are none when they end where they begin."""
    if s.query.crisis:
        return np.zeros(len(rows), np.bool_)
    minute = s.by_zone(lambda zone: minute_of(s.query.now, zone), rows)
    start, end = s.column("quiet_from", rows), s.column("quiet_to", rows)
    after, before = start <= minute, minute < end
    return _flags(np.where(start <= end, after & before, after | before))


def _asked(s: Sieve, rows: Rows) -> Flags:
    ids = s.columns.ids
    return np.fromiter((ids[row] in s.excluded for row in rows.tolist()), np.bool_, len(rows))


def _lacks_any(s: Sieve, rows: Rows, facts: int) -> Flags:
    wanted = np.uint64(facts)
    return _flags((s.column("facts", rows) & wanted) != wanted)


def _flags(values: Any) -> Flags:
    return np.asarray(values, np.bool_)


_RULES: dict[Rule, Callable[[Sieve, Rows], Flags]] = {
    Rule.INACTIVE: _inactive,
    Rule.AUDIENCE: _audience,
    Rule.SKILL: _skill,
    Rule.CERTIFICATE: _certificate,
    Rule.CERTIFICATE_EXPIRED: _certificate_expired,
    Rule.LANGUAGE: _language,
    Rule.MODE: _mode,
    Rule.RING: _ring,
    Rule.REACH: _reach,
    Rule.WINDOW: _window,
    Rule.OVERLAP: _nothing,
    Rule.BLOCKED: _blocked,
    Rule.CAP: _cap,
    Rule.BUDGET: _budget,
    Rule.QUIET: _quiet,
    Rule.ASKED: _asked,
}

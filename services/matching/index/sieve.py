"""One query over the columns of people: what it asks in their terms, and what they say to it.

Two things cannot be said in columns, because they differ from person to person in number: single free or busy
windows, and the tasks in a calendar. There the columns say who is `doubtful`, and `is_free` and `is_busy` decide.
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
from services.matching.index.geography import point_of
from services.matching.index.hours import micros, needed, overlaps, span_of
from services.matching.index.port import PeopleQuery
from shared.contracts.vocabulary import Mode

T = TypeVar("T")
Numbers = NDArray[Any]
_INSTANT = timedelta(microseconds=1)


def week_of(moment: datetime, zone: ZoneInfo) -> str:
    year, week, _ = moment.astimezone(zone).isocalendar()
    return f"{year}-W{week:02}"


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
        self.certificates = np.array([CERTIFICATES[c] for c in dict.fromkeys(query.certificates)], np.int64)
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

    def certified_until(self, rows: Rows) -> Numbers:
        """For each of these rows the last good days of the certificates asked for; 0 for one never held."""
        until: Numbers = self.columns.arrays["certified_until"][rows[:, None], self.certificates]
        return until

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

"""One query over the columns of people: what it asks in their terms, and what they say to it.

Two things cannot be said in columns, because they differ from person to person in number: single free or busy
windows, and the tasks in a calendar. There the columns say who is `doubtful`, and `is_free` and `is_busy` decide.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from services.matching.index.columns import ACTIVE, CERTIFICATES, KNOWN, LANGUAGES, MODES, SKILLS, Flags, Rows
from services.matching.index.geography import point_of
from services.matching.index.hours import Needed, micros, needed, overlaps, span_of
from services.matching.index.people import People
from services.matching.index.port import PeopleQuery
from shared.contracts.vocabulary import Mode

Numbers = NDArray[Any]
_INSTANT = timedelta(microseconds=1)


def week_of(moment: datetime, zone: ZoneInfo) -> str:
    year, week, _ = moment.astimezone(zone).isocalendar()
    return f"{year}-W{week:02}"


def month_of(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local.year:04}-{local.month:02}"


class Sieve:
    """One query over one state of the columns."""

    def __init__(self, people: People, query: PeopleQuery) -> None:
        self.people = people
        self.columns = people.columns
        self.arrays = people.columns.arrays
        self.bounds = people.bounds
        self.zones = people.zones.values
        self.quiet = people.quiet.values
        self.query = query
        self.window = query.window
        self.start, self.end = span_of(query.window)
        self.now = micros(query.now)
        self.skills = sum([SKILLS[skill] for skill in set(query.skills)])
        self.languages = sum([LANGUAGES[language] for language in set(query.languages)])
        self.remote = query.mode == Mode.REMOTE
        self.excluded = self._rows_of(query.excluded)

    def _rows_of(self, ids: Set[str]) -> set[int]:
        rows = self.columns.rows
        return {row for id in ids if (row := rows.get(id)) is not None}

    def are(self, ids: Set[str], rows: Rows) -> Flags:
        """Which of these rows are those of these people."""
        return np.isin(rows, list(self._rows_of(ids)))

    @cached_property
    def needed(self) -> list[Needed]:
        """What the window asks of a weekly pattern, for each zone."""
        return [needed(self.window.start_at, self.window.end_at, zone) for zone in self.zones]

    @cached_property
    def days(self) -> list[int]:
        """The day to whose end a certificate must be in force, for each zone: that of the window's last moment."""
        last = max(self.window.start_at, self.window.end_at - _INSTANT)
        return [last.astimezone(zone).date().toordinal() for zone in self.zones]

    @cached_property
    def certificates(self) -> Numbers:
        return np.array([CERTIFICATES[c] for c in dict.fromkeys(self.query.certificates)], np.int64)

    @property
    def on_site(self) -> Sieve:
        """The same query, were the task done on site."""
        return Sieve(self.people, replace(self.query, mode=Mode.ON_SITE))

    @property
    def must_have(self) -> int:
        """The facts that everybody who can be asked has."""
        return KNOWN | ACTIVE | self.skills | MODES[self.query.mode]

    def column(self, name: str, rows: Rows) -> Numbers:
        return self.arrays[name].take(rows)

    def squared(self, rows: Rows) -> Numbers:
        """The squared chords from the need; nan where either place is unknown."""
        x, y, z = point_of(self.query.cell)
        dx = self.arrays["x"].take(rows) - x
        dy = self.arrays["y"].take(rows) - y
        dz = self.arrays["z"].take(rows) - z
        distances: Numbers = dx * dx + dy * dy + dz * dz
        return distances

    def week_minutes(self, rows: Rows) -> Numbers | int:
        """The minutes of task in the window's week, in each person's own zone."""
        weeks = [week_of(self.window.start_at, zone) for zone in self.zones]
        return self._tallied(self.columns.minutes, weeks, rows)

    def month_tasks(self, rows: Rows) -> Numbers | int:
        """The tasks taken this month, in each person's own zone."""
        months = [month_of(self.query.now, zone) for zone in self.zones]
        return self._tallied(self.columns.tasks, months, rows)

    def last_day(self, rows: Rows) -> Numbers | int:
        """That day in each person's own zone, as their calendar has it."""
        if len(set(self.days)) == 1:
            return self.days[0]
        days: Numbers = np.array(self.days, np.int64).take(self.column("zone", rows), mode="clip")
        return days

    def certified_until(self, rows: Rows) -> Numbers:
        """For each of these rows the last good days of the certificates asked for; 0 for one never held."""
        until: Numbers = self.arrays["certified_until"][rows[:, None], self.certificates]
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
        zone = min(int(self.arrays["zone"][row]), len(self.needed) - 1)
        return exceptions is None or exceptions.allow(self.needed[zone])

    def is_busy(self, row: int) -> bool:
        return overlaps(self.columns.busy[row], self.start, self.end)

    def _tallied(self, counts: dict[str, Numbers], keys: list[str], rows: Rows) -> Numbers | int:
        """What stands under the key of each person's zone."""
        if len(set(keys)) == 1:
            column = counts.get(keys[0])
            return 0 if column is None else column.take(rows)
        zone, found = self.column("zone", rows), np.zeros(len(rows), np.int64)
        for number, key in enumerate(keys):
            if key in counts:
                found = np.where(zone == number, counts[key].take(rows), found)
        return found

"""What is known of people, in columns: one NumPy array per fact, one row per person.

Rows up to `ordered` lie in order of area, so that a village, a township, a county is one slice; whoever came or
moved since then lies behind them. A row whose person has moved is dead: it has no facts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.matching.index.geography import Span
from services.matching.index.hours import Exceptions
from services.matching.index.hours import Span as TimeSpan
from shared.contracts.vocabulary import Certificate, Language, Mode, Skill

Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]

SKILLS = {skill: 1 << n for n, skill in enumerate(Skill)}
LANGUAGES = {language: 1 << (24 + n) for n, language in enumerate(Language)}
MODES = {mode: 1 << (48 + n) for n, mode in enumerate(Mode)}
ACTIVE = 1 << 60
KNOWN = 1 << 61
HEARD = 1 << 62
"""Somebody of whom only the calendar has been heard has this fact and no other; a dead row has none."""
CERTIFICATES = {certificate: n for n, certificate in enumerate(Certificate)}
CONTACTS = 8
"""How many of the newest contacts are counted at most, when who was asked least comes first."""
FAR = 2**62
LAST_DAY = 2**31 - 1
"""The last good day of a certificate that never expires."""
HOURS = ("hours_0", "hours_1", "hours_2")
POINT = ("x", "y", "z")

_COLUMNS: dict[str, tuple[Any, int]] = {
    "facts": (np.uint64, 1),
    "area": (np.int64, 1),
    **dict.fromkeys(HOURS, (np.uint64, 1)),
    "zone": (np.int16, 1),
    "certified_until": (np.int32, len(CERTIFICATES)),
    "named_until": (np.int32, 1),
    **dict.fromkeys(POINT, (np.float64, 1)),
    "reach": (np.float64, 1),
    "blocked_until": (np.int64, 1),
    "cap": (np.int64, 1),
    "quiet": (np.int32, 1),
    "budget": (np.int64, 1),
    "contacts": (np.int64, CONTACTS),
    "contact_count": (np.int64, 1),
    "contact_count_until": (np.int64, 1),
    "free_again_at": (np.int64, 1),
    "busy_from": (np.int64, 1),
    "busy_to": (np.int64, 1),
    "special": (np.bool_, 1),
    "chance": (np.uint64, 1),
    "state_sequence": (np.int64, 1),
    "load_sequence": (np.int64, 1),
}

Periods = tuple[tuple[str, ...], tuple[str, ...]]
"""The weeks in which a person has minutes of task, and the months in which they have tasks."""
_NO_PERIODS: Periods = ((), ())


class Columns:
    """Growing arrays by name, and the few things that are no numbers beside them."""

    def __init__(self, capacity: int = 1024) -> None:
        self.count = 0
        self.ordered = 0
        self.arrays: dict[str, NDArray[Any]] = {
            name: np.zeros((capacity, width) if width > 1 else capacity, dtype)
            for name, (dtype, width) in _COLUMNS.items()
        }
        self.minutes: dict[str, NDArray[np.int64]] = {}
        self.tasks: dict[str, NDArray[np.int64]] = {}
        self.rows: dict[str, int] = {}
        self.ids: list[str] = []
        self.exceptions: list[Exceptions | None] = []
        self.busy: list[tuple[TimeSpan, ...]] = []
        self.asked: list[tuple[int, ...]] = []
        self.periods: list[Periods] = []

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.arrays[name]

    def add(self, id: str) -> int:
        """A new row, of somebody about whom nothing is known yet."""
        row = self.count
        if row == len(self.arrays["facts"]):
            self._grow(row * 2)
        self.rows[id] = row
        self.ids.append(id)
        self.exceptions.append(None)
        self.busy.append(())
        self.asked.append(())
        self.periods.append(_NO_PERIODS)
        self.arrays["facts"][row] = HEARD
        self.arrays["busy_from"][row] = FAR
        self.arrays["busy_to"][row] = -FAR
        self.arrays["contacts"][row] = -FAR
        self.arrays["contact_count_until"][row] = FAR
        self.count = row + 1
        return row

    def move(self, row: int) -> int:
        """The same person in a new row at the end; the old row is dead."""
        new, facts = self.add(self.ids[row]), self.arrays["facts"]
        for array in (*self.arrays.values(), *self.minutes.values(), *self.tasks.values()):
            if array is not facts:
                array[new] = array[row]
        self.exceptions[new] = self.exceptions[row]
        self.busy[new], self.asked[new], self.periods[new] = (
            self.busy[row],
            self.asked[row],
            self.periods[row],
        )
        facts[new], facts[row] = facts[row], 0
        return new

    def tally(self, row: int, minutes: dict[str, int], tasks: dict[str, int]) -> None:
        """Set this person's minutes by week and tasks by month; a period nobody was heard of in gets its column."""
        weeks, months = self.periods[row]
        for counts, old, new in ((self.minutes, weeks, minutes), (self.tasks, months, tasks)):
            for key in old:
                counts[key][row] = 0
            for key, value in new.items():
                if key not in counts:
                    counts[key] = np.zeros(len(self.arrays["facts"]), np.int64)
                counts[key][row] = value
        self.periods[row] = (tuple(minutes), tuple(tasks))

    def in_order(self) -> Columns:
        """The same people in order of area, without dead rows and without periods in which nobody has anything."""
        area, facts = self.arrays["area"][: self.count], self.arrays["facts"][: self.count]
        order = np.argsort(area, kind="stable")
        order = order[facts[order] != 0]
        new = Columns(0)
        new.count = new.ordered = len(order)
        room = max(1024, len(order) + len(order) // 2)
        new.arrays = {name: _permuted(array, order, room) for name, array in self.arrays.items()}
        new.minutes = {key: _permuted(a, order, room) for key, a in self.minutes.items() if a.any()}
        new.tasks = {key: _permuted(a, order, room) for key, a in self.tasks.items() if a.any()}
        rows: list[int] = order.tolist()
        new.ids = [self.ids[row] for row in rows]
        new.rows = {id: row for row, id in enumerate(new.ids)}
        new.exceptions = [self.exceptions[row] for row in rows]
        new.busy = [self.busy[row] for row in rows]
        new.asked = [self.asked[row] for row in rows]
        new.periods = [_lasting(p, new) if (p := self.periods[row]) != _NO_PERIODS else p for row in rows]
        return new

    def having(self, facts: int, areas: list[Span]) -> Rows:
        """The rows, rising, of those who have all these facts and are in one of these areas.

        The count is read first: whatever is noted meanwhile, no array is ever shorter than that.
        """
        count, wanted, column = self.count, np.uint64(facts), self.arrays["facts"]
        found = []
        for first, last in areas:
            low, high = self.arrays["area"][: self.ordered].searchsorted((first, last)).tolist()
            held = ((column[low:high] & wanted) == wanted).nonzero()[0]
            found.append(held + low if low else held)
        if count > self.ordered:
            tail = slice(self.ordered, count)
            held = (column[tail] & wanted) == wanted
            area = self.arrays["area"][tail]
            inside = np.zeros(len(area), np.bool_)
            for first, last in areas:
                inside |= (area >= first) & (area < last)
            found.append((held & inside).nonzero()[0] + self.ordered)
        return found[0] if len(found) == 1 else np.concatenate(found)

    def _grow(self, capacity: int) -> None:
        for columns in (self.arrays, self.minutes, self.tasks):
            for name, array in columns.items():
                columns[name] = _permuted(array, slice(0, self.count), max(capacity, 1024))


def _permuted(array: NDArray[Any], rows: Rows | slice, room: int) -> NDArray[Any]:
    values = array[rows]
    new = np.zeros((room, *array.shape[1:]), array.dtype)
    new[: len(values)] = values
    return new


def _lasting(periods: Periods, columns: Columns) -> Periods:
    """Those of a person's weeks and months that still have a column."""
    weeks, months = periods
    return tuple(w for w in weeks if w in columns.minutes), tuple(m for m in months if m in columns.tasks)

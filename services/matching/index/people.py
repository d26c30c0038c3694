"""The columns of people, kept up with what is heard of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple
from zoneinfo import ZoneInfo

from services.matching.index.columns import (
    ACTIVE,
    CERTIFICATES,
    CONTACTS,
    FAR,
    HEARD,
    HOURS,
    KNOWN,
    LANGUAGES,
    LAST_DAY,
    MODES,
    POINT,
    SKILLS,
    Columns,
)
from services.matching.index.geography import chord, code_of, point_of
from services.matching.index.hours import Exceptions, micros, pattern, span_of, words
from services.matching.index.numbered import Numbered
from shared.contracts.parts import CalendarLoad, VolunteerState
from shared.contracts.vocabulary import NAMED_CERTIFICATES

UNORDERED_AT_LEAST = 4096
WEEK = 7 * 24 * 3600 * 1_000_000
"""The period of the contact budget, in microseconds."""


class Quiet(NamedTuple):
    """Quiet hours in minutes of the day, in a zone; they may wrap midnight, and are none when they end where they
    begin."""

    start: int
    end: int
    zone: ZoneInfo

    def holds(self, minute: int) -> bool:
        if self.start <= self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end

    def ends_after(self, moment: datetime) -> datetime:
        """When they end next."""
        local = moment.astimezone(self.zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        end = midnight + timedelta(minutes=self.end)
        return end if end > local else end + timedelta(days=1)


class Bounds:
    """What nobody exceeds: with it a rule that nobody can fail is known without looking at anybody."""

    def __init__(self) -> None:
        self.least_cap = FAR
        self.most_minutes = 0
        self.last_block = -FAR
        self.last_free_again = -FAR


def facts_of(state: VolunteerState) -> int:
    """Everything that a person either has or has not, as bits."""
    bits = HEARD | KNOWN | (ACTIVE if state.active else 0)
    for skill in state.skills:
        bits |= SKILLS[skill]
    for language in state.languages:
        bits |= LANGUAGES[language]
    for mode in state.modes:
        bits |= MODES[mode]
    return bits


def chance_of(id: str) -> int:
    """A person's own number, from which and from the need's each need draws its own order of equals."""
    return int.from_bytes(blake2b(id.encode(), digest_size=8).digest())


class People:
    """Everybody heard of. An older sequence than the one known changes nothing."""

    def __init__(self) -> None:
        self.columns = Columns()
        self.zones: Numbered[ZoneInfo] = Numbered(ZoneInfo("Asia/Shanghai"))
        self.quiet: Numbered[Quiet] = Numbered()
        self.bounds = Bounds()

    def __len__(self) -> int:
        return len(self.columns.rows)

    def note(self, id: str, state: VolunteerState, sequence: int) -> None:
        row = self._row(id)
        if sequence <= self.columns["state_sequence"][row]:
            return
        area = code_of(state.area)
        if row < self.columns.ordered and area != self.columns["area"][row]:
            row = self.columns.move(row)
        self.columns["state_sequence"][row] = sequence
        self.columns["area"][row] = area
        self._note_facts(row, state)
        self._note_times(row, state)
        self._note_limits(row, state)
        self._note_budget(row)
        self._reorder()

    def note_load(self, id: str, load: CalendarLoad, sequence: int) -> None:
        row = self._row(id)
        columns = self.columns
        if sequence <= columns["load_sequence"][row]:
            return
        columns["load_sequence"][row] = sequence
        busy = columns.busy[row] = tuple([span_of(window) for window in load.busy])
        columns["busy_from"][row] = min((start for start, _ in busy), default=FAR)
        columns["busy_to"][row] = max((end for _, end in busy), default=-FAR)
        asked = columns.asked[row] = tuple(sorted(map(micros, load.contacted_at), reverse=True))
        newest = asked[:CONTACTS]
        columns["contacts"][row] = newest + (-FAR,) * (CONTACTS - len(newest))
        columns["contact_count"][row] = len(newest)
        columns["contact_count_until"][row] = newest[-1] + WEEK if newest else FAR
        columns.tally(row, load.minutes_by_week, load.tasks_by_month)
        self.bounds.most_minutes = max(self.bounds.most_minutes, *load.minutes_by_week.values(), 0)
        self._note_budget(row)

    def _row(self, id: str) -> int:
        row = self.columns.rows.get(id)
        if row is None:
            row = self.columns.add(id)
            self.columns["chance"][row] = chance_of(id)
        return row

    def _note_facts(self, row: int, state: VolunteerState) -> None:
        columns = self.columns
        until = [0] * len(CERTIFICATES)
        named = 0
        for held in state.certificates:
            day = held.expires_on.toordinal() if held.expires_on else LAST_DAY
            number = CERTIFICATES[held.certificate]
            until[number] = max(until[number], day)
            if held.certificate in NAMED_CERTIFICATES:
                named = max(named, day)
        columns["facts"][row] = facts_of(state)
        columns["certified_until"][row] = until
        columns["named_until"][row] = named
        for name, value in zip(POINT, point_of(state.cell), strict=True):
            columns[name][row] = value
        columns["reach"][row] = chord(state.reach_km)

    def _note_times(self, row: int, state: VolunteerState) -> None:
        columns = self.columns
        usual = pattern(state.hours)
        for name, bits in zip(HOURS, words(usual), strict=True):
            columns[name][row] = bits
        zone = ZoneInfo(state.zone)
        columns["zone"][row] = self.zones.number(zone)
        columns["quiet"][row] = self.quiet.number(Quiet(state.quiet_from, state.quiet_to, zone))
        free = tuple(sorted(map(span_of, state.free)))
        busy = tuple(sorted(map(span_of, state.busy)))
        columns.exceptions[row] = Exceptions(usual, free, busy) if free or busy else None
        columns["special"][row] = bool(free or busy)

    def _note_limits(self, row: int, state: VolunteerState) -> None:
        columns, bounds = self.columns, self.bounds
        blocked_until = micros(state.blocked_until) if state.blocked_until else -FAR
        columns["blocked_until"][row] = blocked_until
        columns["cap"][row] = state.weekly_cap_minutes
        columns["budget"][row] = state.weekly_contacts
        bounds.last_block = max(bounds.last_block, blocked_until)
        bounds.least_cap = min(bounds.least_cap, state.weekly_cap_minutes)

    def _note_budget(self, row: int) -> None:
        """When the person may be asked again: a week after the contact that used the budget up."""
        asked, budget = self.columns.asked[row], int(self.columns["budget"][row])
        used_up = len(asked) >= budget
        free_again_at = FAR if budget <= 0 else asked[budget - 1] + WEEK if used_up else -FAR
        self.columns["free_again_at"][row] = free_again_at
        if self.columns["state_sequence"][row]:
            self.bounds.last_free_again = max(self.bounds.last_free_again, free_again_at)

    def _reorder(self) -> None:
        """Put the rows in order when many have come or moved: rare enough to cost little over all."""
        loose = self.columns.count - self.columns.ordered
        if loose > max(UNORDERED_AT_LEAST, self.columns.ordered // 4):
            self.columns = self.columns.in_order()

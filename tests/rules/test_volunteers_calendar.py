"""A calendar, whatever is done to it in whatever order: nobody is ever in two places."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.volunteers.domain import invitations, tasks, timers, verdicts
from services.volunteers.domain.calendar import Calendar, Invitation
from services.volunteers.domain.registry import Volunteer, VolunteerStatus
from services.volunteers.domain.service_hours import ServiceRecord, make_up
from shared.contracts.base import Event
from shared.contracts.matching import SeatFilled, SeatReleased, SeatsOffered, SeatWon
from shared.contracts.parts import Offer, Window
from shared.contracts.vocabulary import (
    Category,
    Closing,
    DeclineReason,
    HoursKind,
    InvitationStatus,
    Mode,
    Ring,
    TaskStatus,
    Urgency,
)
from shared.contracts.volunteers import CalendarEvent, TaskTaken, TaskWithdrawn
from shared.errors import Refusal
from shared.records import Change

START = datetime(2026, 12, 31, 20, 0, tzinfo=UTC)
"""A Thursday shortly before the year's end; the ISO week goes on over it."""
LI = Volunteer(
    id="li", name="x", site_id="east", area="522702102", status=VolunteerStatus.ACTIVE, registered_at=START,
    registered_by="staff", weekly_cap_minutes=300, weekly_contacts=100, quiet_from=0, quiet_to=0,
)  # fmt: skip

Decide = Callable[[Calendar, datetime], Change[Calendar]]
Step = tuple[str, int, int]


class Life:
    """A calendar to which anything may happen; after each step the rules are looked at."""

    def __init__(self) -> None:
        self.calendar = Calendar(id="li")
        self.now = START
        self.said: list[Event] = []

    def live(self, what: str, n: int, quarter: int) -> None:
        """A step, or a story of several that begin often together."""
        for one in STORIES.get(what, (what,)):
            self.do(one, n, quarter)

    def do(self, what: str, n: int, quarter: int) -> None:
        id, window = f"li~{n}", at(quarter)
        seat: dict[str, Any] = {"line_id": "p1", "invitation_id": id, "volunteer_id": "li"}
        decisions: dict[str, Decide] = {
            "ask": lambda c, now: invitations.ask(c, LI, draft(window, now), offer(id), now),
            "accept": lambda c, now: invitations.accept(c, id, LI, "li", now),
            "decline": lambda c, now: invitations.decline(c, id, DeclineReason.OTHER, "li", now),
            "void": lambda c, now: invitations.withdraw_offers(c, [id], Closing.FILLED, now),
            "win": lambda c, now: verdicts.win(
                c, SeatWon(**seat, seat_id="p1/1", window=known_window(c, id) or window), "need", now
            ),
            "win moved": lambda c, now: verdicts.win(
                c, SeatWon(**seat, seat_id="p1/1", window=window), "need", now
            ),
            "lose": lambda c, now: verdicts.lose(c, SeatFilled(**seat), now),
            "release": lambda c, now: verdicts.release(
                c, SeatReleased(**seat, seat_id="p1/1", reason=Closing.CANCELLED), now, now
            ),
            "withdraw": lambda c, now: tasks.withdraw(c, id, "li", now),
            "check in": lambda c, now: tasks.check_in(c, id, "li", now, staff=True),
            "check in late": lambda c, now: tasks.check_in(
                c, id, "staff", now, staff=True, started_at=window.start_at
            ),
            "check out": lambda c, now: tasks.check_out(c, id, "li", now),
            "no show": lambda c, now: tasks.no_show(c, id, "staff", now),
            "make up": lambda c, now: make_up(c, made_up(n, window), [], now),
            "wake": timers.wake,
            "wait": lambda c, now: self.wait(quarter),
        }
        with suppress(Refusal):
            change = decisions[what](self.calendar, self.now)
            self.calendar = change.record
            self.said.extend(change.events)
            self.look(change)

    def wait(self, quarters: int) -> Change[Calendar]:
        self.now += timedelta(minutes=15 * quarters)
        return Change(self.calendar)

    def look(self, change: Change[Calendar]) -> None:
        calendar = self.calendar
        assert Calendar.model_validate_json(calendar.model_dump_json()) == calendar
        assert not any(a.window.overlaps(b.window) for a, b in combinations(calendar.held(), 2))
        assert not any(a.overlaps(b) for a, b in combinations(calendar.services(), 2))
        statuses = [i.task.status for i in calendar.invitations.values() if i.task]
        assert statuses.count(TaskStatus.CHECKED_IN) <= 1
        for event in change.events:
            assert isinstance(event, CalendarEvent) and event.load == calendar.load(self.now)
        woken = timers.wake(calendar, self.now).record
        assert woken.due_at is None or woken.due_at > self.now
        for invitation in calendar.invitations.values():
            open_ended = invitation.closed_at is None
            assert open_ended == (invitation.is_open(self.now) or still_moves(invitation.id, calendar))


def still_moves(id: str, calendar: Calendar) -> bool:
    """Whether something may still happen to this invitation."""
    invitation = calendar.invitation(id)
    if invitation.task is not None:
        return invitation.task.status in (TaskStatus.TAKEN, TaskStatus.CHECKED_IN)
    return invitation.status in (InvitationStatus.PENDING, InvitationStatus.CLAIMED)


def at(quarter: int, quarters: int = 4) -> Window:
    start_at = START + timedelta(minutes=15 * quarter)
    return Window(start_at=start_at, end_at=start_at + timedelta(minutes=15 * quarters))


def known_window(calendar: Calendar, id: str) -> Window | None:
    found = calendar.invitations.get(id)
    return found.window if found else None


def offer(id: str) -> Offer:
    return Offer(invitation_id=id, volunteer_id="li")


def draft(window: Window, now: datetime) -> Invitation:
    """What everybody of this wave gets."""
    return invitations.drafted(offered(window), "need", now)


def offered(window: Window) -> SeatsOffered:
    return SeatsOffered(
        line_id="p1",
        wave=1,
        ring=Ring.COUNTY,
        site_id="east",
        household_id="household",
        category=Category.COMFORT,
        urgency=Urgency.ORDINARY,
        mode=Mode.ON_SITE,
        area="522702102",
        window=window,
        open_seats=1,
        expires_at=START + timedelta(hours=8),
        offers=(),
    )


def made_up(n: int, window: Window) -> ServiceRecord:
    return ServiceRecord(
        id=f"paper-{n}",
        volunteer_id="li",
        hours_kind=HoursKind.HONOUR,
        day="2027-01-01",
        minutes=window.minutes,
        started_at=window.start_at,
        ended_at=window.end_at,
        recorded_at=START,
    )


STEPS = (
    "take", "take", "claim", "come", "serve", "take back", "ask", "accept", "decline", "void", "win", "win moved", "lose", "release", "withdraw",
    "check in", "check in late", "check out", "no show", "make up", "wake", "wait", "wait",
)  # fmt: skip
STORIES = {
    "take": ("ask", "accept", "win"),
    "claim": ("ask", "accept"),
    "come": ("ask", "accept", "win", "wait", "check in late"),
    "serve": ("ask", "accept", "win", "wait", "check in late", "check out"),
    "take back": ("wait", "release"),
}
steps = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 5), st.integers(0, 7)), min_size=10, max_size=50
)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_nobody_is_ever_in_two_places_whatever_comes_in_whatever_order(told: list[Step]) -> None:
    life = Life()
    for step in told:
        life.live(*step)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_every_seat_won_is_taken_given_back_or_known_already(told: list[Step]) -> None:
    """No seat may hang between matching and a calendar that does not hold it."""
    life = Life()
    for what, n, quarter in told:
        before = life.calendar.invitations.get(f"li~{n}")
        known = before is not None and before.task is not None
        said = len(life.said)
        life.live(what, n, quarter)
        if what.startswith("win"):
            (*news,) = life.said[said:]
            assert known == (not news)
            assert all(isinstance(event, TaskTaken | TaskWithdrawn) for event in news)


@given(st.integers(0, 20), st.integers(0, 20), st.integers(1, 8), st.integers(1, 8))
def test_touching_windows_do_not_overlap_and_sharing_a_minute_does(
    a: int, b: int, long: int, short: int
) -> None:
    life = Life()
    life.calendar = claimed(life.calendar, "li~1", at(a, long))
    shares = bool(set(range(a, a + long)) & set(range(b, b + short)))
    assert life.calendar.is_taken(at(b, short)) == shares


def test_the_weekly_cap_counts_one_iso_week_over_the_years_end() -> None:
    """Thursday 31 December 2026 and Sunday 3 January 2027 lie in one week, 2026-W53; Monday is the next."""
    calendar = claimed(Calendar(id="li"), "li~1", at(0, 16))
    sunday, monday = at(4 * 56, 4), at(4 * 72, 4)
    assert invitations.obstacle(calendar, LI, draft(sunday, START), START) is None
    calendar = claimed(calendar, "li~2", sunday)
    assert calendar.load(START).minutes_by_week == {"2026-W53": 300}
    crisis = draft(at(4 * 60, 1), START).but(urgency=Urgency.CRISIS)
    assert invitations.obstacle(calendar, LI, crisis, START) == "cap"
    assert invitations.obstacle(calendar, LI, draft(monday, START), START) is None


def claimed(calendar: Calendar, id: str, window: Window) -> Calendar:
    asked = invitations.ask(calendar, LI, draft(window, START), offer(id), START).record
    return invitations.accept(asked, id, LI, "li", START).record

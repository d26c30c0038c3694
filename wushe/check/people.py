"""Rules 1, 2 and 8: nobody is in two places, a seat has one holder, hours are what was served."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from services.matching.domain.match import Match
from services.volunteers.domain.calendar import Calendar
from services.volunteers.domain.service_hours import ServiceRecord
from shared.contracts.vocabulary import Closing, InvitationStatus, TaskStatus
from wushe.check.violation import Violation

HOLDING = frozenset({TaskStatus.TAKEN, TaskStatus.CHECKED_IN, TaskStatus.DONE})


def nobody_is_in_two_places(calendar: Calendar) -> Iterator[Violation]:
    """Claimed slots and tasks of one person never overlap."""
    held = sorted((i for i in calendar.invitations.values() if i.holds), key=lambda i: i.window.start_at)
    latest = None
    for here in held:
        if latest is not None and here.window.start_at < latest.window.end_at:
            yield Violation(
                1,
                calendar.id,
                f"tasks {latest.id} and {here.id} overlap",
                f"任务 {latest.id} 与 {here.id} 时间重叠",
            )
        if latest is None or here.window.end_at > latest.window.end_at:
            latest = here


def a_seat_has_one_holder(match: Match) -> Iterator[Violation]:
    """No invitation and no person holds two seats of one line."""
    for line_id, line in match.people.items():
        holders = [volunteer_of(seat) for seat in line.seats if seat]
        if len(holders) != len(set(holders)):
            yield Violation(
                2, match.id, f"line {line_id}: one person holds two seats", f"{line_id}：一人占两个名额"
            )


def seats_and_tasks_agree(
    matches: Mapping[str, Match], calendars: Mapping[str, Calendar]
) -> Iterator[Violation]:
    """Whoever holds a seat has the task, and the other way round, while the search is open; when it is over nobody is
    still to come. A service that is done leaves its calendar after a while, and its seat if its line was changed in
    that moment."""
    seats = {seat: m for m in matches.values() for line in m.people.values() for seat in line.seats if seat}
    tasks = {
        i.id: (i.need_id, i.task.status)
        for calendar in calendars.values()
        for i in calendar.invitations.values()
        if i.task is not None and i.task.status in HOLDING and i.closing is not Closing.CHANGED
    }
    for id, match in seats.items():
        if id not in tasks and id not in match.done and not match.closed:
            yield Violation(2, match.id, f"seat of {id} has no task", f"名额 {id} 没有对应任务", True)
    for id, (need_id, status) in tasks.items():
        search = matches.get(need_id)
        if search is not None and search.closed and status is not TaskStatus.DONE:
            text = f"task {id} is kept for a need that is over", f"任务 {id} 仍为已结束的需求保留"
            yield Violation(2, need_id, *text, True)
        elif id not in seats and (search is None or not (search.closed or id in search.done)):
            yield Violation(2, need_id, f"task {id} has no seat", f"任务 {id} 没有对应名额", True)


def volunteer_of(invitation_id: str) -> str:
    """Whose invitation this is: the part before the `~`."""
    return invitation_id.partition("~")[0]


def no_yes_is_forgotten(calendar: Calendar) -> Iterator[Violation]:
    """A yes without a verdict is under way; it must not stay so."""
    for invitation in calendar.invitations.values():
        if invitation.status is InvitationStatus.CLAIMED:
            text = f"{invitation.id} still waits for a verdict", f"{invitation.id} 尚未得到答复"
            yield Violation(2, calendar.id, *text, True)


def hours_are_what_was_served(
    calendars: Mapping[str, Calendar], hours: Mapping[str, ServiceRecord]
) -> Iterator[Violation]:
    """Every task done has one record of hours, under its own id, with its minutes."""
    for calendar in calendars.values():
        for i in calendar.invitations.values():
            if i.task is None or i.task.status is not TaskStatus.DONE:
                continue
            record = hours.get(i.id)
            if record is None:
                yield Violation(
                    8, calendar.id, f"task {i.id} has no hours", f"任务 {i.id} 没有时长记录", True
                )
            elif record.minutes != i.task.minutes:
                yield Violation(8, calendar.id, f"hours of {i.id} differ", f"任务 {i.id} 的时长不符", True)


def nobody_served_twice_at_once(hours: Mapping[str, ServiceRecord]) -> Iterator[Violation]:
    """The services on one person's record never overlap."""
    timed = [(r.volunteer_id, w.start_at, w.end_at, r.id) for r in hours.values() if (w := r.service)]
    for person, services in groupby(sorted(timed), key=lambda service: service[0]):
        until, latest = None, ""
        for _, start_at, end_at, id in services:
            if until is not None and start_at < until:
                yield Violation(
                    1, person, f"services {latest} and {id} overlap", f"服务 {latest} 与 {id} 时间重叠"
                )
            if until is None or end_at > until:
                until, latest = end_at, id

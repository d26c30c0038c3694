"""Seats: the first to accept wins, everybody else is told at once, and a seat given back is open again."""

from __future__ import annotations

from services.matching.domain.match import Asked, Match, PeopleState, owner_of, seat_id
from services.matching.domain.resting import resumed
from services.matching.domain.scene import Scene
from services.matching.domain.settling import reopen, settled
from services.matching.domain.words import Answer
from shared.contracts.base import Event
from shared.contracts.matching import OffersWithdrawn, SeatFilled, SeatReleased, SeatWon
from shared.contracts.taken import InvitationRef
from shared.contracts.vocabulary import Closing
from shared.contracts.volunteers import (
    CalendarEvent,
    InvitationAccepted,
    TaskDone,
    TaskNoShow,
    TaskWithdrawn,
)
from shared.errors import NotFound
from shared.records import Change

_GIVEN_BACK = {
    TaskWithdrawn: (Answer.GIVEN_UP, Closing.WITHDRAWN),
    TaskNoShow: (Answer.NO_SHOW, Closing.NO_SHOW),
}

TOLD_NO = (Answer.CHANGED, Answer.FILLED)
"""Whose time is free again, or will be once they hear it: a seat that they get now they may not be able to keep."""


def award(match: Match | None, accepted: InvitationAccepted, scene: Scene) -> Change[Match]:
    """Give the first free seat of the line to the one who accepted, or say that it is filled.

    A yes that is repeated gets its verdict repeated. A yes that comes before the need is kept until the need comes.
    """
    match = match or Match(id=accepted.need_id)
    if match.spec is None and not match.closed:
        return Change(match.but(early={**match.early, accepted.invitation_id: accepted.line_id}))
    match, verdict = decided(match, accepted.invitation_id, accepted.line_id)
    return resumed(settled(match, scene, *verdict), scene)


def decided(match: Match, invitation_id: str, line_id: str) -> tuple[Match, list[Event]]:
    """The verdict about one yes, and if it took the last seat, the end of asking for that line."""
    asked = match.asked.get(invitation_id) or Asked(line_id, 0)
    state = match.people.get(asked.line_id)
    if asked.answer == Answer.WON:
        return match, [won(match, asked.line_id, invitation_id)]
    if state is None or not state.free or match.closed or asked.answer in TOLD_NO:
        too_late = asked if asked.answer == Answer.CHANGED else asked._replace(answer=Answer.FILLED)
        match = match if too_late == asked else match.with_answer(invitation_id, too_late)
        return match, [_filled(match, asked, invitation_id)]
    number = state.seats.index("")
    seats = (*state.seats[:number], invitation_id, *state.seats[number + 1 :])
    match = match.with_line(asked.line_id, state.but(seats=seats))
    match = match.with_answer(invitation_id, asked._replace(answer=Answer.WON))
    news = won(match, asked.line_id, invitation_id)
    match, withdrawn = withdraw(match, asked.line_id, Closing.FILLED) if state.free == 1 else (match, [])
    return match, [news, *withdrawn]


def withdraw(match: Match, line_id: str, reason: Closing) -> tuple[Match, list[Event]]:
    """The end of asking for a line: whoever has not answered is told."""
    open_ = {
        id: asked._replace(answer=Answer.WITHDRAWN)
        for id, asked in match.asked.items()
        if asked.line_id == line_id and asked.answer == Answer.ASKED
    }
    if not open_:
        return match, []
    refs = tuple(ref_of(id) for id in open_)
    return match.but(asked={**match.asked, **open_}), [OffersWithdrawn(reason=reason, invitations=refs)]


def ref_of(invitation_id: str) -> InvitationRef:
    return InvitationRef(invitation_id=invitation_id, volunteer_id=owner_of(invitation_id))


def note_answer(match: Match | None, event: CalendarEvent, answer: Answer, scene: Scene) -> Change[Match]:
    """Somebody declined, did not answer in time, or could not be asked. If nobody is left to wait for, the next wave
    is due now; but whom an offer reached too late is not chased by the next one before its time."""
    if match is None:
        raise NotFound()
    asked = match.asked.get(event.invitation_id)
    if asked is None or asked.answer != Answer.ASKED:
        return Change(match)
    match = match.with_answer(event.invitation_id, asked._replace(answer=answer))
    state = match.people.get(asked.line_id)
    waits_for_nobody = not match.closed and not match.pending(asked.line_id)
    if state is not None and state.free and waits_for_nobody and answer != Answer.PASSED:
        match = match.with_line(asked.line_id, state.but(due_at=scene.now))
    return settled(match, scene)


def give_back(match: Match | None, event: TaskWithdrawn | TaskNoShow, scene: Scene) -> Change[Match]:
    """The seat is free again: the match, if it was made, is open again, and the next wave is due now."""
    if match is None:
        raise NotFound()
    asked = match.asked.get(event.invitation_id)
    if asked is None or asked.answer != Answer.WON or event.invitation_id in match.done:
        return Change(match)
    late = isinstance(event, TaskWithdrawn) and event.late
    answer, reason = _GIVEN_BACK[type(event)]
    match = match.with_answer(event.invitation_id, asked._replace(answer=answer))
    state = match.people[asked.line_id]
    match = match.with_line(asked.line_id, vacated(state, event.invitation_id))
    if match.closed:
        return Change(match)
    match = match.with_line(
        asked.line_id, match.people[asked.line_id].but(due_at=scene.now, waves=0, ring=None)
    )
    match, reopened = reopen(match, scene, reason, late)
    return settled(match, scene, *reopened)


def note_done(match: Match | None, done: TaskDone, scene: Scene) -> Change[Match]:
    """The service on this seat is over: it is never released any more, and what was missed holds nobody back."""
    if match is None:
        raise NotFound()
    if done.invitation_id in match.done:
        return Change(match)
    return resumed(settled(match.but(done=(*match.done, done.invitation_id)), scene), scene)


def vacated(state: PeopleState, invitation_id: str) -> PeopleState:
    return state.but(seats=tuple("" if holder == invitation_id else holder for holder in state.seats))


def won(match: Match, line_id: str, invitation_id: str) -> SeatWon:
    number = next(number for number, holder in match.people[line_id].numbered if holder == invitation_id)
    window = next(line.window for line in match.need.people if line.id == line_id)
    return SeatWon(
        line_id=line_id,
        seat_id=seat_id(line_id, number),
        invitation_id=invitation_id,
        volunteer_id=owner_of(invitation_id),
        window=window,
        area=match.need.area,
        category=match.need.category,
        urgency=match.need.urgency,
    )


def _filled(match: Match, asked: Asked, invitation_id: str) -> SeatFilled:
    changed = asked.answer == Answer.CHANGED or asked.line_id not in match.people
    reason = match.closing or (Closing.CHANGED if changed else Closing.FILLED)
    return SeatFilled(
        line_id=asked.line_id,
        invitation_id=invitation_id,
        volunteer_id=owner_of(invitation_id),
        reason=reason,
    )


def seat_released(match: Match, line_id: str, number: int, holder: str) -> SeatReleased:
    return SeatReleased(
        line_id=line_id,
        seat_id=seat_id(line_id, number),
        invitation_id=holder,
        volunteer_id=owner_of(holder),
        reason=Closing.CHANGED,
    )

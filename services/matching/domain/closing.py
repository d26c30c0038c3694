"""The end of a search: everything that was not used is given back."""

from __future__ import annotations

from collections.abc import Collection

from services.matching.domain.asking import release_hold
from services.matching.domain.award import vacated, withdraw
from services.matching.domain.match import Match, owner_of, seat_id
from services.matching.domain.scene import Scene
from services.matching.domain.words import HANDED_OVER, Answer, MatchStatus
from shared.contracts.base import Event
from shared.contracts.matching import MatchClosed, SeatFilled, SeatReleased
from shared.contracts.vocabulary import Closing
from shared.records import Change


def close(
    match: Match | None,
    need_id: str,
    site_id: str,
    reason: Closing,
    scene: Scene,
    served: Collection[str] = (),
) -> Change[Match]:
    """End the search for this reason: offers withdrawn, seats and holds given back. What was handed over stays so
    until it is returned, and a service that is done stays done. `served` are the invitations on which it is done as far
    as the need knows, even if word of it is still on its way; needs of old named the volunteers only.

    A match that is not known yet is closed all the same, so that a need posted later finds it closed.
    """
    match = match or Match(id=need_id)
    if match.closed:
        return Change(match)
    events: list[Event] = [_too_late(id, line_id, reason) for id, line_id in match.early.items()]
    for line_id in match.people:
        match, withdrawn = withdraw(match, line_id, reason)
        events += withdrawn
    match, released = _seats_released(match, reason, frozenset(served))
    events += released
    for id, hold in match.holds.items():
        if hold.phase not in HANDED_OVER:
            match, given_back = release_hold(match, id, hold, reason, scene)
            events += given_back
    closed = match.but(
        status=MatchStatus.CLOSED,
        closing=reason,
        people={id: state.but(due_at=None) for id, state in match.people.items()},
        goods={id: state.but(due_at=None) for id, state in match.goods.items()},
        early={},
        tier_due_at=None,
        partial_at=None,
        stalled=False,
        told=(),
    )
    return Change(closed, *events, MatchClosed(site_id=site_id, reason=reason))


def _seats_released(match: Match, reason: Closing, served: frozenset[str]) -> tuple[Match, list[Event]]:
    """Take back the seats of those who have not served. Even a need that was completed may have one: won in the very
    moment in which the resident said that it was enough."""
    events: list[Event] = []
    for line_id, state in match.people.items():
        for number, holder in state.numbered:
            if holder and holder not in match.done and not {holder, owner_of(holder)} & served:
                events.append(
                    SeatReleased(
                        line_id=line_id,
                        seat_id=seat_id(line_id, number),
                        invitation_id=holder,
                        volunteer_id=owner_of(holder),
                        reason=reason,
                    )
                )
                match = match.with_line(line_id, vacated(match.people[line_id], holder))
                match = match.with_answer(holder, match.asked[holder]._replace(answer=Answer.WITHDRAWN))
    return match, events


def _too_late(invitation_id: str, line_id: str, reason: Closing) -> SeatFilled:
    return SeatFilled(
        line_id=line_id, invitation_id=invitation_id, volunteer_id=owner_of(invitation_id), reason=reason
    )

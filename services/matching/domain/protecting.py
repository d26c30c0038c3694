"""A need that became one for named people while somebody of the public had a seat."""

from __future__ import annotations

from services.matching.domain.award import seat_released, vacated, withdraw
from services.matching.domain.match import Match
from services.matching.domain.scene import Scene
from services.matching.domain.words import Answer
from shared.contracts.base import Event
from shared.contracts.vocabulary import Closing


def taken_from_the_public(match: Match, scene: Scene) -> tuple[Match, list[Event]]:
    """Nobody who has no seat by now gets one on an old offer; whoever has one keeps it."""
    events = list[Event]()
    for line_id, state in match.people.items():
        match, withdrawn = withdraw(match, line_id, Closing.CHANGED)
        match = match.with_line(line_id, state.but(due_at=scene.now) if state.free else state)
        events += withdrawn
    asked = {
        id: one if one.answer == Answer.WON else one._replace(answer=Answer.CHANGED)
        for id, one in match.asked.items()
    }
    return match.but(asked=asked), events


def with_whoever_stayed(match: Match) -> Match:
    """The match that remembers who kept a seat because somebody had begun."""
    return match.but(stayed=tuple(id for id, one in match.asked.items() if one.answer == Answer.WON))


def without_whoever_stayed(match: Match, scene: Scene) -> tuple[Match, list[Event]]:
    """Nobody had begun after all: who kept a seat for that gives it back. Whoever was asked as one of the named since, and
    has answered, has answered."""
    events = list[Event]()
    for line_id, state in match.people.items():
        for number, holder in state.numbered:
            if holder in match.stayed and holder not in match.done:
                events.append(seat_released(match, line_id, number, holder))
                match = match.with_answer(holder, match.asked[holder]._replace(answer=Answer.CHANGED))
                free = vacated(match.people[line_id], holder)
                match = match.with_line(line_id, free.but(due_at=scene.now, ring=None, waves=0, dry=0))
    return match.but(stayed=tuple(id for id in match.stayed if id in match.done)), events


def nobody_is_sent(match: Match) -> bool:
    """Whether nobody who has a seat was told where to go."""
    return not any(holder in match.sent for state in match.people.values() for holder in state.seats)

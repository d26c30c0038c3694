"""What follows from what is there: confirming, made, partly made, or the search goes on.

`settled` is the end of every change of a match that is not closed: it looks only at seats and holds as they are, so
that the order in which they came does not matter.
"""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime
from typing import Any

from services.matching.domain.asking import FIRST_ASK_SECONDS, confirm_hold
from services.matching.domain.going_ahead import about_to_begin, attained, has_enough, is_missed
from services.matching.domain.match import Match, lines, owner_of, seat_id
from services.matching.domain.scene import Scene
from services.matching.domain.timing import in_time, part_is_due, with_part_due
from services.matching.domain.words import NEVER_ASKED, SURE, Answer, MatchStatus, Phase
from shared.contracts.base import Event
from shared.contracts.matching import (
    MatchMade,
    MatchPartlyMade,
    MatchReopened,
    MatchStalled,
    SearchProgressed,
)
from shared.contracts.parts import LineDiagnosis
from shared.contracts.taken import HoldTaken, SeatTaken
from shared.contracts.vocabulary import Closing, Ring, Waiting
from shared.records import Change


def settled(match: Match, scene: Scene, *said: Event) -> Change[Match]:
    """The match with everything that follows from its seats and holds, and the news of it."""
    if match.closed or match.spec is None:
        return Change(match, *said)
    match = _at_rest(match)
    if match.status != MatchStatus.MADE:
        match = in_time(match, scene.now)
    goal = attained(match, scene)
    events = list(said)
    if _fallen_behind(match, goal):
        match, reopened = reopen(match, scene, Closing.CHANGED)
        events += reopened
        goal = None
    if goal is None:
        if match.status == MatchStatus.CONFIRMING:
            match = match.but(status=MatchStatus.SEARCHING)
        return Change(match, *events)
    whole = goal == MatchStatus.MADE or has_enough(match, scene)
    match, asked = _confirming(match, scene, whole)
    events += asked
    awaited = {hold.line_id for hold in match.holds.values() if hold.phase == Phase.CONFIRMING}
    if awaited and not _sets_out_without(match, awaited, scene):
        if match.status == MatchStatus.SEARCHING:
            match = match.but(status=MatchStatus.CONFIRMING)
        return Change(match, *events)
    goal = MatchStatus.PARTLY_MADE if awaited else goal
    match, news = _made(match, goal, whole, scene)
    return Change(match, *events, *news)


def _sets_out_without(match: Match, awaited: Set[str], scene: Scene) -> bool:
    """Whether somebody has to leave now, while only goods that are not required are still to be confirmed."""
    if any(line.required for line in match.need.goods if line.id in awaited):
        return False
    return any(about_to_begin(match, line, scene) for line in match.need.people)


def reopen(
    match: Match, scene: Scene, reason: Closing, late: bool = False
) -> tuple[Match, tuple[MatchReopened, ...]]:
    """The match searching again. If it had been made, or partly, that is said, and its timers start afresh."""
    if match.status not in (MatchStatus.MADE, MatchStatus.PARTLY_MADE):
        return match.but(status=MatchStatus.SEARCHING), ()
    policy = scene.policy(match.need.site_id)
    again = with_part_due(match, policy, scene.now).but(
        status=MatchStatus.SEARCHING,
        tier_due_at=match.tier_due_at or scene.after(policy.tier_seconds),
        stalled=False,
        told=(),
        went_ahead=match.went_ahead or match.status == MatchStatus.MADE,
    )
    return again, (MatchReopened(**whole_state(again), reason=reason, late=late),)


def whole_state(match: Match) -> dict[str, Any]:
    """What the need has, as every `MatchState` says it: all seats and all confirmed holds."""
    windows = {line.id: line.window for line in match.need.people}
    seats = [
        SeatTaken(
            line_id=line_id,
            seat_id=seat_id(line_id, number),
            invitation_id=holder,
            volunteer_id=owner_of(holder),
            window=windows[line_id],
            sent=holder in match.sent,
        )
        for line_id, state in match.people.items()
        for number, holder in state.numbered
        if holder
    ]
    holds = [
        HoldTaken(
            line_id=hold.line_id,
            hold_id=id,
            lot_id=owner_of(id),
            quantity=hold.quantity,
            pick_up_by=hold.pick_up_by,
        )
        for id, hold in match.holds.items()
        if hold.phase in SURE
    ]
    return {"site_id": match.need.site_id, "seats": tuple(seats), "holds": tuple(holds)}


def missing(match: Match) -> tuple[LineDiagnosis, ...]:
    """The lines that are not full, with what is known of why."""
    return tuple(
        match.diagnosis.get(line.id) or LineDiagnosis(line_id=line.id, looked_at=0)
        for line in lines(match.need)
        if not match.is_full(line)
    )


def word(match: Match, now: datetime) -> SearchProgressed | MatchStalled:
    """Where the search stands, and when it will act next by itself."""
    next_action_at = max(match.next_search_at or match.due_at or now, now)
    rings = [state.ring for state in match.people.values() if state.ring is not None]
    ring = max(rings, key=list(Ring).index, default=Ring.VILLAGE)
    asked = len({owner_of(id) for id, one in match.asked.items() if one.answer not in NEVER_ASKED})
    if match.stalled:
        return MatchStalled(
            site_id=match.need.site_id,
            wave=match.wave,
            ring=ring,
            asked=asked,
            waiting=match.waiting,
            diagnosis=tuple(why for why in missing(match) if why.line_id in match.diagnosis),
            next_action_at=next_action_at,
        )
    return SearchProgressed(
        site_id=match.need.site_id,
        wave=match.wave,
        ring=ring,
        asked=asked,
        open_seats=sum(state.free for state in match.people.values()),
        waiting=waits_for(match),
        next_action_at=next_action_at,
    )


def waits_for(match: Match) -> Waiting:
    """For whom or what a match that is not made waits."""
    if match.stalled:
        return match.waiting
    if any(asked.answer == Answer.ASKED for asked in match.asked.values()):
        return Waiting.ANSWERS
    if any(hold.phase in (Phase.REQUESTED, Phase.CONFIRMING) for hold in match.holds.values()):
        return Waiting.HOLDS
    return Waiting.SEARCH


def _at_rest(match: Match) -> Match:
    """Lines that are full are not searched for."""
    for line in match.need.people:
        if match.people[line.id].due_at and match.is_full(line):
            match = match.with_line(line.id, match.people[line.id].but(due_at=None, dry=0))
    for goods in match.need.goods:
        if match.goods[goods.id].due_at and match.promised(goods.id) >= goods.quantity:
            match = match.with_line(goods.id, match.goods[goods.id].but(due_at=None))
    return match


def _fallen_behind(match: Match, goal: MatchStatus | None) -> bool:
    if match.status == MatchStatus.MADE:
        return goal != MatchStatus.MADE
    return match.status == MatchStatus.PARTLY_MADE and goal is None


def _confirming(match: Match, scene: Scene, whole: bool) -> tuple[Match, list[Event]]:
    """Ask for every hold that is only held to be confirmed; of a need that does not go ahead as a whole only what is not
    required."""
    wanted = {line.id for line in match.need.goods if whole or not line.required}
    held = {id: h for id, h in match.holds.items() if h.phase == Phase.HELD and h.line_id in wanted}
    if not held:
        return match, []
    ask_at = scene.after(FIRST_ASK_SECONDS)
    asked = {id: h.but(phase=Phase.CONFIRMING, ask_at=ask_at, asks=0) for id, h in held.items()}
    match = match.but(holds={**match.holds, **asked})
    return match, [confirm_hold(match, id, hold, scene) for id, hold in asked.items()]


def _made(match: Match, goal: MatchStatus, whole: bool, scene: Scene) -> tuple[Match, list[Event]]:
    """Say it, unless just this has been said. `sent` are those who are told where to go: all, if it goes ahead as a whole."""
    full = goal == MatchStatus.MADE
    holders = [holder for state in match.people.values() for holder in state.seats if holder]
    setting_out = {
        holder
        for line in match.need.people
        for holder in match.people[line.id].seats
        if about_to_begin(match, line, scene) or (whole and (full or not is_missed(match, line, scene)))
    }
    sent = tuple(holder for holder in holders if holder in match.sent or holder in setting_out)
    sure = (f"{id}={hold.quantity}" for id, hold in match.holds.items() if hold.phase in SURE)
    told = (goal.value, *holders, *(f"{holder}!" for holder in sent), *sure)
    partial_at = None if whole else part_is_due(match, scene.now).partial_at
    match = match.but(status=goal, partial_at=partial_at, sent=sent, went_ahead=match.went_ahead or whole)
    if full:
        match = match.but(tier_due_at=None, stalled=False, waiting=Waiting.SERVICE)
    if told == match.told:
        return match, []
    return match.but(told=told), [state_event(match)]


def state_event(match: Match) -> MatchMade | MatchPartlyMade:
    """The newest state of a match that is made, or partly."""
    if match.status == MatchStatus.MADE:
        return MatchMade(**whole_state(match))
    return MatchPartlyMade(**whole_state(match), missing=missing(match))

"""What follows from what is there: confirming, made, partly made, or the search goes on.

`settled` is the end of every change of a match that is not closed: it looks only at seats and holds as they are, so
that the order in which they came does not matter.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.matching.domain.asking import FIRST_ASK_SECONDS, confirm_hold
from services.matching.domain.match import Match, lines, owner_of, seat_id
from services.matching.domain.scene import Scene
from services.matching.domain.timing import TO_GET_THERE, part_is_due, with_part_due
from services.matching.domain.words import HANDED_OVER, NEVER_ASKED, SECURED, SURE, Answer, MatchStatus, Phase
from shared.contracts.base import Event
from shared.contracts.matching import (
    MatchMade,
    MatchPartlyMade,
    MatchReopened,
    MatchStalled,
    SearchProgressed,
)
from shared.contracts.parts import GoodsLine, LineDiagnosis, PeopleLine
from shared.contracts.taken import HoldTaken, SeatTaken
from shared.contracts.vocabulary import Closing, Ring, Waiting
from shared.records import Change


def settled(match: Match, scene: Scene, *said: Event) -> Change[Match]:
    """The match with everything that follows from its seats and holds, and the news of it."""
    if match.closed or match.spec is None:
        return Change(match, *said)
    match = _at_rest(match)
    if match.partial and match.status != MatchStatus.MADE:
        match = part_is_due(match, scene.now)
    goal = _goal(match, scene)
    events = list(said)
    if _fallen_behind(match, goal):
        match, reopened = reopen(match, scene, Closing.CHANGED)
        events += reopened
        goal = None
    if goal is None:
        if match.status == MatchStatus.CONFIRMING:
            match = match.but(status=MatchStatus.SEARCHING)
        return Change(match, *events)
    whole = goal == MatchStatus.MADE or _has_enough(match, scene)
    match, asked = _confirming(match, scene, whole)
    events += asked
    if any(hold.phase == Phase.CONFIRMING for hold in match.holds.values()):
        if match.status == MatchStatus.SEARCHING:
            match = match.but(status=MatchStatus.CONFIRMING)
        return Change(match, *events)
    match, news = _made(match, goal, whole, scene)
    return Change(match, *events, *news)


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


def _goal(match: Match, scene: Scene) -> MatchStatus | None:
    """What the match can be by what is there: made, partly made, or nothing yet."""
    wanted = list(lines(match.need))
    if all(match.is_full(line) for line in wanted):
        return MatchStatus.MADE
    if not match.partial or not _has_anything(match):
        return None
    goes_ahead = _has_enough(match, scene) or any(_about_to_begin(match, x, scene) for x in match.need.people)
    return MatchStatus.PARTLY_MADE if goes_ahead else None


def _has_enough(match: Match, scene: Scene) -> bool:
    """Whether every required line that is still awaited has what the station takes for enough."""
    allowed = scene.policy(match.need.site_id).allow_partial
    enough = match.has_minimum if allowed else match.is_full
    return all(enough(x) for x in lines(match.need) if x.required and not _is_past(match, x, scene))


def _is_past(match: Match, line: PeopleLine | GoodsLine, scene: Scene) -> bool:
    """A visit whose time has begun, of a need that went ahead, that somebody has served, or that was given something:
    nobody more can come to it, and the rest goes on."""
    if not isinstance(line, PeopleLine) or line.window.start_at > scene.now:
        return False
    return match.went_ahead or bool(match.done) or any(h.phase in HANDED_OVER for h in match.holds.values())


def _about_to_begin(match: Match, line: PeopleLine, scene: Scene) -> bool:
    """Whether somebody sets out now for a visit that is good by itself, since it is not required; or that takes place
    since the need goes on: it went ahead before, or somebody was told to come."""
    goes_on = match.went_ahead or any(x in match.sent for state in match.people.values() for x in state.seats)
    goes = not line.required or (goes_on and match.has_minimum(line))
    return goes and match.people[line.id].won > 0 and line.window.start_at <= scene.now + TO_GET_THERE


def _has_anything(match: Match) -> bool:
    seats = any(state.won for state in match.people.values())
    return seats or any(hold.phase in SECURED for hold in match.holds.values())


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
    holders = [holder for state in match.people.values() for holder in state.seats if holder]
    setting_out = {
        holder
        for line in match.need.people
        for holder in match.people[line.id].seats
        if whole or _about_to_begin(match, line, scene)
    }
    sent = tuple(holder for holder in holders if holder in match.sent or holder in setting_out)
    sure = (f"{id}={hold.quantity}" for id, hold in match.holds.items() if hold.phase in SURE)
    told = (goal.value, *holders, *(f"{holder}!" for holder in sent), *sure)
    partial_at = None if whole else part_is_due(match, scene.now).partial_at
    match = match.but(status=goal, partial_at=partial_at, sent=sent, went_ahead=match.went_ahead or whole)
    if goal == MatchStatus.MADE:
        match = match.but(tier_due_at=None, stalled=False, waiting=Waiting.SERVICE)
    if told == match.told:
        return match, []
    return match.but(told=told), [state_event(match)]


def state_event(match: Match) -> MatchMade | MatchPartlyMade:
    """The newest state of a match that is made, or partly."""
    if match.status == MatchStatus.MADE:
        return MatchMade(**whole_state(match))
    return MatchPartlyMade(**whole_state(match), missing=missing(match))

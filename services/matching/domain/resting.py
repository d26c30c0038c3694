"""Goods lines that rest: what was given up is not taken again in the same moment, so that others can have it, or staff
can say what is needed."""

from __future__ import annotations

from services.matching.domain.match import Hold, Match
from services.matching.domain.scene import Scene, day_of
from services.matching.domain.settling import settled
from services.matching.domain.timing import LONGEST_PAUSE, SHORTEST_PAUSE, wave_seconds
from services.matching.domain.words import Phase
from shared.contracts.resources import HoldExpired, HoldRefused, HoldReleased, LotReturned
from shared.contracts.vocabulary import Closing, ReturnReason
from shared.records import Change

Ended = HoldRefused | HoldExpired | HoldReleased | LotReturned
"""How a hold may end."""
UNWANTED = (Closing.NOT_NEEDED, ReturnReason.DECLINED)


def rested(match: Match, hold: Hold, ended: Ended, scene: Scene) -> Match:
    """The match with the line of a hold that is over due when it has rested."""
    state, seconds = match.goods[hold.line_id], _rest_seconds(match, hold, ended, scene)
    if seconds:
        yields = isinstance(ended, HoldExpired)
        resting = state.awake(scene.after(seconds)).but(
            rests=True, yields=yields, unwanted=is_unwanted(ended)
        )
        match = match.with_line(hold.line_id, resting)
        return _stepped_back(match, scene) if yields else match
    if state.rests and state.due_at is not None and state.due_at > scene.now:
        return match
    return match.with_line(hold.line_id, state.awake(scene.now))


def _stepped_back(match: Match, scene: Scene) -> Match:
    """The match that has left goods to others, and looks for the rest of what is required after a pause. Else it would take
    what others give up just then: of two matches that each keep what the other lacks none would ever be whole."""
    until = scene.after(_pause_seconds(match, scene))
    for line in match.need.goods:
        state = match.goods[line.id]
        if line.required and not match.is_full(line) and state.due_at is not None and not state.rests:
            match = match.with_line(line.id, state.but(due_at=until, rests=True, waits=True))
    return match


def sooner(match: Match, scene: Scene) -> Match:
    """The match that pauses no longer than it would if it began to now: its time is nearer, or it presses more."""
    until = scene.after(_pause_seconds(match, scene))
    for line_id, state in match.goods.items():
        if state.waits and state.due_at is not None and state.due_at > until:
            match = match.with_line(line_id, state.but(due_at=until))
    return match


def _rest_seconds(match: Match, hold: Hold, ended: Ended, scene: Scene) -> float:
    """How long the line of a hold that is over rests: for a tier's time, if nobody wants it; for the longest pause of any
    search, if it only ran out because the rest of the need is not there; for a while, if it could not be delivered."""
    policy = scene.policy(match.need.site_id)
    match ended:
        case HoldExpired() if hold.phase == Phase.HELD and not _is_spoilt(match, ended, scene):
            return policy.wave_seconds * LONGEST_PAUSE
        case HoldReleased() | LotReturned() if is_unwanted(ended):
            return policy.tier_seconds
        case LotReturned(reason=ReturnReason.UNDELIVERED):
            return _pause_seconds(match, scene)
        case _:
            return 0


def is_unwanted(ended: Ended) -> bool:
    """Whether nobody wants the goods: staff or the resident said so."""
    return isinstance(ended, HoldReleased | LotReturned) and ended.reason in UNWANTED


def _pause_seconds(match: Match, scene: Scene) -> float:
    """The longest pause of this search, or half of what is left until the need's time is up."""
    left = (match.need.deadline_at - scene.now).total_seconds()
    pause = wave_seconds(match.need, scene.policy(match.need.site_id)) * LONGEST_PAUSE
    return min(pause, max(SHORTEST_PAUSE, left / 2)) if left > 0 else pause


def resumed(change: Change[Match], scene: Scene, seconds: float = 0) -> Change[Match]:
    """What was left to others is asked for at once, when with it the match would go ahead; or after so many seconds, by a
    wake, which leaves nothing due behind."""
    match = change.record
    if match.closed or match.spec is None:
        return change
    missing = {line.id: line.quantity - match.promised(line.id) for line in match.need.goods}
    left = {id: n for id, n in missing.items() if n > 0 and match.goods[id].yields}
    if not left:
        return change
    there = {id: Hold(line_id=id, quantity=n, phase=Phase.HELD) for id, n in left.items()}
    then = settled(match.but(holds={**match.holds, **there}), scene).record
    for id in left:
        if then.holds[id].phase != Phase.HELD:
            match = match.with_line(id, match.goods[id].awake(scene.after(seconds)))
    return Change(match, *change.events)


def _is_spoilt(match: Match, expired: HoldExpired, scene: Scene) -> bool:
    """Whether the goods are past their expiry: nobody else can have them."""
    last = expired.state.expires_on
    return last is not None and last < day_of(scene.now, scene.station(match.need.site_id).zone)

"""What of a match goes ahead: all of it, a part, a single visit; and who sets out for it."""

from __future__ import annotations

from services.matching.domain.match import Match, lines
from services.matching.domain.scene import Scene
from services.matching.domain.timing import TO_GET_THERE
from services.matching.domain.words import HANDED_OVER, SECURED, MatchStatus
from shared.contracts.parts import GoodsLine, PeopleLine


def attained(match: Match, scene: Scene) -> MatchStatus | None:
    """What the match can be by what is there: made, partly made, or nothing yet."""
    wanted = list(lines(match.need))
    if all(match.is_full(line) for line in wanted):
        return MatchStatus.MADE
    if not match.partial or not _has_anything(match):
        return None
    goes_ahead = has_enough(match, scene) or any(about_to_begin(match, x, scene) for x in match.need.people)
    return MatchStatus.PARTLY_MADE if goes_ahead else None


def has_enough(match: Match, scene: Scene) -> bool:
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


def is_missed(match: Match, line: PeopleLine, scene: Scene) -> bool:
    """Whether the time of a required visit has begun and the rest goes on without it: nobody sets out for it any more."""
    return line.required and _is_past(match, line, scene)


def about_to_begin(match: Match, line: PeopleLine, scene: Scene) -> bool:
    """Whether somebody sets out now for a visit that is good by itself, since it is not required; or that takes place
    since the need went ahead before."""
    goes = not line.required or (match.went_ahead and match.has_minimum(line))
    return goes and match.people[line.id].won > 0 and line.window.start_at <= scene.now + TO_GET_THERE


def _has_anything(match: Match) -> bool:
    seats = any(state.won for state in match.people.values())
    return seats or any(hold.phase in SECURED for hold in match.holds.values())

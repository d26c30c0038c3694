"""Opening a search, and saying where it stands."""

from __future__ import annotations

from services.matching.domain.asking import release_hold
from services.matching.domain.award import decided
from services.matching.domain.match import GoodsState, Match, PeopleState
from services.matching.domain.scene import Scene
from services.matching.domain.settling import settled, state_event, word
from services.matching.domain.words import HANDED_OVER, MatchStatus
from shared.contracts.base import Event
from shared.contracts.matching import MatchClosed
from shared.contracts.parts import NeedSpec
from shared.contracts.vocabulary import Closing
from shared.records import Change


def open_search(match: Match | None, need_id: str, spec: NeedSpec, scene: Scene) -> Change[Match]:
    """Begin the search, due now. What was heard before the need came is taken up; a match that was closed before
    stays closed."""
    match = match or Match(id=need_id)
    if match.spec is not None:
        return Change(match)
    due_at = None if match.closed else scene.now
    match = match.but(
        spec=spec,
        people={line.id: PeopleState(seats=("",) * line.seats, due_at=due_at) for line in spec.people},
        goods={line.id: GoodsState(due_at=due_at) for line in spec.goods},
    )
    if match.closed:
        return Change(match)
    opened = match.but(
        tier_site_id=spec.site_id,
        tier_due_at=scene.after(scene.policy(spec.site_id).tier_seconds),
    )
    opened, released = _without_strays(opened, scene)
    opened, verdicts = _early_answered(opened)
    return settled(opened, scene, *released, *verdicts)


def say_where_it_stands(match: Match | None, need_id: str, spec: NeedSpec, scene: Scene) -> Change[Match]:
    """Answer a need that has waited too long: with the newest state, or by opening a match that got lost."""
    if match is None or match.spec is None:
        return open_search(match, need_id, spec, scene)
    if match.closed:
        assert match.closing is not None, "a closed match has a reason"
        return Change(match, MatchClosed(site_id=spec.site_id, reason=match.closing))
    if match.status == MatchStatus.MADE:
        return Change(match, state_event(match))
    said = [state_event(match)] if match.status == MatchStatus.PARTLY_MADE else []
    return Change(match, *said, word(match, scene.now))


def _early_answered(match: Match) -> tuple[Match, list[Event]]:
    """The verdicts about every yes that came before the need."""
    events: list[Event] = []
    for invitation_id, line_id in match.early.items():
        match, verdict = decided(match, invitation_id, line_id)
        events += verdict
    return match.but(early={}), events


def _without_strays(match: Match, scene: Scene) -> tuple[Match, list[Event]]:
    """Give back holds that came before the need and that none of its lines asks for."""
    quantities = {line.id: line.quantity for line in match.need.goods}
    events: list[Event] = []
    for id, hold in match.holds.items():
        if hold.phase not in HANDED_OVER and match.promised(hold.line_id) > quantities.get(hold.line_id, 0):
            match, released = release_hold(match, id, hold, Closing.NOT_NEEDED, scene)
            events += released
    return match, events

"""What is asked of lots, and asked again with the same id when no answer comes."""

from __future__ import annotations

from services.matching.domain.match import Hold, Match, owner_of
from services.matching.domain.scene import Scene
from services.matching.domain.timing import good_on, needed_at
from services.matching.domain.words import HANDED_OVER, PROMISED, Phase
from shared.contracts.base import Event
from shared.contracts.matching import HoldConfirmationRequested, HoldReleaseRequested, HoldRequested
from shared.contracts.vocabulary import Closing

FIRST_ASK_SECONDS = 30
"""How long an answer about a hold may take before it is asked for again; each time twice as long."""
LONGEST_ASK_SECONDS = 3600
ASKS_TO_RELEASE = 12
"""How often a release is asked for. Then it is left to the lot's own deadline: too much is held, never too little."""


def hold_request(match: Match, hold_id: str, hold: Hold) -> HoldRequested:
    assert hold.expires_at is not None, "what is asked for has a deadline"
    need = match.need
    line = next(line for line in need.goods if line.id == hold.line_id)
    return HoldRequested(
        hold_id=hold_id,
        lot_id=owner_of(hold_id),
        line_id=line.id,
        site_id=need.site_id,
        area=need.area,
        household_id=need.household_id,
        category=need.category,
        target_groups=need.target_groups,
        goods=line.category,
        unit=line.unit,
        quantity=hold.quantity,
        expires_at=hold.expires_at,
    )


def confirm_hold(match: Match, hold_id: str, hold: Hold, scene: Scene) -> HoldConfirmationRequested:
    line = next((line for line in match.need.goods if line.id == hold.line_id), None)
    fetched_by = scene.after(scene.policy(match.need.site_id).pick_up_seconds)
    return HoldConfirmationRequested(
        hold_id=hold_id,
        lot_id=owner_of(hold_id),
        line_id=hold.line_id,
        pick_up_by=max(fetched_by, needed_at(match.need, line, scene)) if line else fetched_by,
        good_on=good_on(match.need, line, scene) if line else None,
    )


def release_hold(
    match: Match, hold_id: str, hold: Hold, reason: Closing, scene: Scene
) -> tuple[Match, list[Event]]:
    """Give stock back that is not needed; until the lot has said so the hold is remembered."""
    releasing = hold.but(phase=Phase.RELEASING, reason=reason, ask_at=scene.after(FIRST_ASK_SECONDS), asks=0)
    return match.with_hold(hold_id, releasing), [_release(hold_id, releasing)]


def release_surplus(match: Match, kept: set[str], scene: Scene) -> tuple[Match, list[Event]]:
    """Give back what no line asks for any more: of lines that are not kept everything, of others what is too much,
    the newest first. Of a hold that is too large the rest stays."""
    wanted = {line.id: line.quantity for line in match.need.goods if line.id in kept}
    events: list[Event] = []
    for id, hold in reversed(match.holds.items()):
        if hold.phase not in PROMISED - HANDED_OVER:
            continue
        if match.promised(hold.line_id) - hold.quantity >= wanted.get(hold.line_id, 0):
            match, released = release_hold(match, id, hold, Closing.CHANGED, scene)
            events += released
    for line_id, quantity in wanted.items():
        match, less = _cut_down(match, line_id, quantity, scene)
        events += less
    return match, events


def _cut_down(match: Match, line_id: str, wanted: int, scene: Scene) -> tuple[Match, list[Event]]:
    """Ask for less of the newest hold of a line that is promised too much. The lot keeps the deadline that it knows."""
    surplus = match.promised(line_id) - wanted
    open_ = [
        id for id, h in match.holds.items() if h.line_id == line_id and h.phase in PROMISED - HANDED_OVER
    ]
    if surplus <= 0 or not open_:
        return match, []
    id, hold = open_[-1], match.holds[open_[-1]]
    less = hold.but(quantity=hold.quantity - surplus, expires_at=hold.expires_at or scene.now)
    return match.with_hold(id, less), [hold_request(match, id, less)]


def ask_again(match: Match, scene: Scene) -> tuple[Match, list[Event]]:
    """Ask once more about every hold whose answer is overdue."""
    overdue = {
        id: hold for id, hold in match.holds.items() if hold.ask_at is not None and hold.ask_at <= scene.now
    }
    if not overdue:
        return match, []
    events = [_asked(match, id, hold, scene) for id, hold in overdue.items()]
    later = {id: _later(hold, scene) for id, hold in overdue.items()}
    return match.but(holds={**match.holds, **later}), events


def _asked(match: Match, hold_id: str, hold: Hold, scene: Scene) -> Event:
    match hold.phase:
        case Phase.REQUESTED:
            return hold_request(match, hold_id, hold)
        case Phase.CONFIRMING:
            return confirm_hold(match, hold_id, hold, scene)
        case _:
            return _release(hold_id, hold)


def _later(hold: Hold, scene: Scene) -> Hold:
    asks = hold.asks + 1
    if hold.phase == Phase.RELEASING and asks >= ASKS_TO_RELEASE:
        return hold.but(asks=asks, ask_at=None)
    return hold.but(asks=asks, ask_at=scene.after(min(FIRST_ASK_SECONDS * 2**asks, LONGEST_ASK_SECONDS)))


def _release(hold_id: str, hold: Hold) -> HoldReleaseRequested:
    return HoldReleaseRequested(
        hold_id=hold_id,
        lot_id=owner_of(hold_id),
        line_id=hold.line_id,
        reason=hold.reason or Closing.NOT_NEEDED,
    )

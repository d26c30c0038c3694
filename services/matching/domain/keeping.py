"""What a need that has changed keeps of its goods."""

from __future__ import annotations

from services.matching.domain.asking import confirm_hold, release_hold, release_surplus
from services.matching.domain.match import GoodsState, Match
from services.matching.domain.scene import Scene
from services.matching.domain.timing import needed_at
from services.matching.domain.words import PROMISED, SURE, Phase
from shared.contracts.base import Event
from shared.contracts.parts import GoodsLine, NeedSpec
from shared.contracts.vocabulary import Closing


def same_goods(line: GoodsLine, before: NeedSpec, after: NeedSpec, match: Match) -> bool:
    """Whether what is held for this line may still be used for it. What is promised stays so whoever they turn out to be."""
    old = next((other for other in before.goods if other.id == line.id), None)
    promised = any(hold.line_id == line.id and hold.phase in SURE for hold in match.holds.values())
    if old is None or (before.category, before.area) != (after.category, after.area):
        return False
    if before.target_groups != after.target_groups and not promised:
        return False
    counts = {"quantity": line.quantity, "minimum": line.minimum, "required": line.required}
    return old.model_copy(update=counts) == line


def kept_only(match: Match, kept: set[str], before: NeedSpec, scene: Scene) -> tuple[Match, list[Event]]:
    """The match without the goods that it no longer keeps; those it keeps are asked to be there when they are needed now."""
    events: list[Event] = []
    if match.need.target_groups != before.target_groups:
        match, events = _unpromised_released(match, kept, scene)
    match, surplus = release_surplus(match, kept, scene)
    return match, [*events, *surplus, *_confirmed_anew(match, before, scene)]


def _unpromised_released(match: Match, kept: set[str], scene: Scene) -> tuple[Match, list[Event]]:
    """Give back what these lines keep and nobody has been promised: it was asked for other groups, and its gift may not
    be meant for those whom the file tells of now."""
    events: list[Event] = []
    for id, hold in match.holds.items():
        if hold.line_id in kept and hold.phase in PROMISED - SURE:
            match, released = release_hold(match, id, hold, Closing.CHANGED, scene)
            events += released
    return match, events


def _confirmed_anew(match: Match, before: NeedSpec, scene: Scene) -> list[Event]:
    """A visit has moved: what is to be confirmed, or was, is asked to be kept until then instead."""
    need = match.need
    moved = {x.id for x in need.goods if needed_at(need, x, scene) != needed_at(before, x, scene)}
    return [
        confirm_hold(match, id, hold, scene)
        for id, hold in match.holds.items()
        if hold.line_id in moved and hold.phase in (Phase.CONFIRMING, Phase.CONFIRMED)
    ]


def goods_relined(match: Match, kept: set[str], before: NeedSpec, scene: Scene) -> Match:
    """The match with the goods lines of its need and no others: those that are not kept are searched for anew, and those of
    which more or less is asked for than before rest no longer."""
    goods = {
        line.id: match.goods[line.id] if line.id in kept else _afresh(match, line, before, scene)
        for line in match.need.goods
    }
    match = match.but(goods=goods)
    for line in match.need.goods:
        match = _due_if_short(match, line, line not in before.goods, scene)
    return match


def _afresh(match: Match, line: GoodsLine, before: NeedSpec, scene: Scene) -> GoodsState:
    """Searched for anew; but what nobody wants is not wanted elsewhere either until the line is edited, and what came back
    is owed still."""
    state = match.goods.get(line.id)
    if state is None or line not in before.goods:
        return GoodsState(due_at=scene.now)
    if state.rests and state.unwanted:
        return GoodsState(due_at=state.due_at, rests=True, unwanted=True)
    return GoodsState(due_at=scene.now, came_back=state.came_back)


def _due_if_short(match: Match, line: GoodsLine, edited: bool, scene: Scene) -> Match:
    state = match.goods[line.id]
    due = state.due_at is None or (state.rests and edited)
    if due and match.promised(line.id) < line.quantity:
        return match.with_line(line.id, state.awake(scene.now))
    return match

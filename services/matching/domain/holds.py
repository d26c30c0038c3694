"""Holds: what lots answer, and what it means for the match.

Messages of one lot come in order, so the newest word about a hold counts. A hold that nobody wants any more is given
back at once; one that got lost is looked for again, in another lot if this one refused.
"""

from __future__ import annotations

from datetime import datetime

from services.matching.domain.asking import release_hold, release_surplus
from services.matching.domain.match import Hold, Match, owner_of
from services.matching.domain.resting import Ended, is_unwanted, rested, resumed
from services.matching.domain.scene import Scene
from services.matching.domain.searching import with_word
from services.matching.domain.settling import reopen, settled, state_event
from services.matching.domain.words import HANDED_OVER, MatchStatus, Phase
from shared.contracts.base import Event
from shared.contracts.resources import (
    HoldConfirmed,
    HoldEvent,
    HoldExpired,
    HoldPlaced,
    HoldRefused,
    HoldReleased,
    LotIssued,
    LotReceived,
    LotReturned,
)
from shared.contracts.vocabulary import Closing, GoodsRule, ReturnReason
from shared.errors import NotFound
from shared.records import Change

PHASES: dict[type[HoldEvent], Phase] = {
    HoldPlaced: Phase.HELD,
    HoldConfirmed: Phase.CONFIRMED,
    LotIssued: Phase.ISSUED,
    LotReceived: Phase.RECEIVED,
}
"""What each of these says of a hold."""

_ORDER = list(Phase)


def note_hold(match: Match | None, event: HoldEvent, scene: Scene) -> Change[Match]:
    """A lot says that it holds, keeps or has handed over what was asked for; if it handed over what it was to give
    back, something else may be given back instead."""
    match = match or Match(id=event.need_id)
    phase = PHASES[type(event)]
    hold = match.holds.get(event.hold_id)
    if hold is None:
        return _adopt(match, event, phase, scene)
    if hold.phase == Phase.RELEASING and phase not in HANDED_OVER:
        if phase == Phase.CONFIRMED:
            return Change(match)
        match, events = release_hold(match, event.hold_id, hold, hold.reason or Closing.NOT_NEEDED, scene)
        return Change(match, *events)
    by = _pick_up_by(event) or hold.pick_up_by
    if hold.phase == phase == Phase.CONFIRMED and by != hold.pick_up_by:
        return _told_until_when(match.with_hold(event.hold_id, hold.but(pick_up_by=by)))
    if hold.phase != Phase.RELEASING and _ORDER.index(phase) <= _ORDER.index(hold.phase):
        return Change(match)
    quantity = event.quantity if phase in HANDED_OVER else min(event.quantity, hold.quantity)
    heard = hold.but(phase=phase, ask_at=None, asks=0, quantity=quantity, pick_up_by=by)
    match = match.with_hold(event.hold_id, heard)
    if hold.phase != Phase.RELEASING or match.closed or match.spec is None:
        return resumed(settled(match, scene), scene)
    match, events = release_surplus(match, set(match.goods), scene)
    return resumed(settled(match, scene, *events), scene)


def _told_until_when(match: Match) -> Change[Match]:
    """The charity has corrected the expiry of what is kept: the need hears until when, if it was told before."""
    was_told = match.status in (MatchStatus.MADE, MatchStatus.PARTLY_MADE)
    return Change(match, state_event(match)) if was_told else Change(match)


def note_refusal(match: Match | None, refused: HoldRefused, scene: Scene) -> Change[Match]:
    """The lot cannot be had: another one is looked for at once."""
    match, hold = _known(match, refused.hold_id)
    if hold is None:
        return Change(match)
    return _lost(match, refused, hold, scene, refused.rule, Closing.NOT_TO_BE_HAD)


def note_expiry(match: Match | None, expired: HoldExpired, scene: Scene) -> Change[Match]:
    """The lot took it back because its time was up; it may be asked again. What nobody could use for so long is first left
    to others, as long as the rest of the need is not there."""
    match, hold = _known(match, expired.hold_id)
    if hold is None:
        return Change(match)
    return _lost(match, expired, hold, scene, None, Closing.NOT_TO_BE_HAD)


def note_end(match: Match | None, ended: HoldReleased | LotReturned, scene: Scene) -> Change[Match]:
    """The hold is over: as we asked, by staff, or because the goods came back or are past their expiry. What is then
    missing is looked for elsewhere, unless nobody wants it: then staff edit the line. A lot that gave what could only not be
    delivered may be asked again."""
    match, hold = _known(match, ended.hold_id)
    if hold is None:
        return Change(match)
    reason = ended.reason if isinstance(ended, HoldReleased) else Closing.NOT_TO_BE_HAD
    state = match.goods.get(hold.line_id)
    unwanted = is_unwanted(ended)
    if state is not None and hold.phase != Phase.RELEASING:
        owed = not unwanted and (state.came_back or hold.phase in HANDED_OVER)
        match = match.with_line(hold.line_id, state.but(came_back=owed))
    return _lost(match, ended, hold, scene, _held_against(ended), reason)


def _held_against(ended: HoldReleased | LotReturned) -> GoodsRule | None:
    """Why the lot is not to be asked again, if it is not."""
    if ended.reason in (Closing.NOT_NEEDED, ReturnReason.UNDELIVERED):
        return None
    return GoodsRule.EXPIRED if ended.reason is Closing.EXPIRED else GoodsRule.REFUSED


def _known(match: Match | None, hold_id: str) -> tuple[Match, Hold | None]:
    if match is None:
        raise NotFound()
    return match, match.holds.get(hold_id)


def _lost(
    match: Match, ended: Ended, hold: Hold, scene: Scene, rule: GoodsRule | None, reason: Closing
) -> Change[Match]:
    """The match without this hold. If it counted on it, its line is searched for again now, or when it has rested."""
    match = match.without_hold(ended.hold_id)
    state = match.goods.get(hold.line_id)
    if match.closed or state is None or hold.phase == Phase.RELEASING:
        return Change(match)
    refused = {**state.refused, owner_of(ended.hold_id): rule} if rule else state.refused
    match = rested(match.with_line(hold.line_id, state.but(refused=refused)), hold, ended, scene)
    events: tuple[Event, ...] = ()
    if hold.phase != Phase.REQUESTED:
        match, events = reopen(match, scene, reason)
    change = settled(match, scene, *events)
    return with_word(change, scene) if match.goods[hold.line_id].rests else change


def _adopt(match: Match, event: HoldEvent, phase: Phase, scene: Scene) -> Change[Match]:
    """A hold that is not known: taken up if a line is short of just that, or if the need is still to come; else
    given back."""
    by = _pick_up_by(event)
    hold = Hold(line_id=event.line_id, quantity=event.quantity, phase=phase, pick_up_by=by)
    if phase in HANDED_OVER or (match.spec is None and not match.closed):
        return settled(match.with_hold(event.hold_id, hold), scene)
    wanted = next((x.quantity for x in match.spec.goods if x.id == event.line_id), 0) if match.spec else 0
    if not match.closed and match.promised(event.line_id) + event.quantity <= wanted:
        return settled(match.with_hold(event.hold_id, hold), scene)
    match, events = release_hold(match, event.hold_id, hold, match.closing or Closing.NOT_NEEDED, scene)
    return Change(match, *events)


def _pick_up_by(event: HoldEvent) -> datetime | None:
    return event.pick_up_by if isinstance(event, HoldConfirmed) else None

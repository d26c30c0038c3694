"""Holds: stock is promised to one line of a need, for a while, and never beyond the gift's conditions (专款专用)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from services.resources.domain.balance import state, with_hold
from services.resources.domain.records import Asked, Hold, Lot
from services.resources.domain.stock import unlisted
from shared.contracts.matching import HoldConfirmationRequested, HoldReleaseRequested, HoldRequested
from shared.contracts.parts import Earmark
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
from shared.contracts.vocabulary import Closing, GoodsRule, HoldStatus
from shared.errors import NotFound
from shared.records import Change

REFUSALS_KEPT = 200


def objection(lot: Lot, request: HoldRequested, today: date, *, closed: bool = False) -> GoodsRule | None:
    """The first condition that this lot fails for this need, in the order of `GoodsRule`; None if it may be had.

    `today` is the day at the need's site. Attributes and distance are matching's: they cannot change once a lot
    is listed, and no promise depends on them. A closed lot, or one of a closed charity, has nothing left for anybody.
    """
    if request.goods is not lot.category:
        return GoodsRule.CATEGORY
    if request.unit != lot.unit:
        return GoodsRule.UNIT
    if lot.past_expiry(today):
        return GoodsRule.EXPIRED
    outside = next(_outside(lot.earmark, request, today), None)
    if outside is not None:
        return outside
    if closed or not lot.open or not 0 < request.quantity <= lot.available:
        return GoodsRule.QUANTITY
    return None


def _outside(earmark: Earmark, request: HoldRequested, today: date) -> Iterator[GoodsRule]:
    """The conditions of the gift that do not hold: purpose, one of the groups, area, dates (both inclusive)."""
    if earmark.purposes and request.category not in earmark.purposes:
        yield GoodsRule.EARMARK_PURPOSE
    if earmark.target_groups and not set(earmark.target_groups).intersection(request.target_groups):
        yield GoodsRule.EARMARK_GROUP
    if earmark.areas and not request.area.startswith(earmark.areas):
        yield GoodsRule.EARMARK_AREA
    if (earmark.from_day and today < earmark.from_day) or (earmark.to_day and today > earmark.to_day):
        yield GoodsRule.EARMARK_DATE


def place(
    lot: Lot | None,
    request: HoldRequested,
    need_id: str,
    filed: Hold | None,
    now: datetime,
    today: date,
    zone: str | None = None,
    *,
    closed: bool = False,
) -> Change[Lot]:
    """Hold stock, or say which condition failed. A hold that is known is not decided again: its state is said. If less
    of it is asked for, the rest goes back.

    Here and below, `filed` is the hold as it left the lot, if it has. `today` is the day in `zone`, where the site is.
    If the charity is `closed`, nothing is there, also while the lot is still open.
    """
    lot = lot or unlisted(request)
    known = lot.holds.get(request.hold_id, filed)
    if known is not None:
        if 0 < request.quantity < known.promised:
            return _moved(lot, request.hold_id, known.but(quantity=request.quantity))
        return Change(lot, standing(lot, request.hold_id, known))
    rule = lot.refusals.get(request.hold_id) or objection(lot, request, today, closed=closed)
    if rule is not None:
        return _refuse(lot, request, need_id, rule)
    hold = Hold(
        need_id=need_id,
        line_id=request.line_id,
        quantity=request.quantity,
        status=HoldStatus.HELD,
        asked=Asked.by(request),
        zone=zone,
        placed_at=now,
        expires_at=request.expires_at,
    )
    return _moved(lot, request.hold_id, hold)


def confirm(
    lot: Lot | None, request: HoldConfirmationRequested, need_id: str, filed: Hold | None, now: datetime
) -> Change[Lot]:
    """Keep the stock beyond the hold's own deadline, because the match was made; asked once more, since a visit has moved,
    until the date that is asked for now.

    Whatever became of the hold meanwhile is said again. A deadline that has passed without the sweeper having seen
    it does no harm: as long as the stock is still held, the confirmation comes in time. But goods that will be past
    their expiry when they are needed, and so could not be handed over, are not kept.
    """
    lot, hold = _known(lot, request.hold_id, filed)
    if hold is None:
        return _never(lot, request, need_id, HoldStatus.EXPIRED, now)
    if hold.promised and request.good_on and lot.past_expiry(request.good_on):
        if hold.status is HoldStatus.CONFIRMED:
            return let_go(lot, request.hold_id, hold, Closing.EXPIRED, now)
        return _moved(lot, request.hold_id, hold.but(status=HoldStatus.EXPIRED, closed_at=now))
    if hold.promised:
        hold = hold.but(status=HoldStatus.CONFIRMED, wanted_by=request.pick_up_by)
        return _moved(lot, request.hold_id, hold.but(pick_up_by=lot.to_be_fetched_by(hold)))
    if hold.handed_over:
        return Change(lot, HoldConfirmed(**facts(lot, request.hold_id, hold), pick_up_by=hold.pick_up_by))
    return Change(lot, standing(lot, request.hold_id, hold))


def release(
    lot: Lot | None, request: HoldReleaseRequested, need_id: str, filed: Hold | None, now: datetime
) -> Change[Lot]:
    """Give the stock back to the lot. What was handed over stays issued until it is returned."""
    lot, hold = _known(lot, request.hold_id, filed)
    if hold is None:
        return _never(lot, request, need_id, HoldStatus.RELEASED, now, reason=request.reason)
    if hold.promised:
        return let_go(lot, request.hold_id, hold, request.reason, now)
    if hold.handed_over:
        return Change(lot)
    return Change(lot, standing(lot, request.hold_id, hold))


def let_go(lot: Lot, hold_id: str, hold: Hold, reason: Closing, now: datetime) -> Change[Lot]:
    return _moved(lot, hold_id, hold.but(status=HoldStatus.RELEASED, reason=reason, closed_at=now))


def lapse(lot: Lot, now: datetime) -> Change[Lot]:
    """Let every hold go that is over: an unconfirmed one at its deadline, any at the end of its goods' last good day, so
    that others are looked for while there is time. Otherwise a confirmed one never lapses by itself."""
    events: list[HoldEvent] = []
    for hold_id, hold in lot.holds.items():
        over = _over(lot, hold, now)
        if over is not None:
            lot = with_hold(lot, hold_id, over)
            events.append(standing(lot, hold_id, over))
    return Change(lot, *events)


def _over(lot: Lot, hold: Hold, now: datetime) -> Hold | None:
    """The hold given up, if its time has come."""
    if not hold.promised:
        return None
    good_until = lot.good_until(hold.zone)
    spoilt = good_until is not None and good_until <= now
    if hold.status is HoldStatus.CONFIRMED:
        released = hold.but(status=HoldStatus.RELEASED, reason=Closing.EXPIRED, closed_at=now)
        return released if spoilt else None
    lapsed = hold.expires_at is not None and hold.expires_at <= now
    return hold.but(status=HoldStatus.EXPIRED, closed_at=now) if lapsed or spoilt else None


def standing(lot: Lot, hold_id: str, hold: Hold) -> HoldEvent:
    """The event that says how this hold stands: said when it comes to be so, and again to whoever asks again."""
    said = facts(lot, hold_id, hold)
    match hold.status:
        case HoldStatus.HELD:
            return HoldPlaced(**said, expires_at=hold.expires_at)
        case HoldStatus.CONFIRMED:
            return HoldConfirmed(**said, pick_up_by=hold.pick_up_by)
        case HoldStatus.ISSUED:
            return LotIssued(**said)
        case HoldStatus.RECEIVED:
            return LotReceived(**said)
        case HoldStatus.EXPIRED:
            return HoldExpired(**said)
        case HoldStatus.RELEASED if hold.returned:
            return LotReturned(**said, reason=hold.returned)
        case HoldStatus.RELEASED:
            return HoldReleased(**said, reason=hold.reason)


def facts(lot: Lot, hold_id: str, hold: Hold) -> dict[str, Any]:
    """What every event about a hold carries."""
    return {
        "state": state(lot),
        "hold_id": hold_id,
        "need_id": hold.need_id,
        "line_id": hold.line_id,
        "quantity": hold.quantity,
    }


def _moved(lot: Lot, hold_id: str, hold: Hold) -> Change[Lot]:
    after = with_hold(lot, hold_id, hold)
    return Change(after, standing(after, hold_id, hold))


def _refuse(lot: Lot, request: HoldRequested, need_id: str, rule: GoodsRule) -> Change[Lot]:
    """Remember the refusal, so that the same question gets the same answer, and say which condition failed."""
    refused = HoldRefused(
        state=state(lot),
        hold_id=request.hold_id,
        need_id=need_id,
        line_id=request.line_id,
        quantity=request.quantity,
        rule=rule,
    )
    newest = dict([*lot.refusals.items(), (request.hold_id, rule)][-REFUSALS_KEPT:])
    return Change(lot.but(refusals=newest), refused)


def _known(lot: Lot | None, hold_id: str, filed: Hold | None) -> tuple[Lot, Hold | None]:
    if lot is None:
        raise NotFound()
    return lot, lot.holds.get(hold_id, filed)


def _never(
    lot: Lot,
    request: HoldConfirmationRequested | HoldReleaseRequested,
    need_id: str,
    status: HoldStatus,
    now: datetime,
    reason: Closing | None = None,
) -> Change[Lot]:
    """Remember a hold that this lot does not have as over, so that a later request cannot bring it to life."""
    over = Hold(
        need_id=need_id,
        line_id=request.line_id,
        quantity=0,
        status=status,
        placed_at=now,
        closed_at=now,
        reason=reason,
    )
    return _moved(lot, request.hold_id, over)

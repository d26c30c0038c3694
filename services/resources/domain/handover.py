"""出库与签收: confirmed goods are issued, signed for, and may come back."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.resources.domain.balance import with_hold
from services.resources.domain.booking import let_go, standing
from services.resources.domain.records import Hold, Lot, Reached, Receipt
from shared.contracts.vocabulary import Closing, HoldStatus, ReturnReason
from shared.errors import NotFound, Refusal
from shared.records import Change

TOWNSHIP_DIGITS = 9
ZONE = "Asia/Shanghai"
"""Where a hold is that was placed before its zone was kept."""


class HoldNotConfirmed(Refusal):
    code = "hold-not-confirmed"
    zh = "只有已确认的预留才能出库，该预留目前为“{zh}”"
    en = "Only a confirmed hold may be issued; this one is {en}"


class HoldNotIssued(Refusal):
    code = "hold-not-issued"
    zh = "该预留目前为“{zh}”，尚无出库物资可签收或退回"
    en = "This hold is {en}: nothing was handed over that could be signed for or returned"


class AlreadySigned(Refusal):
    code = "already-signed"
    zh = "该预留已于 {on} {at} 签收"
    en = "This was signed for already, on {on} at {at}"


class HoldIssued(Refusal):
    code = "hold-issued"
    zh = "物资已出库，不能释放；如已收回，请办理退回"
    en = "The goods were handed over and cannot be released; if they came back, return them"


class HoldOver(Refusal):
    code = "hold-over"
    zh = "该预留已结束（{zh}）"
    en = "This hold is over ({en})"


class PastExpiry(Refusal):
    code = "past-expiry"
    zh = "该批物资已过有效期（{expires_on}），不能出库，请释放预留并核销"
    en = "This lot is past its expiry ({expires_on}) and cannot be issued; release the hold and write it off"


def issue(
    lot: Lot, hold_id: str, by: str, now: datetime, today: date, seen: Hold | None = None
) -> Change[Lot]:
    """Hand over the whole of a confirmed hold, in time or late; never goods that are past their expiry.

    Here and below, `seen` is the hold as it was last seen, in the lot or on its card: how one stands that has left.
    """
    hold = _find(lot, hold_id, seen)
    if hold.status is not HoldStatus.CONFIRMED:
        raise HoldNotConfirmed(zh=hold.status.zh, en=hold.status.en)
    if lot.past_expiry(today):
        raise PastExpiry(expires_on=lot.expires_on)
    return _moved(lot, hold_id, hold.but(status=HoldStatus.ISSUED, issued_at=now, issued_by=by))


def sign(lot: Lot, hold_id: str, receipt: Receipt, seen: Hold | None = None) -> Change[Lot]:
    """签收: what was handed over has arrived; the donor's figures count it."""
    hold = _find(lot, hold_id, seen)
    if hold.status is HoldStatus.RECEIVED and hold.receipt is not None:
        there = hold.receipt.signed_at.astimezone(ZoneInfo(hold.zone or ZONE))
        raise AlreadySigned(on=f"{there:%Y-%m-%d}", at=f"{there:%H:%M}")
    if hold.status is not HoldStatus.ISSUED:
        raise HoldNotIssued(zh=hold.status.zh, en=hold.status.en)
    signed = hold.but(status=HoldStatus.RECEIVED, receipt=receipt, closed_at=receipt.signed_at)
    return _moved(lot.but(reached=_reached(lot, signed, 1)), hold_id, signed)


def release_by_staff(
    lot: Lot, hold_id: str, reason: Closing, now: datetime, seen: Hold | None = None
) -> Change[Lot]:
    hold = _find(lot, hold_id, seen)
    if hold.handed_over:
        raise HoldIssued()
    if not hold.promised:
        raise HoldOver(zh=hold.status.zh, en=hold.status.en)
    return let_go(lot, hold_id, hold, reason, now)


def take_back(lot: Lot, hold_id: str, seen: Hold, reason: ReturnReason, now: datetime) -> Change[Lot]:
    """Goods that were handed over, signed for or not, are in the store again: a hold that has left the lot comes back
    into it."""
    hold = lot.holds.get(hold_id, seen)
    if not hold.handed_over:
        raise HoldNotIssued(zh=hold.status.zh, en=hold.status.en)
    if hold_id not in lot.holds:
        lot = lot.but(holds={**lot.holds, hold_id: hold}, issued_filed=lot.issued_filed - hold.handed_over)
    if hold.status is HoldStatus.RECEIVED:
        lot = lot.but(reached=_reached(lot, hold, -1))
    return _moved(lot, hold_id, hold.but(status=HoldStatus.RELEASED, returned=reason, closed_at=now))


def _find(lot: Lot, hold_id: str, seen: Hold | None) -> Hold:
    """The hold in the lot; or as it was when it left, which only what is over does."""
    left = seen if seen is not None and seen.closed_at is not None else None
    hold = lot.holds.get(hold_id, left)
    if hold is None or hold.asked is None:
        raise NotFound()
    return hold


def _moved(lot: Lot, hold_id: str, hold: Hold) -> Change[Lot]:
    after = with_hold(lot, hold_id, hold)
    return Change(after, standing(after, hold_id, hold))


def _reached(lot: Lot, hold: Hold, times: int) -> tuple[Reached, ...]:
    """The figures of where the gift went, with this hold counted once more or once less. No finer than a township."""
    if hold.asked is None:
        return lot.reached
    area, category = hold.asked.area[:TOWNSHIP_DIGITS], hold.asked.category
    counted = {(r.area, r.category): r for r in lot.reached}
    before = counted.get((area, category)) or Reached(area=area, category=category, quantity=0, times=0)
    counted[area, category] = Reached(
        area=area,
        category=category,
        quantity=before.quantity + times * hold.quantity,
        times=before.times + times,
    )
    return tuple(r for r in counted.values() if r.times)

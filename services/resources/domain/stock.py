"""A lot from the charity's side: listed, added to, written off, closed and opened."""

from __future__ import annotations

from datetime import date, datetime

from services.resources.domain.balance import balanced, state
from services.resources.domain.records import Lot, WriteOff, WriteOffReason
from shared.contracts.goods import Unit
from shared.contracts.matching import HoldRequested
from shared.contracts.parts import Earmark
from shared.contracts.resources import LotChanged, LotListed, LotWrittenOff
from shared.contracts.vocabulary import LotKind
from shared.errors import Invalid, Refusal
from shared.records import Change

MOST = 10**12
"""No balance goes beyond this, so that every program that reads JSON can hold it exactly."""


class NotEnoughLeft(Refusal):
    code = "not-enough-left"
    zh = "可用数量不足：现有 {available}，需要 {quantity}"
    en = "Not enough is left: {available} are available, {quantity} were asked for"


class StillHeld(NotEnoughLeft):
    zh = "可用数量不足：现有 {available}，需要 {quantity}；另有 {held} 已预留，须由相关站点先释放预留"
    en = (
        "Not enough is left: {available} are available, {quantity} were asked for; "
        "{held} more are held, and the station that holds them must release them first"
    )


class TooMuch(Refusal):
    code = "too-much"
    status = 422
    zh = "数量过大：一个批次最多 {most}"
    en = "That is too much for one lot: at most {most}"


class CharityClosed(Refusal):
    code = "charity-closed"
    zh = "该慈善组织已停用，不能登记或重新开放捐赠批次；已预留的仍可出库、签收"
    en = "The charity is closed and lists or opens no lots; what is promised is still handed over"


def check_listing(lot: Lot, today: date) -> None:
    """Refuse a lot that makes no sense, naming the field: its unit against its kind, its expiry, its dates."""
    if lot.gift is LotKind.MONEY and lot.unit != Unit.FEN:
        raise Invalid("/unit", zh="资金的单位必须是 fen（分）", en='The unit of money must be "fen"')
    if lot.gift is not LotKind.MONEY and lot.unit == Unit.FEN:
        raise Invalid("/unit", zh="只有资金才能以 fen（分）计", en='Only money is counted in "fen"')
    if lot.past_expiry(today):
        raise Invalid("/expires_on", zh="有效期已过", en="The expiry date is in the past")
    check_earmark(lot.earmark)


def check_earmark(earmark: Earmark) -> None:
    """Refuse dates of use that end before they begin."""
    if earmark.from_day and earmark.to_day and earmark.to_day < earmark.from_day:
        raise Invalid("/earmark/to_day", zh="截止日期早于开始日期", en="The last day is before the first day")


def list_lot(existing: Lot | None, lot: Lot) -> Change[Lot]:
    """Put a lot on the list. A stub that somebody asked for meanwhile becomes the lot, and keeps its refusals."""
    if existing is None:
        return Change(lot, LotListed(state=state(lot)))
    if existing.listed:
        return Change(existing)
    listed = lot.but(holds=existing.holds, refusals=existing.refusals)
    return Change(listed, LotListed(state=state(listed)))


def unlisted(request: HoldRequested) -> Lot:
    """The stub for a lot that nobody listed: nothing was received, so everything is refused."""
    return Lot(
        id=request.lot_id,
        charity_id="",
        gift=LotKind.GOODS,
        category=request.goods,
        unit=request.unit,
        received=0,
        available=0,
        area=request.area,
        open=False,
        listed=False,
    )


def receive_more(lot: Lot, added: int) -> Change[Lot]:
    if lot.received + added > MOST:
        raise TooMuch("/quantity", most=MOST)
    after = balanced(lot, received=lot.received + added)
    return Change(after, LotChanged(state=state(after), added=added))


def write_off(lot: Lot, quantity: int, reason: WriteOffReason, by: str, now: datetime) -> Change[Lot]:
    """Take out of the lot what can no longer be given: only what is not promised to anybody."""
    if quantity > lot.available:
        figures = {"available": lot.available, "quantity": quantity}
        raise (
            StillHeld("/quantity", **figures, held=lot.held)
            if lot.held
            else NotEnoughLeft("/quantity", **figures)
        )
    note = WriteOff(quantity=quantity, reason=reason, at=now, by=by)
    after = balanced(lot, written_off=lot.written_off + quantity, write_offs=(*lot.write_offs, note))
    return Change(after, LotWrittenOff(state=state(after), quantity=quantity))


def set_open(lot: Lot, open: bool) -> Change[Lot]:
    """Open or close a lot for new holds; those placed before keep their promise."""
    if lot.open == open:
        return Change(lot.but(closed_with_charity=False) if lot.closed_with_charity else lot)
    after = lot.but(open=open, closed_with_charity=False)
    return Change(after, LotChanged(state=state(after)))


def follow_charity(lot: Lot, active: bool) -> Change[Lot]:
    """Close what is open when the charity is closed, and open just that when it is there again. What is promised is
    still handed over."""
    if active and lot.closed_with_charity:
        after = lot.but(open=True, closed_with_charity=False)
    elif not active and lot.open:
        after = lot.but(open=False, closed_with_charity=True)
    else:
        return Change(lot)
    return Change(after, LotChanged(state=state(after)))

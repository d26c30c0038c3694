"""What charity resources says. Every event of a lot carries its whole state after the event."""

from __future__ import annotations

from datetime import datetime

from shared.contracts import topics
from shared.contracts import vocabulary as v
from shared.contracts.base import Event
from shared.contracts.parts import LotState


class LotEvent(Event):
    topic = topics.LOT

    state: LotState


class LotListed(LotEvent):
    """A charity listed a lot of goods, money (fen) or services."""

    name = "lot.listed"
    zh = "捐赠上架：{state}"
    en = "A donation is listed: {state}"


class LotChanged(LotEvent):
    """More was received, the conditions were edited, or the lot was closed or opened."""

    name = "lot.changed"
    zh = "捐赠批次有变动：{state}"
    en = "A donation has changed: {state}"

    added: int = 0


class LotWrittenOff(LotEvent):
    name = "lot.written_off"
    zh = "核销{quantity}：{state}"
    en = "{quantity} written off: {state}"

    quantity: int


class HoldEvent(LotEvent):
    """Something about one hold of a lot for one line of a need."""

    hold_id: str
    need_id: str
    line_id: str
    quantity: int


class HoldPlaced(HoldEvent):
    """Stock is held until `expires_at`, unless it is confirmed before."""

    name = "hold.placed"
    zh = "已预留{quantity}，还可用：{left}"
    en = "{quantity} held for this need; still free: {left}"

    expires_at: datetime


class HoldRefused(HoldEvent):
    """The lot cannot be had for this: `rule` is the failed condition; nothing is held."""

    name = "hold.refused"
    zh = "未能预留：{rule}"
    en = "Nothing can be held: {rule}"

    rule: v.GoodsRule


class HoldConfirmed(HoldEvent):
    """The match was made: the hold no longer lapses as long as the goods are good; they are to be picked up by `pick_up_by`."""

    name = "hold.confirmed"
    zh = "预留已确认，{pick_up_by}前领取"
    en = "The goods are confirmed, to be fetched by {pick_up_by}"

    pick_up_by: datetime


class HoldExpired(HoldEvent):
    """Only resources expires a hold, and only an unconfirmed one."""

    name = "hold.expired"
    zh = "预留已过期，物资放回"
    en = "The hold has run out; the goods are free again"


class HoldReleased(HoldEvent):
    name = "hold.released"
    zh = "预留已释放：{reason}"
    en = "The hold is given back: {reason}"

    reason: v.Closing


class LotIssued(HoldEvent):
    """The goods were handed over."""

    name = "lot.issued"
    zh = "出库{quantity}"
    en = "{quantity} handed over"


class LotReceived(HoldEvent):
    """The receipt was signed."""

    name = "lot.received"
    zh = "签收：服务对象已收到{quantity}"
    en = "The receipt for {quantity} is signed"


class LotReturned(HoldEvent):
    """Issued goods came back into the lot; the need no longer has them. Earlier versions did not say why."""

    name = "lot.returned"
    zh = "退回{quantity}"
    en = "{quantity} brought back"

    reason: v.ReturnReason | None = None

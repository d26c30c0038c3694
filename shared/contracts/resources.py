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


class LotChanged(LotEvent):
    """More was received, the conditions were edited, or the lot was closed or opened."""

    name = "lot.changed"

    added: int = 0


class LotWrittenOff(LotEvent):
    name = "lot.written_off"

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

    expires_at: datetime


class HoldRefused(HoldEvent):
    """The lot cannot be had for this: `rule` is the failed condition; nothing is held."""

    name = "hold.refused"

    rule: v.GoodsRule


class HoldConfirmed(HoldEvent):
    """The match was made: the hold no longer lapses; the goods are to be picked up by `pick_up_by`."""

    name = "hold.confirmed"

    pick_up_by: datetime


class HoldExpired(HoldEvent):
    """Only resources expires a hold, and only an unconfirmed one."""

    name = "hold.expired"


class HoldReleased(HoldEvent):
    name = "hold.released"

    reason: v.Closing


class LotIssued(HoldEvent):
    """The goods were handed over."""

    name = "lot.issued"


class LotReceived(HoldEvent):
    """The receipt was signed."""

    name = "lot.received"


class LotReturned(HoldEvent):
    """Issued goods came back into the lot; the need no longer has them."""

    name = "lot.returned"

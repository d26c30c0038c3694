"""Closed holds leave their lot, so that a lot of a hundred thousand vouchers stays a small record.

A closed hold is copied to its `HoldCard` first, with its receipt, and only then leaves the lot, and only if it is
still what was copied. What it leaves behind in the balances stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.resources.domain.balance import balanced
from services.resources.domain.booking import lapse
from services.resources.domain.records import Hold, Lot, keep_closed
from shared.contracts.goods import Unit
from shared.contracts.vocabulary import GoodsCategory, HoldStatus
from shared.records import Change, Record, index
from shared.times import milliseconds

AT_ONCE = 200
NOBODY = ""
"""Whose card it is when the hold was given up before it was asked for: it is in nobody's list."""


class HoldCard(Record):
    """A hold as it may be searched for: a copy of what stands in the lot, and all there is once it was filed.

    `lot_version` is the version of the lot that it was copied from: an older copy never replaces a newer one.
    """

    kind = "hold_card"
    indexes = (
        index("need_id"),
        index("lot_id", "status"),
        index("site_id", "status"),
        index("charity_id", "status"),
        index("status", "pick_up_ms"),
    )

    lot_id: str
    need_id: str
    site_id: str | None
    charity_id: str
    status: HoldStatus
    pick_up_ms: int | None = None
    lot_version: int
    unit: Unit
    goods: GoodsCategory
    hold: Hold


def copy_card(existing: HoldCard | None, card: HoldCard) -> Change[HoldCard]:
    """Keep the newer copy. The memory of a hold that was never placed does not replace one that was filed."""
    if existing is None:
        return Change(card)
    older = existing.lot_version >= card.lot_version
    memory = existing.hold.asked is not None and card.hold.asked is None
    return Change(existing if older or memory else card)


def card_of(lot: Lot, lot_version: int, hold_id: str) -> HoldCard:
    hold = lot.holds[hold_id]
    return HoldCard(
        id=hold_id,
        lot_id=lot.id,
        need_id=hold.need_id,
        site_id=hold.asked.site_id if hold.asked else None,
        charity_id=lot.charity_id if hold.asked else NOBODY,
        status=hold.status,
        pick_up_ms=None if hold.pick_up_by is None else milliseconds(hold.pick_up_by),
        lot_version=lot_version,
        unit=lot.unit,
        goods=lot.category,
        hold=hold,
    )


def ripe(lot: Lot, now: datetime) -> dict[str, Hold]:
    """The closed holds whose time in the lot is over, oldest first, so many as are filed at once."""
    closed = [(hold.closed_at, hold_id) for hold_id, hold in lot.holds.items() if hold.closed_at is not None]
    until = now - keep_closed(len(closed))
    return {hold_id: lot.holds[hold_id] for at, hold_id in sorted(closed)[:AT_ONCE] if at <= until}


def turn(lot: Lot, filed: Mapping[str, Hold], now: datetime) -> Change[Lot]:
    """What time does to a lot: holds lapse whose time is over, and closed holds that were filed leave."""
    lapsed = lapse(lot, now)
    gone = {hold_id for hold_id, hold in filed.items() if lapsed.record.holds.get(hold_id) == hold}
    if not gone:
        return lapsed
    kept = {hold_id: hold for hold_id, hold in lapsed.record.holds.items() if hold_id not in gone}
    issued = lapsed.record.issued_filed + sum(filed[hold_id].handed_over for hold_id in gone)
    return Change(balanced(lapsed.record, holds=kept, issued_filed=issued), *lapsed.events)

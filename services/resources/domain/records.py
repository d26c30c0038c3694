"""What charity resources keeps: donors, lots, the holds on them, receipts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from pydantic import Field

from shared.contracts import topics
from shared.contracts.base import Part, copied
from shared.contracts.goods import Attributes, Unit
from shared.contracts.matching import HoldRequested
from shared.contracts.parts import Earmark
from shared.contracts.vocabulary import (
    Category,
    Closing,
    GoodsCategory,
    GoodsRule,
    HoldStatus,
    LotKind,
    ReturnReason,
    TargetGroup,
    Term,
)
from shared.records import Record, index

KEEP_CLOSED = timedelta(days=30)
"""How long a closed hold stays in its lot, so that a question about it is answered from one record."""
CROWD = 100
"""With more closed holds than this a lot does not wait so long, or it would grow without bound."""
KEEP_CLOSED_IN_A_CROWD = timedelta(minutes=1)


class SignedBy(Term):
    """Who put their name to a receipt, in relation to the resident."""

    RESIDENT = "resident", "本人", "the resident"
    FAMILY = "family", "家属", "a relative"
    GUARDIAN = "guardian", "监护人", "the guardian"
    NEIGHBOUR = "neighbour", "邻居代签", "a neighbour, on their behalf"
    WORKER = "worker", "工作人员代签", "a worker, on their behalf"


class WriteOffReason(Term):
    EXPIRED = "expired", "已过期", "past its expiry"
    DAMAGED = "damaged", "损坏", "damaged"
    LOST = "lost", "遗失", "lost"
    MISCOUNTED = "miscounted", "清点差异", "miscounted"
    OTHER = "other", "其他", "other"


class Donor(Record):
    """Who gave: personal data, which never leaves this service. `code` is what stands on the donor's receipt."""

    kind = "donor"
    indexes = (index("charity_id"),)

    charity_id: str
    name: str
    phone: str | None = None
    code: str | None = None


class Receipt(Part):
    """签收: who signed, in relation to the resident; either a signature or a confirmation by phone."""

    relation: SignedBy
    signature: str | None = None
    by_phone: bool = False
    signed_at: datetime
    taken_by: str


class Asked(Part):
    """For whom and what a hold was asked, as far as the conditions of a gift go by it."""

    site_id: str
    area: str
    household_id: str
    category: Category
    target_groups: tuple[TargetGroup, ...] = ()

    @classmethod
    def by(cls, request: HoldRequested) -> Asked:
        return cls.model_validate(request.model_dump(include=set(cls.model_fields)))


class Hold(Part):
    """So much of a lot for one line of a need.

    `returned` marks a released hold whose goods had been issued and came back. A hold with no quantity and nothing
    asked is the memory of one that was given up before it was asked for: it can never be placed any more.
    """

    need_id: str
    line_id: str
    quantity: int
    status: HoldStatus
    asked: Asked | None = None
    zone: str | None = None
    """Where the need's site is: the goods are good until the end of a day there."""
    placed_at: datetime
    expires_at: datetime | None = None
    wanted_by: datetime | None = None
    """Until when the match would have it kept, were the goods good so long; `pick_up_by` is never later."""
    pick_up_by: datetime | None = None
    issued_at: datetime | None = None
    issued_by: str | None = None
    closed_at: datetime | None = None
    reason: Closing | None = None
    returned: ReturnReason | None = None
    receipt: Receipt | None = None

    @property
    def promised(self) -> int:
        """What it keeps from others while the goods are still in the store."""
        return self.quantity if self.status in (HoldStatus.HELD, HoldStatus.CONFIRMED) else 0

    @property
    def handed_over(self) -> int:
        return self.quantity if self.status in (HoldStatus.ISSUED, HoldStatus.RECEIVED) else 0

    def overdue(self, now: datetime) -> bool:
        """Confirmed, and not picked up in time: for a person to look at. It stays as long as its goods are good."""
        return self.status is HoldStatus.CONFIRMED and self.pick_up_by is not None and self.pick_up_by <= now

    def but(self, **changes: Any) -> Self:
        return copied(self, changes)


class WriteOff(Part):
    quantity: int
    reason: WriteOffReason
    at: datetime
    by: str


class Reached(Part):
    """Where a gift went, as its donor may know it: so much, so many times, in this township, for this category."""

    area: str
    category: Category
    quantity: int
    times: int


class Lot(Record):
    """捐赠批次: one gift of goods, money or services, its balances, its conditions and the holds on it.

    Always: held + issued + written_off <= received, and nothing below zero. `held` counts held and confirmed
    holds, `issued` what was handed over and not returned. Closed holds leave `holds` after a while (`filing`);
    `issued_filed` is what of `issued` stands in holds that have left; those are known by their cards. Duplicates of
    old messages need no memory here at all: the store's watermarks keep them out. A lot that is not `listed` is a stub: somebody asked for a lot that
    nobody listed; it is shown nowhere and refuses everything.
    """

    kind = "lot"
    topic = topics.LOT
    indexes = (
        index("listed", "gift", "open", "category"),
        index("charity_id", "donor_id"),
        index("category"),
        index("site_id"),
        index("expires_day"),
        index("available"),
    )

    charity_id: str
    donor_id: str | None = None
    gift: LotKind
    category: GoodsCategory
    unit: Unit
    received: int
    held: int = 0
    issued: int = 0
    written_off: int = 0
    available: int
    attributes: Attributes = Field(default_factory=dict)
    expires_day: int | None = None
    area: str
    cell: str | None = None
    site_id: str | None = None
    earmark: Earmark = Earmark()
    note: str = ""
    open: bool = True
    listed: bool = True
    closed_with_charity: bool = False
    """It was open when its charity was closed, and will be again with it."""
    holds: dict[str, Hold] = Field(default_factory=dict)
    refusals: dict[str, GoodsRule] = Field(default_factory=dict)
    write_offs: tuple[WriteOff, ...] = ()
    reached: tuple[Reached, ...] = ()
    issued_filed: int = 0

    @property
    def expires_on(self) -> date | None:
        """The last day on which it is good; kept as a day number, because that is what is searched by."""
        return None if self.expires_day is None else date.fromordinal(self.expires_day)

    def past_expiry(self, today: date) -> bool:
        return self.expires_day is not None and self.expires_day < today.toordinal()

    def good_until(self, zone: str | None) -> datetime | None:
        """When its last good day is over in this time zone."""
        if zone is None or self.expires_on is None or self.expires_on == date.max:
            return None
        midnight = datetime.combine(self.expires_on + timedelta(days=1), time.min, ZoneInfo(zone))
        return midnight.astimezone(UTC)

    def to_be_fetched_by(self, hold: Hold) -> datetime | None:
        """Until when this hold is kept: as long as its match wants it, but only while the goods are good."""
        wanted, good = hold.wanted_by or hold.pick_up_by, self.good_until(hold.zone)
        return min(wanted, good) if wanted and good else wanted

    @property
    def due_at(self) -> datetime | None:
        return min(self._timers(), default=None)

    def _timers(self) -> Iterator[datetime]:
        closed: list[datetime] = []
        for hold in self.holds.values():
            if hold.status is HoldStatus.HELD and hold.expires_at is not None:
                yield hold.expires_at
            if hold.closed_at is not None:
                closed.append(hold.closed_at)
        for zone in {hold.zone for hold in self.holds.values() if hold.promised}:
            if (until := self.good_until(zone)) is not None:
                yield until
        if closed:
            yield min(closed) + keep_closed(len(closed))


def keep_closed(count: int) -> timedelta:
    """How long a closed hold stays in a lot that has so many of them."""
    return KEEP_CLOSED if count <= CROWD else KEEP_CLOSED_IN_A_CROWD


def lot_of(hold_id: str) -> str:
    """The lot that a hold's id names: the part before the `~`."""
    return hold_id.partition("~")[0]

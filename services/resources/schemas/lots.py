"""Lots and funds, their ledger, and where they went."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import Field

from services.resources.domain.ledger import LedgerEntry
from services.resources.domain.records import Lot, WriteOffReason
from services.resources.schemas.parts import (
    AreaCode,
    EarmarkBody,
    Id,
    LongText,
    Quantity,
)
from shared.contracts.goods import GivenAttributes, Unit, check_attributes
from shared.contracts.vocabulary import Category, GoodsCategory, LotKind
from shared.errors import Invalid
from shared.http import Day, Schema


class LotBody(Schema):
    """A lot as a charity lists it. `area` is where it lies, `site_id` the site that stores it, if one does."""

    donor_id: Id | None = None
    kind: LotKind = LotKind.GOODS
    category: GoodsCategory
    unit: Unit
    quantity: Quantity
    attributes: GivenAttributes = Field(default_factory=dict)
    expires_on: Day | None = None
    area: AreaCode
    cell: Annotated[str, Field(pattern=r"^[0-9a-f]{15}$")] | None = None
    site_id: Id | None = None
    earmark: EarmarkBody = EarmarkBody()
    note: LongText = ""

    def lot(self, id: str, charity_id: str) -> Lot:
        check_attributes(self.category, self.attributes)
        return Lot(
            id=id,
            charity_id=charity_id,
            donor_id=self.donor_id,
            gift=self.kind,
            category=self.category,
            unit=self.unit,
            received=self.quantity,
            available=self.quantity,
            attributes=self.attributes,
            expires_day=self.expires_on.toordinal() if self.expires_on else None,
            area=self.area,
            cell=self.cell,
            site_id=self.site_id,
            earmark=self.earmark.earmark(),
            note=self.note,
        )


class FundBody(Schema):
    """Money, in fen: a lot whose unit is "fen"."""

    donor_id: Id | None = None
    amount_fen: Quantity
    category: GoodsCategory = GoodsCategory.CASH_GIFT
    area: AreaCode
    earmark: EarmarkBody = EarmarkBody()
    note: LongText = ""

    def as_lot(self) -> LotBody:
        return LotBody(
            donor_id=self.donor_id,
            kind=LotKind.MONEY,
            category=self.category,
            unit=Unit.FEN,
            quantity=self.amount_fen,
            area=self.area,
            earmark=self.earmark,
            note=self.note,
        )


class LotRow(LotBody):
    """One line of a bulk load. `key` is the charity's own name for the lot: the same line twice lists it once."""

    key: Annotated[str, Field(min_length=1, max_length=200)]
    charity_id: Id | None = None


class LotEdit(Schema):
    """What may be changed; what is left out stays. A changed earmark counts for new holds only."""

    earmark: EarmarkBody | None = None
    expires_on: Day | None = None
    area: AreaCode | None = None
    cell: Annotated[str, Field(pattern=r"^[0-9a-f]{15}$")] | None = None
    site_id: Id | None = None
    note: LongText | None = None

    def changes(self) -> dict[str, Any]:
        """The fields of the lot that were named, null taking a value away where that makes sense."""
        named = {name: getattr(self, name) for name in self.model_fields_set}
        for name in ("earmark", "area", "note"):
            if name in named and named[name] is None:
                raise Invalid(f"/{name}", zh="不能为空", en="cannot be null")
        if "expires_on" in named:
            day = named.pop("expires_on")
            named["expires_day"] = day.toordinal() if day else None
        if "earmark" in named:
            named["earmark"] = named["earmark"].earmark()
        return named


class More(Schema):
    quantity: Quantity


class WriteOffBody(Schema):
    quantity: Quantity
    reason: WriteOffReason


class LotView(Schema):
    """A lot. `donor_id` and `note` are shown to the charity that listed it, and to nobody else."""

    id: str
    charity_id: str
    kind: LotKind
    category: GoodsCategory
    unit: Unit
    received: int
    held: int
    issued: int
    written_off: int
    available: int
    attributes: dict[str, str]
    expires_on: date | None
    area: str
    cell: str | None
    site_id: str | None
    earmark: EarmarkBody
    open: bool
    donor_id: str | None = None
    note: str | None = None

    @classmethod
    def of(cls, lot: Lot) -> LotView:
        """For everybody who may see lots."""
        fields = lot.model_dump(include=set(cls.model_fields) - {"kind", "earmark", "donor_id", "note"})
        earmark = EarmarkBody.of(lot.earmark)
        return cls(**fields, kind=lot.gift, expires_on=lot.expires_on, earmark=earmark)

    @classmethod
    def own(cls, lot: Lot) -> LotView:
        """For the charity that listed it."""
        return cls.of(lot).model_copy(update={"donor_id": lot.donor_id, "note": lot.note})


class FundView(Schema):
    """A fund: the same record as the lot with this id, in fen."""

    id: str
    charity_id: str
    category: GoodsCategory
    received_fen: int
    held_fen: int
    issued_fen: int
    written_off_fen: int
    available_fen: int
    area: str
    earmark: EarmarkBody
    open: bool
    donor_id: str | None = None
    note: str | None = None

    @classmethod
    def by(cls, lot: LotView) -> Self:
        fen = {
            f"{name}_fen": getattr(lot, name)
            for name in ("received", "held", "issued", "written_off", "available")
        }
        alike = {"id", "charity_id", "category", "area", "earmark", "open", "donor_id", "note"}
        return cls(**lot.model_dump(include=alike), **fen)

    @classmethod
    def of(cls, lot: Lot) -> Self:
        return cls.by(LotView.of(lot))

    @classmethod
    def own(cls, lot: Lot) -> Self:
        return cls.by(LotView.own(lot))


class EntryView(Schema):
    """One entry of a lot's ledger: what happened, and the balances after it."""

    sequence: int
    event: str
    quantity: int
    received: int
    held: int
    issued: int
    written_off: int
    need_id: str | None
    hold_id: str | None
    at: datetime

    @classmethod
    def of(cls, entry: LedgerEntry) -> EntryView:
        return cls(**entry.model_dump(include=set(cls.model_fields)))


class ReachedView(Schema):
    """So much of the gift, signed for so many times, in this township, for this category of need."""

    area: str
    category: Category
    quantity: int
    times: int


class OutcomesView(Schema):
    """Where a gift went, counted from signed receipts; the holds behind it are `/api/holds?lot_id=…&status=received`."""

    lot_id: str
    unit: Unit
    reached: list[ReachedView]
    quantity: int
    times: int

    @classmethod
    def of(cls, lot: Lot) -> OutcomesView:
        reached = sorted(lot.reached, key=lambda r: (r.area, r.category))
        return cls(
            lot_id=lot.id,
            unit=lot.unit,
            reached=[ReachedView(**r.model_dump()) for r in reached],
            quantity=sum(r.quantity for r in reached),
            times=sum(r.times for r in reached),
        )

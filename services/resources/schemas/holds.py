"""Holds and receipts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, StringConstraints

from services.resources.domain.filing import HoldCard
from services.resources.domain.handover import TOWNSHIP_DIGITS
from services.resources.domain.records import Receipt, SignedBy
from shared.contracts.goods import Unit
from shared.contracts.vocabulary import Category, Closing, GoodsCategory, HoldStatus, ReturnReason
from shared.errors import Invalid
from shared.http import Schema, not_blank

Signature = Annotated[str, StringConstraints(min_length=1, max_length=60), AfterValidator(not_blank)]


class ReceiptBody(Schema):
    """Who received the goods: a name as signed, or `by_phone` where the receipt was confirmed by telephone."""

    relation: SignedBy
    signature: Signature | None = None
    by_phone: bool = False

    def receipt(self, taken_by: str, now: datetime) -> Receipt:
        """Raises Invalid unless it is either signed or confirmed by phone."""
        if (self.signature is None) != self.by_phone:
            raise Invalid(
                "/signature",
                zh="请填写签收人签名，或注明电话确认（by_phone），二者择一",
                en="give either the signature or by_phone: true, not both",
            )
        return Receipt(
            relation=self.relation,
            signature=self.signature,
            by_phone=self.by_phone,
            signed_at=now,
            taken_by=taken_by,
        )


class ReleaseBody(Schema):
    """What staff may say of it; the other reasons are found by the system itself."""

    reason: Literal[Closing.BY_STAFF, Closing.NOT_NEEDED] = Closing.BY_STAFF


class ReturnBody(Schema):
    reason: ReturnReason


class ReceiptView(Schema):
    """That and when it was signed for; the name is shown by `/holds/{id}/receipt` alone."""

    relation: SignedBy
    by_phone: bool
    signed_at: datetime


class FullReceiptView(ReceiptView):
    hold_id: str
    signature: str | None
    taken_by: str

    @classmethod
    def of(cls, hold_id: str, receipt: Receipt) -> FullReceiptView:
        return cls(hold_id=hold_id, **receipt.model_dump())


class HoldView(Schema):
    """A hold. `overdue`: it should have been picked up by now; a person decides what becomes of it."""

    id: str
    lot_id: str
    charity_id: str
    need_id: str
    line_id: str
    site_id: str | None
    area: str | None
    category: Category | None
    goods: GoodsCategory
    unit: Unit
    quantity: int
    status: HoldStatus
    overdue: bool
    placed_at: datetime
    expires_at: datetime | None
    pick_up_by: datetime | None
    issued_at: datetime | None
    closed_at: datetime | None
    reason: Closing | None
    returned: ReturnReason | None
    receipt: ReceiptView | None

    @classmethod
    def of(cls, card: HoldCard, now: datetime) -> Self:
        hold, asked = card.hold, card.hold.asked
        alike = {
            "need_id", "line_id", "quantity", "status", "placed_at", "expires_at", "pick_up_by", "issued_at",
            "closed_at", "reason", "returned",
        }  # fmt: skip
        receipt = hold.receipt
        return cls(
            **hold.model_dump(include=alike),
            id=card.id,
            lot_id=card.lot_id,
            charity_id=card.charity_id,
            site_id=card.site_id,
            area=asked.area[:TOWNSHIP_DIGITS] if asked else None,
            category=asked.category if asked else None,
            goods=card.goods,
            unit=card.unit,
            overdue=hold.overdue(now),
            receipt=None
            if receipt is None
            else ReceiptView(**receipt.model_dump(include=set(ReceiptView.model_fields))),
        )

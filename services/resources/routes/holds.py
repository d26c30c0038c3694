"""Holds: seen and handed over by the station whose need it is and by the charity whose goods they are."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from services.resources.domain.filing import HoldCard
from services.resources.routes.reach import reachable_holds
from services.resources.schemas.holds import (
    FullReceiptView,
    HoldView,
    ReceiptBody,
    ReleaseBody,
    ReturnBody,
)
from services.resources.service import Holds
from shared.contracts.vocabulary import HoldStatus
from shared.errors import NotFound
from shared.http import Access, Operation, Page, Pages, allow, answered, shown
from shared.ports import Where
from shared.records import Versioned
from shared.times import milliseconds


class HoldRoutes:
    def __init__(self, holds: Holds) -> None:
        self._holds = holds

    def add_to(self, router: APIRouter) -> None:
        get, post = router.get, router.post
        get("/holds", operation_id="find_holds", summary="Holds, by need, lot, status, or overdue")(self.find)
        get("/holds/{hold_id}", operation_id="read_hold", summary="One hold")(self.read)
        get("/holds/{hold_id}/receipt", operation_id="read_receipt", summary="The receipt as it was signed")(
            self.read_receipt
        )
        post("/holds/{hold_id}/issue", operation_id="issue_hold", summary="Hand the goods over")(self.issue)
        post("/holds/{hold_id}/receipt", operation_id="sign_receipt", summary="Sign for the goods")(self.sign)
        post("/holds/{hold_id}/release", operation_id="release_hold", summary="Give the stock back")(
            self.release
        )
        post("/holds/{hold_id}/return", operation_id="return_hold", summary="Issued goods came back")(
            self.take_back
        )

    async def find(
        self,
        pages: Pages,
        access: Access = allow("hold.read"),
        need_id: str | None = None,
        lot_id: str | None = None,
        status: HoldStatus | None = None,
        overdue: bool = False,
    ) -> Page[HoldView]:
        """`overdue` finds confirmed holds that should have been picked up by now."""
        now = self._holds.now()
        wanted: dict[str, Any] = {"need_id": need_id, "lot_id": lot_id, "status": status}
        where = reachable_holds(access) + [Where(f, "equal", v) for f, v in wanted.items() if v is not None]
        if overdue:
            where.append(Where("status", "equal", HoldStatus.CONFIRMED))
            where.append(Where("pick_up_ms", "at_most", milliseconds(now)))
        order = "pick_up_ms" if overdue else "id"
        found = await self._holds.holds(pages.query(*where, order=order))
        return pages.page(found, lambda card: HoldView.of(card, now))

    async def read(self, hold_id: str, response: Response, access: Access = allow("hold.read")) -> HoldView:
        now = self._holds.now()
        return shown(response, await self._within(hold_id, access), lambda card: HoldView.of(card, now))

    async def read_receipt(
        self, hold_id: str, response: Response, access: Access = allow("hold.receipt")
    ) -> FullReceiptView:
        found = await self._within(hold_id, access)
        receipt = found.record.hold.receipt
        if receipt is None:
            raise NotFound()
        return shown(response, found, lambda card: FullReceiptView.of(card.id, receipt))

    async def issue(
        self, hold_id: str, response: Response, op: Operation, access: Access = allow("hold.issue")
    ) -> HoldView:
        found = await self._within(hold_id, access)
        outcome = await self._holds.issue(found.record, access.principal.account_id, op)
        view: HoldView = answered(response, outcome)
        return view

    async def sign(
        self,
        hold_id: str,
        body: ReceiptBody,
        response: Response,
        op: Operation,
        access: Access = allow("hold.receipt"),
    ) -> HoldView:
        found = await self._within(hold_id, access)
        receipt = body.receipt(access.principal.account_id, self._holds.now())
        view: HoldView = answered(response, await self._holds.sign(found.record, receipt, op))
        return view

    async def release(
        self,
        hold_id: str,
        body: ReleaseBody,
        response: Response,
        op: Operation,
        access: Access = allow("hold.release"),
    ) -> HoldView:
        found = await self._within(hold_id, access)
        view: HoldView = answered(response, await self._holds.release(found.record, body.reason, op))
        return view

    async def take_back(
        self,
        hold_id: str,
        body: ReturnBody,
        response: Response,
        op: Operation,
        access: Access = allow("hold.return"),
    ) -> HoldView:
        found = await self._within(hold_id, access)
        view: HoldView = answered(response, await self._holds.take_back(found.record, body.reason, op))
        return view

    async def _within(self, hold_id: str, access: Access) -> Versioned[HoldCard]:
        """The hold, if it exists and is in reach by its need's site or its lot's charity."""
        found = await self._holds.hold(hold_id)
        access.require(site_id=found.record.site_id, organisation_id=found.record.charity_id)
        return found

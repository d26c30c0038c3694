"""Lots: listed and looked after by charities, seen by all who look for goods."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi import Query as Parameter

from services.resources.routes.reach import lot_view, own_organisation, reachable_lots
from services.resources.schemas.lots import (
    EntryView,
    LotBody,
    LotEdit,
    LotView,
    More,
    OutcomesView,
    WriteOffBody,
)
from services.resources.service import Lots
from shared.contracts.vocabulary import GoodsCategory, LotKind
from shared.http import Access, Day, IfMatch, Operation, Page, Pages, allow, answered, created, id_from, shown
from shared.ports import Where


class LotRoutes:
    def __init__(self, lots: Lots) -> None:
        self._lots = lots

    def add_to(self, router: APIRouter) -> None:
        get, post, patch = router.get, router.post, router.patch
        post(
            "/lots",
            operation_id="list_lot",
            summary="List a lot of goods, money or services",
            status_code=201,
        )(self.list_lot)
        get("/lots", operation_id="find_lots", summary="Lots, by what they are and where")(self.find)
        get("/lots/{lot_id}", operation_id="read_lot", summary="One lot")(self.read)
        patch("/lots/{lot_id}", operation_id="edit_lot", summary="Edit conditions, expiry, place or note")(
            self.edit
        )
        post("/lots/{lot_id}/receive", operation_id="receive_more", summary="More of it has arrived")(
            self.receive
        )
        post(
            "/lots/{lot_id}/write-off", operation_id="write_off_lot", summary="Write off what cannot be given"
        )(self.write_off)
        post("/lots/{lot_id}/close", operation_id="close_lot", summary="Take no new holds")(self.close)
        post("/lots/{lot_id}/open", operation_id="open_lot", summary="Take holds again")(self.open)
        get("/lots/{lot_id}/ledger", operation_id="read_ledger", summary="Everything that happened to it")(
            self.ledger
        )
        get("/lots/{lot_id}/outcomes", operation_id="read_outcomes", summary="Where the gift went")(
            self.outcomes
        )

    async def list_lot(
        self, body: LotBody, response: Response, op: Operation, access: Access = allow("lot.list")
    ) -> LotView:
        lot = body.lot(id_from(op), own_organisation(access))
        view: LotView = created(response, await self._lots.list_lot(lot, op), f"/api/lots/{lot.id}")
        return view

    async def find(
        self,
        pages: Pages,
        access: Access = allow("lot.read"),
        kind: LotKind | None = None,
        category: GoodsCategory | None = None,
        open: bool | None = None,
        site_id: str | None = None,
        charity_id: str | None = None,
        donor_id: str | None = None,
        expiring_before: Day | None = None,
        available_at_most: int | None = Parameter(None, ge=0, le=10**12),
    ) -> Page[LotView]:
        equal = {
            "gift": kind,
            "category": category,
            "open": open,
            "site_id": site_id,
            "charity_id": charity_id,
        }
        where = [*reachable_lots(access), *_equal(equal)]
        if donor_id is not None:
            where += _equal({"charity_id": own_organisation(access), "donor_id": donor_id})
        if available_at_most is not None:
            where.append(Where("available", "at_most", available_at_most))
        if expiring_before is not None:
            where.append(Where("expires_day", "at_most", expiring_before.toordinal() - 1))
        order = "id" if expiring_before is None else "expires_day"
        return pages.page(await self._lots.lots(pages.query(*where, order=order)), lot_view(access))

    async def read(self, lot_id: str, response: Response, access: Access = allow("lot.read")) -> LotView:
        found = await self._lots.lot(lot_id)
        access.require(organisation_id=found.record.charity_id)
        return shown(response, found, lot_view(access))

    async def edit(
        self,
        lot_id: str,
        body: LotEdit,
        response: Response,
        expected: IfMatch,
        access: Access = allow("lot.edit"),
    ) -> LotView:
        await self._within(lot_id, access)
        return shown(response, await self._lots.edit_lot(lot_id, expected, body.changes()), LotView.own)

    async def receive(
        self, lot_id: str, body: More, response: Response, op: Operation, access: Access = allow("lot.edit")
    ) -> LotView:
        await self._within(lot_id, access)
        view: LotView = answered(response, await self._lots.receive_more(lot_id, body.quantity, op))
        return view

    async def write_off(
        self,
        lot_id: str,
        body: WriteOffBody,
        response: Response,
        op: Operation,
        access: Access = allow("lot.write_off"),
    ) -> LotView:
        await self._within(lot_id, access)
        by = access.principal.account_id
        outcome = await self._lots.write_off(lot_id, body.quantity, body.reason, by, op)
        view: LotView = answered(response, outcome)
        return view

    async def close(
        self, lot_id: str, response: Response, op: Operation, access: Access = allow("lot.edit")
    ) -> LotView:
        await self._within(lot_id, access)
        view: LotView = answered(response, await self._lots.close_lot(lot_id, op))
        return view

    async def open(
        self, lot_id: str, response: Response, op: Operation, access: Access = allow("lot.edit")
    ) -> LotView:
        await self._within(lot_id, access)
        view: LotView = answered(response, await self._lots.open_lot(lot_id, op))
        return view

    async def ledger(self, lot_id: str, pages: Pages, access: Access = allow("lot.read")) -> Page[EntryView]:
        await self._within(lot_id, access)
        query = pages.query(Where("lot_id", "equal", lot_id), order="sequence")
        return pages.page(await self._lots.ledger(query), EntryView.of)

    async def outcomes(
        self, lot_id: str, response: Response, access: Access = allow("lot.read")
    ) -> OutcomesView:
        await self._within(lot_id, access)
        return shown(response, await self._lots.lot(lot_id), OutcomesView.of)

    async def _within(self, lot_id: str, access: Access) -> None:
        """Refuse a lot that does not exist or is out of reach, alike."""
        found = await self._lots.lot(lot_id)
        access.require(organisation_id=found.record.charity_id)


def _equal(wanted: dict[str, Any]) -> list[Where]:
    return [Where(field, "equal", value) for field, value in wanted.items() if value is not None]

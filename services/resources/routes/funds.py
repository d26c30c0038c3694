"""Funds: the money among the lots, in fen. A fund and the lot with its id are one record."""

from __future__ import annotations

from fastapi import APIRouter, Response

from services.resources.domain.records import Lot
from services.resources.routes.reach import lot_view, own_organisation, reachable_lots
from services.resources.schemas.lots import FundBody, FundView
from services.resources.service import Lots
from shared.contracts.vocabulary import LotKind
from shared.errors import NotFound
from shared.http import Access, Operation, Page, Pages, allow, created, id_from, shown
from shared.ports import Where


class Funds:
    def __init__(self, lots: Lots) -> None:
        self._lots = lots

    def add_to(self, router: APIRouter) -> None:
        get, post = router.get, router.post
        post("/funds", operation_id="list_fund", summary="List a fund, in fen", status_code=201)(
            self.list_fund
        )
        get("/funds", operation_id="find_funds", summary="Funds")(self.find)
        get("/funds/{fund_id}", operation_id="read_fund", summary="One fund")(self.read)

    async def list_fund(
        self, body: FundBody, response: Response, op: Operation, access: Access = allow("lot.list")
    ) -> FundView:
        lot = body.as_lot().lot(id_from(op), own_organisation(access))
        outcome = await self._lots.list_lot(lot, op, FundView.own)
        view: FundView = created(response, outcome, f"/api/funds/{lot.id}")
        return view

    async def find(
        self, pages: Pages, access: Access = allow("lot.read"), open: bool | None = None
    ) -> Page[FundView]:
        where = [*reachable_lots(access), Where("gift", "equal", LotKind.MONEY)]
        if open is not None:
            where.append(Where("open", "equal", open))
        view = lot_view(access)
        return pages.page(await self._lots.lots(pages.query(*where)), lambda lot: FundView.by(view(lot)))

    async def read(self, fund_id: str, response: Response, access: Access = allow("lot.read")) -> FundView:
        found = await self._lots.lot(fund_id)
        if found.record.gift is not LotKind.MONEY:
            raise NotFound()
        access.require(organisation_id=found.record.charity_id)
        view = lot_view(access)

        def fund(lot: Lot) -> FundView:
            return FundView.by(view(lot))

        return shown(response, found, fund)

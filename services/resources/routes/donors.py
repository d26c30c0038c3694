"""Donors: each charity sees its own, and nobody else sees any."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from services.resources.domain.records import Donor
from services.resources.routes.reach import own_organisation
from services.resources.schemas.donors import DonorBody, DonorView
from services.resources.service import Lots
from shared.http import Access, Operation, Page, Pages, allow, created, id_from, shown
from shared.ports import Where


class Donors:
    def __init__(self, lots: Lots) -> None:
        self._lots = lots

    def add_to(self, router: APIRouter) -> None:
        get, post = router.get, router.post
        post("/donors", operation_id="register_donor", summary="Register a donor", status_code=201)(
            self.register
        )
        get("/donors", operation_id="list_donors", summary="The charity's donors")(self.find)
        get("/donors/{donor_id}", operation_id="read_donor", summary="One donor")(self.read)

    async def register(
        self, body: DonorBody, response: Response, op: Operation, access: Access = allow("donor.register")
    ) -> DonorView:
        donor = Donor(id=id_from(op), charity_id=own_organisation(access), **body.model_dump())
        answer = DonorView.of(donor).model_dump(mode="json")
        outcome: Any = await self._lots.register_donor(donor, op, answer)
        view: DonorView = created(response, outcome, f"/api/donors/{donor.id}")
        return view

    async def find(self, pages: Pages, access: Access = allow("donor.read")) -> Page[DonorView]:
        query = pages.query(Where("charity_id", "equal", own_organisation(access)))
        return pages.page(await self._lots.donors(query), DonorView.of)

    async def read(
        self, donor_id: str, response: Response, access: Access = allow("donor.read")
    ) -> DonorView:
        found = await self._lots.donor(donor_id)
        access.require(organisation_id=found.record.charity_id)
        return shown(response, found, DonorView.of)

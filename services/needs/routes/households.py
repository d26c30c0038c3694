"""Households and residents. Answers to changes hold ids only; the file itself is read, and the reading logged."""

from __future__ import annotations

from fastapi import APIRouter, Response

from services.needs.schemas import households as schemas
from services.needs.schemas.contacts import ReadView, read_view
from services.needs.service import Households
from shared.http import Access, IfMatch, Operation, Page, Pages, allow, answered, created, id_from, shown


class HouseholdRoutes:
    def __init__(self, households: Households) -> None:
        self._households = households

    def add_to(self, router: APIRouter) -> None:
        get, post, patch = router.get, router.post, router.patch
        post("/households", operation_id="register_household", summary="File a household", status_code=201)(
            self.register
        )
        get("/households", operation_id="list_households", summary="Households, without personal data")(
            self.list
        )
        post(
            "/households/search",
            operation_id="search_households",
            summary="Find a household by a name or phone",
        )(self.search)
        get("/households/{household_id}", operation_id="read_household", summary="The whole file; logged")(
            self.read
        )
        patch("/households/{household_id}", operation_id="edit_household", summary="Edit a file")(self.edit)
        get(
            "/households/{household_id}/reads",
            operation_id="list_household_reads",
            summary="Who read this file",
        )(self.reads)
        post(
            "/households/{household_id}/residents",
            operation_id="add_resident",
            summary="Add a resident",
            status_code=201,
        )(self.add_resident)
        patch(
            "/households/{household_id}/residents/{resident_id}",
            operation_id="edit_resident",
            summary="Edit a resident",
        )(self.edit_resident)

    async def register(
        self,
        body: schemas.HouseholdIn,
        response: Response,
        op: Operation,
        access: Access = allow("household.register"),
    ) -> schemas.HouseholdReceipt:
        id = id_from(op)
        outcome = await self._households.register(access, body, op, id)
        answer: schemas.HouseholdReceipt = created(response, outcome, f"/api/households/{id}")
        return answer

    async def list(
        self, pages: Pages, access: Access = allow("household.read"), site_id: str | None = None
    ) -> Page[schemas.HouseholdSummary]:
        return pages.page(await self._households.find(access, site_id, pages), schemas.summary)

    async def search(
        self, body: schemas.Wanted, pages: Pages, access: Access = allow("household.read")
    ) -> Page[schemas.HouseholdFound]:
        return await self._households.search(access, body, pages)

    async def read(
        self, household_id: str, response: Response, access: Access = allow("household.read")
    ) -> schemas.HouseholdView:
        return shown(response, await self._households.read(access, household_id), schemas.view)

    async def edit(
        self,
        household_id: str,
        body: schemas.HouseholdEdit,
        response: Response,
        expected: IfMatch,
        access: Access = allow("household.edit"),
    ) -> schemas.HouseholdReceipt:
        outcome = await self._households.edit(access, household_id, body, expected)
        answer: schemas.HouseholdReceipt = answered(response, outcome)
        return answer

    async def reads(
        self, household_id: str, pages: Pages, access: Access = allow("need.reads")
    ) -> Page[ReadView]:
        reads = await self._households.reads(access, household_id, pages)
        return pages.page(reads, lambda read: read_view(read, access.atlas))

    async def add_resident(
        self,
        household_id: str,
        body: schemas.ResidentIn,
        response: Response,
        op: Operation,
        access: Access = allow("household.edit"),
    ) -> schemas.HouseholdReceipt:
        outcome = await self._households.add_resident(access, household_id, body, op)
        answer: schemas.HouseholdReceipt = created(response, outcome, f"/api/households/{household_id}")
        return answer

    async def edit_resident(
        self,
        household_id: str,
        resident_id: str,
        body: schemas.ResidentEdit,
        response: Response,
        expected: IfMatch,
        access: Access = allow("household.edit"),
    ) -> schemas.HouseholdReceipt:
        outcome = await self._households.change_resident(access, household_id, resident_id, body, expected)
        answer: schemas.HouseholdReceipt = answered(response, outcome)
        return answer

"""`/organisations`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.directory.schemas.places import NewOrganisation, OrganisationEdit, OrganisationView
from services.directory.service.organisations import Organisations
from shared.contracts.vocabulary import OrganisationKind
from shared.http import Access, IfMatch, Operation, Page, Pages, allow, created, id_from, shown
from shared.ports import Where


def organisation_routes(organisations: Organisations) -> APIRouter:
    router = APIRouter()
    _reading(router, organisations)
    _changing(router, organisations)
    return router


def _reading(router: APIRouter, organisations: Organisations) -> None:
    @router.get("/organisations", operation_id="list_organisations", summary="Who takes part in the linkage")
    async def list_organisations(
        pages: Pages,
        kind: OrganisationKind | None = None,
        site_id: Annotated[str | None, Query(max_length=60)] = None,
        access: Access = allow("organisation.read"),
    ) -> Page[OrganisationView]:
        asked = [Where("party", "equal", kind.value)] if kind else []
        asked += [Where("site_id", "equal", site_id)] if site_id else []
        return pages.page(await organisations.organisations(pages.query(*asked)), OrganisationView.of)

    @router.get("/organisations/{id}", operation_id="read_organisation", summary="An organisation")
    async def read_organisation(
        id: str, response: Response, access: Access = allow("organisation.read")
    ) -> OrganisationView:
        return shown(response, await organisations.organisation(id), OrganisationView.of)


def _changing(router: APIRouter, organisations: Organisations) -> None:
    @router.post(
        "/organisations",
        operation_id="register_organisation",
        summary="Register an organisation",
        status_code=201,
    )
    async def register_organisation(
        response: Response,
        new: NewOrganisation,
        op: Operation,
        access: Access = allow("organisation.register"),
    ) -> OrganisationView:
        access.require(site_id=new.site_id, hidden=False)
        outcome = await organisations.register(new.organisation(id_from(op)), op=op)
        answer: OrganisationView = created(response, outcome, f"/api/organisations/{outcome.record.id}")
        return answer

    @router.patch("/organisations/{id}", operation_id="edit_organisation", summary="Change an organisation")
    async def edit_organisation(
        id: str,
        response: Response,
        edit: OrganisationEdit,
        expected: IfMatch,
        access: Access = allow("organisation.edit"),
    ) -> OrganisationView:
        before = (await organisations.organisation(id)).record
        for site_id in {before.site_id, edit.on(before).site_id}:
            access.require(site_id=site_id, hidden=False)
        return shown(response, await organisations.edit(id, edit.on, expected), OrganisationView.of)

"""`/areas` and `/sites`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.directory.schemas.places import AreaInPlace, AreaView, NewSite, NewVillage, SiteEdit, SiteView
from services.directory.service.places import Places
from shared.contracts.vocabulary import SiteKind
from shared.errors import Forbidden
from shared.http import (
    Access,
    IfMatch,
    Operation,
    Page,
    Pages,
    allow,
    created,
    id_from,
    public,
    shown,
)
from shared.ports import Where
from shared.security.policy import Scope

Parent = Annotated[str | None, Query(max_length=60)]


def place_routes(places: Places) -> APIRouter:
    router = APIRouter()
    _areas(router, places)
    _sites(router, places)
    return router


def _areas(router: APIRouter, places: Places) -> None:
    area_read = public("area.read")

    @router.get(
        "/areas", operation_id="list_areas", summary="The areas directly below one", dependencies=[area_read]
    )
    async def list_areas(pages: Pages, parent: Parent = None) -> Page[AreaView]:
        found = await places.areas_below(parent, pages.query(Where("parent", "equal", parent or "")))
        return pages.page(found, places.area_view)

    @router.get(
        "/areas/{code}",
        operation_id="read_area",
        summary="An area and those that hold it",
        dependencies=[area_read],
    )
    async def read_area(code: str) -> AreaInPlace:
        *above, own = [AreaView.of(area) for area in await places.lineage(code)]
        return AreaInPlace(**own.model_dump(), ancestors=above)

    @router.post(
        "/areas", operation_id="add_village", summary="Add a village below a township", status_code=201
    )
    async def add_village(
        response: Response, new: NewVillage, op: Operation, access: Access = allow("area.add")
    ) -> AreaView:
        _require_own_area(access, new.code)
        outcome = await places.add_village(new.code, new.name, op=op)
        answer: AreaView = created(response, outcome, f"/api/areas/{new.code}")
        return answer


def _sites(router: APIRouter, places: Places) -> None:
    @router.get("/sites", operation_id="list_sites", summary="The site tree")
    async def list_sites(
        pages: Pages,
        parent_id: Parent = None,
        kind: SiteKind | None = None,
        access: Access = allow("site.read"),
    ) -> Page[SiteView]:
        asked = [Where("parent_id", "equal", parent_id)] if parent_id else []
        asked += [Where("tier", "equal", kind.value)] if kind else []
        return pages.page(await places.sites(pages.query(*asked)), SiteView.of)

    @router.get("/sites/{id}", operation_id="read_site", summary="A site and its policy")
    async def read_site(id: str, response: Response, access: Access = allow("site.read")) -> SiteView:
        return shown(response, await places.site(id), SiteView.of)

    @router.post("/sites", operation_id="open_site", summary="Open a site below another", status_code=201)
    async def open_site(
        response: Response, new: NewSite, op: Operation, access: Access = allow("site.open")
    ) -> SiteView:
        access.require(site_id=new.parent_id, hidden=False)
        outcome = await places.open_site(new.site(id_from(op)), op=op)
        answer: SiteView = created(response, outcome, f"/api/sites/{outcome.record.id}")
        return answer

    @router.patch("/sites/{id}", operation_id="edit_site", summary="Change a site or its policy")
    async def edit_site(
        id: str, response: Response, edit: SiteEdit, expected: IfMatch, access: Access = allow("site.edit")
    ) -> SiteView:
        access.require(site_id=id, hidden=False)
        return shown(response, await places.edit_site(id, edit.on, expected), SiteView.of)


def _require_own_area(access: Access, code: str) -> None:
    """Villages may be added within the area that one's own site serves."""
    if access.scope is Scope.ANY:
        return
    site = access.atlas.site(access.principal.site_id or "")
    if site is None or not code.startswith(site.facts.area):
        raise Forbidden()

"""Packages: what there is, and what one comes to after an assessment. Nothing is saved here."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter

from services.needs.domain.package import PACKAGES, Package, expand
from services.needs.schemas import packages as schemas
from shared.errors import Invalid, NotFound
from shared.http import Access, Page, Pages, allow
from shared.run.kit import Kit

FARTHEST = timedelta(days=80)
"""The last visit of a package must still lie within the 90 days of a need."""


class PackageRoutes:
    def __init__(self, kit: Kit) -> None:
        self._clock = kit.clock
        self._atlas = kit.atlas

    def add_to(self, router: APIRouter) -> None:
        get, post = router.get, router.post
        get("/packages", operation_id="list_packages", summary="The packages there are")(self.list)
        get("/packages/{code}", operation_id="read_package", summary="One package")(self.read)
        post(
            "/packages/{code}/expand",
            operation_id="expand_package",
            summary="The lines it comes to; nothing is saved",
        )(self.expand)

    async def list(self, pages: Pages, access: Access = allow("package.read")) -> Page[schemas.PackageView]:
        return pages.whole([schemas.view(package) for package in PACKAGES.values()], lambda shown: shown.code)

    async def read(self, code: str, access: Access = allow("package.read")) -> schemas.PackageView:
        return schemas.view(_package(code))

    async def expand(
        self, code: str, body: schemas.AssessmentIn, access: Access = allow("package.read")
    ) -> schemas.Expansion:
        package = _package(code)
        zone = self._atlas.zone(access.principal.site_id or "")
        today = self._clock.now().astimezone(zone).date()
        first_day = body.first_day or today + timedelta(days=1)
        if not today < first_day <= today + FARTHEST:
            raise Invalid(
                "/first_day",
                zh="首日须在明天至 80 天之内",
                en="the first day lies between tomorrow and 80 days ahead",
            )
        lines = tuple(expand(package, body.found(), first_day, zone))
        return schemas.Expansion(
            package=package.code, category=package.category, field=package.field, lines=lines
        )


def _package(code: str) -> Package:
    package = PACKAGES.get(code)
    if package is None:
        raise NotFound()
    return package

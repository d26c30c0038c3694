"""Charity resources over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from services.resources.routes.bulk import Bulk
from services.resources.routes.donors import Donors
from services.resources.routes.funds import Funds
from services.resources.routes.holds import HoldRoutes
from services.resources.routes.lots import LotRoutes
from services.resources.service import Holds, Lots


def router(lots: Lots, holds: Holds) -> APIRouter:
    routes = APIRouter(tags=["resources"])
    for part in (Donors(lots), Bulk(lots), LotRoutes(lots), Funds(lots), HoldRoutes(holds)):
        part.add_to(routes)
    return routes

"""The directory over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from services.directory.routes.accounts import account_routes
from services.directory.routes.organisations import organisation_routes
from services.directory.routes.places import place_routes
from services.directory.routes.sessions import session_routes
from services.directory.service import Directory


def routes(directory: Directory) -> APIRouter:
    router = APIRouter()
    router.include_router(session_routes(directory), tags=["session"])
    router.include_router(account_routes(directory.accounts), tags=["accounts"])
    router.include_router(place_routes(directory.places), tags=["places"])
    router.include_router(organisation_routes(directory.organisations), tags=["organisations"])
    return router

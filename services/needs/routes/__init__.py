"""Needs intake over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from services.needs.routes.households import HouseholdRoutes
from services.needs.routes.leads import LeadRoutes
from services.needs.routes.needs import NeedRoutes
from services.needs.routes.packages import PackageRoutes
from services.needs.routes.referrals import ReferralRoutes
from services.needs.service import Contacts, Households, Leads, Loading
from shared.run.kit import Kit


def routes(kit: Kit, households: Households, leads: Leads, loading: Loading, contacts: Contacts) -> APIRouter:
    router = APIRouter(tags=["needs"])
    HouseholdRoutes(households).add_to(router)
    LeadRoutes(leads).add_to(router)
    ReferralRoutes(loading).add_to(router)
    NeedRoutes(loading, contacts).add_to(router)
    PackageRoutes(kit).add_to(router)
    return router

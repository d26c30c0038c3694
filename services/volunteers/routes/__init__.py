"""The volunteer registry over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from services.volunteers.routes.bulk import Bulk
from services.volunteers.routes.hours import HourRoutes
from services.volunteers.routes.invitations import InvitationRoutes
from services.volunteers.routes.people import People
from services.volunteers.routes.tasks import TaskRoutes
from services.volunteers.routes.teams import TeamRoutes
from services.volunteers.service import Volunteers
from shared.run.kit import Kit


def router(kit: Kit, volunteers: Volunteers) -> APIRouter:
    routes = APIRouter(tags=["volunteers"])
    parts = (Bulk(volunteers), People(kit, volunteers), HourRoutes(volunteers), TeamRoutes(volunteers),
             InvitationRoutes(kit, volunteers), TaskRoutes(kit, volunteers))  # fmt: skip
    for part in parts:
        part.add_to(routes)
    return routes

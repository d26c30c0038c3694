"""The wiring of this service."""

from __future__ import annotations

from services.volunteers.domain.asking import Asking
from services.volunteers.domain.calendar import Calendar
from services.volunteers.domain.helpers import Helper
from services.volunteers.domain.registry import Volunteer
from services.volunteers.domain.service_hours import ServiceRecord
from services.volunteers.domain.teams import Team
from services.volunteers.handlers import handlers
from services.volunteers.routes import router
from services.volunteers.service import volunteers
from shared.run.kit import Kit, Service, Sweep

RECORDS = (Volunteer, Calendar, Asking, Team, ServiceRecord, Helper)


def build(kit: Kit) -> Service:
    service = volunteers(kit)
    return Service(
        name="volunteers",
        records=RECORDS,
        router=router(kit, service),
        handlers=handlers(service),
        sweeps=[Sweep(Calendar, service.invitations.wake)],
    )

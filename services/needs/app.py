"""The wiring of needs intake."""

from __future__ import annotations

from services.needs.domain import ContactRead, Household, Lead, Need
from services.needs.handlers import handlers
from services.needs.routes import routes
from services.needs.service import Contacts, Households, Leads, Listening, Loading
from shared.run.kit import Kit, Service, Sweep

RECORDS = (Household, Lead, Need, ContactRead)


def build(kit: Kit) -> Service:
    leads, loading = Leads(kit), Loading(kit)
    return Service(
        name="needs",
        records=RECORDS,
        router=routes(kit, Households(kit), leads, loading, Contacts(kit)),
        handlers=handlers(leads, Listening(kit)),
        sweeps=(Sweep(Need, loading.wake), Sweep(Lead, leads.wake)),
    )

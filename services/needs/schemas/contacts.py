"""Contacts over HTTP: as much as is open, and who looked."""

from __future__ import annotations

from datetime import datetime

from services.needs.domain.disclosure import Contact, ContactRead
from services.needs.domain.need import Need
from services.needs.domain.words import Level
from shared.contracts import vocabulary as v
from shared.http import Schema


class ContactView(Schema):
    """As much of the contact as is open now. `area_names` run from the province down. Who asked and who passed it on is
    for staff."""

    need_id: str
    level: Level
    category: v.Category
    area: str
    area_names: tuple[str, ...]
    name: str | None = None
    phone: str | None = None
    address: str | None = None
    applicant_name: str | None = None
    applicant_phone: str | None = None
    relayer_name: str | None = None


class ReadView(Schema):
    reader_id: str
    level: Level
    read_at: datetime


def contact_view(
    need: Need, contact: Contact, area: str, area_names: list[str], *, staff: bool
) -> ContactView:
    asked, relayer = (need.applicant, need.relayer) if staff else (None, None)
    return ContactView(
        need_id=need.id,
        category=need.category,
        area=area,
        area_names=tuple(area_names),
        applicant_name=asked.name if asked else None,
        applicant_phone=asked.phone if asked else None,
        relayer_name=relayer.name if relayer else None,
        **contact._asdict(),
    )


def read_view(read: ContactRead) -> ReadView:
    return ReadView(reader_id=read.reader_id, level=read.level, read_at=read.read_at)

"""Contacts over HTTP: as much as is open, and who looked."""

from __future__ import annotations

from datetime import datetime

from services.needs.domain.disclosure import Contact, ContactRead
from services.needs.domain.need import Need
from services.needs.domain.words import Level
from shared.contracts import vocabulary as v
from shared.http import Schema
from shared.places import Atlas


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
    """Who looked. Roles, site and organisation are those of the account today: whom to ask, where the reader is of
    elsewhere and their account cannot be read."""

    reader_id: str
    reader_roles: tuple[v.Role, ...] = ()
    reader_site_id: str | None = None
    reader_organisation_id: str | None = None
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


def read_view(read: ContactRead, atlas: Atlas) -> ReadView:
    reader = atlas.account(read.reader_id)
    return ReadView(
        reader_id=read.reader_id,
        reader_roles=reader.roles if reader else (),
        reader_site_id=reader.site_id if reader else None,
        reader_organisation_id=reader.organisation_id if reader else None,
        level=read.level,
        read_at=read.read_at,
    )

"""Donors: the only place where their names and phones are shown."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from services.resources.domain.records import Donor
from services.resources.schemas.parts import Name
from shared.http import Schema

Phone = Annotated[str, StringConstraints(min_length=1, max_length=30)]


class DonorBody(Schema):
    """`code` is what stands on the donor's receipt, if there is one."""

    name: Name
    phone: Phone | None = None
    code: Name | None = None


class DonorView(Schema):
    id: str
    charity_id: str
    name: str
    phone: str | None
    code: str | None

    @classmethod
    def of(cls, donor: Donor) -> DonorView:
        return cls(
            id=donor.id, charity_id=donor.charity_id, name=donor.name, phone=donor.phone, code=donor.code
        )

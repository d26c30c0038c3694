"""Whose profile, calendar and tasks a request reaches."""

from __future__ import annotations

from services.volunteers.domain.registry import Volunteer
from services.volunteers.service import Volunteers
from shared.http import Access
from shared.ports import Where
from shared.records import Versioned
from shared.searches import either


async def person_within(volunteers: Volunteers, id: str, access: Access) -> Versioned[Volunteer]:
    """The person, if they are registered and in reach: themselves, or of a site in reach. NotFound otherwise."""
    found = await volunteers.registry.read(id)
    if not access.is_own(id):
        access.require(site_id=found.record.site_id)
    return found


def as_staff(access: Access, person: Volunteer) -> bool:
    """Whether this is somebody acting for the person's station, not only for themselves."""
    return access.reaches(site_id=person.site_id)


def reachable_people(access: Access) -> list[Where]:
    """Everybody of the sites in reach, and oneself wherever one is registered."""
    sites = access.sites()
    if sites is None:
        return []
    oneself = Where("id", "equal", access.principal.account_id)
    return [either(Where("site_id", "one_of", sites), oneself) if sites else oneself]

"""Contacts: opened step by step, and every look on record."""

from __future__ import annotations

from services.needs.domain import disclosure
from services.needs.domain.disclosure import Contact, ContactRead
from services.needs.domain.household import Household
from services.needs.domain.need import Need
from services.needs.domain.refusals import ContactClosed
from services.needs.domain.words import Level
from services.needs.schemas.contacts import ContactView, contact_view
from services.needs.service.desk import Desk
from shared.http import Access
from shared.http.pages import Paging
from shared.ports import Where
from shared.records import Versioned


class Contacts(Desk):
    async def read(self, access: Access, need_id: str) -> ContactView:
        """The contact as far as it is open to this person now. Raises NotFound, ContactClosed."""
        need = (await self._found(Need, need_id)).record
        staff = access.reaches(site_id=need.site_id)
        level = Level.FULL if staff else self._level(access, need)
        household = (await self._found(Household, need.household_id)).record
        if staff and not (need.going_on or access.reaches(site_id=household.site_id)):
            raise ContactClosed()  # the file was handed over since
        if level is not Level.AREA:
            await self._note_read(access, level, household_id=need.household_id, need_id=need.id)
        opened, area = self._opened(need, household, level, staff), household.area
        return contact_view(need, opened, area, self._names(area), staff=staff)

    async def reads(self, access: Access, need_id: str, pages: Paging) -> list[Versioned[ContactRead]]:
        """Who looked at the contact of this need, newest first."""
        await self._need(access, need_id)
        query = pages.query(Where("need_id", "equal", need_id), order="read_ms", descending=True)
        return await self._store.find(ContactRead, query)

    def _level(self, access: Access, need: Need) -> Level:
        """How much is open to somebody who is not of the station: by the seat that they hold, whatever their role, since
        named people are social workers and staff of other stations too."""
        taken = need.taken_over
        if taken and access.reaches(organisation_id=taken.organisation_id):
            if not self._is_open(taken.organisation_id or ""):
                raise ContactClosed()
            return disclosure.level_for_organisation(need, self._clock.now())
        return disclosure.level_for_volunteer(need, access.principal.account_id, self._clock.now())

    def _opened(self, need: Need, household: Household, level: Level, staff: bool) -> Contact:
        if staff:
            return disclosure.open_to_staff(need, household)
        village, day = "".join(self._names(household.area)), self._moment(need.site_id).day
        return disclosure.open_to_helper(need, household, level, village, day)

    def _names(self, area: str) -> list[str]:
        return self._atlas.area_names(area)

"""Households and their residents: the file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from services.needs.domain import household as domain
from services.needs.domain.disclosure import ContactRead
from services.needs.domain.household import Household, OldAddress
from services.needs.domain.lead import Lead, need_id_of
from services.needs.domain.need import Need
from services.needs.domain.refusals import LeadDecided
from services.needs.domain.words import Level, Move
from services.needs.schemas import households as schemas
from services.needs.service.desk import Desk, existing
from shared.contracts.vocabulary import LeadStatus
from shared.errors import Invalid
from shared.http import Access, Page
from shared.http.pages import Paging
from shared.ports import Op, Where
from shared.records import Change, Outcome, Versioned
from shared.times import milliseconds

LOOKED_AT = 1000
"""So many files are searched at once: names stand in the files alone, and no index holds them."""


class Households(Desk):
    async def register(
        self, access: Access, asked: schemas.HouseholdIn, op: Op, id: str
    ) -> Outcome[Household]:
        """File a household at a site, with the residents known so far. Where the station of the lead has closed, whoever
        looks into it files it at their own."""
        lead, decided = await self._lead(access, asked.lead_id, asked.site_id)
        if lead and self._is_open_site(lead.site_id):
            site_id = lead.site_id
        else:
            site_id = self._reached(access, asked.site_id or access.principal.site_id)
        now = self._clock.now()
        first = Household(
            id=id,
            site_id=site_id,
            area=asked.area,
            cell=asked.location.cell() if asked.location else None,
            address=asked.address,
            phone=asked.phone,
            target_groups=asked.target_groups,
            old_addresses=_resettled_from(asked, now),
            registered_by=access.principal.account_id,
            created_at=now,
            created_ms=milliseconds(now),
        )

        def decide(record: Household | None) -> Change[Household]:
            if record is not None:
                return _answered(Change(record))
            if decided:
                raise LeadDecided()
            self._open_site(site_id)
            self._require_homes(asked)
            residents = [r.resident() for r in asked.residents]
            self._require_born(residents, site_id)
            return _answered(domain.register(first, residents))

        return await self._store.change(Household, id, decide, op=op)

    async def edit(
        self, access: Access, id: str, asked: schemas.HouseholdEdit, expected: int
    ) -> Outcome[Household]:
        if asked.area is not None:
            self._require_home(asked.area)
        now = self._clock.now()

        def correct(household: Household) -> Household:
            if asked.site_id not in (None, household.site_id):
                self._open_site(self._reached(access, asked.site_id))
            return domain.edited(household, asked.changes(), asked.move, now)

        return await self._edited(access, id, correct, expect=expected)

    async def add_resident(
        self, access: Access, id: str, asked: schemas.ResidentIn, op: Op
    ) -> Outcome[Household]:
        resident = asked.resident()

        def join(household: Household) -> Household:
            self._require_born([resident], household.site_id, "/birth_date")
            return domain.with_resident(household, resident)

        return await self._edited(access, id, join, op=op)

    async def change_resident(
        self, access: Access, id: str, resident_id: str, asked: schemas.ResidentEdit, expected: int
    ) -> Outcome[Household]:
        def correct(household: Household) -> Household:
            after = domain.with_changed_resident(household, resident_id, asked.changes())
            self._require_born(
                [r for r in after.residents if r.id == resident_id], household.site_id, "/birth_date"
            )
            return after

        return await self._edited(access, id, correct, expect=expected)

    async def read(self, access: Access, id: str) -> Versioned[Household]:
        """The whole file; that it was read is on record before it is shown."""
        found = await self._found(Household, id)
        access.require(site_id=found.record.site_id)
        await self._note_read(access, Level.FILE, household_id=id)
        return found

    async def reads(self, access: Access, id: str, pages: Paging) -> list[Versioned[ContactRead]]:
        """Who read this file or a contact of this household, newest first."""
        found = await self._found(Household, id)
        access.require(site_id=found.record.site_id)
        query = pages.query(Where("household_id", "equal", id), order="read_ms", descending=True)
        return await self._store.find(ContactRead, query)

    async def find(self, access: Access, site_id: str | None, pages: Paging) -> list[Versioned[Household]]:
        query = pages.query(*self._of_sites(access, site_id), order="created_ms", descending=True)
        return await self._store.find(Household, query)

    async def search(
        self, access: Access, wanted: schemas.Wanted, pages: Paging
    ) -> Page[schemas.HouseholdFound]:
        """Households of sites within reach with a resident of this name or phone, or of this phone, newest first.

        A page looks at so many files at most, so it may be empty and still lead to another one. Who looks for the one that
        a lead is about, of a station that is not theirs, is on record before they see whom they found.
        """
        if not domain.plain(wanted.name or "") and not domain.digits(wanted.phone or ""):
            raise Invalid("/name", zh="请填写姓名或电话", en="name somebody, or give a phone number")
        lead, decided = await self._lead(access, wanted.lead_id, wanted.site_id)
        if decided:
            raise LeadDecided()
        if lead and wanted.site_id in (None, lead.site_id):
            where = [Where("site_id", "equal", lead.site_id)]
        else:
            where = self._of_sites(access, wanted.site_id)
        query = pages.query(*where, order="created_ms", descending=True, look_at=LOOKED_AT)
        page = pages.sifted(
            await self._store.find(Household, query),
            lambda household: domain.is_found(household, wanted.name, wanted.phone),
            lambda household: schemas.found(household, wanted),
        )
        for found in page.items if lead else ():
            await self._note_read(access, Level.MASKED, household_id=found.id)
        return page

    async def _lead(
        self, access: Access, lead_id: str | None, site_id: str | None
    ) -> tuple[Lead | None, bool]:
        """The lead for whose site somebody acts to whom it was raised, and whether it is decided: then they do no more."""
        if lead_id is None:
            return None, False
        found = await self._store.get(Lead, lead_id)
        if found is None or not access.reaches_raised(found.record.site_id, found.record.tier_site_id):
            raise Invalid("/lead_id", zh="没有这条线索", en="there is no such lead")
        lead = found.record
        if site_id not in (None, lead.site_id) and self._is_open_site(lead.site_id):
            raise Invalid("/site_id", zh="这条线索属于另一个站点", en="this lead is of another site")
        needed = await self._store.get(Need, need_id_of(lead_id)) is not None
        return lead, needed or lead.status is not LeadStatus.REPORTED

    async def _edited(
        self,
        access: Access,
        id: str,
        edit: Callable[[Household], Household],
        *,
        op: Op | None = None,
        expect: int | None = None,
    ) -> Outcome[Household]:
        found = await self._found(Household, id)
        access.require(site_id=found.record.site_id)

        def decide(record: Household | None) -> Change[Household]:
            household = existing(record)
            return _answered(domain.changed(household, edit(household)))

        return await self._store.change(Household, id, decide, op=op, expect=expect)

    def _require_homes(self, asked: schemas.HouseholdIn) -> None:
        """Refuse a home, or one that was left, in an area that does not exist."""
        self._require_home(asked.area)
        if asked.old_area is not None and self._atlas.area(asked.old_area) is None:
            raise Invalid("/old_area", zh="没有这个区域代码", en="there is no area with this code")

    def _require_born(
        self, residents: Sequence[domain.Resident], site_id: str, field: str | None = None
    ) -> None:
        """Refuse a birth date that lies ahead, or so far back that it must be a slip."""
        today = self._moment(site_id).day
        for n, resident in enumerate(residents):
            born = resident.birth_date
            if born is not None and not (today.year - domain.OLDEST <= born.year and born <= today):
                raise Invalid(
                    field or f"/residents/{n}/birth_date",
                    zh="出生日期不合理",
                    en="this cannot be a birth date",
                )


def _resettled_from(asked: schemas.HouseholdIn, now: datetime) -> tuple[OldAddress, ...]:
    if asked.old_address is None or asked.old_area is None:
        if asked.old_address or asked.old_area:
            pointer = "/old_area" if asked.old_address else "/old_address"
            raise Invalid(
                pointer, zh="原住址与原区域须一起填写", en="give the old address and its area together"
            )
        return ()
    return (OldAddress(area=asked.old_area, address=asked.old_address, until_at=now, why=Move.RESETTLED),)


def _answered(change: Change[Household]) -> Change[Household]:
    answer = schemas.receipt(change.record).model_dump(mode="json")
    return Change(change.record, *change.events, answer=answer)

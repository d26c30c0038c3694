"""What every part of this service stands on: the store, the present moment, and checks of places."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from services.needs.domain.disclosure import ContactRead
from services.needs.domain.need import Need
from services.needs.domain.ordering import Moment
from services.needs.domain.words import Level
from shared.errors import Forbidden, Invalid, NotFound
from shared.http import Access
from shared.places import Site
from shared.places.divisions import LEVELS
from shared.ports import Where
from shared.records import Change, Record, Versioned
from shared.run.kit import Kit
from shared.times import milliseconds

R = TypeVar("R", bound=Record)
LIVED_IN = frozenset({"township", "village"})


class Desk:
    """Base of the parts of the service."""

    def __init__(self, kit: Kit) -> None:
        self._store = kit.store
        self._clock = kit.clock
        self._ids = kit.ids
        self._atlas = kit.atlas

    def _moment(self, site_id: str, now: datetime | None = None) -> Moment:
        now = now or self._clock.now()
        return Moment(now, now.astimezone(self._atlas.zone(site_id)).date(), self._atlas.policy(site_id))

    def _require_home(self, area: str, field: str = "/area") -> None:
        """Refuse an area that is not a township or village of the area tree."""
        if self._atlas.area(area) is None or LEVELS.get(len(area)) not in LIVED_IN:
            raise Invalid(
                field,
                zh="没有这个乡镇（街道）或村（社区）代码",
                en="there is no township or village with this code",
            )

    def _open_site(self, site_id: str | None) -> Site:
        """The site, if it is known and open."""
        site = self._atlas.site(site_id) if site_id else None
        if site is None or not site.facts.active:
            raise Invalid("/site_id", zh="请填写一个开放的站点", en="name a site that is open")
        return site

    def _is_open_site(self, site_id: str) -> bool:
        site = self._atlas.site(site_id)
        return site is not None and site.facts.active

    def _above(self, site_id: str) -> list[str]:
        """The open sites above this one, the nearest first."""
        return [id for id in self._atlas.upwards(site_id)[1:] if self._is_open_site(id)]

    def _reached(self, access: Access, site_id: str | None, owner_id: str | None = None) -> str:
        """The id of a site at which the principal may do this. Whether it is open still is asked where it is decided, of
        which a request that comes again hears nothing."""
        if not access.reaches(site_id=site_id, owner_id=owner_id):
            self._open_site(site_id)
            raise Forbidden()
        return site_id or ""

    def _of_sites(self, access: Access, site_id: str | None) -> list[Where]:
        """The conditions for a list: one site that is within reach, or all that are."""
        if site_id is not None:
            access.require(site_id=site_id)
            return [Where("site_id", "equal", site_id)]
        sites = access.sites()
        return [] if sites is None else [Where("site_id", "one_of", sites)]

    def _raised_to(self, access: Access, tier_site_id: str, site_id: str | None) -> list[Where]:
        """The conditions for a list of what sites below raised to this one, also if it has been raised further since."""
        if site_id is not None:
            raise Invalid(
                "/tier_site_id", zh="请与 site_id 二选一", en="ask by this or by site_id, not by both"
            )
        access.require(site_id=tier_site_id)
        sites = (site.id for site in self._atlas.sites())
        below = tuple(id for id in sites if id != tier_site_id and self._atlas.is_under(id, tier_site_id))
        tiers = tuple(self._atlas.upwards(tier_site_id))
        return [Where("tier_site_id", "one_of", tiers), Where("site_id", "one_of", below)]

    async def _note_read(
        self, access: Access, level: Level, *, household_id: str, need_id: str | None = None
    ) -> None:
        """Put on record, durably, who is about to see how much of whom."""
        now, id = self._clock.now(), self._ids.new()
        read = ContactRead(
            id=id,
            household_id=household_id,
            need_id=need_id,
            reader_id=access.principal.account_id,
            level=level,
            read_at=now,
            read_ms=milliseconds(now),
        )
        await self._store.change(ContactRead, id, lambda _: Change(read))

    def _is_open(self, organisation_id: str) -> bool:
        """Whether this organisation takes part still; one not heard of yet does."""
        organisation = self._atlas.organisation(organisation_id)
        return organisation is None or organisation.active

    def _acts_for(self, access: Access, organisation_id: str) -> bool:
        """Whether the principal may do this for the organisation, and it takes part still."""
        return access.reaches(organisation_id=organisation_id) and self._is_open(organisation_id)

    async def _found(self, kind: type[R], id: str) -> Versioned[R]:
        found = await self._store.get(kind, id)
        if found is None:
            raise NotFound()
        return found

    async def _need(self, access: Access, id: str) -> Versioned[Need]:
        """A need of a site that the principal reaches."""
        found = await self._found(Need, id)
        access.require(site_id=found.record.site_id)
        return found


def existing(record: R | None) -> R:
    if record is None:
        raise NotFound()
    return record

"""People: registering, editing, activating, certifying, blocking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from services.volunteers.domain import registry
from services.volunteers.domain.registry import Volunteer, VolunteerStatus
from services.volunteers.schemas.people import CertificateNew, VolunteerEdit, VolunteerNew, VolunteerView
from services.volunteers.service.answers import existing, with_answer
from services.volunteers.service.helpers import Helpers
from shared.contracts.base import Message
from shared.contracts.directory import AccountChanged
from shared.contracts.vocabulary import Certificate
from shared.errors import Invalid, NotFound
from shared.many import Wanted, change_many
from shared.ports import Op, Query
from shared.records import Change, Outcome, Versioned
from shared.run.kit import Kit
from shared.security.digests import is_id
from shared.security.policy import POLICY


class Registry:
    """Who helps. Each change says `VolunteerChanged`, without name and phone."""

    def __init__(self, kit: Kit, helpers: Helpers) -> None:
        self._helpers = helpers
        self._store = kit.store
        self._clock = kit.clock
        self._atlas = kit.atlas

    async def read(self, id: str) -> Versioned[Volunteer]:
        found = await self._store.get(Volunteer, id)
        if found is None:
            raise NotFound()
        return found

    async def has(self, id: str) -> bool:
        return await self._store.get(Volunteer, id) is not None

    async def list(self, query: Query) -> list[Versioned[Volunteer]]:
        return await self._store.find(Volunteer, query)

    async def register(
        self, id: str, site_id: str, asked: VolunteerNew, op: Op, *, by: str, staff: bool
    ) -> Outcome[Volunteer]:
        """Write a person into the registry. Whom staff register is active at once; others wait for staff."""
        now = self._clock.now()
        new = self._new(id, site_id, asked, by, staff, now)
        return await self._store.change(
            Volunteer,
            id,
            lambda known: with_answer(self._registered(known, new, now), VolunteerView.of),
            op=op,
        )

    def registering(
        self, id: str, site_id: str, asked: VolunteerNew, op: Op, *, by: str
    ) -> Wanted[Volunteer]:
        """The same, by staff, to be carried out together with others; no answer is kept."""
        now = self._clock.now()
        new = self._new(id, site_id, asked, by, True, now)
        return Wanted(id, lambda known: self._registered(known, new, now), op)

    async def register_all(
        self, wanted: Sequence[Wanted[Volunteer]]
    ) -> Sequence[Outcome[Volunteer] | Exception]:
        return await change_many(self._store, Volunteer, wanted)

    def _registered(self, known: Volunteer | None, new: Volunteer, now: datetime) -> Change[Volunteer]:
        """Whether the site is open still is asked here, of which a request that comes again hears nothing."""
        if known is None:
            self._must_be_open(new.site_id)
        return registry.register(known, new, now)

    def _new(
        self, id: str, site_id: str, asked: VolunteerNew, by: str, staff: bool, now: datetime
    ) -> Volunteer:
        self._must_be_an_account(asked.account_id)
        self._must_know(site_id, asked.area)
        status = VolunteerStatus.ACTIVE if staff else VolunteerStatus.PENDING
        zone = self._atlas.zone(site_id).key
        new = asked.volunteer(id, site_id, zone, status, by, by if staff else None, now)
        account = self._atlas.account(id)
        return new if account is None else new.but(can_answer=can_answer(account))

    async def edit(self, id: str, asked: VolunteerEdit, expected: int) -> Outcome[Volunteer]:
        self._must_know(asked.site_id, asked.area)
        changes, now = asked.changes(), self._clock.now()
        left = (await self.read(id)).record.site_id
        if changes.get("site_id", left) != left:
            self._must_be_open(changes["site_id"])
            # First: what they promised there, whoever moves still comes to do.
            await self._helpers.remember(left, id)
        return await self._store.change(
            Volunteer, id, lambda v: registry.edit(existing(v), changes, now), expect=expected
        )

    async def activate(self, id: str, op: Op, by: str) -> Outcome[Volunteer]:
        return await self._change(id, op, lambda v, now: registry.activate(v, by))

    async def deactivate(self, id: str, op: Op) -> Outcome[Volunteer]:
        return await self._change(id, op, lambda v, now: registry.deactivate(v))

    async def certify(
        self, id: str, asked: CertificateNew, op: Op, seen_by: str | None
    ) -> Outcome[Volunteer]:
        new = asked.certified(seen_by)
        return await self._change(id, op, lambda v, now: registry.certify(v, new, now))

    async def withdraw_certificate(self, id: str, kind: Certificate, op: Op) -> Outcome[Volunteer]:
        return await self._change(id, op, lambda v, now: registry.withdraw_certificate(v, kind))

    async def block(self, id: str, until: datetime | None, op: Op) -> Outcome[Volunteer]:
        return await self._change(id, op, lambda v, now: registry.block(v, until))

    async def _change(
        self, id: str, op: Op, decide: Callable[[Volunteer, datetime], Change[Volunteer]]
    ) -> Outcome[Volunteer]:
        now = self._clock.now()
        return await self._store.change(
            Volunteer, id, lambda v: with_answer(decide(existing(v), now), VolunteerView.of), op=op
        )

    async def note_account(self, event: AccountChanged, message: Message) -> None:
        """Keep the profile in line with the account, if it belongs to a volunteer."""
        id, able = message.subject, can_answer(event)
        if not self._atlas.knows_newer(message) and await self._store.get(Volunteer, id) is not None:
            await self._store.change(
                Volunteer, id, lambda v: registry.note_account(existing(v), able), cause=message
            )

    def _must_be_an_account(self, id: str | None) -> None:
        """Refuse an id that somebody made up: it becomes the volunteer's and travels in events, as no name may."""
        if id is not None and not is_id(id) and self._atlas.account(id) is None:
            raise Invalid(
                "/account_id",
                zh="没有这个账号：请填 /api/accounts 给出的账号编号；没有账号的人，请留空",
                en="there is no such account: give its id as /api/accounts shows it, or leave it out for a person"
                " who never signs in",
            )

    def _must_be_open(self, site_id: str) -> None:
        site = self._atlas.site(site_id)
        if site is None or not site.facts.active:
            raise Invalid("/site_id", zh="请填写一个开放的站点", en="name a site that is open")

    def _must_know(self, site_id: str | None, area: str | None) -> None:
        """Refuse a site or an area that does not exist."""
        if site_id is not None and self._atlas.site(site_id) is None:
            raise Invalid("/site_id", zh="没有这个站点", en="there is no such site")
        if area is not None and self._atlas.area(area) is None:
            raise Invalid("/area", zh="没有这个地区代码", en="there is no such area code")


def can_answer(account: AccountChanged) -> bool:
    """Whether whoever has this account can sign in and say yes or no."""
    return account.active and not POLICY["invitation.answer"].keys().isdisjoint(account.roles)

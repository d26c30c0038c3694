"""Leads: reported by scouts, decided by staff; the scout hears what came of it."""

from __future__ import annotations

from services.needs.domain import lead as domain
from services.needs.domain.household import Household
from services.needs.domain.lead import Lead, need_id_of
from services.needs.domain.need import Need
from services.needs.domain.refusals import LeadDecided
from services.needs.domain.said import Relayer
from services.needs.domain.words import DISMISSALS, Channel, LeadOutcome
from services.needs.schemas import leads as schemas
from services.needs.schemas.needs import OrderIn
from services.needs.service.desk import existing
from services.needs.service.needs import Needs, answered
from shared.contracts.base import Message
from shared.contracts.needs import NeedCancelled, NeedCompleted, NeedLapsed, NeedPosted, NeedReferred
from shared.contracts.vocabulary import LeadStatus
from shared.errors import Invalid, NotFound
from shared.http import Access
from shared.http.pages import Paging
from shared.ports import Op, Where
from shared.records import Change, Outcome, Versioned
from shared.searches import either
from shared.security.policy import Scope
from shared.times import milliseconds

ENDINGS = {
    NeedCompleted: LeadOutcome.HELPED,
    NeedReferred: LeadOutcome.HANDED_ON,
    NeedCancelled: LeadOutcome.CLOSED,
    NeedLapsed: LeadOutcome.NOT_FOUND,
}


class Leads(Needs):
    async def report(self, access: Access, asked: schemas.LeadIn, op: Op, id: str) -> Outcome[Lead]:
        """送单: a suspicion, reported at the site of whoever reports it; where that has closed, at the next open one above."""
        me = access.principal
        own = self._reached(access, me.site_id, me.account_id)
        site_id = own if self._is_open_site(own) else next(iter(self._above(own)), own)
        at = self._moment(site_id)
        lead = Lead(
            id=id,
            site_id=site_id,
            area=asked.area,
            scout_id=me.account_id,
            hints=asked.hints,
            text=asked.text,
            crisis=asked.crisis,
            reported_at=at.now,
            reported_ms=milliseconds(at.now),
        )

        def decide(known: Lead | None) -> Change[Lead]:
            if known is not None:
                return _answered(Change(known))
            self._require_somebody_there(site_id)
            self._require_home(asked.area)
            return _answered(domain.report(lead, at))

        return await self._store.change(Lead, id, decide, op=op)

    def _require_somebody_there(self, site_id: str) -> None:
        if not self._is_open_site(site_id):
            raise Invalid(
                "",
                zh="您的站点已关闭，上级也没有开放的站点：请联系管理员；有人身危险时请直接拨打 110 或 120",
                en="your site has closed and none above it is open: ask the administrator, and where somebody is in danger"
                " call 110 or 120",
            )

    async def read_lead(self, access: Access, id: str) -> Versioned[Lead]:
        found = await self._found(Lead, id)
        if not access.reaches(owner_id=found.record.scout_id):
            self._require_staff(access, found.record)
        return found

    def is_staff(self, access: Access, lead: Lead) -> bool:
        """Whether this is somebody who decides about it: of its site, or of one that is to look as well."""
        return access.reaches_raised(lead.site_id, lead.tier_site_id)

    def _require_staff(self, access: Access, lead: Lead) -> None:
        if not self.is_staff(access, lead):
            raise NotFound()

    async def find_leads(
        self,
        access: Access,
        site_id: str | None,
        tier_site_id: str | None,
        status: LeadStatus | None,
        pages: Paging,
    ) -> list[Versioned[Lead]]:
        """Staff see those of their sites, or those that were raised to one of them; a scout their own; who is both, both."""
        me = access.principal.account_id
        own = [Where("scout_id", "equal", me)] if access.reaches(owner_id=me) else []
        if access.scope is Scope.OWN:
            where = own
        elif tier_site_id is not None:
            where = self._raised_to(access, tier_site_id, site_id)
        else:
            where = self._of_sites(access, site_id)
            if own and where and site_id is None:
                where = [either(*where, *own)]
        if status is not None:
            where.append(Where("status", "equal", status))
        return await self._store.find(Lead, pages.query(*where, order="reported_ms", descending=True))

    async def verify(self, access: Access, id: str, asked: OrderIn, op: Op) -> Outcome[Need]:
        """Make a need of a lead.

        The need is what is written, under an id that derives from the lead's, and it waits visibly from that
        moment; the lead hears of it by the need's own message. So nothing is lost in between, and no lead becomes
        two needs. Where the household has been handed over since, it is a need of the station that has it now; where the
        lead's own station has closed, of the one that has the household.
        """
        lead = (await self._found(Lead, id)).record
        self._require_staff(access, lead)
        try:
            household = await self._household_for(access, asked, lead)
        except Invalid:
            # Of a household that was handed over since, what was done is said again.
            if await self._store.get(Need, need_id_of(id)) is None:
                raise
            return await self._store.change(Need, need_id_of(id), _decided, op=op)
        order = asked.order(lead_id=id, channel=Channel.SCOUT, relayer=Relayer(account_id=lead.scout_id))
        at = self._moment(household.site_id)

        def decide(need: Need | None) -> Change[Need]:
            if need is not None:
                raise LeadDecided()
            domain.require_undecided(lead)
            return answered(self._posted(need_id_of(id), order, household, access, at))

        return await self._store.change(Need, need_id_of(id), decide, op=op)

    async def _household_for(self, access: Access, asked: OrderIn, lead: Lead) -> Household:
        """The household that the lead was about, as far as its station tells."""
        household = await self._household(access, asked, of_site=lead.site_id)
        elsewhere = lead.site_id not in (household.site_id, household.first_site_id)
        if elsewhere and self._is_open_site(lead.site_id):
            raise Invalid(
                "/household_id", zh="这户不属于该线索的站点", en="this household is not of the lead's site"
            )
        return household

    async def dismiss(self, access: Access, id: str, outcome: LeadOutcome, op: Op) -> Outcome[Lead]:
        self._require_staff(access, (await self._found(Lead, id)).record)
        if outcome not in DISMISSALS:
            raise Invalid(
                "/outcome",
                zh="请选择“已掌握”或“不需要帮助”",
                en="choose known or not_confirmed as the outcome",
            )
        verified = await self._store.get(Need, need_id_of(id))
        now, by = self._clock.now(), access.principal.account_id

        def decide(lead: Lead | None) -> Change[Lead]:
            if verified is not None:
                raise LeadDecided()
            return _answered(domain.dismiss(existing(lead), outcome, by, now))

        return await self._store.change(Lead, id, decide, op=op)

    async def wake(self, id: str) -> None:
        """Nobody has decided about a lead in time. One of which a need was made is only late to hear of it."""
        lead = (await self._found(Lead, id)).record
        at, need = self._moment(lead.site_id), await self._store.get(Need, need_id_of(id))
        above = self._above(lead.site_id)

        def decide(record: Lead | None) -> Change[Lead]:
            if need is not None:
                return domain.verify(existing(record), need.record.id, need.record.created_by, at.now)
            return domain.raise_tier(existing(record), above, at)

        await self._store.change(Lead, id, decide)

    async def note_posted(self, event: NeedPosted, message: Message) -> None:
        """A need was posted: if it came of a lead, the lead is verified."""
        if event.lead_id is not None:
            by, now = (await self._made(message.subject)).created_by, self._clock.now()
            await self._store.change(
                Lead,
                event.lead_id,
                lambda r: domain.verify(existing(r), message.subject, by, now),
                cause=message,
            )

    async def note_ending(
        self, event: NeedCompleted | NeedReferred | NeedCancelled | NeedLapsed, message: Message
    ) -> None:
        """A need ended: if it came of a lead, the scout is told in kind words."""
        need, outcome = await self._made(message.subject), ENDINGS[type(event)]
        now = self._clock.now()
        if need.lead_id is not None:
            await self._store.change(
                Lead,
                need.lead_id,
                lambda r: domain.follow(existing(r), outcome, message.subject, need.created_by, now),
                cause=message,
            )

    async def _made(self, need_id: str) -> Need:
        need = await self._store.get(Need, need_id)
        if need is None:
            raise NotFound()
        return need.record


def _decided(_: Need | None) -> Change[Need]:
    raise LeadDecided()


def _answered(change: Change[Lead]) -> Change[Lead]:
    """The answer to scouts and staff alike: what the scout may see."""
    answer = schemas.course(change.record).model_dump(mode="json")
    return Change(change.record, *change.events, answer=answer)

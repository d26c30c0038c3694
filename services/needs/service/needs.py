"""Needs: posted, edited, cancelled, referred, rated."""

from __future__ import annotations

from collections.abc import Callable

from services.needs.domain import closing, lifecycle, ordering
from services.needs.domain.household import Household
from services.needs.domain.lead import Lead
from services.needs.domain.need import Need
from services.needs.domain.ordering import Moment, Order
from services.needs.domain.parties import Known, Party, parties
from services.needs.domain.said import Attempt, Rating, Referral
from services.needs.schemas import needs as schemas
from services.needs.schemas.views import referred, summary
from services.needs.service.desk import Desk, existing
from shared.contracts.vocabulary import OrganisationKind
from shared.errors import Invalid, NotFound
from shared.http import Access, Schema, answering
from shared.http.pages import Paging
from shared.ports import Op, Where
from shared.records import Change, Outcome, Versioned

Act = Callable[[Need, Moment], Change[Need]]
View = Callable[[Need], Schema]


class Needs(Desk):
    async def post(self, access: Access, asked: schemas.NeedIn, op: Op, id: str) -> Outcome[Need]:
        """点单: from the moment this returns, the need is looked after, whatever happens."""
        try:
            household = await self._household(access, asked)
        except Invalid:
            # Of a household that was handed over since, what was done is said again.
            if await self._store.get(Need, id) is None:
                raise
            return await self._store.change(Need, id, lambda n: answered(Change(existing(n))), op=op)
        order, at = asked.order(), self._moment(household.site_id)

        def decide(need: Need | None) -> Change[Need]:
            if need is not None:
                return answered(Change(need))
            if asked.draft:
                by = access.principal.account_id
                return answered(ordering.save_draft(ordering.write_order(id, order, household, by, at), at))
            return answered(self._posted(id, order, household, access, at))

        return await self._store.change(Need, id, decide, op=op)

    async def submit(self, access: Access, id: str, op: Op) -> Outcome[Need]:
        """Post a draft."""
        need = (await self._need(access, id)).record
        household = (await self._found(Household, need.household_id)).record
        return await self._act(access, id, lambda n, at: ordering.submit(n, household, at), op=op)

    async def edit(self, access: Access, id: str, asked: schemas.NeedEdit, expected: int) -> Outcome[Need]:
        wanted = asked.edit()
        return await self._act(access, id, lambda n, at: ordering.edit(n, wanted, at), expect=expected)

    async def cancel(self, access: Access, id: str, asked: schemas.Cancellation, op: Op) -> Outcome[Need]:
        by = access.principal.account_id
        return await self._act(
            access, id, lambda n, at: closing.cancel(n, asked.reason, asked.note, by, at), op=op
        )

    async def refer(self, access: Access, id: str, asked: schemas.ReferralIn, op: Op) -> Outcome[Need]:
        """转介: to an organisation of the directory, or to an outside body whose answer staff will enter."""
        if (asked.organisation_id is None) == (asked.body is None):
            raise Invalid(
                "/organisation_id",
                zh="请填写机构或外部单位其中一项",
                en="name an organisation, or else an outside body",
            )
        by = access.principal.account_id

        def ask(need: Need, at: Moment) -> Change[Need]:
            if asked.organisation_id is not None:
                self._require_provider(asked.organisation_id)
            referral = Referral(**dict(asked), asked_by=by, asked_at=at.now)
            return closing.refer(need, referral, at)

        return await self._act(access, id, ask, op=op)

    async def answer_referral(self, access: Access, id: str, op: Op, *, accept: bool) -> Outcome[Need]:
        """The organisation that was asked answers; for an outside body the staff of the site enter its answer, and they
        may take back whatever nobody has answered. Who has answered before gets the same answer again, whoever has been
        asked since. Who says no is told no more than they were asked."""
        found = await self._found(Need, id)
        by = access.principal.account_id

        def answer(need: Need, at: Moment) -> Change[Need]:
            if accept or not access.reaches(site_id=need.site_id):
                self._require_asked(access, need)
            return closing.accept_referral(need, by, at) if accept else closing.decline_referral(need, at)

        shown = summary if accept else referred
        return await self._change(id, found.record.site_id, answer, op=op, shown=shown)

    async def rate(self, access: Access, id: str, asked: schemas.RatingIn, op: Op) -> Outcome[Need]:
        by = access.principal.account_id

        def rate(need: Need, at: Moment) -> Change[Need]:
            return closing.rate(need, Rating(**dict(asked), recorded_by=by, at=at.now), at)

        return await self._act(access, id, rate, op=op)

    async def note_attempt(self, access: Access, id: str, asked: schemas.AttemptIn, op: Op) -> Outcome[Need]:
        by = access.principal.account_id

        def note(need: Need, at: Moment) -> Change[Need]:
            return closing.note_attempt(need, Attempt(channel=asked.channel, by=by, at=at.now), at)

        return await self._act(access, id, note, op=op)

    async def read(self, access: Access, id: str) -> Versioned[Need]:
        """Also for whoever is to look as well, or made it of a lead that was raised to them, while it is not over. What is
        done about it, its own station does."""
        found = await self._found(Need, id)
        need = found.record
        if not await self._verified(access, need):
            access.require_raised(need.site_id, need.tier_site_id)
        return found

    async def _verified(self, access: Access, need: Need) -> bool:
        """Whether the principal made this need of a lead that they were asked to look into."""
        if need.lead_id is None or need.ended or need.created_by != access.principal.account_id:
            return False
        lead = (await self._found(Lead, need.lead_id)).record
        return access.reaches_raised(lead.site_id, lead.tier_site_id)

    async def read_referred(self, access: Access, id: str) -> Versioned[Need]:
        found = await self._found(Need, id)
        self._require_asked(access, found.record)
        unanswered = found.record.ended and found.record.referral
        if unanswered or found.record.referrals[-1].accepted is False:
            raise NotFound()
        return found

    async def find(
        self,
        access: Access,
        site_id: str | None,
        tier_site_id: str | None,
        filters: dict[str, str | None],
        pages: Paging,
    ) -> list[Versioned[Need]]:
        """Those of the sites within reach, or those that were raised to one of them and are not over."""
        if tier_site_id is None:
            where = self._of_sites(access, site_id)
        else:
            where = self._raised_to(access, tier_site_id, site_id)
        where += [Where(field, "equal", value) for field, value in filters.items() if value is not None]
        return await self._store.find(Need, pages.query(*where, order="created_ms", descending=True))

    async def find_referred(self, access: Access, pages: Paging) -> list[Versioned[Need]]:
        """What the principal's organisation was asked to take over, or took over."""
        ours = access.principal.organisation_id
        mine = Where("referred_to", "equal", ours if ours and self._acts_for(access, ours) else "")
        return await self._store.find(Need, pages.query(mine, order="created_ms", descending=True))

    def took_part(self, need: Need) -> list[Party]:
        return parties(need, self._known, self._kind_of)

    async def wake(self, id: str) -> None:
        """A timer of this need has come."""
        now = self._clock.now()
        await self._store.change(
            Need, id, lambda r: lifecycle.wake(existing(r), now, self._atlas.policy(existing(r).site_id))
        )

    def _posted(
        self, id: str, order: Order, household: Household, access: Access, at: Moment
    ) -> Change[Need]:
        need = ordering.write_order(id, order, household, access.principal.account_id, at)
        return ordering.post(None, need, order.lines, at)

    async def _household(
        self, access: Access, asked: schemas.OrderIn, *, of_site: str | None = None
    ) -> Household:
        """The household that the need is for, which must be one of this site, or of any within reach."""
        found = await self._store.get(Household, asked.household_id)
        if found is None or not (
            found.record.site_id == of_site or access.reaches(site_id=found.record.site_id)
        ):
            raise Invalid("/household_id", zh="没有这户的档案", en="there is no file of this household")
        if asked.site_id is not None and asked.site_id != found.record.site_id:
            raise Invalid("/site_id", zh="这户属于另一个站点", en="this household belongs to another site")
        return found.record

    async def _act(
        self, access: Access, id: str, act: Act, *, op: Op | None = None, expect: int | None = None
    ) -> Outcome[Need]:
        """Do something with a need of a site within reach."""
        need = (await self._need(access, id)).record
        return await self._change(id, need.site_id, act, op=op, expect=expect)

    async def _change(
        self,
        id: str,
        site_id: str,
        act: Act,
        *,
        op: Op | None = None,
        expect: int | None = None,
        shown: View = summary,
    ) -> Outcome[Need]:
        at = self._moment(site_id)
        return await self._store.change(
            Need, id, lambda r: answering(act(existing(r), at), shown), op=op, expect=expect
        )

    def _require_asked(self, access: Access, need: Need) -> None:
        asked = need.referrals[-1] if need.referrals else None
        if asked is None:
            raise NotFound()
        ours = asked.organisation_id is not None and self._acts_for(access, asked.organisation_id)
        outside = asked.organisation_id is None and access.reaches(site_id=need.site_id)
        if not (ours or outside):
            raise NotFound()

    def _require_provider(self, organisation_id: str) -> None:
        """Refuse an organisation in which nobody could take a need over."""
        if self._kind_of(organisation_id) is None or not self._is_open(organisation_id):
            raise Invalid("/organisation_id", zh="没有这个机构", en="there is no such organisation")
        if self._kind_of(organisation_id) is OrganisationKind.CHARITY:
            raise Invalid(
                "/organisation_id",
                zh="慈善组织在系统内不能承接需求；如确需转给它，请改填 body（外部单位）并代为登记答复",
                en="a charity cannot take a need over here; if it is to, name it as `body` and enter its answer",
            )

    def _known(self, account_id: str) -> Known:
        account = self._atlas.account(account_id)
        if account is None:
            return Known()
        kind = self._kind_of(account.organisation_id) if account.organisation_id else None
        return Known(account.roles, account.organisation_id, kind)

    def _kind_of(self, organisation_id: str) -> OrganisationKind | None:
        organisation = self._atlas.organisation(organisation_id)
        return organisation.kind if organisation else None


def answered(change: Change[Need]) -> Change[Need]:
    """The change with the answer that the same request will get again."""
    return answering(change, summary)

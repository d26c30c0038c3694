"""Asking people, taking their answers, and hearing what matching decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

from services.volunteers.domain import invitations, timers, verdicts
from services.volunteers.domain.asking import Asking
from services.volunteers.domain.calendar import Calendar, Invitation
from services.volunteers.domain.registry import Volunteer
from services.volunteers.schemas.calendars import Decline, InvitationView
from services.volunteers.service.answers import existing, owner_of, with_answer
from services.volunteers.service.helpers import Helpers
from services.volunteers.service.registry import can_answer
from shared.contracts.base import Message
from shared.contracts.matching import (
    OffersChanged,
    OffersWithdrawn,
    SeatFilled,
    SeatReleased,
    SeatsOffered,
    SeatWon,
)
from shared.contracts.parts import Offer
from shared.many import Wanted, change_many, get_many, outcomes
from shared.ports import Op
from shared.records import Change, Outcome
from shared.run.kit import Kit

PATIENCE = 2.5


class Invitations:
    """Every message and every answer is one change of one person's calendar."""

    def __init__(self, kit: Kit, helpers: Helpers) -> None:
        self._helpers = helpers
        self._store = kit.store
        self._clock = kit.clock
        self._atlas = kit.atlas

    async def calendar(self, volunteer_id: str) -> Calendar:
        """This person's calendar; an empty one if nobody ever asked them."""
        found = await self._store.get(Calendar, volunteer_id)
        return found.record if found else Calendar(id=volunteer_id)

    async def ask(self, event: SeatsOffered, message: Message) -> None:
        """Ask everybody on the list, all at once; each calendar decides for itself. Then say who was asked."""
        now, grace_seconds = self._clock.now(), self._atlas.policy(event.site_id).no_show_seconds
        draft = invitations.drafted(event, message.subject, now, grace_seconds)
        profiles = await get_many(self._store, Volunteer, [offer.volunteer_id for offer in event.offers])
        wanted = [
            _asking(offer, self._as_known(profile.record) if profile else None, draft, now)
            for offer, profile in zip(event.offers, profiles, strict=True)
        ]
        asked = outcomes(await change_many(self._store, Calendar, wanted, cause=message))
        id = f"{message.subject}~{event.line_id}~{event.wave}"
        calendars = [outcome.record for outcome in asked]
        await self._store.change(
            Asking,
            id,
            lambda known: invitations.tell(known, id, event, message.subject, calendars, now),
            cause=message,
        )

    def _as_known(self, person: Volunteer) -> Volunteer:
        """The profile, if the account was closed in the very moment in which it was written."""
        account = self._atlas.account(person.id)
        return person if account is None or can_answer(account) else person.but(can_answer=False)

    async def withdraw_offers(self, event: OffersWithdrawn, message: Message) -> None:
        """Close the invitations that nobody answered."""
        now = self._clock.now()
        await self._told(
            event, message, lambda c, ids: invitations.withdraw_offers(c, ids, event.reason, now)
        )

    async def change_offers(self, event: OffersChanged, message: Message) -> None:
        """Show at what is open how urgent it is now."""
        await self._told(event, message, lambda c, ids: verdicts.now_as_urgent(c, ids, event.urgency))

    async def _told(
        self,
        event: OffersWithdrawn | OffersChanged,
        message: Message,
        decide: Callable[[Calendar, list[str]], Change[Calendar]],
    ) -> None:
        """Change the calendar of everybody whose invitations these are, all at once."""
        ids: defaultdict[str, list[str]] = defaultdict(list)
        for ref in event.invitations:
            ids[ref.volunteer_id].append(ref.invitation_id)
        wanted = [_deciding(person, theirs, decide) for person, theirs in ids.items()]
        outcomes(await change_many(self._store, Calendar, wanted, cause=message))

    async def win(self, event: SeatWon, message: Message) -> None:
        now, person = self._clock.now(), event.volunteer_id
        calendar = await self._hear(person, message, lambda c: verdicts.win(c, event, message.subject, now))
        won = calendar.invitations.get(event.invitation_id)
        if won is not None and won.task is not None:
            await self._helpers.note(won.site_id, person)

    async def lose(self, event: SeatFilled, message: Message) -> None:
        now = self._clock.now()
        await self._hear(event.volunteer_id, message, lambda c: verdicts.lose(c, event, now))

    async def release(self, event: SeatReleased, message: Message) -> None:
        now = self._clock.now()
        await self._hear(event.volunteer_id, message, lambda c: verdicts.release(c, event, message.time, now))

    async def wake(self, id: str) -> None:
        """Let the deadlines of this calendar pass that have come."""
        now = self._clock.now()
        woken = await self._store.change(Calendar, id, lambda c: timers.wake(existing(c), now))
        for i in woken.record.invitations.values():
            if i.task is not None and i.task.overdue:  # taken when nobody noted yet who comes from elsewhere
                await self._helpers.note(i.site_id, id)

    async def accept(self, id: str, person: Volunteer, op: Op, by: str) -> Invitation:
        """Say yes and wait a moment for the verdict. The same request again has no second effect and gives the
        verdict as it stands by then. Raises SeatGone if the seat went to somebody else."""
        now = self._clock.now()
        await self._store.change(
            Calendar, person.id, lambda c: invitations.accept(existing(c), id, person, by, now), op=op
        )
        found = await self._store.wait(
            Calendar, person.id, lambda c: invitations.has_verdict(c, id), PATIENCE
        )
        calendar = existing(found.record if found else None)
        return invitations.outcome(calendar, id, person, self._clock.now())

    async def decline(self, id: str, asked: Decline, op: Op, by: str) -> Outcome[Calendar]:
        now, person = self._clock.now(), owner_of(id)

        def decide(calendar: Calendar | None) -> Change[Calendar]:
            said_no = invitations.decline(existing(calendar), id, asked.reason, by, now)
            return with_answer(said_no, lambda c: InvitationView.of(person, c.invitation(id), self._atlas))

        return await self._store.change(Calendar, person, decide, op=op)

    async def _hear(
        self, person: str, message: Message, decide: Callable[[Calendar], Change[Calendar]]
    ) -> Calendar:
        heard = await self._store.change(
            Calendar, person, lambda known: decide(known or Calendar(id=person)), cause=message
        )
        return heard.record


def _asking(offer: Offer, person: Volunteer | None, draft: Invitation, now: datetime) -> Wanted[Calendar]:
    def decide(known: Calendar | None) -> Change[Calendar]:
        return invitations.ask(known or Calendar(id=offer.volunteer_id), person, draft, offer, now)

    return Wanted(offer.volunteer_id, decide)


def _deciding(
    person: str, ids: list[str], decide: Callable[[Calendar, list[str]], Change[Calendar]]
) -> Wanted[Calendar]:
    return Wanted(person, lambda known: decide(known or Calendar(id=person), ids))

"""What needs hear from matching, calendars and lots: each message becomes a fact of one need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from services.needs.domain import hearing, ordering
from services.needs.domain.household import Household
from services.needs.domain.need import Need
from services.needs.service.desk import Desk, existing
from shared.contracts import matching as m
from shared.contracts.base import Event, Message
from shared.contracts.needs import HouseholdChanged, NeedPosted, NeedProgressed
from shared.contracts.parts import SitePolicy
from shared.contracts.resources import HoldEvent
from shared.contracts.volunteers import CalendarEvent
from shared.ports import Query, Where
from shared.records import Change

E = TypeVar("E", bound=Event)
PAGE = 100
Hear = Callable[[Need, E, Message, datetime, SitePolicy], Change[Need]]


class Listening(Desk):
    """A message about a need that is not on record is refused: needs are made here and nowhere else."""

    async def note_state(self, event: m.MatchState, message: Message) -> None:
        await self._note(message.subject, hearing.hear_state, event, message)

    async def note_won(self, event: m.SeatWon, message: Message) -> None:
        await self._note(message.subject, hearing.hear_won, event, message)

    async def note_released(self, event: m.SeatReleased, message: Message) -> None:
        await self._note(message.subject, hearing.hear_released, event, message)

    async def note_search(
        self, event: m.SearchProgressed | m.MatchStalled | m.MatchEscalated, message: Message
    ) -> None:
        await self._note(message.subject, hearing.hear_search, event, message)

    async def note_task(self, event: CalendarEvent, message: Message) -> None:
        await self._note(event.need_id, hearing.hear_task, event, message)

    async def note_hold(self, event: HoldEvent, message: Message) -> None:
        await self._note(event.need_id, hearing.hear_hold, event, message)

    async def note_household(self, event: HouseholdChanged, message: Message) -> None:
        """Our own event: what the file tells now counts for the needs of this household that are not finished."""
        found = await self._store.get(Household, message.subject)
        if found is None:
            return
        household, query = found.record, Query((Where("household_id", "equal", message.subject),), limit=PAGE)
        while page := await self._store.find(Need, query):
            for need in page:
                if not need.record.ended:
                    await self._protect(need.record, household, message)
            query = replace(query, after=query.cursor(page[-1].record))

    async def note_posted(self, event: NeedPosted | NeedProgressed, message: Message) -> None:
        """Our own event: whoever posted this need read the file a moment before, and it may have changed since; and
        what kept the need from following a household that moved may be gone."""
        need = await self._found(Need, message.subject)
        household = await self._found(Household, need.record.household_id)
        known = ordering.protect(need.record, household.record, self._moment(need.record.site_id))
        if known.record is not need.record:
            await self._protect(need.record, household.record, message)

    async def _protect(self, need: Need, household: Household, message: Message) -> None:
        at = self._moment(need.site_id)
        await self._store.change(
            Need, need.id, lambda r: ordering.protect(existing(r), household, at), cause=message
        )

    async def _note(self, need_id: str, hear: Hear[E], event: E, message: Message) -> None:
        now = self._clock.now()

        def decide(record: Need | None) -> Change[Need]:
            need = existing(record)
            return hear(need, event, message, now, self._atlas.policy(need.site_id))

        await self._store.change(Need, need_id, decide, cause=message)

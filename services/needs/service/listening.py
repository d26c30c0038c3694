"""What needs hear from matching, calendars and lots: each message becomes a fact of one need."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from services.needs.domain import hearing
from services.needs.domain.need import Need
from services.needs.service.desk import Desk, existing
from shared.contracts import matching as m
from shared.contracts.base import Event, Message
from shared.contracts.parts import SitePolicy
from shared.contracts.resources import HoldEvent
from shared.contracts.volunteers import CalendarEvent
from shared.records import Change

E = TypeVar("E", bound=Event)
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

    async def _note(self, need_id: str, hear: Hear[E], event: E, message: Message) -> None:
        now = self._clock.now()

        def decide(record: Need | None) -> Change[Need]:
            need = existing(record)
            return hear(need, event, message, now, self._atlas.policy(need.site_id))

        await self._store.change(Need, need_id, decide, cause=message)

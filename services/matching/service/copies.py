"""The index, fed by a private reader with everything that was ever said of people, calendars and lots."""

from __future__ import annotations

from typing import Any

from services.matching.index.port import Index
from shared.contracts.base import Message
from shared.contracts.resources import (
    HoldConfirmed,
    HoldExpired,
    HoldPlaced,
    HoldRefused,
    HoldReleased,
    LotChanged,
    LotEvent,
    LotIssued,
    LotListed,
    LotReceived,
    LotReturned,
    LotWrittenOff,
)
from shared.contracts.volunteers import (
    CalendarEvent,
    InvitationAccepted,
    InvitationDeclined,
    InvitationExpired,
    InvitationRefused,
    InvitationsOpened,
    SlotFreed,
    TaskCheckedIn,
    TaskCheckInUndone,
    TaskDone,
    TaskNoShow,
    TaskTaken,
    TaskWithdrawn,
    VolunteerChanged,
)
from shared.run.kit import Watch, watch

CALENDAR: tuple[type[CalendarEvent], ...] = (
    InvitationRefused,
    InvitationAccepted,
    InvitationDeclined,
    InvitationExpired,
    SlotFreed,
    TaskTaken,
    TaskWithdrawn,
    TaskNoShow,
    TaskCheckedIn,
    TaskCheckInUndone,
    TaskDone,
)
LOTS: tuple[type[LotEvent], ...] = (
    LotListed,
    LotChanged,
    LotWrittenOff,
    HoldPlaced,
    HoldRefused,
    HoldConfirmed,
    HoldExpired,
    HoldReleased,
    LotIssued,
    LotReceived,
    LotReturned,
)


class Copies:
    """Every event of these carries whole state, so the newest is enough."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def note_volunteer(self, event: VolunteerChanged, message: Message) -> None:
        self._index.note_person(message.subject, event.state, message.sequence)

    def note_calendar(self, event: CalendarEvent, message: Message) -> None:
        self._index.note_load(message.subject, event.load, event.load.turn)

    def note_asked(self, event: InvitationsOpened, message: Message) -> None:
        for one in event.opened:
            self._index.note_load(one.volunteer_id, one.load, one.load.turn)

    def note_lot(self, event: LotEvent, message: Message) -> None:
        self._index.note_lot(message.subject, event.state, message.sequence)

    def watches(self) -> list[Watch[Any]]:
        return [
            watch(VolunteerChanged, self.note_volunteer),
            watch(InvitationsOpened, self.note_asked),
            *(watch(event, self.note_calendar) for event in CALENDAR),
            *(watch(event, self.note_lot) for event in LOTS),
        ]

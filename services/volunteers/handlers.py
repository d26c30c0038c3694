"""What this service hears, and what it does about it."""

from __future__ import annotations

from typing import Any

from services.volunteers.service import Volunteers
from shared.contracts.directory import AccountChanged
from shared.contracts.matching import (
    OffersChanged,
    OffersWithdrawn,
    SeatFilled,
    SeatReleased,
    SeatsOffered,
    SeatWon,
)
from shared.contracts.volunteers import TaskDone, TeamChanged
from shared.run.kit import Handler, on


def handlers(volunteers: Volunteers) -> list[Handler[Any]]:
    return [
        on(AccountChanged, volunteers.registry.note_account),
        on(SeatsOffered, volunteers.invitations.ask),
        on(OffersWithdrawn, volunteers.invitations.withdraw_offers),
        on(OffersChanged, volunteers.invitations.change_offers),
        on(SeatWon, volunteers.invitations.win),
        on(SeatFilled, volunteers.invitations.lose),
        on(SeatReleased, volunteers.invitations.release),
        on(TaskDone, volunteers.hours.write_down),
        on(TeamChanged, volunteers.teams.tell_members),
    ]

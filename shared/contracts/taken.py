"""What a match has asked and taken for its need: people and their seats, stock of lots."""

from __future__ import annotations

from datetime import datetime

from shared.contracts.base import Part
from shared.contracts.parts import Window


class InvitationRef(Part):
    invitation_id: str
    volunteer_id: str


class SeatTaken(Part):
    line_id: str
    seat_id: str
    invitation_id: str
    volunteer_id: str
    window: Window
    sent: bool = True
    """Whether this person is told where to go."""


class HoldTaken(Part):
    line_id: str
    hold_id: str
    lot_id: str
    quantity: int
    pick_up_by: datetime | None = None

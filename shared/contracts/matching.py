"""What matching says. The subject of every event is the match, whose id is the need's."""

from __future__ import annotations

from datetime import datetime

from shared.contracts import topics
from shared.contracts import vocabulary as v
from shared.contracts.base import Event, Part
from shared.contracts.goods import Unit
from shared.contracts.parts import LineDiagnosis, Offer, Window


class MatchEvent(Event):
    topic = topics.MATCH


class SeatsOffered(MatchEvent):
    """One wave of one people line: these people are to be asked, all at once.

    `open_seats` were free when the wave was planned. A crisis is asked about in quiet hours and beyond budgets.
    """

    name = "seats.offered"

    line_id: str
    wave: int
    ring: v.Ring
    site_id: str
    household_id: str
    category: v.Category
    urgency: v.Urgency
    skills: tuple[v.Skill, ...] = ()
    mode: v.Mode
    area: str
    cell: str | None = None
    window: Window
    open_seats: int
    expires_at: datetime
    offers: tuple[Offer, ...]


class InvitationRef(Part):
    invitation_id: str
    volunteer_id: str


class OffersWithdrawn(MatchEvent):
    """These invitations are void; whoever has not answered is told at once."""

    name = "offers.withdrawn"

    reason: v.Closing
    invitations: tuple[InvitationRef, ...]


class SeatWon(MatchEvent):
    """The seat is this person's until they withdraw or the need ends."""

    name = "seat.won"

    line_id: str
    seat_id: str
    invitation_id: str
    volunteer_id: str
    window: Window


class SeatFilled(MatchEvent):
    """The person came too late: the claimed slot is free again."""

    name = "seat.filled"

    line_id: str
    invitation_id: str
    volunteer_id: str
    reason: v.Closing = v.Closing.FILLED


class SeatReleased(MatchEvent):
    """Matching gives a won seat back: the task is off."""

    name = "seat.released"

    line_id: str
    seat_id: str
    invitation_id: str
    volunteer_id: str
    reason: v.Closing


class HoldRequested(MatchEvent):
    """Hold so much of this lot; asked again with the same `hold_id`, the answer is the same."""

    name = "hold.requested"

    hold_id: str
    lot_id: str
    line_id: str
    site_id: str
    area: str
    household_id: str
    category: v.Category
    target_groups: tuple[v.TargetGroup, ...] = ()
    goods: v.GoodsCategory
    unit: Unit
    quantity: int
    expires_at: datetime


class HoldConfirmationRequested(MatchEvent):
    name = "hold.confirmation_requested"

    hold_id: str
    lot_id: str
    line_id: str
    pick_up_by: datetime


class HoldReleaseRequested(MatchEvent):
    name = "hold.release_requested"

    hold_id: str
    lot_id: str
    line_id: str
    reason: v.Closing


class SeatTaken(Part):
    line_id: str
    seat_id: str
    invitation_id: str
    volunteer_id: str
    window: Window


class HoldTaken(Part):
    line_id: str
    hold_id: str
    lot_id: str
    quantity: int


class MatchState(MatchEvent):
    """Whole state of what the need has: whoever hears the newest knows all seats and confirmed holds."""

    site_id: str
    seats: tuple[SeatTaken, ...] = ()
    holds: tuple[HoldTaken, ...] = ()


class MatchMade(MatchState):
    """Everything asked for is there, people and goods, and confirmed."""

    name = "match.made"


class MatchPartlyMade(MatchState):
    """Enough is there to go ahead (every required line has its minimum); the search for the rest goes on."""

    name = "match.partly_made"

    missing: tuple[LineDiagnosis, ...] = ()


class MatchReopened(MatchState):
    """Somebody or something dropped out after the match was made; the search goes on."""

    name = "match.reopened"

    reason: v.Closing
    late: bool = False


class SearchProgressed(MatchEvent):
    """Where the search stands, and when it will act next by itself."""

    name = "search.progressed"

    site_id: str
    wave: int
    ring: v.Ring
    asked: int
    open_seats: int
    waiting: v.Waiting
    next_action_at: datetime


class MatchStalled(MatchEvent):
    """Nobody matched, or stock is short: why, and what would help."""

    name = "match.stalled"

    site_id: str
    waiting: v.Waiting
    diagnosis: tuple[LineDiagnosis, ...]
    next_action_at: datetime


class MatchEscalated(MatchEvent):
    """Raised a tier: `to_site_id` now looks as well; the first unit, `site_id`, stays accountable."""

    name = "match.escalated"

    site_id: str
    from_site_id: str
    to_site_id: str
    hops: int
    next_action_at: datetime


class MatchClosed(MatchEvent):
    """The search is over; what was not used has been given back."""

    name = "match.closed"

    site_id: str
    reason: v.Closing

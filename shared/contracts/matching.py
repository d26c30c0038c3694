"""What matching says. The subject of every event is the match, whose id is the need's."""

from __future__ import annotations

from datetime import date, datetime

from shared.contracts import topics
from shared.contracts import vocabulary as v
from shared.contracts.base import Event
from shared.contracts.goods import Unit
from shared.contracts.parts import LineDiagnosis, Offer, Window
from shared.contracts.taken import HoldTaken, InvitationRef, SeatTaken


class MatchEvent(Event):
    topic = topics.MATCH


class SeatsOffered(MatchEvent):
    """One wave of one people line: these people are to be asked, all at once. `open_seats` were free when it was planned. One
    of `certificates` is to be in force at the end of the window, and if `named` one of those of named people. A crisis is
    asked about in quiet hours and beyond budgets."""

    name = "seats.offered"
    zh = "第{wave}轮邀约（{ring}），{open_seats}个席位：{offers}"
    en = "Wave {wave} ({ring}), {open_seats} seat(s) open: asking {offers}"

    line_id: str
    wave: int
    ring: v.Ring
    site_id: str
    household_id: str
    category: v.Category
    urgency: v.Urgency
    skills: tuple[v.Skill, ...] = ()
    certificates: tuple[v.Certificate, ...] = ()
    named: bool = False
    mode: v.Mode
    area: str
    cell: str | None = None
    window: Window
    open_seats: int
    expires_at: datetime
    offers: tuple[Offer, ...]


class OffersWithdrawn(MatchEvent):
    """These invitations are void; whoever has not answered is told at once."""

    name = "offers.withdrawn"
    zh = "通知{invitations}：{reason}"
    en = "{invitations}: told at once that {reason}"

    reason: v.Closing
    invitations: tuple[InvitationRef, ...]


class OffersChanged(MatchEvent):
    """The need is more urgent, or less, than when these people were asked; whoever has not answered sees it."""

    name = "offers.changed"
    zh = "告知{invitations}：紧急程度现为{urgency}"
    en = "{invitations}: told that the need is {urgency} now"

    urgency: v.Urgency
    invitations: tuple[InvitationRef, ...]


class SeatWon(MatchEvent):
    """The seat is this person's until they withdraw or the need ends. Said again when place, matter or urgency are others now."""

    name = "seat.won"
    zh = "席位归{volunteer_id}"
    en = "The seat is {volunteer_id}'s"

    line_id: str
    seat_id: str
    invitation_id: str
    volunteer_id: str
    window: Window
    area: str | None = None
    category: v.Category | None = None
    urgency: v.Urgency | None = None


class SeatFilled(MatchEvent):
    """The person came too late: the claimed slot is free again."""

    name = "seat.filled"
    zh = "{volunteer_id}晚了一步：{reason}"
    en = "{volunteer_id} comes too late: {reason}"

    line_id: str
    invitation_id: str
    volunteer_id: str
    reason: v.Closing = v.Closing.FILLED


class SeatReleased(MatchEvent):
    """Matching gives a won seat back: the task is off."""

    name = "seat.released"
    zh = "{volunteer_id}的席位收回：{reason}"
    en = "{volunteer_id}'s seat is given back: {reason}"

    line_id: str
    seat_id: str
    invitation_id: str
    volunteer_id: str
    reason: v.Closing


class HoldRequested(MatchEvent):
    """Hold so much of this lot; asked again with the same `hold_id`, the answer is the same. If for less, the rest goes back."""

    name = "hold.requested"
    zh = "申请预留{asked}"
    en = "Asks to hold {asked}"

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
    """Keep what is held until it is handed over; if it is not good until `good_on`, the hold expires instead."""

    name = "hold.confirmation_requested"
    zh = "人和物都齐了，请确认预留"
    en = "Everything is there: the goods are to be confirmed"

    hold_id: str
    lot_id: str
    line_id: str
    pick_up_by: datetime
    good_on: date | None = None


class HoldReleaseRequested(MatchEvent):
    name = "hold.release_requested"
    zh = "请释放预留：{reason}"
    en = "The goods are to be given back: {reason}"

    hold_id: str
    lot_id: str
    line_id: str
    reason: v.Closing


class MatchState(MatchEvent):
    """Whole state of what the need has: whoever hears the newest knows all seats and confirmed holds."""

    site_id: str
    seats: tuple[SeatTaken, ...] = ()
    holds: tuple[HoldTaken, ...] = ()


class MatchMade(MatchState):
    """Everything asked for is there, people and goods, and confirmed."""

    name = "match.made"
    zh = "人和物全部配齐：{found}"
    en = "All is found: {found}"


class MatchPartlyMade(MatchState):
    """Enough is there to go ahead (every required line has its minimum); the search for the rest goes on."""

    name = "match.partly_made"
    zh = "先按已有的开始：{found}"
    en = "Enough to begin: {found}"

    missing: tuple[LineDiagnosis, ...] = ()


class MatchReopened(MatchState):
    """Somebody or something dropped out after the match was made; the search goes on."""

    name = "match.reopened"
    zh = "{reason}，重新寻找"
    en = "{reason}: the search begins again"

    reason: v.Closing
    late: bool = False


class SearchProgressed(MatchEvent):
    """Where the search stands, and when it will act next by itself."""

    name = "search.progressed"
    zh = "{so_far}{waiting}"
    en = "{so_far}{waiting}"

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
    zh = "还找不到合适的：{diagnosis}"
    en = "Nothing fits yet: {diagnosis}"

    site_id: str
    wave: int | None = None
    ring: v.Ring | None = None
    asked: int | None = None
    waiting: v.Waiting
    diagnosis: tuple[LineDiagnosis, ...]
    next_action_at: datetime


class MatchEscalated(MatchEvent):
    """Raised a tier: `to_site_id` now looks as well; the first unit, `site_id`, stays accountable."""

    name = "match.escalated"
    zh = "升级：{from_site_id} → {to_site_id}（第{hops}次），首接站点仍负责"
    en = "Raised from {from_site_id} to {to_site_id} (hop {hops}); the first unit stays accountable"

    site_id: str
    from_site_id: str
    to_site_id: str
    hops: int
    next_action_at: datetime


class MatchClosed(MatchEvent):
    """The search is over; what was not used has been given back."""

    name = "match.closed"
    zh = "匹配结束：{reason}"
    en = "The search is closed: {reason}"

    site_id: str
    reason: v.Closing

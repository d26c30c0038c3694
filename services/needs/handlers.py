"""What needs intake hears, and what it does about it."""

from __future__ import annotations

from typing import Any

from services.needs.service import Leads, Listening
from shared.contracts import matching as m
from shared.contracts import needs as n
from shared.contracts import resources as r
from shared.contracts import volunteers as v
from shared.run.kit import Handler, on


def handlers(leads: Leads, listening: Listening) -> list[Handler[Any]]:
    return [
        on(n.HouseholdChanged, listening.note_household),
        on(n.NeedPosted, leads.note_posted),
        on(n.NeedPosted, listening.note_posted),
        on(n.NeedProgressed, listening.note_posted),
        on(n.NeedCompleted, leads.note_ending),
        on(n.NeedReferred, leads.note_ending),
        on(n.NeedCancelled, leads.note_ending),
        on(n.NeedLapsed, leads.note_ending),
        on(m.SearchProgressed, listening.note_search),
        on(m.MatchStalled, listening.note_search),
        on(m.MatchEscalated, listening.note_search),
        on(m.SeatWon, listening.note_won),
        on(m.SeatReleased, listening.note_released),
        on(m.MatchMade, listening.note_state),
        on(m.MatchPartlyMade, listening.note_state),
        on(m.MatchReopened, listening.note_state),
        on(v.TaskCheckedIn, listening.note_task),
        on(v.TaskCheckInUndone, listening.note_task),
        on(v.TaskDone, listening.note_task),
        on(v.TaskWithdrawn, listening.note_task),
        on(v.TaskNoShow, listening.note_task),
        on(r.HoldConfirmed, listening.note_hold),
        on(r.LotIssued, listening.note_hold),
        on(r.LotReceived, listening.note_hold),
        on(r.LotReturned, listening.note_hold),
        on(r.HoldReleased, listening.note_hold),
    ]

"""What matching hears. The table is the map of the service.

Not heard on purpose: `InvitationsOpened`, `TaskTaken`, `TaskCheckedIn`, `TaskCheckInUndone`. They change nothing that a match
decides by, and a match with twenty people asked would be written twenty times more. Their load reaches the index all the
same, by the private reader.
"""

from __future__ import annotations

from typing import Any

from services.matching.service import Matching
from shared.contracts.needs import (
    NeedCancelled,
    NeedChanged,
    NeedCompleted,
    NeedLapsed,
    NeedPosted,
    NeedReferred,
    SearchAsked,
)
from shared.contracts.resources import (
    HoldConfirmed,
    HoldExpired,
    HoldPlaced,
    HoldRefused,
    HoldReleased,
    LotIssued,
    LotReceived,
    LotReturned,
)
from shared.contracts.volunteers import (
    InvitationAccepted,
    InvitationDeclined,
    InvitationExpired,
    InvitationRefused,
    TaskDone,
    TaskNoShow,
    TaskWithdrawn,
)
from shared.run.kit import Handler, on


def handlers(matching: Matching) -> list[Handler[Any]]:
    return [
        on(NeedPosted, matching.open_search),
        on(NeedChanged, matching.change_need),
        on(SearchAsked, matching.say_where_it_stands),
        on(NeedCancelled, matching.close_search),
        on(NeedLapsed, matching.close_search),
        on(NeedReferred, matching.close_search),
        on(NeedCompleted, matching.close_search),
        on(InvitationAccepted, matching.award_seat),
        on(InvitationDeclined, matching.note_answer),
        on(InvitationExpired, matching.note_answer),
        on(InvitationRefused, matching.note_answer),
        on(TaskWithdrawn, matching.give_seat_back),
        on(TaskNoShow, matching.give_seat_back),
        on(TaskDone, matching.note_done),
        on(HoldPlaced, matching.note_hold),
        on(HoldRefused, matching.try_another_lot),
        on(HoldConfirmed, matching.note_hold),
        on(HoldExpired, matching.note_expiry),
        on(HoldReleased, matching.note_end_of_hold),
        on(LotIssued, matching.note_hold),
        on(LotReceived, matching.note_hold),
        on(LotReturned, matching.note_end_of_hold),
    ]

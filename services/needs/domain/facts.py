"""What was heard about a need, kept in whatever order it came: the newest word of each source counts."""

from __future__ import annotations

from datetime import datetime

from services.needs.domain.household import Value
from shared.contracts.parts import LineDiagnosis, Window
from shared.contracts.vocabulary import HoldStatus, Ring, TaskStatus, Waiting

GONE = frozenset({TaskStatus.WITHDRAWN, TaskStatus.NO_SHOW, TaskStatus.CANCELLED})
SERVING = frozenset({TaskStatus.CHECKED_IN, TaskStatus.DONE})
HANDED_OVER = frozenset({HoldStatus.ISSUED, HoldStatus.RECEIVED})


class Seat(Value):
    """A seat that matching gave to somebody. `made` once a made or partly made match held it."""

    invitation_id: str
    volunteer_id: str
    line_id: str
    window: Window
    made: bool = False


class Goods(Value):
    """A confirmed hold of the match."""

    hold_id: str
    lot_id: str
    line_id: str
    quantity: int
    pick_up_by: datetime | None = None


class Word(Value):
    """Where the match stands, by its newest message: `said` is made, partly, reopened, or nothing yet."""

    said: str = ""
    sequence: int = 0
    said_at: datetime | None = None
    heard_at: datetime | None = None
    seats: tuple[Seat, ...] = ()
    goods: tuple[Goods, ...] = ()
    former: tuple[str, ...] = ()
    """Volunteers who once held a seat here and hold it no longer."""


class TaskFact(Value):
    """The newest word of a volunteer's calendar about one task; the key is its invitation."""

    volunteer_id: str
    line_id: str
    status: TaskStatus
    sequence: int
    at: datetime
    minutes: int = 0


class HoldFact(Value):
    """The newest word of a lot about one hold; the key is the hold."""

    lot_id: str
    charity_id: str
    line_id: str
    quantity: int
    status: HoldStatus
    sequence: int
    at: datetime


class Search(Value):
    """What matching last said of the search, and when needs will ask for word if it hears none."""

    heard: bool = False
    waiting: Waiting = Waiting.SEARCH
    next_action_at: datetime
    ask_at: datetime
    asks: int = 0
    last_asked_at: datetime | None = None
    """When it was asked for its last word: the time was up, and too little was known to be there."""
    wave: int = 0
    ring: Ring | None = None
    asked: int = 0
    diagnosis: tuple[LineDiagnosis, ...] = ()
    hops: int = 0
    tier_site_id: str | None = None

"""One wave as it was planned: who was to be asked and why, what was to be held, and what stood in the way."""

from __future__ import annotations

from datetime import date, datetime
from hashlib import blake2b

from shared.contracts.base import Part
from shared.contracts.parts import LineDiagnosis, Offer
from shared.contracts.vocabulary import Ring
from shared.records import Record, index


class PeoplePlan(Part):
    """The people to be asked for one line. `too_late`: its window has begun, nobody can be asked any more."""

    line_id: str
    ring: Ring
    wanted: int
    offers: tuple[Offer, ...] = ()
    diagnosis: LineDiagnosis | None = None
    too_late: bool = False


class LotChoice(Part):
    """So much of a lot to be held, and what the choice went by."""

    hold_id: str
    lot_id: str
    quantity: int
    available: int
    expires_on: date | None = None
    ring: Ring


class GoodsPlan(Part):
    """The lots to be held for one line."""

    line_id: str
    missing: int
    choices: tuple[LotChoice, ...] = ()
    looked_at: int = 0
    diagnosis: LineDiagnosis | None = None


class Wave(Record):
    """The plan of one wave, written once, before the match is changed by it.

    The id names the version of the match that was planned for, so that whoever plans for the same version, even
    after a crash, carries out the same plan.
    """

    kind = "wave"
    indexes = (index("need_id"),)

    need_id: str
    number: int
    at: datetime
    people: tuple[PeoplePlan, ...] = ()
    goods: tuple[GoodsPlan, ...] = ()


def wave_id(need_id: str, version: int) -> str:
    """Padded, so that the waves of a need lie in order of their ids."""
    return f"{need_id}/{version:06}"


def mark(need_id: str, line_id: str, wave: int) -> str:
    """What tells this wave's invitations and holds from those of another wave, line or need."""
    return blake2b(f"{need_id}/{line_id}/{wave}".encode(), digest_size=8).hexdigest()

"""Who may see how much of a contact, and when: area only, masked, full, closed again.

    who asks                                        before    seat won   match made   task done / need over
    staff of the site                               full      full       full         full
    volunteer who holds a seat                      -         masked     full         closed
    volunteer who held one and holds none           area      area       area         closed
    volunteer whose time passed and who never came  -         area       area         closed
    organisation that took the need over            full for 30 days, then closed; closed once it is closed itself
    anybody else                                    not found

"Match made" is made or partly made with this very seat; or service has begun, since the need then goes on whatever is
still missing. For a person under 18 a seat holder (always named and certified) sees the first character of the name
and, once the match is made, the address; never a phone: they go through the station. So does an organisation that took the need over. Every look above area is on record before the answer is given.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta
from typing import ClassVar, NamedTuple

from services.needs.domain.facts import Seat
from services.needs.domain.household import Household, digits, is_child
from services.needs.domain.need import Need
from services.needs.domain.refusals import ContactClosed
from services.needs.domain.words import Level
from shared.contracts.vocabulary import TaskStatus
from shared.errors import NotFound
from shared.records import Record, index

LONG_PHONE = 11
"""So many digits a number has of which seven may be shown: fewer than four hidden ones are soon guessed."""
_COUNTRY = re.compile(r"^(00)?86(?=\d{10})")
_MOBILE = re.compile(r"1[3-9]\d{9}")
MISSED_AFTER = timedelta(hours=2)
"""So long after the window of a seat its holder can no longer check in, and needs the contact no more."""
HANDED_OVER_FOR = timedelta(days=30)
"""How long an organisation that took a need over may look up whom to serve. By then it has its own file."""


class ContactRead(Record):
    """Who looked at whose contact or file, when, and how much of it: written once, before the answer is given."""

    kind: ClassVar[str] = "contact_read"
    indexes = (index("need_id", "read_ms"), index("household_id", "read_ms"))

    household_id: str
    need_id: str | None = None
    reader_id: str
    level: Level
    read_at: datetime
    read_ms: int


class Contact(NamedTuple):
    """As much of a contact as this level opens."""

    level: Level
    name: str | None = None
    phone: str | None = None
    address: str | None = None


def level_for_volunteer(need: Need, volunteer_id: str, now: datetime) -> Level:
    """How much is open to a volunteer now. Raises NotFound for one who has nothing to do with this need."""
    seats = [s for s in need.seats if s.volunteer_id == volunteer_id]
    tasks = [t for t in need.tasks.values() if t.volunteer_id == volunteer_id]
    if not seats and not tasks and volunteer_id not in need.match.former:
        raise NotFound()
    serving = [s for s in seats if not need.task_is(s, TaskStatus.DONE)]
    if need.ended or (not serving and any(t.status is TaskStatus.DONE for t in tasks)):
        raise ContactClosed()
    serving = [s for s in serving if not _missed(need, s, now)]
    if not serving:
        return Level.AREA
    return Level.FULL if need.started or any(s.made for s in serving) else Level.MASKED


def _missed(need: Need, seat: Seat, now: datetime) -> bool:
    return now > seat.window.end_at + MISSED_AFTER and not need.task_is(seat, TaskStatus.CHECKED_IN)


def level_for_organisation(need: Need, now: datetime) -> Level:
    """How much is open to the organisation that took this need over. Raises ContactClosed after a while."""
    taken = need.taken_over
    if taken is None or taken.answered_at is None:
        raise NotFound()
    if now >= taken.answered_at + HANDED_OVER_FOR:
        raise ContactClosed()
    return Level.FULL


def open_to_staff(need: Need, household: Household) -> Contact:
    resident = household.resident(need.beneficiary_id)
    phone = (resident.phone if resident else None) or household.phone
    return Contact(Level.FULL, resident.name if resident else None, phone, household.address)


def open_to_helper(need: Need, household: Household, level: Level, village: str, day: date) -> Contact:
    """The contact as a seat holder sees it, or whoever took the need over; `village` is the address by area names only.

    Whether it is a child's the file knows best: a need that is over is not told of it any more.
    """
    whole = open_to_staff(need, household)
    resident = household.resident(need.beneficiary_id)
    minor = need.minor or (resident is not None and is_child(household, resident, day))
    masked_name = mask_name(whole.name) if whole.name else None
    if level is Level.AREA:
        return Contact(level)
    if level is Level.MASKED:
        phone = mask_phone(whole.phone) if whole.phone and not minor else None
        return Contact(level, masked_name, phone, village)
    if minor:
        return Contact(level, masked_name, None, whole.address)
    return whole


def mask_name(name: str) -> str:
    """The first character as a reader sees it, with the marks that belong to it, then two stars: 王**."""
    end = 1
    while end < len(name) and unicodedata.category(name[end]).startswith("M"):
        end += 1
    return f"{name[:end]}**"


def mask_phone(phone: str) -> str:
    """138****1234; 085****567 of a landline, whose area code everybody knows; of a short number nothing."""
    number = _COUNTRY.sub("", digits(phone))
    if len(number) < LONG_PHONE:
        return "****"
    return f"{number[:3]}****{number[-4:] if _MOBILE.fullmatch(number) else number[-3:]}"

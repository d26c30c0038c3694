"""Rule 7: nothing personal and no free text travels in an event."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from services.directory.domain.accounts import Account
from services.needs.domain.household import Household
from services.needs.domain.lead import Lead
from services.needs.domain.need import Need
from services.resources.domain.filing import HoldCard
from services.resources.domain.records import Donor, Lot
from services.volunteers.domain.registry import Volunteer
from services.volunteers.domain.service_hours import ServiceRecord
from wushe.check.evidence import Evidence
from wushe.check.violation import Violation

SHORTEST = 2
SHORTEST_INSIDE = 3
"""Shorter ones are found in other text by chance."""
SHORTEST_NOTE = 6
"""Shorter ones may be a word that stands in events anyway, like a unit."""
PUBLIC_NAMES = frozenset({"/site_name", "/organisation_name", "/area_name"})
"""Places and organisations are called in public what they like, even after somebody."""

_CODE = re.compile(r"[\w.:~/+=-]*", re.ASCII)
_PHONE = re.compile(r"(?<![\w-])1\d{10}(?![\w-])", re.ASCII)


class Canaries:
    """Everything personal that the services keep, and what people wrote in their own words: whole values are looked up,
    longer ones also inside others. Ids, codes and times are no text that anything could hide in."""

    def __init__(self, values: Iterable[str | None], notes: Iterable[str | None] = ()) -> None:
        kept = {v for v in values if v and len(v) >= SHORTEST}
        kept |= {n for n in notes if n and len(n) >= SHORTEST_NOTE and not _CODE.fullmatch(n)}
        self._values = frozenset(kept)
        self._lengths = sorted({len(v) for v in kept if len(v) >= SHORTEST_INSIDE})

    def found_in(self, data: Any, record: str) -> Iterator[Violation]:
        """A violation for each personal value in an event's data, naming the field and never the value."""
        for field, text in _texts(data, ""):
            if _PHONE.search(text) or (field not in PUBLIC_NAMES and self._holds(text)):
                yield Violation(7, record, f"personal data in {field}", f"字段 {field} 含个人信息")

    def _holds(self, text: str) -> bool:
        if text in self._values or _CODE.fullmatch(text):
            return text in self._values
        lengths = (n for n in self._lengths if n < len(text))
        return any(text[at : at + n] in self._values for n in lengths for at in range(len(text) - n + 1))


async def canaries(evidence: Evidence) -> Canaries:
    """What the services keep of people."""
    values: list[str | None] = []
    notes: list[str | None] = []
    async for household in evidence.records("needs", Household):
        values += [household.address, household.phone, *(old.address for old in household.old_addresses)]
        for resident in household.residents:
            values += [resident.name, resident.phone]
    async for need in evidence.records("needs", Need):
        values += _others_of(need)
        notes += _notes_of(need)
    async for lead in evidence.records("needs", Lead):
        notes.append(lead.text)
    async for volunteer in evidence.records("volunteers", Volunteer):
        values += [volunteer.name, volunteer.phone]
    async for record in evidence.records("volunteers", ServiceRecord):
        notes.append(record.reason)
    async for donor in evidence.records("resources", Donor):
        values += [donor.name, donor.phone]
    async for lot in evidence.records("resources", Lot):
        notes.append(lot.note)
    async for card in evidence.records("resources", HoldCard):
        notes.append(card.hold.receipt.signature if card.hold.receipt else None)
    async for account in evidence.records("directory", Account):
        notes.append(account.name)
    return Canaries(values, notes)


def _others_of(need: Need) -> list[str | None]:
    """Who asked and who passed it on."""
    found = [need.applicant.name, need.applicant.phone] if need.applicant else []
    return [*found, need.relayer.name] if need.relayer else found


def _notes_of(need: Need) -> list[str | None]:
    found = [need.note, need.rating.comment if need.rating else None, need.ended.note if need.ended else None]
    for referral in need.referrals:
        found += [referral.note, referral.body]
    return found


def _texts(data: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(data, str):
        yield place, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _texts(value, f"{place}/{key}")
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value, place)

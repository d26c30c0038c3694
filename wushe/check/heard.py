"""What the log says that the rules go by: what was asked of lots, what they first answered, what the registry and the
directory said."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from shared.contracts.base import Message
from shared.contracts.directory import SiteChanged
from shared.contracts.matching import HoldRequested
from shared.contracts.resources import HoldPlaced
from shared.contracts.vocabulary import NAMED_CERTIFICATES
from shared.contracts.volunteers import VolunteerChanged

NOTED = frozenset(event.type() for event in (HoldRequested, HoldPlaced, VolunteerChanged, SiteChanged))


@dataclass
class Heard:
    """`certified` tells of each person until when a certificate for named needs was ever in force. `placed` is the first
    word of each hold, with its time: said again later it tells of the lot as it is then."""

    asked: dict[str, HoldRequested] = field(default_factory=dict)
    placed: dict[str, tuple[HoldPlaced, datetime]] = field(default_factory=dict)
    certified: dict[str, date] = field(default_factory=dict)
    zones: dict[str, ZoneInfo] = field(default_factory=dict)

    def note(self, message: Message) -> None:
        match message.data:
            case HoldRequested() as asked:
                self.asked.setdefault(asked.hold_id, asked)
            case HoldPlaced() as placed:
                self.placed.setdefault(placed.hold_id, (placed, message.time))
            case VolunteerChanged() as person:
                until = [
                    held.expires_on or date.max
                    for held in person.state.certificates
                    if held.certificate in NAMED_CERTIFICATES
                ]
                known = self.certified.get(message.subject, date.min)
                self.certified[message.subject] = max([known, *until])
            case SiteChanged() as site:
                self.zones[message.subject] = ZoneInfo(site.zone)

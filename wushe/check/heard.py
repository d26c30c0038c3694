"""What the log says that the rules go by: what was posted, what was asked of lots, what they first answered, what the registry
and the directory said."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from shared.contracts.base import Message
from shared.contracts.directory import SiteChanged
from shared.contracts.matching import HoldRequested
from shared.contracts.needs import NeedPosted
from shared.contracts.resources import HoldPlaced
from shared.contracts.vocabulary import NAMED_CERTIFICATES
from shared.contracts.volunteers import VolunteerChanged

NOTED = frozenset(
    event.type() for event in (NeedPosted, HoldRequested, HoldPlaced, VolunteerChanged, SiteChanged)
)


@dataclass(frozen=True)
class Place:
    """A site in its tree: since when it has lain below this parent, and since when it has been open, if it is. `fewest_hops`
    is how often, at the least, it ever let something be raised."""

    parent_id: str | None
    below_since: datetime
    open_since: datetime | None
    fewest_hops: int

    @classmethod
    def heard(cls, site: SiteChanged, at: datetime, before: Place | None) -> Place:
        same = before is not None and before.parent_id == site.parent_id
        known = before.open_since if before is not None else None
        hops = site.policy.max_hops
        return cls(
            parent_id=site.parent_id,
            below_since=before.below_since if before is not None and same else at,
            open_since=(known or at) if site.active else None,
            fewest_hops=hops if before is None else min(before.fewest_hops, hops),
        )


@dataclass
class Heard:
    """`posted` are the needs. `certified` tells of each person until when a certificate for named needs was ever in force,
    `homes` in which zones they ever lived. `placed` is the first word of each hold, with its time: said again later it tells
    of the lot as it is then."""

    asked: dict[str, HoldRequested] = field(default_factory=dict)
    placed: dict[str, tuple[HoldPlaced, datetime]] = field(default_factory=dict)
    certified: dict[str, date] = field(default_factory=dict)
    homes: dict[str, set[ZoneInfo]] = field(default_factory=dict)
    zones: dict[str, ZoneInfo] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    posted: set[str] = field(default_factory=set)

    def note(self, message: Message) -> None:
        match message.data:
            case NeedPosted():
                self.posted.add(message.subject)
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
                self.homes.setdefault(message.subject, set()).add(ZoneInfo(person.state.zone))
            case SiteChanged() as site:
                id = message.subject
                self.zones[id] = ZoneInfo(site.zone)
                self.places[id] = Place.heard(site, message.time, self.places.get(id))

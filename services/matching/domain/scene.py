"""What a rule is told besides the record: the moment, and the stations as they stand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.contracts.parts import SitePolicy
from shared.contracts.vocabulary import SiteKind


class Tier(NamedTuple):
    """A site above, which can look as well as long as it is open. `area` and `kind` are None for one not heard of yet."""

    site_id: str
    kind: SiteKind | None = None
    area: str | None = None
    open: bool = True


class Station(NamedTuple):
    """A need's site: what it decided for itself, and the tiers above it, itself first, closed ones too."""

    policy: SitePolicy
    zone: ZoneInfo
    tiers: tuple[Tier, ...]


class Scene(NamedTuple):
    """Now, and a way to look a station up."""

    now: datetime
    station_of: Callable[[str], Station]

    def station(self, site_id: str) -> Station:
        return self.station_of(site_id)

    def policy(self, site_id: str) -> SitePolicy:
        return self.station_of(site_id).policy

    def after(self, seconds: float) -> datetime:
        return self.now + timedelta(seconds=seconds)


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()

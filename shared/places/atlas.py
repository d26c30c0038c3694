"""The copy of areas, sites, organisations and account rights that every service carries, fed by events.

It is small, it is read on every request, and it is advisory like every copy: the directory owns the records.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.contracts.base import Message
from shared.contracts.directory import AccountChanged, OrganisationChanged, SiteChanged, VillageAdded
from shared.contracts.parts import SitePolicy
from shared.contracts.vocabulary import Ring
from shared.places.divisions import Area, Divisions, ancestors, divisions

RING_DIGITS = {Ring.VILLAGE: 12, Ring.TOWNSHIP: 9, Ring.COUNTY: 6, Ring.CITY: 4, Ring.ANYWHERE: 0}


class Site(NamedTuple):
    """A node of the site tree. `path` is "/<root>/…/<id>/", so that being under a site is a prefix."""

    id: str
    facts: SiteChanged
    path: str


class Atlas:
    """Answers about places. Wired to the directory's topics by a private reader in every process."""

    def __init__(self, areas: Divisions | None = None) -> None:
        self._areas = areas or divisions()
        self._villages: dict[str, Area] = {}
        self._sites: dict[str, SiteChanged] = {}
        self._organisations: dict[str, OrganisationChanged] = {}
        self._accounts: dict[str, AccountChanged] = {}
        self._heard: dict[str, int] = {}

    def note_village(self, event: VillageAdded, message: Message) -> None:
        if self._is_newest(message):
            self._villages[message.subject] = Area(message.subject, event.area_name, event.parent)

    def note_site(self, event: SiteChanged, message: Message) -> None:
        if self._is_newest(message):
            self._sites[message.subject] = event

    def note_organisation(self, event: OrganisationChanged, message: Message) -> None:
        if self._is_newest(message):
            self._organisations[message.subject] = event

    def note_account(self, event: AccountChanged, message: Message) -> None:
        if self._is_newest(message):
            self._accounts[message.subject] = event

    def _is_newest(self, message: Message) -> bool:
        """A message may come again behind a later one of its record, and then it says what is no longer so."""
        if self.knows_newer(message):
            return False
        self._heard[message.source_record] = message.sequence
        return True

    def knows_newer(self, message: Message) -> bool:
        """Whether a later message of the same record has been noted: this one, come again, tells nothing."""
        return message.sequence < self._heard.get(message.source_record, 0)

    def area(self, code: str) -> Area | None:
        return self._areas.get(code) or self._villages.get(code)

    def villages(self, township: str) -> list[Area]:
        return sorted(v for v in self._villages.values() if v.parent == township)

    def area_names(self, code: str) -> list[str]:
        """The names of the areas that hold this one, from the province down."""
        found = (self.area(c) for c in ancestors(code))
        return [a.name for a in reversed([a for a in found if a])]

    def same_ring(self, ring: Ring, one: str, other: str) -> bool:
        """Whether two area codes lie in the same village, township, county, city. A code that is coarser than the
        ring (a person known only by township) counts as near as it can be told."""
        return _in_one(ring, one, other)

    def site(self, id: str) -> Site | None:
        facts = self._sites.get(id)
        return Site(id, facts, self.path(id)) if facts else None

    def sites(self) -> list[Site]:
        return [Site(id, facts, self.path(id)) for id, facts in self._sites.items()]

    def path(self, site_id: str) -> str:
        """ "/<root>/…/<site>/"; "/<site>/" for a site not heard of yet."""
        chain: list[str] = []
        here: str | None = site_id
        while here is not None and here not in chain:
            chain.append(here)
            facts = self._sites.get(here)
            here = facts.parent_id if facts else None
        return "/" + "/".join(reversed(chain)) + "/"

    def is_under(self, site_id: str, ancestor_id: str) -> bool:
        """Whether a site is this ancestor or lies below it."""
        return f"/{ancestor_id}/" in self.path(site_id)

    def parent(self, site_id: str) -> str | None:
        facts = self._sites.get(site_id)
        return facts.parent_id if facts else None

    def upwards(self, site_id: str) -> list[str]:
        """This site and those above it, the nearest first."""
        return [id for id in reversed(self.path(site_id).split("/")) if id]

    def policy(self, site_id: str) -> SitePolicy:
        """The site's own policy; the default one for a site not heard of yet."""
        facts = self._sites.get(site_id)
        return facts.policy if facts else SitePolicy()

    def zone(self, site_id: str) -> ZoneInfo:
        facts = self._sites.get(site_id)
        return ZoneInfo(facts.zone if facts else "Asia/Shanghai")

    def organisation(self, id: str) -> OrganisationChanged | None:
        return self._organisations.get(id)

    def account(self, id: str) -> AccountChanged | None:
        return self._accounts.get(id)

    def admits(self, account_id: str, issued_at: datetime) -> bool:
        """Whether a token with the rights that this account had then still counts. An account not heard of yet counts: its
        token is signed, and the news of it is on the way."""
        facts = self._accounts.get(account_id)
        return facts is None or (facts.active and issued_at >= facts.valid_from)


def ring_around(ring: Ring, one: str, other: str) -> Ring:
    """This ring, or the first wider one in which both of these areas lie."""
    wider = list(Ring)[list(Ring).index(ring) :]
    return next(each for each in wider if _in_one(each, one, other))


def _in_one(ring: Ring, one: str, other: str) -> bool:
    digits = RING_DIGITS[ring]
    return one[:digits] == other[:digits]

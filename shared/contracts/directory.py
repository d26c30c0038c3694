"""What the directory says: places, sites, organisations, accounts. Every event carries whole state."""

from __future__ import annotations

from datetime import datetime

from shared.contracts import topics
from shared.contracts.base import Event
from shared.contracts.parts import SitePolicy
from shared.contracts.vocabulary import OrganisationKind, Role, SiteKind


class VillageAdded(Event):
    """A village (12 digits) was added below a township (9 digits); the subject is its code."""

    name = "village.added"
    topic = topics.AREA

    area_name: str
    parent: str


class SiteChanged(Event):
    """A site of the site tree was opened or changed. `area` is the code of the area that it serves."""

    name = "site.changed"
    topic = topics.SITE

    site_name: str
    kind: SiteKind
    parent_id: str | None = None
    area: str
    zone: str = "Asia/Shanghai"
    policy: SitePolicy = SitePolicy()
    active: bool = True


class OrganisationChanged(Event):
    name = "organisation.changed"
    topic = topics.ORGANISATION

    organisation_name: str
    kind: OrganisationKind
    site_id: str | None = None
    active: bool = True


class AccountChanged(Event):
    """An account's rights. Tokens issued before `valid_from` are void: that is how a sign-out everywhere,
    a new password or a lost role reaches all services at once. No login name, no name."""

    name = "account.changed"
    topic = topics.ACCOUNT

    roles: tuple[Role, ...]
    site_id: str | None = None
    organisation_id: str | None = None
    active: bool = True
    valid_from: datetime

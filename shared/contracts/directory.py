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
    zh = "新增村（社区）：{area_name}"
    en = "The village {area_name} is added to the map"

    area_name: str
    parent: str


class SiteChanged(Event):
    """A site of the site tree was opened or changed. `area` is the code of the area that it serves."""

    name = "site.changed"
    topic = topics.SITE
    zh = "{kind}“{site_name}”已开设或已更新"
    en = "The {kind} {site_name} is opened or changed"

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
    zh = "五社伙伴“{organisation_name}”（{kind}）已登记"
    en = "The partner {organisation_name} ({kind}) is on record"

    organisation_name: str
    kind: OrganisationKind
    site_id: str | None = None
    active: bool = True


class AccountChanged(Event):
    """An account's rights. Tokens issued before `valid_from` are void: that is how a sign-out everywhere,
    a new password or a lost role reaches all services at once. No login name, no name."""

    name = "account.changed"
    topic = topics.ACCOUNT
    zh = "一个账号已就绪：{roles}"
    en = "An account is ready: {roles}"

    roles: tuple[Role, ...]
    site_id: str | None = None
    organisation_id: str | None = None
    active: bool = True
    valid_from: datetime

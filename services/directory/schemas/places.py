"""Areas, sites and organisations over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field

from services.directory.domain.organisations import Organisation
from services.directory.domain.places import Site, in_full
from shared.contracts.parts import SitePolicy
from shared.contracts.vocabulary import Criterion, OrganisationKind, SiteKind
from shared.http import Name, Schema, impersonal
from shared.places import Area

AreaCode = Annotated[
    str, Field(min_length=2, max_length=12, description="A national area code: 2, 4, 6, 9 or 12 digits")
]
Id = Annotated[str, Field(min_length=1, max_length=60)]
PublicName = Annotated[Name, AfterValidator(impersonal)]
"""What a place or an organisation is called travels in events, so no phone number may stand in it."""
Seconds = Annotated[int, Field(ge=1, le=366 * 24 * 3600)]
_LATER = 0
"""A default that is never read: only fields that were sent count in an edit."""


class NewVillage(Schema):
    code: str = Field(max_length=12, description="12 digits, beginning with the code of the township")
    name: PublicName


class AreaView(Schema):
    code: str
    name: str
    level: str
    parent: str | None
    lat: float | None = None
    lon: float | None = None

    @classmethod
    def of(cls, area: Area) -> Self:
        return cls(
            code=area.code, name=area.name, level=area.level, parent=area.parent, lat=area.lat, lon=area.lon
        )


class AreaInPlace(AreaView):
    """An area with those that hold it, from the province down."""

    ancestors: list[AreaView]


class PolicyEdit(Schema):
    """What a station decides for itself; only what is sent is changed."""

    criteria: tuple[Criterion, ...] = ()
    first_wave: int = Field(_LATER, ge=1, le=1000)
    wave_growth: float = Field(_LATER, ge=1, le=100)
    wave_seconds: Seconds = _LATER
    urgent_wave_seconds: Seconds = _LATER
    invitation_seconds: Seconds = _LATER
    urgent_invitation_seconds: Seconds = _LATER
    hold_seconds: Seconds = _LATER
    pick_up_seconds: Seconds = _LATER
    tier_seconds: Seconds = _LATER
    max_hops: int = Field(_LATER, ge=0, le=10)
    lead_seconds: Seconds = _LATER
    crisis_lead_seconds: Seconds = _LATER
    confirm_seconds: Seconds = _LATER
    no_show_seconds: Seconds = _LATER
    allow_partial: bool = False

    def on(self, policy: SitePolicy) -> SitePolicy:
        """The policy with what was sent. Raises Invalid for an order that leaves out a criterion."""
        sent: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        if "criteria" in sent:
            sent["criteria"] = in_full(self.criteria)
        return policy.model_copy(update=sent)


class NewSite(Schema):
    name: PublicName
    kind: SiteKind
    parent_id: Id | None = None
    area: AreaCode
    zone: str = Field("Asia/Shanghai", max_length=60)
    policy: PolicyEdit = PolicyEdit()

    def site(self, id: str) -> Site:
        return Site(
            id=id,
            name=self.name,
            tier=self.kind,
            parent_id=self.parent_id,
            area=self.area,
            zone=self.zone,
            policy=self.policy.on(SitePolicy()),
        )


class SiteEdit(Schema):
    """Only what is sent is changed. A site keeps its kind and its parent."""

    name: PublicName = ""
    area: AreaCode = ""
    zone: str = Field("", max_length=60)
    policy: PolicyEdit = PolicyEdit()
    active: bool = True

    def on(self, site: Site) -> Site:
        sent: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set - {"policy"}}
        return site.but(**sent, policy=self.policy.on(site.policy))


class SiteView(Schema):
    id: str
    name: str
    kind: SiteKind
    parent_id: str | None
    area: str
    zone: str
    policy: SitePolicy
    active: bool

    @classmethod
    def of(cls, site: Site) -> Self:
        return cls(
            id=site.id,
            name=site.name,
            kind=site.tier,
            parent_id=site.parent_id,
            area=site.area,
            zone=site.zone,
            policy=site.policy,
            active=site.active,
        )


class NewOrganisation(Schema):
    name: PublicName
    kind: OrganisationKind
    site_id: Id | None = None

    def organisation(self, id: str) -> Organisation:
        return Organisation(id=id, name=self.name, party=self.kind, site_id=self.site_id)


class OrganisationEdit(Schema):
    """Only what is sent is changed. An organisation keeps its kind."""

    name: PublicName = ""
    site_id: Id | None = None
    active: bool = True

    def on(self, organisation: Organisation) -> Organisation:
        return organisation.but(**{name: getattr(self, name) for name in self.model_fields_set})


class OrganisationView(Schema):
    id: str
    name: str
    kind: OrganisationKind
    site_id: str | None
    active: bool

    @classmethod
    def of(cls, organisation: Organisation) -> Self:
        return cls(
            id=organisation.id,
            name=organisation.name,
            kind=organisation.party,
            site_id=organisation.site_id,
            active=organisation.active,
        )

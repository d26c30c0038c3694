"""Organisations: the five parties (五社), as bodies that accounts belong to."""

from __future__ import annotations

from typing import ClassVar

from shared.contracts import topics
from shared.contracts.directory import OrganisationChanged
from shared.contracts.vocabulary import OrganisationKind
from shared.records import Change, Record, index


class Organisation(Record):
    """A body that takes part in the linkage. `party` says which of the five it is; `site_id` which site it is
    attached to (1+8+N), None for one that serves everywhere."""

    kind: ClassVar = "organisation"
    topic: ClassVar = topics.ORGANISATION
    indexes: ClassVar = (index("party"), index("site_id"))

    name: str
    party: OrganisationKind
    site_id: str | None = None
    active: bool = True


def register(known: Organisation | None, organisation: Organisation) -> Change[Organisation]:
    """An organisation that was registered before stays as it is."""
    return Change(known) if known is not None else Change(organisation, organisation_changed(organisation))


def edit(organisation: Organisation, edited: Organisation) -> Change[Organisation]:
    """The organisation as edited; says nothing if nothing changed."""
    if edited == organisation:
        return Change(organisation)
    return Change(edited, organisation_changed(edited))


def organisation_changed(organisation: Organisation) -> OrganisationChanged:
    return OrganisationChanged(
        organisation_name=organisation.name,
        kind=organisation.party,
        site_id=organisation.site_id,
        active=organisation.active,
    )

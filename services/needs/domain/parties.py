"""五社: which of the five parties took part in a need, derived from what was heard."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from services.needs.domain.facts import HANDED_OVER
from services.needs.domain.need import Need
from shared.contracts.vocabulary import OrganisationKind, Role


class Party(NamedTuple):
    """One of the five. `who` are the accounts, sites, organisations and charities by which it took part."""

    party: OrganisationKind
    who: tuple[str, ...]

    @property
    def took_part(self) -> bool:
        return bool(self.who)


class Known(NamedTuple):
    """What the directory says of an account: its roles, and the kind of its organisation."""

    roles: tuple[Role, ...] = ()
    organisation_id: str | None = None
    organisation_kind: OrganisationKind | None = None


def parties(
    need: Need, known: Callable[[str], Known], kind_of: Callable[[str], OrganisationKind | None]
) -> list[Party]:
    """The five parties, always all five, in their usual order.

    Community: the site that took the need in. Social workers: who posted it or serves in it with that role.
    Volunteers: everybody else who holds or did a task. An organisation: that of a helper, or one that accepted a
    referral. Charity: whose goods are handed over.
    """
    found: dict[OrganisationKind, dict[str, None]] = {kind: {} for kind in OrganisationKind}
    if need.posted_at:
        found[OrganisationKind.COMMUNITY][need.site_id] = None
    if Role.SOCIAL_WORKER in known(need.created_by).roles:
        found[OrganisationKind.SOCIAL_WORK][need.created_by] = None
    for helper in _helpers(need):
        facts = known(helper)
        worker = Role.SOCIAL_WORKER in facts.roles
        found[OrganisationKind.SOCIAL_WORK if worker else OrganisationKind.VOLUNTEER_TEAM][helper] = None
        if facts.organisation_id and facts.organisation_kind:
            found[facts.organisation_kind][facts.organisation_id] = None
    for referral in need.referrals:
        if referral.accepted and referral.organisation_id:
            kind = kind_of(referral.organisation_id) or OrganisationKind.SOCIAL_ORGANISATION
            found[kind][referral.organisation_id] = None
    for hold in need.holds.values():
        if hold.status in HANDED_OVER:
            found[OrganisationKind.CHARITY][hold.charity_id] = None
    return [Party(kind, tuple(who)) for kind, who in found.items()]


def _helpers(need: Need) -> list[str]:
    seated = [s.volunteer_id for s in need.seats if s.made]
    return list(dict.fromkeys((*seated, *need.volunteer_ids)))

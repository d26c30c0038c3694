"""The one policy table: action × role → scope. What is not written here is forbidden.

Every route names its action; `tests/` walks the live route table and fails on a route without one. To change a
right, change one cell here.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from shared.contracts.vocabulary import Role


class Scope(IntEnum):
    """How far a right reaches, narrowest first.

    OWN: what belongs to the account itself. ORGANISATION: what belongs to its organisation. SITE: what belongs to
    its site. SUBTREE: its site and all below. ANY: everything.
    """

    OWN = 1
    ORGANISATION = 2
    SITE = 3
    SUBTREE = 4
    ANY = 5


OWN, ORGANISATION, SITE, SUBTREE, ANY = Scope

STAFF, SCOUT, VOLUNTEER, SOCIAL_WORKER, PROVIDER, CHARITY, SUPERVISOR, ADMINISTRATOR = Role

PUBLIC = frozenset({"session.open", "session.refresh", "session.close", "area.read", "health.read"})
"""Actions that need no account."""

_EVERYBODY: dict[Role, Scope] = dict.fromkeys(Role, ANY)
_SELF: dict[Role, Scope] = dict.fromkeys(Role, OWN)
_STATION: dict[Role, Scope] = {STAFF: SITE, SOCIAL_WORKER: SITE, SUPERVISOR: SUBTREE}

POLICY: dict[str, dict[Role, Scope]] = {
    # directory
    "session.read": _SELF,
    "area.add": {SUPERVISOR: SUBTREE, ADMINISTRATOR: ANY},
    "site.read": _EVERYBODY,
    "site.open": {SUPERVISOR: SUBTREE, ADMINISTRATOR: ANY},
    "site.edit": {SUPERVISOR: SUBTREE, ADMINISTRATOR: ANY},
    "organisation.read": _EVERYBODY,
    "organisation.register": {SUPERVISOR: SUBTREE, ADMINISTRATOR: ANY},
    "organisation.edit": {SUPERVISOR: SUBTREE, ADMINISTRATOR: ANY},
    "account.open": {STAFF: SITE, SUPERVISOR: SUBTREE, ADMINISTRATOR: ANY},
    "account.read": {**_SELF, STAFF: SITE, SOCIAL_WORKER: SITE, SUPERVISOR: SUBTREE, ADMINISTRATOR: ANY},
    "account.edit": {SUPERVISOR: SUBTREE, ADMINISTRATOR: ANY},
    "account.password": {**_SELF, ADMINISTRATOR: ANY},
    # needs
    "household.register": _STATION,
    "household.read": _STATION,
    "household.edit": _STATION,
    "lead.report": {SCOUT: OWN, STAFF: SITE, SOCIAL_WORKER: SITE, VOLUNTEER: OWN},
    "lead.read": {SCOUT: OWN, VOLUNTEER: OWN, **_STATION},
    "lead.verify": _STATION,
    "need.post": _STATION,
    "need.load": {SUPERVISOR: SUBTREE, ADMINISTRATOR: ANY},
    "need.read": _STATION,
    "need.edit": _STATION,
    "need.cancel": _STATION,
    "need.refer": _STATION,
    "need.take_over": {PROVIDER: ORGANISATION, **_STATION},
    "need.rate": _STATION,
    "need.contact": {**_STATION, VOLUNTEER: OWN, PROVIDER: ORGANISATION},
    "need.reads": _STATION,
    "package.read": _STATION,
    # volunteers
    "volunteer.register": {VOLUNTEER: OWN, **_STATION},
    "volunteer.load": {SUPERVISOR: SUBTREE, ADMINISTRATOR: ANY},
    "volunteer.read": {VOLUNTEER: OWN, **_STATION},
    "volunteer.edit": {VOLUNTEER: OWN, **_STATION},
    "volunteer.activate": _STATION,
    "hours.read": {VOLUNTEER: OWN, **_STATION},
    "hours.make_up": _STATION,
    "team.read": {VOLUNTEER: ANY, PROVIDER: ANY, **_STATION},
    "team.edit": {**_STATION, PROVIDER: ORGANISATION},
    "invitation.read": {VOLUNTEER: OWN, **_STATION},
    "invitation.answer": {VOLUNTEER: OWN, **_STATION},
    "task.read": {VOLUNTEER: OWN, **_STATION},
    "task.perform": {VOLUNTEER: OWN, **_STATION},
    "task.no_show": _STATION,
    # resources
    "donor.register": {CHARITY: ORGANISATION},
    "donor.read": {CHARITY: ORGANISATION},
    "lot.list": {CHARITY: ORGANISATION},
    "lot.load": {CHARITY: ORGANISATION, SUPERVISOR: SUBTREE, ADMINISTRATOR: ANY},
    "lot.read": {CHARITY: ORGANISATION, STAFF: ANY, SOCIAL_WORKER: ANY, SUPERVISOR: ANY},
    "lot.edit": {CHARITY: ORGANISATION},
    "lot.write_off": {CHARITY: ORGANISATION},
    "hold.read": {CHARITY: ORGANISATION, **_STATION},
    "hold.issue": {CHARITY: ORGANISATION, **_STATION},
    "hold.receipt": _STATION,
    "hold.release": _STATION,
    "hold.return": {CHARITY: ORGANISATION, **_STATION},
    # matching
    "match.read": _STATION,
    # operations
    "dead_letter.read": {ADMINISTRATOR: ANY},
    "dead_letter.handle": {ADMINISTRATOR: ANY},
}


def actions_of(roles: Iterable[Role]) -> dict[str, Scope]:
    """What an account with these roles may do, each action with the widest scope it has."""
    mine = tuple(roles)
    held = {action: [row[role] for role in mine if role in row] for action, row in POLICY.items()}
    return {action: max(scopes) for action, scopes in held.items() if scopes}

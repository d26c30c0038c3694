"""The person behind a request, and what they may reach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.vocabulary import Role
from shared.errors import Forbidden, NotFound
from shared.places import Atlas
from shared.security.policy import POLICY, Scope


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking, as the signed token says. A volunteer's `account_id` is also their volunteer id.

    `issued_at` is since when the account has these rights, not when a clock signed them: it is compared with the moment
    at which they were last changed, and no clock may be ahead of that.
    """

    account_id: str
    roles: tuple[Role, ...]
    site_id: str | None
    organisation_id: str | None
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Access:
    """A principal doing one action: all that a service needs to keep to the policy table."""

    principal: Principal
    action: str
    atlas: Atlas

    @property
    def scope(self) -> Scope:
        """The widest scope that any of the principal's roles has for the action."""
        row = POLICY[self.action]
        return max(row[role] for role in self.principal.roles if role in row)

    def reaches(
        self, *, site_id: str | None = None, organisation_id: str | None = None, owner_id: str | None = None
    ) -> bool:
        """Whether an object with this site, organisation and owner is within reach of any of the roles."""
        row = POLICY[self.action]
        return any(
            self._within(row[r], site_id, organisation_id, owner_id) for r in self.principal.roles if r in row
        )

    def is_own(self, owner_id: str) -> bool:
        """Whether this is the principal's own, in an action that some role has for what is its own.

        Then everybody who has the action may do it: staff of one station who volunteer at another answer for
        themselves.
        """
        return owner_id == self.principal.account_id and Scope.OWN in POLICY[self.action].values()

    def roles_reaching(self, *, site_id: str | None = None, owner_id: str | None = None) -> tuple[Role, ...]:
        """The principal's roles whose right to this action reaches an object with this site and owner."""
        row = POLICY[self.action]
        return tuple(
            r for r in self.principal.roles if r in row and self._within(row[r], site_id, None, owner_id)
        )

    def require(
        self,
        *,
        site_id: str | None = None,
        organisation_id: str | None = None,
        owner_id: str | None = None,
        hidden: bool = True,
    ) -> None:
        """Refuse what is out of reach: as not found, so that nobody learns what exists elsewhere; or, with
        `hidden=False` (creating something at a place everybody knows), as forbidden."""
        if not self.reaches(site_id=site_id, organisation_id=organisation_id, owner_id=owner_id):
            raise NotFound() if hidden else Forbidden()

    def reaches_raised(self, site_id: str, tier_site_id: str | None) -> bool:
        """Whether an object of this site is within reach, or one of the sites that were asked to look as well: all those
        on its way up to this tier."""
        path = self.atlas.upwards(site_id)
        asked = path[: path.index(tier_site_id) + 1] if tier_site_id in path else [site_id, tier_site_id]
        return any(self.reaches(site_id=id) for id in asked)

    def require_raised(self, site_id: str, tier_site_id: str | None) -> None:
        """Refuse what is out of reach and was raised to nobody within it: as not found."""
        if not self.reaches_raised(site_id, tier_site_id):
            raise NotFound()

    def sites(self) -> tuple[str, ...] | None:
        """The sites whose objects the principal may list by SITE or SUBTREE scope; None means all sites, an
        empty tuple none."""
        me = self.principal
        match self.scope:
            case Scope.ANY:
                return None
            case Scope.SUBTREE if me.site_id:
                return tuple(s.id for s in self.atlas.sites() if self.atlas.is_under(s.id, me.site_id)) or (
                    me.site_id,
                )
            case Scope.SITE if me.site_id:
                return (me.site_id,)
            case _:
                return ()

    def _within(
        self, scope: Scope, site_id: str | None, organisation_id: str | None, owner_id: str | None
    ) -> bool:
        me = self.principal
        match scope:
            case Scope.ANY:
                return True
            case Scope.SUBTREE:
                return bool(me.site_id and site_id and self.atlas.is_under(site_id, me.site_id))
            case Scope.SITE:
                return bool(site_id) and site_id == me.site_id
            case Scope.ORGANISATION:
                return bool(organisation_id) and organisation_id == me.organisation_id
            case Scope.OWN:
                return bool(owner_id) and owner_id == me.account_id

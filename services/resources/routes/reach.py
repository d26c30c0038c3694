"""How far a request reaches into lots and holds, as conditions of a search."""

from __future__ import annotations

from collections.abc import Callable

from services.resources.domain.records import Lot
from services.resources.schemas.lots import LotView
from shared.contracts.vocabulary import Role
from shared.errors import Forbidden
from shared.http import Access
from shared.ports import Where
from shared.searches import either
from shared.security.policy import Scope


def own_organisation(access: Access) -> str:
    """The organisation that the account belongs to. Raises Forbidden for an account without one."""
    if access.principal.organisation_id is None:
        raise Forbidden()
    return access.principal.organisation_id


def reachable_lots(access: Access) -> list[Where]:
    """Listed lots: all of them, or those of the own organisation."""
    listed = Where("listed", "equal", True)
    if access.scope is Scope.ANY:
        return [listed]
    return [listed, Where("charity_id", "equal", own_organisation(access))]


def reachable_holds(access: Access) -> list[Where]:
    """Holds for needs of the sites in reach, and those on the own organisation's lots."""
    sites, ours = access.sites(), access.principal.organisation_id
    if sites is None:
        return []
    reached = [Where("site_id", "one_of", sites)] if sites else []
    if ours is not None and access.reaches(organisation_id=ours):
        reached.append(Where("charity_id", "equal", ours))
    if not reached:
        raise Forbidden()
    return [either(*reached)]


def lot_view(access: Access) -> Callable[[Lot], LotView]:
    """A lot as this account may see it: the charity that listed it also sees donor and note."""
    me = access.principal

    def view(lot: Lot) -> LotView:
        own = Role.CHARITY in me.roles and me.organisation_id == lot.charity_id
        return LotView.own(lot) if own else LotView.of(lot)

    return view

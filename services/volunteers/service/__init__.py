"""What can be asked of this service."""

from __future__ import annotations

from dataclasses import dataclass

from services.volunteers.service.helpers import Helpers
from services.volunteers.service.hours import Hours
from services.volunteers.service.invitations import Invitations
from services.volunteers.service.registry import Registry
from services.volunteers.service.tasks import Tasks
from services.volunteers.service.teams import Teams
from shared.run.kit import Kit


@dataclass(frozen=True)
class Volunteers:
    """The registry and everything that rests on it."""

    registry: Registry
    invitations: Invitations
    tasks: Tasks
    hours: Hours
    teams: Teams
    helpers: Helpers


def volunteers(kit: Kit) -> Volunteers:
    helpers = Helpers(kit)
    return Volunteers(
        Registry(kit, helpers), Invitations(kit, helpers), Tasks(kit), Hours(kit), Teams(kit), helpers
    )


__all__ = ["Volunteers", "volunteers"]

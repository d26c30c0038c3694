"""Teams, and what their members' profiles say of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from services.volunteers.domain import registry, teams
from services.volunteers.domain.registry import Volunteer
from services.volunteers.domain.teams import Team
from services.volunteers.schemas.records import TeamEdit, TeamNew, TeamView
from services.volunteers.service.answers import existing, with_answer
from shared.contracts.base import Message
from shared.contracts.volunteers import TeamChanged
from shared.errors import Invalid, NotFound
from shared.http import id_from
from shared.ports import Op, Query
from shared.records import Outcome, Versioned
from shared.run.kit import Kit


class Teams:
    """The team record says who is in it; the members' profiles follow by its event."""

    def __init__(self, kit: Kit) -> None:
        self._store = kit.store
        self._atlas = kit.atlas

    async def read(self, id: str) -> Versioned[Team]:
        found = await self._store.get(Team, id)
        if found is None:
            raise NotFound()
        return found

    async def list(self, query: Query) -> list[Versioned[Team]]:
        return await self._store.find(Team, query)

    async def found(self, asked: TeamNew, op: Op) -> Outcome[Team]:
        if self._atlas.site(asked.site_id) is None:
            raise Invalid("/site_id", zh="没有这个站点", en="there is no such site")
        if asked.organisation_id is not None and self._atlas.organisation(asked.organisation_id) is None:
            raise Invalid("/organisation_id", zh="没有这个组织", en="there is no such organisation")
        await self._must_be_registered(asked.leader_id, asked.member_ids)
        new = asked.team(id_from(op))
        return await self._store.change(
            Team, new.id, lambda known: with_answer(teams.found(known, new), TeamView.of), op=op
        )

    async def reshape(self, id: str, asked: TeamEdit, expected: int) -> Outcome[Team]:
        await self._must_be_registered(asked.leader_id, asked.member_ids or ())
        changes = asked.changes()
        return await self._store.change(
            Team, id, lambda t: teams.reshape(existing(t), changes), expect=expected
        )

    async def tell_members(self, event: TeamChanged, message: Message) -> None:
        """Bring the profiles of all who are or were in the team into line with it."""
        found = await self._store.get(Team, message.subject)
        if found is not None:
            team = found.record
            everybody = {*team.member_ids, *team.left_ids}
            await asyncio.gather(*(self._tell(one, team, message) for one in sorted(everybody)))

    async def _tell(self, person: str, team: Team, message: Message) -> None:
        member = person in team.present_ids
        if await self._store.get(Volunteer, person) is not None:
            await self._store.change(
                Volunteer,
                person,
                lambda v: registry.join_or_leave(existing(v), team.id, member),
                cause=message,
            )

    async def _must_be_registered(self, leader: str | None, members: Sequence[str]) -> None:
        """Refuse people who are not in the registry."""
        named = [(f"/member_ids/{n}", id) for n, id in enumerate(members)]
        if leader is not None:
            named.append(("/leader_id", leader))
        for pointer, id in named:
            if await self._store.get(Volunteer, id) is None:
                raise Invalid(pointer, zh="没有这位志愿者", en="there is no such volunteer")

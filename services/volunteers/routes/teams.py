"""Teams of volunteers."""

from __future__ import annotations

from fastapi import APIRouter, Response

from services.volunteers.schemas.records import TeamEdit, TeamNew, TeamView
from services.volunteers.service import Volunteers
from shared.http import Access, IfMatch, Operation, Page, Pages, allow, created, shown
from shared.ports import Where


class TeamRoutes:
    def __init__(self, volunteers: Volunteers) -> None:
        self._teams = volunteers.teams

    def add_to(self, router: APIRouter) -> None:
        router.post("/teams", operation_id="found_team", summary="Found a team", status_code=201)(self.found)
        router.get("/teams", operation_id="find_teams", summary="Teams, by site or organisation")(self.find)
        router.get("/teams/{team_id}", operation_id="read_team", summary="One team")(self.read)
        router.patch("/teams/{team_id}", operation_id="edit_team", summary="Change a team")(self.edit)

    async def found(
        self, body: TeamNew, response: Response, op: Operation, access: Access = allow("team.edit")
    ) -> TeamView:
        access.require(site_id=body.site_id, organisation_id=body.organisation_id, hidden=False)
        outcome = await self._teams.found(body, op)
        view: TeamView = created(response, outcome, f"/api/teams/{outcome.record.id}")
        return view

    async def find(
        self,
        pages: Pages,
        access: Access = allow("team.read"),
        site_id: str | None = None,
        organisation_id: str | None = None,
    ) -> Page[TeamView]:
        sites = access.sites()
        where = [] if sites is None else [Where("site_id", "one_of", sites)]
        if site_id is not None:
            where.append(Where("site_id", "equal", site_id))
        if organisation_id is not None:
            where.append(Where("organisation_id", "equal", organisation_id))
        return pages.page(await self._teams.list(pages.query(*where)), TeamView.of)

    async def read(self, team_id: str, response: Response, access: Access = allow("team.read")) -> TeamView:
        found = await self._teams.read(team_id)
        access.require(site_id=found.record.site_id, organisation_id=found.record.organisation_id)
        return shown(response, found, TeamView.of)

    async def edit(
        self,
        team_id: str,
        body: TeamEdit,
        response: Response,
        expected: IfMatch,
        access: Access = allow("team.edit"),
    ) -> TeamView:
        team = (await self._teams.read(team_id)).record
        access.require(site_id=team.site_id, organisation_id=team.organisation_id)
        return shown(response, await self._teams.reshape(team_id, body, expected), TeamView.of)

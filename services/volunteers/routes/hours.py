"""Service hours: seen by whoever served, made up by their station."""

from __future__ import annotations

from fastapi import APIRouter, Response

from services.volunteers.routes.reach import person_within
from services.volunteers.schemas.records import HoursNew, HoursPage, ServiceRecordView
from services.volunteers.service import Volunteers
from shared.contracts.vocabulary import HoursKind
from shared.http import Access, Operation, Pages, allow, created
from shared.ports import Where


class HourRoutes:
    def __init__(self, volunteers: Volunteers) -> None:
        self._volunteers = volunteers
        self._hours = volunteers.hours

    def add_to(self, router: APIRouter) -> None:
        path = "/volunteers/{volunteer_id}/hours"
        router.get(path, operation_id="read_hours", summary="Hours of service, newest day first")(self.read)
        router.post(
            path, operation_id="make_up_hours", summary="Enter hours afterwards (荣誉时数)", status_code=201
        )(self.make_up)

    async def read(self, volunteer_id: str, pages: Pages, access: Access = allow("hours.read")) -> HoursPage:
        await person_within(self._volunteers, volunteer_id, access)
        query = pages.query(Where("volunteer_id", "equal", volunteer_id), order="day", descending=True)
        page = pages.page(await self._hours.list(query), ServiceRecordView.of)
        total = await self._hours.minutes(volunteer_id)
        return HoursPage(
            items=page.items,
            next_cursor=page.next_cursor,
            credit_minutes=total[HoursKind.CREDIT],
            honour_minutes=total[HoursKind.HONOUR],
        )

    async def make_up(
        self,
        volunteer_id: str,
        body: HoursNew,
        response: Response,
        op: Operation,
        access: Access = allow("hours.make_up"),
    ) -> ServiceRecordView:
        person = (await person_within(self._volunteers, volunteer_id, access)).record
        outcome = await self._hours.make_up(person, body, op, access.principal.account_id)
        view: ServiceRecordView = created(response, outcome, f"/api/volunteers/{volunteer_id}/hours")
        return view

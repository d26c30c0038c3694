"""Tasks: done by whoever won the seat, or noted for them by their station, or by the one whose need it is."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response

from services.volunteers.domain.calendar import Calendar
from services.volunteers.domain.helpers import Helper
from services.volunteers.routes.reach import as_staff, person_within, reachable_people
from services.volunteers.schemas.calendars import CheckIn, CheckOut, TaskView
from services.volunteers.schemas.people import HelperView
from services.volunteers.service import Volunteers
from services.volunteers.service.answers import owner_of
from shared.contracts.vocabulary import TaskStatus
from shared.errors import Forbidden
from shared.http import Access, Operation, Page, Pages, allow, answered
from shared.http.pages import Paging
from shared.ports import Where
from shared.run.kit import Kit

PEOPLE_LOOKED_AT = 50
"""So many people's calendars are looked at for one page, however few tasks it is to hold."""


class TaskRoutes:
    def __init__(self, kit: Kit, volunteers: Volunteers) -> None:
        self._atlas = kit.atlas
        self._volunteers = volunteers
        self._tasks = volunteers.tasks

    def add_to(self, router: APIRouter) -> None:
        get, post, one = router.get, router.post, "/tasks/{task_id}"
        get("/tasks", operation_id="find_tasks", summary="Tasks of one person, or of a station's people")(
            self.find
        )
        get(one, operation_id="read_task", summary="One task")(self.read)
        get(
            f"{one}/helper", operation_id="read_helper", summary="Who comes: name, and phone until it is over"
        )(self.helper)
        post(f"{one}/withdraw", operation_id="withdraw_from_task", summary="Give the seat back")(
            self.withdraw
        )
        post(f"{one}/check-in", operation_id="check_in", summary="The service begins")(self.check_in)
        post(f"{one}/undo-check-in", operation_id="undo_check_in", summary="The check-in was a mistake")(
            self.undo_check_in
        )
        post(f"{one}/check-out", operation_id="check_out", summary="The service is over")(self.check_out)
        post(f"{one}/no-show", operation_id="note_no_show", summary="Nobody came")(self.note_no_show)

    async def find(
        self,
        pages: Pages,
        access: Access = allow("task.read"),
        volunteer_id: str | None = None,
        status: TaskStatus | None = None,
        overdue: bool | None = None,
        from_elsewhere: bool = False,
    ) -> Page[TaskView]:
        """The tasks of everybody in reach, person by person, or of one with `volunteer_id`; with `from_elsewhere` those of
        people of other stations at needs of the sites in reach. A page may be short, even empty, and still lead on."""
        if from_elsewhere:
            return await self._from_elsewhere(pages, access, volunteer_id, status, overdue)
        where = reachable_people(access)
        if volunteer_id is not None:
            await person_within(self._volunteers, volunteer_id, access)
            where = [Where("id", "equal", volunteer_id)]
        people = await self._volunteers.registry.list(
            pages.query(*where, look_at=max(pages.limit, PEOPLE_LOOKED_AT))
        )
        calendars = await asyncio.gather(
            *(self._volunteers.invitations.calendar(person.record.id) for person in people)
        )
        tasks = [self._shown(calendar, status, overdue) for calendar in calendars]
        return pages.spread(people, tasks, lambda task: task.id)

    async def _from_elsewhere(
        self,
        pages: Paging,
        access: Access,
        volunteer_id: str | None,
        status: TaskStatus | None,
        overdue: bool | None,
    ) -> Page[TaskView]:
        where = [Where("site_id", "one_of", access.sites() or ())]
        if volunteer_id is not None:
            where.append(Where("id", "one_of", tuple(f"{id}~{volunteer_id}" for id in access.sites() or ())))
        helpers = await self._volunteers.helpers.list(
            pages.query(*where, look_at=max(pages.limit, PEOPLE_LOOKED_AT))
        )
        tasks = [await self._at_the_needs_of(one.record, access, status, overdue) for one in helpers]
        return pages.spread(helpers, tasks, lambda task: task.id)

    async def _at_the_needs_of(
        self, helper: Helper, access: Access, status: TaskStatus | None, overdue: bool | None
    ) -> list[TaskView]:
        """This helper's tasks at the needs of the site; none if their own station is in reach, whose list has them."""
        person = (await self._volunteers.registry.read(helper.volunteer_id)).record
        if access.reaches(site_id=person.site_id):
            return []
        calendar = await self._volunteers.invitations.calendar(person.id)
        return [t for t in self._shown(calendar, status, overdue) if t.site_id == helper.site_id]

    async def read(self, task_id: str, access: Access = allow("task.read")) -> TaskView:
        person = owner_of(task_id)
        await self._within(task_id, access)
        calendar = await self._volunteers.invitations.calendar(person)
        invitation, _ = calendar.task(task_id)
        return TaskView.of(person, invitation, self._atlas)

    async def helper(self, task_id: str, access: Access = allow("task.read")) -> HelperView:
        """Also for the station whose need it is: it expects them, and may have to call."""
        await self._within(task_id, access)
        person = owner_of(task_id)
        _, task = (await self._volunteers.invitations.calendar(person)).task(task_id)
        return HelperView.of((await self._volunteers.registry.read(person)).record, task)

    async def withdraw(
        self, task_id: str, response: Response, op: Operation, access: Access = allow("task.perform")
    ) -> TaskView:
        """Only before the check-in. With less than a day to go it is noted as late."""
        await person_within(self._volunteers, owner_of(task_id), access)
        view: TaskView = answered(
            response, await self._tasks.withdraw(task_id, op, access.principal.account_id)
        )
        return view

    async def check_in(
        self,
        task_id: str,
        response: Response,
        op: Operation,
        body: CheckIn | None = None,
        access: Access = allow("task.perform"),
    ) -> TaskView:
        """From two hours before the task; staff at any time, also afterwards with `started_at` (荣誉时数)."""
        staff = await self._within(task_id, access)
        started_at = body.started_at if body else None
        if started_at is not None and not staff:
            raise Forbidden("/started_at")
        by = access.principal.account_id
        outcome = await self._tasks.check_in(task_id, op, by, staff=staff, started_at=started_at)
        view: TaskView = answered(response, outcome)
        return view

    async def undo_check_in(
        self, task_id: str, response: Response, op: Operation, access: Access = allow("task.perform")
    ) -> TaskView:
        """Within ten minutes; staff as long as nobody has checked out."""
        staff = await self._within(task_id, access)
        outcome = await self._tasks.undo_check_in(task_id, op, access.principal.account_id, staff=staff)
        view: TaskView = answered(response, outcome)
        return view

    async def check_out(
        self,
        task_id: str,
        response: Response,
        op: Operation,
        body: CheckOut | None = None,
        access: Access = allow("task.perform"),
    ) -> TaskView:
        """Now, or with `ended_at` when it was really over."""
        await self._within(task_id, access)
        ended_at = body.ended_at if body else None
        outcome = await self._tasks.check_out(task_id, op, access.principal.account_id, ended_at)
        view: TaskView = answered(response, outcome)
        return view

    async def note_no_show(
        self, task_id: str, response: Response, op: Operation, access: Access = allow("task.no_show")
    ) -> TaskView:
        """Once the check-in is overdue: it cannot be taken back. Who says before that they will not come gives the seat back."""
        await self._within(task_id, access)
        outcome = await self._tasks.note_no_show(task_id, op, access.principal.account_id)
        view: TaskView = answered(response, outcome)
        return view

    async def _within(self, task_id: str, access: Access) -> bool:
        """Whether staff act: of the person's station, or of the need's, which sees who came; but nobody vouches at another
        station for a task of their own. NotFound out of reach."""
        person = owner_of(task_id)
        if person != access.principal.account_id:
            calendar = await self._volunteers.invitations.calendar(person)
            task = calendar.invitations.get(task_id)
            if task is not None and access.reaches(site_id=task.site_id):
                return True
        return as_staff(access, (await person_within(self._volunteers, person, access)).record)

    def _shown(self, calendar: Calendar, status: TaskStatus | None, overdue: bool | None) -> list[TaskView]:
        """This person's tasks that were asked for, the earliest first."""
        tasks = [
            i
            for i in calendar.invitations.values()
            if i.task
            and (status is None or i.task.status == status)
            and (overdue is None or i.task.overdue == overdue)
        ]
        tasks.sort(key=lambda i: (i.window.start_at, i.id))
        return [TaskView.of(calendar.id, i, self._atlas) for i in tasks]

"""Volunteers: registered, edited, activated; seen by themselves and by their station."""

from __future__ import annotations

from fastapi import APIRouter, Response

from services.volunteers.domain.registry import VolunteerStatus
from services.volunteers.routes.reach import as_staff, person_within, reachable_people
from services.volunteers.schemas.calendars import CalendarView
from services.volunteers.schemas.people import (
    Block,
    CertificateGone,
    CertificateNew,
    VolunteerEdit,
    VolunteerNew,
    VolunteerView,
)
from services.volunteers.service import Volunteers
from shared.contracts.vocabulary import Role
from shared.errors import Invalid
from shared.http import Access, IfMatch, Operation, Page, Pages, allow, answered, created, id_from, shown
from shared.ports import Where
from shared.run.kit import Kit
from shared.security.access import Principal

HELPS = frozenset({Role.VOLUNTEER, Role.SOCIAL_WORKER})
"""Who is asked to come, besides what they do for a station."""


class People:
    def __init__(self, kit: Kit, volunteers: Volunteers) -> None:
        self._clock = kit.clock
        self._atlas = kit.atlas
        self._volunteers = volunteers
        self._registry = volunteers.registry

    def add_to(self, router: APIRouter) -> None:
        get, post, one = router.get, router.post, "/volunteers/{volunteer_id}"
        post(
            "/volunteers", operation_id="register_volunteer", summary="Register a volunteer", status_code=201
        )(self.register)
        get("/volunteers", operation_id="find_volunteers", summary="Volunteers, by site and status")(
            self.find
        )
        get(one, operation_id="read_volunteer", summary="One volunteer's profile")(self.read)
        router.patch(one, operation_id="edit_volunteer", summary="Edit a profile")(self.edit)
        post(f"{one}/activate", operation_id="activate_volunteer", summary="Staff have met the person")(
            self.activate
        )
        post(f"{one}/deactivate", operation_id="deactivate_volunteer", summary="Ask the person no more")(
            self.deactivate
        )
        post(f"{one}/certificates", operation_id="add_certificate", summary="Put a certificate on file")(
            self.certify
        )
        post(
            f"{one}/certificates/withdraw",
            operation_id="withdraw_certificate",
            summary="A certificate no longer counts",
        )(self.withdraw_certificate)
        post(f"{one}/block", operation_id="block_volunteer", summary="Ask nothing until a given time")(
            self.block
        )
        get(f"{one}/calendar", operation_id="read_calendar", summary="Invitations, tasks and load")(
            self.calendar
        )

    async def register(
        self,
        body: VolunteerNew,
        response: Response,
        op: Operation,
        access: Access = allow("volunteer.register"),
    ) -> VolunteerView:
        """Volunteers register themselves and wait for staff; whom staff register is active at once, with or
        without an account to sign in with. Social workers, and staff who are volunteers too, say whom they mean as long as
        they are not registered."""
        me = access.principal
        site_id = body.site_id or me.site_id
        if site_id is None:
            raise Invalid("/site_id", zh="请选择所属站点", en="say which station you belong to")
        staff = access.reaches(site_id=site_id)
        if staff and "account_id" not in body.model_fields_set:
            await self._must_not_be_meant(me)
        id = body.account_id or (id_from(op) if staff else me.account_id)
        access.require(site_id=site_id, owner_id=id, hidden=False)
        outcome = await self._registry.register(id, site_id, body, op, by=me.account_id, staff=staff)
        view: VolunteerView = created(response, outcome, f"/api/volunteers/{id}")
        return view

    async def find(
        self,
        pages: Pages,
        access: Access = allow("volunteer.read"),
        site_id: str | None = None,
        status: VolunteerStatus | None = None,
    ) -> Page[VolunteerView]:
        where = reachable_people(access)
        if site_id is not None:
            where.append(Where("site_id", "equal", site_id))
        if status is not None:
            where.append(Where("status", "equal", status))
        return pages.page(await self._registry.list(pages.query(*where)), VolunteerView.of)

    async def read(
        self, volunteer_id: str, response: Response, access: Access = allow("volunteer.read")
    ) -> VolunteerView:
        return shown(response, await person_within(self._volunteers, volunteer_id, access), VolunteerView.of)

    async def edit(
        self,
        volunteer_id: str,
        body: VolunteerEdit,
        response: Response,
        expected: IfMatch,
        access: Access = allow("volunteer.edit"),
    ) -> VolunteerView:
        await person_within(self._volunteers, volunteer_id, access)
        return shown(response, await self._registry.edit(volunteer_id, body, expected), VolunteerView.of)

    async def activate(
        self,
        volunteer_id: str,
        response: Response,
        op: Operation,
        access: Access = allow("volunteer.activate"),
    ) -> VolunteerView:
        """The station vouches for the person and for the certificates on file."""
        await person_within(self._volunteers, volunteer_id, access)
        outcome = await self._registry.activate(volunteer_id, op, access.principal.account_id)
        view: VolunteerView = answered(response, outcome)
        return view

    async def deactivate(
        self,
        volunteer_id: str,
        response: Response,
        op: Operation,
        access: Access = allow("volunteer.activate"),
    ) -> VolunteerView:
        await person_within(self._volunteers, volunteer_id, access)
        view: VolunteerView = answered(response, await self._registry.deactivate(volunteer_id, op))
        return view

    async def certify(
        self,
        volunteer_id: str,
        body: CertificateNew,
        response: Response,
        op: Operation,
        access: Access = allow("volunteer.edit"),
    ) -> VolunteerView:
        """Entered by staff it counts at once; entered by the person it counts when staff have seen it."""
        person = (await person_within(self._volunteers, volunteer_id, access)).record
        seen_by = access.principal.account_id if as_staff(access, person) else None
        view: VolunteerView = answered(
            response, await self._registry.certify(volunteer_id, body, op, seen_by)
        )
        return view

    async def withdraw_certificate(
        self,
        volunteer_id: str,
        body: CertificateGone,
        response: Response,
        op: Operation,
        access: Access = allow("volunteer.activate"),
    ) -> VolunteerView:
        """Nobody is asked by it any more. Seats that were won by it are given back by staff, task by task."""
        await person_within(self._volunteers, volunteer_id, access)
        outcome = await self._registry.withdraw_certificate(volunteer_id, body.certificate, op)
        view: VolunteerView = answered(response, outcome)
        return view

    async def block(
        self,
        volunteer_id: str,
        body: Block,
        response: Response,
        op: Operation,
        access: Access = allow("volunteer.edit"),
    ) -> VolunteerView:
        await person_within(self._volunteers, volunteer_id, access)
        view: VolunteerView = answered(response, await self._registry.block(volunteer_id, body.until, op))
        return view

    async def calendar(self, volunteer_id: str, access: Access = allow("task.read")) -> CalendarView:
        await person_within(self._volunteers, volunteer_id, access)
        calendar = await self._volunteers.invitations.calendar(volunteer_id)
        return CalendarView.of(calendar, self._atlas, self._clock.now())

    async def _must_not_be_meant(self, me: Principal) -> None:
        """Refuse to guess whether somebody who acts for a station and helps as well means themselves or a person without
        account: a profile under the wrong account could not be put right, and nobody would answer what it is asked."""
        if not HELPS.isdisjoint(me.roles) and not await self._registry.has(me.account_id):
            raise Invalid(
                "/account_id",
                zh="您自己尚未登记：登记自己请填本人账号编号；登记没有账号的人请填 null",
                en="you are not registered yourself yet: give your own account id to register yourself, or null for a"
                " person without an account",
            )

"""Invitations: seen and answered by whoever was asked, or by their station for them."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request, Response

from services.volunteers.domain.calendar import Invitation
from services.volunteers.domain.refusals import SeatGone
from services.volunteers.routes.reach import person_within
from services.volunteers.schemas.calendars import (
    Decline,
    InsteadView,
    InvitationView,
    OtherView,
    StillDecidingView,
    TaskView,
)
from services.volunteers.service import Volunteers
from services.volunteers.service.answers import owner_of
from shared.contracts.vocabulary import InvitationStatus
from shared.http import Access, Operation, Page, Pages, allow, answered
from shared.http.problems import Problem, ProblemResponse, say
from shared.run.kit import Kit


class InvitationRoutes:
    def __init__(self, kit: Kit, volunteers: Volunteers) -> None:
        self._atlas = kit.atlas
        self._volunteers = volunteers
        self._invitations = volunteers.invitations

    def add_to(self, router: APIRouter) -> None:
        get, post, one = router.get, router.post, "/invitations/{invitation_id}"
        get("/invitations", operation_id="find_invitations", summary="Invitations of one person")(self.find)
        get(one, operation_id="read_invitation", summary="One invitation")(self.read)
        post(
            f"{one}/accept",
            operation_id="accept_invitation",
            summary="Say yes, and learn whether the seat was won",
            responses={
                202: {"model": StillDecidingView, "description": "Still being decided"},
                409: {
                    "model": InsteadView,
                    "description": "Filled, with another open invitation; or refused",
                },
            },
            response_model=TaskView | StillDecidingView,
        )(self.accept)
        post(f"{one}/decline", operation_id="decline_invitation", summary="Say no, with a reason")(
            self.decline
        )

    async def find(
        self,
        pages: Pages,
        access: Access = allow("invitation.read"),
        volunteer_id: str | None = None,
        status: InvitationStatus | None = None,
    ) -> Page[InvitationView]:
        """One's own, or those of a volunteer of one's station; the newest first."""
        id = volunteer_id or access.principal.account_id
        if volunteer_id is not None and volunteer_id != access.principal.account_id:
            await person_within(self._volunteers, id, access)
        calendar = await self._invitations.calendar(id)
        wanted = [i for i in calendar.invitations.values() if status is None or i.status == status]
        wanted.sort(key=lambda i: (i.opened_at, i.id), reverse=True)
        return pages.whole([InvitationView.of(id, i, self._atlas) for i in wanted], lambda shown: shown.id)

    async def read(self, invitation_id: str, access: Access = allow("invitation.read")) -> InvitationView:
        person = owner_of(invitation_id)
        await person_within(self._volunteers, person, access)
        calendar = await self._invitations.calendar(person)
        return InvitationView.of(person, calendar.invitation(invitation_id), self._atlas)

    async def accept(
        self,
        invitation_id: str,
        request: Request,
        response: Response,
        op: Operation,
        access: Access = allow("invitation.answer"),
    ) -> Any:
        """200 with the task: the seat is theirs. 409 `seat-filled`: somebody was quicker, or `invitation-withdrawn`: the
        need was changed or is over; `other` is another open invitation. 202: not decided yet, look again at
        `location`. Repeated, it gives the verdict as it stands."""
        person = (await person_within(self._volunteers, owner_of(invitation_id), access)).record
        try:
            found = await self._invitations.accept(invitation_id, person, op, access.principal.account_id)
        except SeatGone as gone:
            return self._kindly(request, gone)
        if found.task is not None:
            return TaskView.of(person.id, found, self._atlas)
        location = f"/api/invitations/{invitation_id}"
        response.status_code = 202
        response.headers["Location"] = location
        return StillDecidingView(id=invitation_id, status=found.status, location=location)

    async def decline(
        self,
        invitation_id: str,
        body: Decline,
        response: Response,
        op: Operation,
        access: Access = allow("invitation.answer"),
    ) -> InvitationView:
        await person_within(self._volunteers, owner_of(invitation_id), access)
        outcome = await self._invitations.decline(invitation_id, body, op, access.principal.account_id)
        view: InvitationView = answered(response, outcome)
        return view

    def _kindly(self, request: Request, gone: SeatGone) -> ProblemResponse:
        """The refusal, with another task in the hand that reaches it."""
        said = say(request, Problem(gone.code, gone.status, gone.words("zh"), gone.words("en")))
        other: Invitation | None = gone.facts["other"]
        instead = InsteadView(other=OtherView.of(other, self._atlas) if other else None)
        content = {**json.loads(bytes(said.body)), **instead.model_dump(mode="json")}
        return ProblemResponse(content, gone.status, {"Content-Language": said.headers["Content-Language"]})

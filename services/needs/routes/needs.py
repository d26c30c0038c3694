"""Needs: posting, looking, acting, and the contact."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response

from services.needs.schemas import needs as schemas
from services.needs.schemas.contacts import ContactView, ReadView, read_view
from services.needs.schemas.views import NeedSummary, NeedView, summary, view
from services.needs.service import Contacts, Loading
from shared.contracts import vocabulary as v
from shared.http import Access, IfMatch, Operation, Page, Pages, allow, answered, created, id_from, shown
from shared.http.bodies import bulk
from shared.http.loading import Loaded


class NeedRoutes:
    def __init__(self, needs: Loading, contacts: Contacts) -> None:
        self._needs = needs
        self._contacts = contacts

    def add_to(self, router: APIRouter) -> None:
        get, post, patch = router.get, router.post, router.patch
        one = "/needs/{need_id}"
        post("/needs", operation_id="post_need", summary="Post a need, or keep a draft", status_code=201)(
            self.post
        )
        post("/needs/bulk", operation_id="load_needs", summary="Post many needs, one JSON object a line")(
            self.load
        )
        get("/needs", operation_id="list_needs", summary="Needs, newest first")(self.list)
        get(one, operation_id="read_need", summary="One need")(self.read)
        patch(one, operation_id="edit_need", summary="Edit a need that is not all taken")(self.edit)
        post(f"{one}/post", operation_id="submit_need", summary="Post a draft")(self.submit)
        post(f"{one}/cancel", operation_id="cancel_need", summary="Cancel, with a reason")(self.cancel)
        post(f"{one}/refer", operation_id="refer_need", summary="Ask another body to take it over")(
            self.refer
        )
        post(f"{one}/rate", operation_id="rate_need", summary="Record the resident's own answer")(self.rate)
        post(f"{one}/attempt", operation_id="note_attempt", summary="The resident could not be reached")(
            self.attempt
        )
        get(
            f"{one}/contact", operation_id="read_contact", summary="The contact, as far as it is open; logged"
        )(self.contact)
        get(f"{one}/reads", operation_id="list_contact_reads", summary="Who looked at the contact")(
            self.reads
        )

    async def post(
        self, body: schemas.NeedIn, response: Response, op: Operation, access: Access = allow("need.post")
    ) -> NeedSummary:
        id = id_from(op)
        answer: NeedSummary = created(
            response, await self._needs.post(access, body, op, id), f"/api/needs/{id}"
        )
        return answer

    @bulk
    async def load(
        self,
        request: Request,
        access: Access = allow("need.load"),
        on_error: Literal["stop", "skip"] = "stop",
    ) -> Loaded:
        return await self._needs.load(access, request.stream(), skip=on_error == "skip")

    async def list(
        self,
        pages: Pages,
        access: Access = allow("need.read"),
        site_id: str | None = None,
        tier_site_id: str | None = None,
        household_id: str | None = None,
        status: v.NeedStatus | None = None,
        urgency: v.Urgency | None = None,
        waiting: v.Waiting | None = None,
    ) -> Page[NeedSummary]:
        filters = {"household_id": household_id, "status": status, "urgency": urgency, "waiting": waiting}
        found = await self._needs.find(access, site_id, tier_site_id, filters, pages)
        return pages.page(found, summary)

    async def read(self, need_id: str, response: Response, access: Access = allow("need.read")) -> NeedView:
        found = await self._needs.read(access, need_id)
        return shown(response, found, lambda need: view(need, self._needs.took_part(need)))

    async def edit(
        self,
        need_id: str,
        body: schemas.NeedEdit,
        response: Response,
        expected: IfMatch,
        access: Access = allow("need.edit"),
    ) -> NeedSummary:
        answer: NeedSummary = answered(response, await self._needs.edit(access, need_id, body, expected))
        return answer

    async def submit(
        self, need_id: str, response: Response, op: Operation, access: Access = allow("need.post")
    ) -> NeedSummary:
        answer: NeedSummary = answered(response, await self._needs.submit(access, need_id, op))
        return answer

    async def cancel(
        self,
        need_id: str,
        body: schemas.Cancellation,
        response: Response,
        op: Operation,
        access: Access = allow("need.cancel"),
    ) -> NeedSummary:
        answer: NeedSummary = answered(response, await self._needs.cancel(access, need_id, body, op))
        return answer

    async def refer(
        self,
        need_id: str,
        body: schemas.ReferralIn,
        response: Response,
        op: Operation,
        access: Access = allow("need.refer"),
    ) -> NeedSummary:
        answer: NeedSummary = answered(response, await self._needs.refer(access, need_id, body, op))
        return answer

    async def rate(
        self,
        need_id: str,
        body: schemas.RatingIn,
        response: Response,
        op: Operation,
        access: Access = allow("need.rate"),
    ) -> NeedSummary:
        answer: NeedSummary = answered(response, await self._needs.rate(access, need_id, body, op))
        return answer

    async def attempt(
        self,
        need_id: str,
        body: schemas.AttemptIn,
        response: Response,
        op: Operation,
        access: Access = allow("need.rate"),
    ) -> NeedSummary:
        answer: NeedSummary = answered(response, await self._needs.note_attempt(access, need_id, body, op))
        return answer

    async def contact(self, need_id: str, access: Access = allow("need.contact")) -> ContactView:
        return await self._contacts.read(access, need_id)

    async def reads(self, need_id: str, pages: Pages, access: Access = allow("need.reads")) -> Page[ReadView]:
        reads = await self._contacts.reads(access, need_id, pages)
        return pages.page(reads, lambda read: read_view(read, access.atlas))

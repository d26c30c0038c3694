"""Leads. Who reported one sees its course; staff see what was reported."""

from __future__ import annotations

from fastapi import APIRouter, Response

from services.needs.domain.lead import Lead, need_id_of
from services.needs.schemas import leads as schemas
from services.needs.schemas.needs import OrderIn
from services.needs.schemas.views import NeedSummary
from services.needs.service import Leads
from shared.contracts.vocabulary import LeadStatus
from shared.http import Access, Operation, Page, Pages, allow, answered, created, id_from, shown

LeadShown = schemas.LeadView | schemas.LeadCourse


class LeadRoutes:
    def __init__(self, leads: Leads) -> None:
        self._leads = leads

    def add_to(self, router: APIRouter) -> None:
        get, post = router.get, router.post
        post("/leads", operation_id="report_lead", summary="Report a suspicion", status_code=201)(self.report)
        get("/leads", operation_id="list_leads", summary="Leads: one's own, or the site's")(self.list)
        get("/leads/{lead_id}", operation_id="read_lead", summary="One lead")(self.read)
        post(
            "/leads/{lead_id}/verify",
            operation_id="verify_lead",
            summary="Found true: post the need that it is",
            status_code=201,
        )(self.verify)
        post(
            "/leads/{lead_id}/dismiss", operation_id="dismiss_lead", summary="Nothing to do, or nothing new"
        )(self.dismiss)

    async def report(
        self, body: schemas.LeadIn, response: Response, op: Operation, access: Access = allow("lead.report")
    ) -> schemas.LeadCourse:
        id = id_from(op)
        answer: schemas.LeadCourse = created(
            response, await self._leads.report(access, body, op, id), f"/api/leads/{id}"
        )
        return answer

    async def list(
        self,
        pages: Pages,
        access: Access = allow("lead.read"),
        site_id: str | None = None,
        tier_site_id: str | None = None,
        status: LeadStatus | None = None,
    ) -> Page[LeadShown]:
        found = await self._leads.find_leads(access, site_id, tier_site_id, status, pages)

        def shown_to_me(lead: Lead) -> LeadShown:
            return schemas.view(lead) if self._leads.is_staff(access, lead) else schemas.course(lead)

        return pages.page(found, shown_to_me)

    async def read(self, lead_id: str, response: Response, access: Access = allow("lead.read")) -> LeadShown:
        found = await self._leads.read_lead(access, lead_id)
        staff = self._leads.is_staff(access, found.record)
        return shown(response, found, schemas.view if staff else schemas.course)

    async def verify(
        self,
        lead_id: str,
        body: OrderIn,
        response: Response,
        op: Operation,
        access: Access = allow("lead.verify"),
    ) -> NeedSummary:
        outcome = await self._leads.verify(access, lead_id, body, op)
        answer: NeedSummary = created(response, outcome, f"/api/needs/{need_id_of(lead_id)}")
        return answer

    async def dismiss(
        self,
        lead_id: str,
        body: schemas.Dismissal,
        response: Response,
        op: Operation,
        access: Access = allow("lead.verify"),
    ) -> schemas.LeadCourse:
        outcome = await self._leads.dismiss(access, lead_id, body.outcome, op)
        answer: schemas.LeadCourse = answered(response, outcome)
        return answer

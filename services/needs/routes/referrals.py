"""Referrals as the body that was asked meets them. They stand under /needs, before the routes that take an id."""

from __future__ import annotations

from fastapi import APIRouter, Response

from services.needs.schemas.views import NeedSummary, ReferredView, referred
from services.needs.service import Needs
from shared.http import Access, Operation, Page, Pages, allow, answered, shown


class ReferralRoutes:
    def __init__(self, needs: Needs) -> None:
        self._needs = needs

    def add_to(self, router: APIRouter) -> None:
        get, post = router.get, router.post
        get(
            "/needs/referred",
            operation_id="list_referred",
            summary="Needs that one's organisation was asked to take",
        )(self.list)
        get(
            "/needs/{need_id}/referral",
            operation_id="read_referral",
            summary="What one is asked to take over",
        )(self.read)
        post(
            "/needs/{need_id}/referral/accept", operation_id="accept_referral", summary="Take the need over"
        )(self.accept)
        post(
            "/needs/{need_id}/referral/decline",
            operation_id="decline_referral",
            summary="Say no to a referral, or take it back",
        )(self.decline)

    async def list(self, pages: Pages, access: Access = allow("need.take_over")) -> Page[ReferredView]:
        return pages.page(await self._needs.find_referred(access, pages), referred)

    async def read(
        self, need_id: str, response: Response, access: Access = allow("need.take_over")
    ) -> ReferredView:
        return shown(response, await self._needs.read_referred(access, need_id), referred)

    async def accept(
        self, need_id: str, response: Response, op: Operation, access: Access = allow("need.take_over")
    ) -> NeedSummary:
        answer: NeedSummary = answered(
            response, await self._needs.answer_referral(access, need_id, op, accept=True)
        )
        return answer

    async def decline(
        self, need_id: str, response: Response, op: Operation, access: Access = allow("need.take_over")
    ) -> ReferredView:
        answer: ReferredView = answered(
            response, await self._needs.answer_referral(access, need_id, op, accept=False)
        )
        return answer

"""`/accounts`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.directory.schemas.accounts import AccountEdit, AccountView, NewAccount, NewPassword
from services.directory.service.accounts import Accounts
from shared.http import Access, IfMatch, Operation, Page, Pages, allow, answered, created, shown
from shared.ports import Where


def account_routes(accounts: Accounts) -> APIRouter:
    router = APIRouter()
    _reading(router, accounts)
    _managing(router, accounts)
    _switching(router, accounts)
    return router


def _reading(router: APIRouter, accounts: Accounts) -> None:
    @router.get("/accounts", operation_id="list_accounts", summary="The accounts within reach")
    async def list_accounts(
        pages: Pages,
        site_id: Annotated[str | None, Query(max_length=60)] = None,
        access: Access = allow("account.read"),
    ) -> Page[AccountView]:
        asked = [Where("site_id", "equal", site_id)] if site_id else []
        found = await accounts.accounts(pages.query(*asked, *_within_reach(access)))
        return pages.page(found, AccountView.of)

    @router.get("/accounts/{id}", operation_id="read_account", summary="An account")
    async def read_account(
        id: str, response: Response, access: Access = allow("account.read")
    ) -> AccountView:
        account = await accounts.account(id)
        access.require(site_id=account.record.site_id, owner_id=id)
        return shown(response, account, AccountView.of)


def _managing(router: APIRouter, accounts: Accounts) -> None:
    @router.post(
        "/accounts", operation_id="open_account", summary="Open an account for somebody", status_code=201
    )
    async def open_account(
        response: Response, new: NewAccount, op: Operation, access: Access = allow("account.open")
    ) -> AccountView:
        outcome = await accounts.open_as(access, new, op)
        answer: AccountView = created(response, outcome, f"/api/accounts/{outcome.record.id}")
        return answer

    @router.patch("/accounts/{id}", operation_id="edit_account", summary="Change name, roles or places")
    async def edit_account(
        id: str,
        response: Response,
        edit: AccountEdit,
        expected: IfMatch,
        access: Access = allow("account.edit"),
    ) -> AccountView:
        return shown(response, await accounts.edit_as(access, id, edit.on, expected), AccountView.of)


def _switching(router: APIRouter, accounts: Accounts) -> None:
    @router.post(
        "/accounts/{id}/disable", operation_id="disable_account", summary="Disable and sign out everywhere"
    )
    async def disable_account(
        id: str, response: Response, op: Operation, access: Access = allow("account.edit")
    ) -> AccountView:
        answer: AccountView = answered(response, await accounts.set_active_as(access, id, False, op))
        return answer

    @router.post("/accounts/{id}/enable", operation_id="enable_account", summary="Enable again")
    async def enable_account(
        id: str, response: Response, op: Operation, access: Access = allow("account.edit")
    ) -> AccountView:
        answer: AccountView = answered(response, await accounts.set_active_as(access, id, True, op))
        return answer

    @router.post(
        "/accounts/{id}/password",
        operation_id="change_password",
        summary="Change a password; ends all sessions",
    )
    async def change_password(
        id: str,
        response: Response,
        passwords: NewPassword,
        op: Operation,
        access: Access = allow("account.password"),
    ) -> AccountView:
        answer: AccountView = answered(response, await accounts.set_password_as(access, id, passwords, op))
        return answer


def _within_reach(access: Access) -> list[Where]:
    """The condition on what may be listed: the sites within reach, or only oneself."""
    sites = access.sites()
    if sites is None:
        return []
    return (
        [Where("site_id", "one_of", sites)] if sites else [Where("id", "equal", access.principal.account_id)]
    )

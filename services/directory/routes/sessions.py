"""`/session`: sign in, who am I, stay signed in, sign out.

A browser keeps two HttpOnly cookies, which no script can read: `wushe_access` for every request, `wushe_refresh` only
for this address. A program uses the same tokens from the answer. Signing in twice opens two sessions, so none of this takes
an Idempotency-Key.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from services.directory.domain.sessions import SESSION_LIFE, SessionEnded
from services.directory.schemas.accounts import AccountView, Refresh, SignIn, Tokens, WhoAmI
from services.directory.schemas.places import OrganisationView, SiteView
from services.directory.service import Directory
from services.directory.service.sessions import Opened, Sessions
from shared.http import Access, Gate, allow, public
from shared.http.access import ACCESS_COOKIE, from_own_page
from shared.security.policy import actions_of
from shared.security.tokens import LIFE, NotSignedIn, TokenRefused

REFRESH_COOKIE = "wushe_refresh"
REFRESH_PATH = "/api/session"


def session_routes(directory: Directory) -> APIRouter:
    router = APIRouter(prefix="/session")
    _opening(router, directory.sessions)
    _living(router, directory)
    return router


def _opening(router: APIRouter, sessions: Sessions) -> None:
    @router.post("", operation_id="sign_in", summary="Sign in", dependencies=[public("session.open")])
    async def sign_in(request: Request, response: Response, asked: SignIn) -> Tokens:
        address = request.client.host if request.client else ""
        opened = await sessions.sign_in(asked.login, asked.password.get_secret_value(), address)
        return _given(request, response, opened)

    @router.post(
        "/refresh",
        operation_id="refresh_session",
        summary="Stay signed in",
        dependencies=[public("session.refresh")],
    )
    async def refresh_session(request: Request, response: Response, asked: Refresh | None = None) -> Tokens:
        if asked is None:
            from_own_page(request)
        token = asked.refresh_token.get_secret_value() if asked else request.cookies.get(REFRESH_COOKIE)
        if token is None:
            raise SessionEnded()
        return _given(request, response, await sessions.refresh(token))


def _living(router: APIRouter, directory: Directory) -> None:
    @router.get("", operation_id="read_session", summary="Who am I, and what may I do")
    async def read_session(access: Access = allow("session.read")) -> WhoAmI:
        account = (await directory.accounts.account(access.principal.account_id)).record
        site = await directory.places.site(account.site_id) if account.site_id else None
        body = account.organisation_id
        organisation = await directory.organisations.organisation(body) if body else None
        return WhoAmI(
            account=AccountView.of(account),
            site=SiteView.of(site.record) if site else None,
            organisation=OrganisationView.of(organisation.record) if organisation else None,
            actions={action: scope.name.lower() for action, scope in actions_of(account.roles).items()},
        )

    @router.delete(
        "",
        operation_id="close_session",
        summary="Sign out",
        status_code=204,
        dependencies=[public("session.close")],
    )
    async def close_session(request: Request, response: Response) -> None:
        """Of a browser that was left alone only the refresh cookie is there any more, which says as well which session it
        is; a token that is over says nothing."""
        gate: Gate = request.app.state.gate
        try:
            await directory.sessions.close(gate.verified(request).session_id)
        except (NotSignedIn, TokenRefused) as over:
            token = request.cookies.get(REFRESH_COOKIE)
            if token is None:
                raise SessionEnded() from over
            from_own_page(request)
            await directory.sessions.close_by(token)
        response.delete_cookie(ACCESS_COOKIE, path="/")
        response.delete_cookie(REFRESH_COOKIE, path=REFRESH_PATH)


def _given(request: Request, response: Response, opened: Opened) -> Tokens:
    """The tokens in the answer and as cookies, which travel only over https where that is how the request came."""
    secure = request.url.scheme == "https"
    response.set_cookie(
        ACCESS_COOKIE,
        opened.access_token,
        max_age=int(LIFE.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    response.set_cookie(
        REFRESH_COOKIE,
        opened.refresh_token,
        max_age=int(SESSION_LIFE.total_seconds()),
        path=REFRESH_PATH,
        secure=secure,
        httponly=True,
        samesite="strict",
    )
    return Tokens(
        access_token=opened.access_token,
        expires_at=opened.expires_at,
        refresh_token=opened.refresh_token,
        account=AccountView.of(opened.account),
    )

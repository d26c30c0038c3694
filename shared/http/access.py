"""Who is asking, and whether the policy table lets them: the two dependencies that every route has one of. Since every
route has one, parameters that a route does not know are refused here too.

A program sends `Authorization: Bearer <token>`. A browser sends the HttpOnly cookie `wushe_access`; because a browser
sends cookies by itself, a request with the cookie that changes something must also show that our own page sent it:
by `X-Requested-With: wushe`, or by an `Origin` of the same host.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fastapi import Depends, Request

from shared.errors import Forbidden, Outage, Refusal
from shared.http.parameters import only_known
from shared.places import Atlas
from shared.security.access import Access, Principal
from shared.security.policy import POLICY, PUBLIC
from shared.security.tokens import NotSignedIn, TokenRefused, TokenVerifier, Verified

ACCESS_COOKIE = "wushe_access"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_PROVEN = "wushe.verified"


class ForeignPage(Refusal):
    code = "foreign-page"
    status = 403
    zh = "请求不是从本站页面发出的：请加上请求头 X-Requested-With: wushe，或改用 Authorization: Bearer"
    en = "This did not come from our own page: send the header X-Requested-With: wushe, or use Authorization: Bearer"


@dataclass(frozen=True, slots=True)
class Gate:
    """Where tokens are checked; it stands at `app.state.gate`. It opens when the atlas is as new as what was said when the
    process began: before, nobody knows which accounts are closed, and which sites there are."""

    verifier: TokenVerifier
    atlas: Atlas
    is_open: Callable[[], bool] = lambda: True

    def verified(self, request: Request) -> Verified:
        """The valid token of this request. Raises NotSignedIn, TokenRefused, ForeignPage; Outage before it opens."""
        if not self.is_open():
            raise Outage("the atlas has not caught up")
        proven: Verified | None = request.scope.get(_PROVEN)
        if proven is None:
            proven = self._verify(request)
            request.scope[_PROVEN] = proven
        return proven

    def _verify(self, request: Request) -> Verified:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if not token:
            token = request.cookies.get(ACCESS_COOKIE, "")
            if not token:
                raise NotSignedIn()
            from_own_page(request)
        elif kind.lower() != "bearer":
            raise NotSignedIn()
        verified = self.verifier.verify(token)
        if not self.atlas.admits(verified.principal.account_id, verified.principal.issued_at):
            raise TokenRefused()
        return verified


def from_own_page(request: Request) -> None:
    """Refuse a change that a cookie vouches for and a foreign page may have sent."""
    if request.method in SAFE or request.headers.get("x-requested-with") == "wushe":
        return
    origin = request.headers.get("origin")
    if not origin or _host_of(origin) != request.headers.get("host"):
        raise ForeignPage()


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Allow:
    """The dependency of a route that needs an account whose role has this action."""

    action: str

    async def __call__(self, request: Request) -> Access:
        gate: Gate = request.app.state.gate
        principal: Principal = gate.verified(request).principal
        row = POLICY[self.action]
        if not any(role in row for role in principal.roles):
            raise Forbidden()
        only_known(request)
        return Access(principal, self.action, gate.atlas)


@dataclass(frozen=True, slots=True)
class Public:
    """The dependency of a route that anybody may use."""

    action: str

    async def __call__(self, request: Request) -> None:
        if self.action != "health.read":  # whoever watches a machine asks as they are used to
            only_known(request)


def allow(action: str) -> Any:
    """`access: Access = allow("need.post")`: 401 without a valid token, 403 if no role has the action."""
    if action not in POLICY:
        raise ValueError(f"the policy table has no row {action}")
    return Depends(Allow(action))


def public(action: str) -> Any:
    """`dependencies=[public("area.read")]`: needs no account, and says so."""
    if action not in PUBLIC:
        raise ValueError(f"{action} is not among the public actions")
    return Depends(Public(action))

"""The directory in a small world: its HTTP interface, the people who use it, and a clock that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from httpx2 import ASGITransport, AsyncClient, Response

from services.directory.app import RECORDS, build, directory
from services.directory.schemas.accounts import NewAccount
from shared.contracts.directory import AccountChanged, OrganisationChanged, SiteChanged, VillageAdded
from shared.contracts.vocabulary import Role
from shared.http.api import make_api
from shared.run.kit import Kit, Service
from shared.security.passwords import Hasher
from shared.security.tokens import TokenMint, TokenVerifier
from tests.world import World, world

PASSWORD = "correct horse"
FUQUAN, JINSHAN = "522702", "522702001"


class TownHall:
    """The directory with an administrator in it. What it says reaches the atlas after each request."""

    def __init__(self, w: World, mint: TokenMint, hasher: Hasher) -> None:
        self.w = w
        self.mint = mint
        kit = Kit(store=w.store, clock=w.clock, ids=w.ids, atlas=w.atlas)
        self.directory = directory(kit, mint=mint, hasher=hasher)
        verifier = TokenVerifier(mint.public_key, w.clock)
        self.api = make_api([w.service], atlas=w.atlas, verifier=verifier)
        self.http = self.client()
        self._heard = 0
        self._keys = 0

    def client(self, address: str = "10.0.0.1", scheme: str = "http") -> AsyncClient:
        """Somebody at this address, with a cookie jar of their own."""
        transport = ASGITransport(self.api, client=(address, 50_000))
        return AsyncClient(transport=transport, base_url=f"{scheme}://wushe.test")

    async def news(self) -> None:
        await self.w.settle()
        fresh = self.w.messages[self._heard :]
        self._heard = len(self.w.messages)
        for message in fresh:
            fact = message.data
            assert isinstance(fact, SiteChanged | OrganisationChanged | AccountChanged | VillageAdded)
            self.w.knows((message.subject, fact))

    async def sign_in(
        self, login: str, password: str = PASSWORD, http: AsyncClient | None = None
    ) -> Response:
        asked = {"login": login, "password": password}
        return await (http or self.http).post("/api/session", json=asked)

    async def token(self, login: str, password: str = PASSWORD) -> str:
        """The access token of a new session, on a client that keeps no cookies of it."""
        async with self.client() as http:
            opened = await self.sign_in(login, password, http)
        assert opened.status_code == 200, opened.text
        token: str = opened.json()["access_token"]
        return token

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        by: str | None = "admin",
        token: str | None = None,
        key: str | None = None,
        etag: str | None = None,
    ) -> Response:
        """One request by the account with this login, with a fresh idempotency key unless one is given."""
        self._keys += 1
        headers = {"Idempotency-Key": key or f"k{self._keys}", "Accept-Language": "en"}
        if etag:
            headers["If-Match"] = etag
        if by or token:
            headers["Authorization"] = f"Bearer {token or await self.token(by or '')}"
        async with self.client() as http:
            answer = await http.request(method, f"/api{path}", json=body, headers=headers)
        await self.news()
        return answer

    async def has(self, path: str, body: Mapping[str, Any]) -> str:
        """The id of something that the administrator makes."""
        answer = await self.ask("POST", path, body)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        id: str = made.get("id") or made["code"]
        return id

    async def a_site(self, kind: str, parent: str | None, area: str = FUQUAN, name: str = "站点") -> str:
        return await self.has("/sites", {"name": name, "kind": kind, "parent_id": parent, "area": area})

    async def an_account(self, login: str, *roles: Role, **places: str | None) -> str:
        return await self.has("/accounts", an_account(login, *roles, **places))


def an_account(login: str, *roles: Role, **places: str | None) -> dict[str, Any]:
    return {
        "login": login,
        "password": PASSWORD,
        "name": "王 五",
        "roles": [r.value for r in roles],
        **places,
    }


@asynccontextmanager
async def a_town_hall() -> AsyncIterator[TownHall]:
    mint, hasher = TokenMint(Ed25519PrivateKey.generate()), Hasher.cheap()

    @wraps(build)
    def built(kit: Kit) -> Service:
        return build(kit, mint=mint, hasher=hasher)

    async with world(RECORDS, built) as w:
        hall = TownHall(w, mint, hasher)
        admin = NewAccount.model_validate(an_account("admin", Role.ADMINISTRATOR))
        await hall.directory.accounts.ensure(admin)
        await hall.news()
        async with hall.http:
            yield hall

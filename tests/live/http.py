"""Requests to a real server, in the manner that a `Cast` asks them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from shared.contracts.vocabulary import Role
from shared.security.access import Principal
from shared.security.tokens import TokenMint, signing_key
from tests.cast import Cast


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: httpx2.Headers


class Line:
    """A client of one server. A request that finds nobody there raises httpx2.HTTPError, as for anybody else."""

    def __init__(self, url: str, prefix: str = "k") -> None:
        limits = httpx2.Limits(max_connections=600, max_keepalive_connections=600)
        self.http = httpx2.AsyncClient(base_url=url, timeout=30.0, limits=limits)
        self._prefix = prefix
        self._keys = itertools.count()

    async def call(
        self,
        token: str | None,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        sent = {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        if method != "GET":
            sent["Idempotency-Key"] = key or f"{self._prefix}-{next(self._keys)}"
        response = await self.http.request(method, path, json=body, headers=sent)
        kind = response.headers.get("content-type", "")
        return Answer(
            response.status_code, response.json() if "json" in kind else response.text, response.headers
        )

    async def close(self) -> None:
        await self.http.aclose()


def signer(directory: Path) -> TokenMint:
    """The mint of the server that runs on this data directory."""
    return TokenMint(signing_key(directory / "keys" / "signing.pem"))


def cast_of(line: Line, mint: TokenMint) -> Cast:
    """A cast that talks to a real server."""

    def sign(
        account_id: str, *roles: Role, site_id: str | None = None, organisation_id: str | None = None
    ) -> str:
        principal = Principal(account_id, roles, site_id, organisation_id, datetime.now(UTC))
        return mint.sign(principal, f"session-{account_id}")

    return Cast(line.call, sign, lambda: datetime.now(UTC))

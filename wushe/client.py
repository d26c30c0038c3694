"""A client of the HTTP interface: signs in, repeats safely, and puts refusals into words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple
from uuid import uuid4

import httpx2

from shared.errors import WusheError
from wushe.language import LANGUAGE, say

TRIES = 6
BETWEEN = frozenset({502, 503, 504})
"""What a proxy says, in a form of its own, while there is nobody behind it."""
NDJSON = "application/x-ndjson"


class Answer(NamedTuple):
    status: int
    body: Any
    etag: str | None


class Refused(WusheError):
    """The system said no; `problem` is its problem+json."""

    def __init__(self, status: int, problem: Any) -> None:
        self.status = status
        self.problem: dict[str, Any] = problem if isinstance(problem, dict) else {}
        self.code = str(self.problem.get("type", status)).rsplit(":", 1)[-1]
        super().__init__(self.sentence())

    @property
    def is_final(self) -> bool:
        """Whether the same would be refused again."""
        return self.status < 500 and self.status != 429

    def sentence(self) -> str:
        """The refusal and each field it is about, in the language of the terminal."""
        title = str(self.problem.get(f"title_{LANGUAGE}") or f"HTTP {self.status}")
        fields = [f"{e['pointer']}: {e[LANGUAGE]}" for e in self.problem.get("errors", [])]
        return f"{title} ({'; '.join(fields)})" if fields else title


class Unreachable(WusheError):
    """Nothing answers at this address."""

    def __init__(self, url: str) -> None:
        super().__init__(
            say(
                "{url} 没有应答：系统在运行吗？若在别的地址运行，请用 --url 指明",
                "nothing answers at {url}: is the system running? If it runs elsewhere, name its address with --url",
                url=url,
            )
        )


class NoAddress(WusheError):
    """What was given for an address is none."""

    def __init__(self) -> None:
        super().__init__(
            say(
                "--url 应为完整地址，如 http://127.0.0.1:8000",
                "--url must be a whole address, such as http://127.0.0.1:8000",
            )
        )


class NotOurs(WusheError):
    """Something answers, but not this system."""

    def __init__(self, url: str) -> None:
        super().__init__(
            say(
                "{url} 上运行的不是五社联动：请用 --url 指明正确的地址",
                "what answers at {url} is not Wushe: name the right address with --url",
                url=url,
            )
        )


class Api:
    """One system at one address, or in this process. Every account speaks through `as_account`."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http

    @classmethod
    def at(cls, url: str) -> Api:
        try:
            base = httpx2.URL(url)
        except httpx2.InvalidURL as e:
            raise NoAddress() from e
        return cls(
            httpx2.AsyncClient(base_url=base, timeout=httpx2.Timeout(60.0, connect=5.0), trust_env=False)
        )

    @classmethod
    def inside(cls, app: Any) -> Api:
        """The system in this process, without a socket."""
        transport = httpx2.ASGITransport(app=app)
        return cls(httpx2.AsyncClient(transport=transport, base_url="http://inside"))

    async def close(self) -> None:
        await self.http.aclose()

    async def sign_in(self, login: str, password: str) -> Account:
        account = Account(self, login, password)
        await account.sign_in()
        return account

    async def send(self, method: str, path: str, **request: Any) -> httpx2.Response:
        try:
            return await self.http.request(method, path, **request)
        except (httpx2.UnsupportedProtocol, httpx2.InvalidURL) as e:
            raise NoAddress() from e
        except httpx2.TransportError as e:
            raise Unreachable(str(self.http.base_url)) from e


class Account:
    """One signed-in account. A change that meets an outage is sent again with the same Idempotency-Key."""

    def __init__(self, api: Api, login: str, password: str) -> None:
        self.api = api
        self.login = login
        self.id = ""
        self._password = password
        self._token = ""

    async def sign_in(self) -> None:
        body = {"login": self.login, "password": self._password}
        response = await self.api.send("POST", "/api/session", json=body)
        session = checked(response).body
        if not isinstance(session, dict) or "access_token" not in session:
            raise NotOurs(str(response.url))
        self._token = session["access_token"]
        self.id = session["account"]["id"]

    async def get(self, path: str, **parameters: Any) -> Answer:
        return await self._ask("GET", path, {}, params=parameters)

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        return await self._ask("POST", path, {"Idempotency-Key": key or str(uuid4())}, json=body)

    async def patch(self, path: str, body: Any) -> Answer:
        """Edit what stands there now."""
        present = await self.get(path)
        return await self._ask("PATCH", path, {"If-Match": present.etag or ""}, json=body)

    async def bulk(self, path: str, lines: bytes, *, key: str | None = None) -> Answer:
        headers = {"Idempotency-Key": key or str(uuid4()), "Content-Type": NDJSON}
        return await self._ask("POST", path, headers, content=lines)

    async def every(self, path: str, **parameters: Any) -> AsyncIterator[Any]:
        """Every item of a list, page after page."""
        cursor: str | None = None
        while True:
            given = {**parameters, "limit": 200} | ({"cursor": cursor} if cursor else {})
            page = (await self.get(path, **given)).body
            for item in page["items"]:
                yield item
            cursor = page["next_cursor"]
            if cursor is None:
                return

    async def until(
        self, path: str, holds: Callable[[Any], bool], *, seconds: float = 20.0, every: float = 0.05
    ) -> Any:
        """Ask until the answer satisfies `holds`; the last answer even if time ran out first."""
        end = asyncio.get_running_loop().time() + seconds
        while True:
            body = await self._body_or_none(path)
            if (body is not None and holds(body)) or asyncio.get_running_loop().time() > end:
                return body
            await asyncio.sleep(every)

    async def _body_or_none(self, path: str) -> Any:
        try:
            return (await self.get(path)).body
        except Refused as no:
            if no.status != 404:
                raise
            return None

    async def _ask(self, method: str, path: str, headers: dict[str, str], **request: Any) -> Answer:
        for left in reversed(range(TRIES)):
            sent = headers | {"Authorization": f"Bearer {self._token}"}
            response = await self.api.send(method, path, headers=sent, **request)
            if response.status_code == 401 and left:
                await self.sign_in()
            elif response.status_code in (429, 503) and left:
                await asyncio.sleep(0.1 * 2 ** (TRIES - left))
            else:
                break
        return checked(response)


def checked(response: httpx2.Response) -> Answer:
    """The answer. Raises Refused for a problem, NotOurs for what is no JSON."""
    try:
        body = json.loads(response.content) if response.content else None
    except ValueError as e:
        if response.status_code in BETWEEN:
            raise Refused(response.status_code, None) from e
        raise NotOurs(str(response.url)) from e
    if response.status_code >= 400:
        raise Refused(response.status_code, body)
    return Answer(response.status_code, body, response.headers.get("etag"))

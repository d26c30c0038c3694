"""A world of volunteers with its HTTP interface, a small county, and builders for what matching says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.volunteers.app import RECORDS, build
from services.volunteers.domain.calendar import Calendar, Invitation, Task
from services.volunteers.domain.registry import Volunteer
from shared.contracts.directory import AccountChanged, SiteChanged
from shared.contracts.matching import (
    OffersWithdrawn,
    SeatFilled,
    SeatReleased,
    SeatsOffered,
    SeatWon,
)
from shared.contracts.parts import Offer, Window
from shared.contracts.taken import InvitationRef
from shared.contracts.vocabulary import Category, Closing, Mode, Ring, Role, SiteKind, Skill, Urgency
from shared.http.api import make_api
from shared.security.access import Principal
from shared.security.tokens import TokenMint, TokenVerifier
from tests.world import START, World, world

COUNTY, EAST, WEST = "522702", "522702102", "522702103"
TOMORROW = START + timedelta(days=1)


class Desk:
    """The world of volunteers, as people and matching meet it."""

    def __init__(self, w: World) -> None:
        self.w = w
        w.knows(
            ("main", SiteChanged(site_name="总站", kind=SiteKind.MAIN_STATION, area=COUNTY)),
            ("east", SiteChanged(site_name="东站", kind=SiteKind.STATION, area=EAST, parent_id="main")),
            ("west", SiteChanged(site_name="西站", kind=SiteKind.STATION, area=WEST, parent_id="main")),
        )
        self._mint = TokenMint(Ed25519PrivateKey.generate())
        verifier = TokenVerifier(self._mint.public_key, w.clock)
        self.api = make_api([w.service], atlas=w.atlas, verifier=verifier, access_log=False)
        self.http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.api), base_url="http://desk")
        self._keys = 0
        self._moving = asyncio.Lock()

    def closes(self, site_id: str) -> None:
        site = self.w.atlas.site(site_id)
        assert site is not None
        self.w.knows((site_id, site.facts.model_copy(update={"active": False})))

    def token(self, who: str) -> str:
        """`staff` sits in the east, `stranger` in the west, `boss` above both; any other name is a volunteer."""
        roles = {
            "staff": (Role.STAFF, "east"),
            "stranger": (Role.STAFF, "west"),
            "boss": (Role.SUPERVISOR, "main"),
            "charity": (Role.CHARITY, "main"),
        }
        role, site_id = roles.get(who, (Role.VOLUNTEER, "east"))
        return self._mint.sign(Principal(who, (role,), site_id, None, self.w.clock.now()), f"s-{who}")

    async def ask(
        self, who: str, call: str, body: Any = None, *, key: str | None = None, **headers: str
    ) -> httpx2.Response:
        """`await d.ask("li", "GET /tasks")`; a fresh Idempotency-Key unless one is given. Then whatever follows."""
        answer = await self._send(who, call, body, key, headers)
        async with self._moving:
            await self.w.settle()
        return answer

    async def _send(
        self,
        who: str,
        call: str,
        body: Any = None,
        key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx2.Response:
        method, path = call.split(" ")
        self._keys += 1
        sent = {"Authorization": f"Bearer {self.token(who)}"}
        sent |= {k.replace("_", "-"): v for k, v in (headers or {}).items()}
        if method == "POST":
            sent["Idempotency-Key"] = key or f"key-{self._keys}"
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        return await self.http.request(method, f"/api{path}", content=content, headers=sent)

    async def registers(self, *people: str, **changes: Any) -> None:
        """Staff of the east register these people, who have accounts; they are active at once."""
        for person in people:
            self.w.knows((person, AccountChanged(roles=(Role.VOLUNTEER,), valid_from=START)))
            answer = await self.ask("staff", "POST /volunteers", a_profile(account_id=person, **changes))
            assert answer.status_code == 201, answer.text

    async def asks(self, need: str, *people: str, **changes: Any) -> None:
        """Matching asks these people."""
        await self.w.hears((need, an_offer(need, *people, **changes)))

    async def accepts(
        self,
        who: str,
        need: str,
        verdict: str | None = "won",
        *,
        key: str | None = None,
        by: str | None = None,
    ) -> httpx2.Response:
        """The answer to a yes, where matching says `won` or `filled`, or says nothing in time (None)."""
        call = self._send(by or who, f"POST /invitations/{who}~{need}/accept", key=key)
        request = asyncio.ensure_future(call)
        for _ in range(200):
            await asyncio.sleep(0)
        async with self._moving:
            if not request.done():
                await self.decides(who, need, verdict)
            answer = await request
            await self.w.settle()
        return answer

    async def decides(self, who: str, need: str, verdict: str | None) -> None:
        if verdict == "won":
            await self.w.hears((need, await self.a_win(who, need)))
        elif verdict == "filled":
            await self.w.hears((need, a_loss(who, need)))
        else:
            self.w.clock.advance(2.5)

    async def takes(self, who: str, need: str, **changes: Any) -> None:
        """This person is asked, says yes, and wins."""
        await self.asks(need, who, **changes)
        answer = await self.accepts(who, need)
        assert answer.status_code == 200, answer.text

    async def a_win(self, who: str, need: str) -> SeatWon:
        """The verdict that the seat is theirs, at the time for which they were asked."""
        return a_win(who, need, (await self.invitation(who, need)).window)

    async def calendar(self, who: str) -> Calendar:
        found = await self.w.store.get(Calendar, who)
        assert found is not None
        return found.record

    async def invitation(self, who: str, need: str) -> Invitation:
        return (await self.calendar(who)).invitation(f"{who}~{need}")

    async def task(self, who: str, need: str) -> Task:
        return (await self.calendar(who)).task(f"{who}~{need}")[1]

    async def profile(self, who: str) -> Volunteer:
        found = await self.w.store.get(Volunteer, who)
        assert found is not None
        return found.record


def a_profile(**changes: Any) -> dict[str, Any]:
    return {"name": "罗小梅", "phone": "13800000000", "site_id": "east", "area": EAST, **changes}


def a_window(start_at: datetime = TOMORROW, **length: float) -> Window:
    """From then on for two hours, or as long as said."""
    return Window(start_at=start_at, end_at=start_at + timedelta(**(length or {"hours": 2})))


def an_offer(need: str, *people: str, **changes: Any) -> SeatsOffered:
    return SeatsOffered(
        **{
            "line_id": "p1",
            "wave": 1,
            "ring": Ring.TOWNSHIP,
            "site_id": "east",
            "household_id": "household-1",
            "category": Category.SOCIAL_SUPPORT,
            "urgency": Urgency.ORDINARY,
            "skills": (Skill.HOME_VISIT,),
            "mode": Mode.ON_SITE,
            "area": EAST,
            "window": a_window(),
            "open_seats": 1,
            "expires_at": START + timedelta(hours=1),
            "offers": tuple(Offer(invitation_id=f"{p}~{need}", volunteer_id=p) for p in people),
            **changes,
        }
    )


def a_win(who: str, need: str, window: Window | None = None) -> SeatWon:
    return SeatWon(
        line_id="p1",
        seat_id="p1/1",
        invitation_id=f"{who}~{need}",
        volunteer_id=who,
        window=window or a_window(),
    )


def a_loss(who: str, need: str) -> SeatFilled:
    return SeatFilled(line_id="p1", invitation_id=f"{who}~{need}", volunteer_id=who)


def a_release(who: str, need: str, reason: Closing = Closing.CANCELLED) -> SeatReleased:
    return SeatReleased(
        line_id="p1", seat_id="p1/1", invitation_id=f"{who}~{need}", volunteer_id=who, reason=reason
    )


def a_withdrawal(need: str, *people: str, reason: Closing = Closing.FILLED) -> OffersWithdrawn:
    refs = tuple(InvitationRef(invitation_id=f"{p}~{need}", volunteer_id=p) for p in people)
    return OffersWithdrawn(reason=reason, invitations=refs)


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    async with world(RECORDS, build) as w:
        d = Desk(w)
        try:
            yield d
        finally:
            await d.http.aclose()

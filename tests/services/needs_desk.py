"""A world of needs intake with its HTTP interface: two stations of a county, their people, and builders."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.needs.app import RECORDS, build
from services.needs.domain import Need
from shared.contracts import matching as m
from shared.contracts import resources as r
from shared.contracts import volunteers as vol
from shared.contracts.directory import AccountChanged, OrganisationChanged, SiteChanged, VillageAdded
from shared.contracts.parts import LotState, SitePolicy, Window
from shared.contracts.taken import HoldTaken, SeatTaken
from shared.contracts.vocabulary import Closing, GoodsCategory, LotKind, OrganisationKind, Role, SiteKind
from shared.http.api import make_api
from shared.security.access import Principal
from shared.security.tokens import TokenMint, TokenVerifier
from tests.world import START, World, world

COUNTY, TOWNSHIP, ELSEWHERE = "522702", "522702102", "522702103"
VILLAGE = "522702102001"
NAME, PHONE, ADDRESS = "罗阿婆", "13812341234", "桂花巷12号2单元"
TEN, NOON = START + timedelta(hours=1), START + timedelta(hours=3)
"""10:00 and 12:00 of the first day, in Fuquan."""

PEOPLE: dict[str, tuple[Role, str | None, str | None]] = {
    "staff": (Role.STAFF, "east", None),
    "social": (Role.SOCIAL_WORKER, "east", None),
    "stranger": (Role.STAFF, "west", None),
    "boss": (Role.SUPERVISOR, "main", None),
    "above": (Role.STAFF, "main", None),
    "top": (Role.STAFF, "centre", None),
    "scout": (Role.SCOUT, "east", None),
    "scout-2": (Role.SCOUT, "east", None),
    "li": (Role.VOLUNTEER, "east", None),
    "wang": (Role.VOLUNTEER, "east", None),
    "provider": (Role.PROVIDER, None, "hands"),
    "rival": (Role.PROVIDER, None, "rival"),
    "charity": (Role.CHARITY, None, "love"),
    "admin": (Role.ADMINISTRATOR, None, None),
}


class Desk:
    """The world of needs intake, as people, matching, calendars and lots meet it."""

    def __init__(self, w: World, policy: SitePolicy) -> None:
        self.w = w
        w.knows(*_directory(policy))
        self._mint = TokenMint(Ed25519PrivateKey.generate())
        verifier = TokenVerifier(self._mint.public_key, w.clock)
        api = make_api([w.service], atlas=w.atlas, verifier=verifier, access_log=False)
        self.http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=api), base_url="http://desk")
        self._keys = 0
        self.holding_back = False
        """Whether what follows from a request is still to come when it is answered."""

    async def ask(
        self, who: str, call: str, body: Any = None, *, key: str | None = None, **headers: str
    ) -> httpx2.Response:
        """`await d.ask("staff", "POST /needs", {...})`; a fresh Idempotency-Key unless one is given."""
        method, path = call.split(" ")
        role, site_id, organisation_id = PEOPLE[who]
        principal = Principal(who, (role,), site_id, organisation_id, self.w.clock.now())
        sent = {"Authorization": f"Bearer {self._mint.sign(principal, f's-{who}')}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        self._keys += 1
        if method == "POST":
            sent["Idempotency-Key"] = key or f"key-{self._keys}"
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        answer = await self.http.request(method, f"/api{path}", content=content, headers=sent)
        if not self.holding_back:
            await self.w.settle()
        return answer

    async def made(self, who: str, call: str, body: Any = None) -> dict[str, Any]:
        """The answer to a request that is expected to succeed."""
        answer = await self.ask(who, call, body)
        assert answer.status_code in (200, 201), answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def household(self, who: str = "staff", **changes: Any) -> str:
        return str((await self.made(who, "POST /households", a_household(**changes)))["id"])

    async def posts(self, *lines: dict[str, Any], household_id: str | None = None, **changes: Any) -> str:
        """The id of a need that was posted: one home visit unless other lines are given."""
        household_id = household_id or await self.household()
        body = an_order(household_id, *lines, **changes)
        return str((await self.made("staff", "POST /needs", body))["id"])

    async def need(self, need_id: str) -> Need:
        found = await self.w.store.get(Need, need_id)
        assert found is not None
        return found.record

    async def course(self, need_id: str) -> tuple[str, str | None]:
        """Status and reason."""
        need = await self.need(need_id)
        assert need.ended or (need.next_action_at is not None and need.next_action_at > self.w.clock.now())
        return need.status, need.waiting

    def closes(self, id: str) -> None:
        """A site or an organisation, as the directory tells it."""
        known = dict(_directory(SitePolicy()))[id]
        self.w.knows((id, known.model_copy(update={"active": False})))

    def site(self, id: str) -> SiteChanged:
        """A site as it is known now."""
        known = self.w.atlas.site(id)
        assert known is not None
        return known.facts

    def changes(self, id: str, **facts: Any) -> None:
        self.w.knows((id, self.site(id).model_copy(update=facts)))

    def has_a_centre_above(self) -> None:
        """A guidance centre, "centre", of which the main station is a part."""
        main = dict(_directory(SitePolicy()))["main"]
        kept = {"site_name": "指导中心", "kind": SiteKind.CENTER, "area": "5227", "parent_id": None}
        self.w.knows(
            ("centre", main.model_copy(update=kept)),
            ("main", main.model_copy(update={"parent_id": "centre"})),
        )

    async def hears(self, *told: tuple[str, Any]) -> None:
        await self.w.hears(*told)


def _directory(policy: SitePolicy) -> list[tuple[str, Any]]:
    def site(name: str, kind: SiteKind, area: str, parent: str | None = None) -> SiteChanged:
        return SiteChanged(site_name=name, kind=kind, area=area, parent_id=parent, policy=policy)

    def organisation(name: str, kind: OrganisationKind) -> OrganisationChanged:
        return OrganisationChanged(organisation_name=name, kind=kind, site_id="main")

    accounts = [
        (who, AccountChanged(roles=(role,), site_id=s, organisation_id=o, valid_from=START))
        for who, (role, s, o) in PEOPLE.items()
    ]
    return [
        ("main", site("总站", SiteKind.MAIN_STATION, COUNTY)),
        ("east", site("东站", SiteKind.STATION, TOWNSHIP, "main")),
        ("west", site("西站", SiteKind.STATION, ELSEWHERE, "main")),
        (VILLAGE, VillageAdded(area_name="桂花村", parent=TOWNSHIP)),
        ("hands", organisation("巧手社", OrganisationKind.SOCIAL_ORGANISATION)),
        ("rival", organisation("另一家", OrganisationKind.SOCIAL_ORGANISATION)),
        ("love", organisation("爱心会", OrganisationKind.CHARITY)),
        *accounts,
    ]


def a_resident(**changes: Any) -> dict[str, Any]:
    return {"name": NAME, "birth_date": "1944-05-06", "relation": "head", **changes}


def a_household(**changes: Any) -> dict[str, Any]:
    return {
        "area": VILLAGE,
        "address": ADDRESS,
        "phone": PHONE,
        "location": {"lat": 26.7, "lon": 107.5},
        "target_groups": ["low_income"],
        "residents": [a_resident()],
        **changes,
    }


def a_window(start_at: datetime = TEN, hours: float = 2) -> dict[str, str]:
    return {"start_at": start_at.isoformat(), "end_at": (start_at + timedelta(hours=hours)).isoformat()}


def people(seats: int = 1, start_at: datetime = TEN, hours: float = 2, **changes: Any) -> dict[str, Any]:
    window = a_window(start_at, hours)
    return {"kind": "people", "seats": seats, "skills": ["home_visit"], "window": window, **changes}


def goods(quantity: int = 2, **changes: Any) -> dict[str, Any]:
    return {"kind": "goods", "category": "food", "quantity": quantity, "unit": "袋", **changes}


def an_order(household_id: str, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "household_id": household_id,
        "category": "comfort",
        "lines": list(lines) or [people()],
        **changes,
    }


WINDOW = Window(start_at=TEN, end_at=NOON)


def taken(who: str = "li", line_id: str = "p1", window: Window = WINDOW) -> SeatTaken:
    return SeatTaken(
        line_id=line_id, seat_id=f"{line_id}/1", invitation_id=f"{who}~1", volunteer_id=who, window=window
    )


def held(lot_id: str = "rice", quantity: int = 2, line_id: str = "g1", **more: Any) -> HoldTaken:
    return HoldTaken(line_id=line_id, hold_id=f"{lot_id}~1", lot_id=lot_id, quantity=quantity, **more)


def won(who: str = "li", line_id: str = "p1", window: Window = WINDOW) -> m.SeatWon:
    return m.SeatWon(**taken(who, line_id, window).model_dump())


def released(who: str = "li", reason: Closing = Closing.WITHDRAWN) -> m.SeatReleased:
    return m.SeatReleased(
        line_id="p1", seat_id="p1/1", invitation_id=f"{who}~1", volunteer_id=who, reason=reason
    )


def made(*seats: SeatTaken, holds: tuple[HoldTaken, ...] = ()) -> m.MatchMade:
    return m.MatchMade(site_id="east", seats=seats, holds=holds)


def partly(*seats: SeatTaken, holds: tuple[HoldTaken, ...] = ()) -> m.MatchPartlyMade:
    return m.MatchPartlyMade(site_id="east", seats=seats, holds=holds)


def reopened(*seats: SeatTaken, holds: tuple[HoldTaken, ...] = ()) -> m.MatchReopened:
    return m.MatchReopened(site_id="east", seats=seats, holds=holds, reason=Closing.WITHDRAWN)


def progressed(next_action_at: datetime, waiting: str = "answers") -> m.SearchProgressed:
    return m.SearchProgressed.model_validate(
        {
            "site_id": "east", "wave": 1, "ring": "village", "asked": 5, "open_seats": 1,
            "waiting": waiting, "next_action_at": next_action_at,
        }
    )  # fmt: skip


def stalled(next_action_at: datetime) -> m.MatchStalled:
    return m.MatchStalled.model_validate(
        {
            "site_id": "east",
            "waiting": "nobody",
            "diagnosis": [{"line_id": "p1", "looked_at": 9, "removed": [{"rule": "skill", "count": 9}]}],
            "next_action_at": next_action_at,
        }
    )


def escalated(next_action_at: datetime, to: str = "main", hops: int = 1) -> m.MatchEscalated:
    return m.MatchEscalated(
        site_id="east", from_site_id="east", to_site_id=to, hops=hops, next_action_at=next_action_at
    )


def _task(need_id: str, who: str, line_id: str = "p1") -> dict[str, Any]:
    return {"invitation_id": f"{who}~1", "need_id": need_id, "line_id": line_id, "seat_id": f"{line_id}/1"}


def checked_in(need_id: str, who: str = "li", at: datetime = TEN) -> tuple[str, vol.TaskCheckedIn]:
    return who, vol.TaskCheckedIn(**_task(need_id, who), at=at)


def check_in_undone(need_id: str, who: str = "li") -> tuple[str, vol.TaskCheckInUndone]:
    return who, vol.TaskCheckInUndone(**_task(need_id, who))


def done(need_id: str, who: str = "li", line_id: str = "p1") -> tuple[str, vol.TaskDone]:
    served = {"household_id": "h", "started_at": TEN, "ended_at": NOON, "minutes": 120}
    return who, vol.TaskDone(**_task(need_id, who, line_id), **served)


def withdrawn(need_id: str, who: str = "li") -> tuple[str, vol.TaskWithdrawn]:
    return who, vol.TaskWithdrawn(**_task(need_id, who))


def no_show(need_id: str, who: str = "li") -> tuple[str, vol.TaskNoShow]:
    return who, vol.TaskNoShow(**_task(need_id, who))


STATE = LotState(
    charity_id="love",
    kind=LotKind.GOODS,
    category=GoodsCategory.FOOD,
    unit="袋",
    received=10,
    held=0,
    issued=2,
    written_off=0,
    area=TOWNSHIP,
)


def _hold(need_id: str, lot_id: str) -> dict[str, Any]:
    return {"state": STATE, "hold_id": f"{lot_id}~1", "need_id": need_id, "line_id": "g1", "quantity": 2}


def confirmed(need_id: str, lot_id: str = "rice", quantity: int = 2) -> tuple[str, r.HoldConfirmed]:
    kept = _hold(need_id, lot_id) | {"quantity": quantity}
    return lot_id, r.HoldConfirmed(**kept, pick_up_by=NOON)


def issued(need_id: str, lot_id: str = "rice") -> tuple[str, r.LotIssued]:
    return lot_id, r.LotIssued(**_hold(need_id, lot_id))


def received(need_id: str, lot_id: str = "rice") -> tuple[str, r.LotReceived]:
    return lot_id, r.LotReceived(**_hold(need_id, lot_id))


def returned(need_id: str, lot_id: str = "rice") -> tuple[str, r.LotReturned]:
    return lot_id, r.LotReturned(**_hold(need_id, lot_id))


def given_back(
    need_id: str, lot_id: str = "rice", reason: Closing = Closing.BY_STAFF
) -> tuple[str, r.HoldReleased]:
    return lot_id, r.HoldReleased(**_hold(need_id, lot_id), reason=reason)


@asynccontextmanager
async def desk(**policy: Any) -> AsyncIterator[Desk]:
    async with world(RECORDS, build) as w:
        d = Desk(w, SitePolicy(**policy))
        try:
            yield d
        finally:
            await d.http.aclose()

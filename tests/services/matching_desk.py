"""A world of matching with a small county: builders for people, lots and needs, and a way to answer what it says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.matching.app import RECORDS, build
from services.matching.domain.match import Match
from services.matching.domain.wave import Wave
from shared.contracts.base import Event
from shared.contracts.directory import SiteChanged
from shared.contracts.matching import HoldRequested, SeatsOffered
from shared.contracts.needs import NeedPosted
from shared.contracts.parts import (
    CalendarLoad,
    CertificateHeld,
    Earmark,
    GoodsLine,
    LotState,
    NeedSpec,
    PeopleLine,
    SitePolicy,
    VolunteerState,
    Window,
)
from shared.contracts.resources import (
    HoldConfirmed,
    HoldEvent,
    HoldExpired,
    HoldPlaced,
    HoldRefused,
    HoldReleased,
    LotIssued,
    LotListed,
    LotReceived,
)
from shared.contracts.vocabulary import (
    Category,
    Certificate,
    Closing,
    DeclineReason,
    GoodsCategory,
    GoodsRule,
    LotKind,
    Role,
    Rule,
    SiteKind,
    Skill,
)
from shared.contracts.volunteers import (
    CalendarEvent,
    InvitationAccepted,
    InvitationDeclined,
    InvitationExpired,
    InvitationRefused,
    TaskDone,
    TaskNoShow,
    TaskWithdrawn,
    VolunteerChanged,
)
from shared.http.api import make_api
from shared.ports import Query, Where
from shared.security.access import Principal
from shared.security.tokens import TokenMint, TokenVerifier
from tests.world import START, World, world

CITY, COUNTY, TOWNSHIP, VILLAGE = "5227", "522702", "522702102", "522702102001"
NEXT_VILLAGE, NEXT_TOWNSHIP, NEXT_COUNTY = "522702102002", "522702103001", "522701101001"
NEED = "need-1"
E = TypeVar("E", bound=Event)

TOMORROW = Window(start_at=START + timedelta(days=1), end_at=START + timedelta(days=1, hours=2))
"""Tuesday, nine to eleven in Fuquan."""


def a_line(id: str = "p1", seats: int = 1, **changes: Any) -> PeopleLine:
    facts = {"minimum": seats, "skills": (Skill.HOME_VISIT,), "window": TOMORROW, **changes}
    return PeopleLine(id=id, seats=seats, **facts)


def some_goods(id: str = "g1", quantity: int = 5, **changes: Any) -> GoodsLine:
    facts = {"category": GoodsCategory.FOOD, "minimum": quantity, "unit": "袋", **changes}
    return GoodsLine(id=id, quantity=quantity, **facts)


def a_need(*lines: PeopleLine | GoodsLine, **changes: Any) -> NeedSpec:
    """One seat to visit somebody at home tomorrow, unless said otherwise."""
    lines = lines or (a_line(),)
    facts = {
        "site_id": "east",
        "area": VILLAGE,
        "household_id": "household-1",
        "category": Category.COMFORT,
        "posted_at": START,
        "deadline_at": START + timedelta(days=14),
        "people": tuple(line for line in lines if isinstance(line, PeopleLine)),
        "goods": tuple(line for line in lines if isinstance(line, GoodsLine)),
        **changes,
    }
    return NeedSpec(**facts)


def a_volunteer(**changes: Any) -> VolunteerState:
    """Visits people at home, lives in the village, is always free."""
    facts = {
        "site_id": "east",
        "area": VILLAGE,
        "skills": (Skill.HOME_VISIT,),
        "hours": tuple(range(168)),
        **changes,
    }
    return VolunteerState(**{"quiet_from": 0, "quiet_to": 0, **facts})


def a_social_worker(**changes: Any) -> VolunteerState:
    held = (CertificateHeld(certificate=Certificate.SOCIAL_WORKER),)
    return a_volunteer(certificates=held, **changes)


def a_lot(quantity: int = 10, **changes: Any) -> LotState:
    facts = {
        "charity_id": "love", "kind": LotKind.GOODS, "category": GoodsCategory.FOOD, "unit": "袋", "received": quantity,
        "held": 0, "issued": 0, "written_off": 0, "area": COUNTY, "earmark": Earmark(), **changes,
    }  # fmt: skip
    return LotState(**facts)


class Desk:
    """The world of matching, as the others meet it."""

    def __init__(self, w: World) -> None:
        self.w = w
        self._mint = TokenMint(Ed25519PrivateKey.generate())
        self.runs()

    def runs(self, **policy: Any) -> None:
        """The stations and, if given, what the east station decides for itself."""
        self.w.knows(
            ("center", SiteChanged(site_name="指导中心", kind=SiteKind.CENTER, area=CITY)),
            (
                "main",
                SiteChanged(site_name="总站", kind=SiteKind.MAIN_STATION, area=COUNTY, parent_id="center"),
            ),
            (
                "west",
                SiteChanged(site_name="西站", kind=SiteKind.STATION, area="522702103", parent_id="main"),
            ),
            (
                "east",
                SiteChanged(
                    site_name="东站",
                    kind=SiteKind.STATION,
                    area=TOWNSHIP,
                    parent_id="main",
                    policy=SitePolicy(**policy),
                ),
            ),
        )

    async def knows_people(self, *ids: str, **changes: Any) -> None:
        await self.w.hears(*((id, VolunteerChanged(state=a_volunteer(**changes))) for id in ids))

    async def knows_lot(self, id: str, quantity: int = 10, **changes: Any) -> None:
        await self.w.hears((id, LotListed(state=a_lot(quantity, **changes))))

    async def posts(self, *lines: PeopleLine | GoodsLine, need: str = NEED, **changes: Any) -> None:
        await self.w.hears((need, NeedPosted(spec=a_need(*lines, **changes))))

    def asked(self, line_id: str = "p1", need: str = NEED) -> list[str]:
        """Everybody asked for a line so far, in order."""
        return [id for id, _ in self._offers(line_id, need)]

    def said_of(self, event: type[E], need: str = NEED) -> list[E]:
        """What was said of one need."""
        found = (m for m in self.w.messages if m.subject == need)
        return [m.data for m in found if isinstance(m.data, event)]

    async def accepts(self, *ids: str, **more: Any) -> None:
        for id in ids:
            await self.w.hears((id, self.about(InvitationAccepted, id, **more)))

    async def declines(self, *ids: str, **more: Any) -> None:
        for id in ids:
            await self.w.hears((id, self.about(InvitationDeclined, id, reason=DeclineReason.NO_TIME, **more)))

    async def lets_expire(self, *ids: str, **more: Any) -> None:
        for id in ids:
            await self.w.hears((id, self.about(InvitationExpired, id, **more)))

    async def cannot_be_asked(self, *ids: str, rule: Rule = Rule.BUDGET, **more: Any) -> None:
        for id in ids:
            await self.w.hears((id, self.about(InvitationRefused, id, rule=rule, **more)))

    async def withdraws(self, id: str, **more: Any) -> None:
        await self.w.hears((id, self.about(TaskWithdrawn, id, seat_id="p1/1", **more)))

    async def stays_away(self, id: str, **more: Any) -> None:
        await self.w.hears((id, self.about(TaskNoShow, id, seat_id="p1/1", **more)))

    async def serves(self, id: str, **more: Any) -> None:
        facts: dict[str, Any] = {"seat_id": "p1/1", "household_id": "household-1", "minutes": 120}
        times: dict[str, Any] = {"started_at": TOMORROW.start_at, "ended_at": TOMORROW.end_at}
        await self.w.hears((id, self.about(TaskDone, id, **facts, **times, **more)))

    def about(
        self, event: type[CalendarEvent], id: str, line_id: str = "p1", need: str = NEED, **more: Any
    ) -> CalendarEvent:
        """The calendar's event about the newest invitation of this person for this line."""
        invitation = next(i for who, i in reversed(self._offers(line_id, need)) if who == id)
        return event(
            invitation_id=invitation, need_id=need, line_id=line_id, **{"load": CalendarLoad(), **more}
        )

    def requests(self, need: str = NEED) -> list[HoldRequested]:
        """Everything that was asked of lots, once each however often it was asked again."""
        return list({one.hold_id: one for one in reversed(self.said_of(HoldRequested, need))}.values())[::-1]

    async def places(self, *requests: HoldRequested, need: str = NEED) -> None:
        for one in requests:
            await self.w.hears((one.lot_id, hold_event(HoldPlaced, one, need, expires_at=one.expires_at)))

    async def confirms(self, *requests: HoldRequested, need: str = NEED) -> None:
        for one in requests:
            await self.w.hears((one.lot_id, hold_event(HoldConfirmed, one, need, pick_up_by=one.expires_at)))

    async def refuses(
        self, one: HoldRequested, rule: GoodsRule = GoodsRule.QUANTITY, need: str = NEED
    ) -> None:
        await self.w.hears((one.lot_id, hold_event(HoldRefused, one, need, rule=rule)))

    async def lets_hold_expire(self, one: HoldRequested, need: str = NEED) -> None:
        await self.w.hears((one.lot_id, hold_event(HoldExpired, one, need)))

    async def releases(
        self, one: HoldRequested, reason: Closing = Closing.BY_STAFF, need: str = NEED
    ) -> None:
        await self.w.hears((one.lot_id, hold_event(HoldReleased, one, need, reason=reason)))

    async def match(self, need: str = NEED) -> Match:
        found = await self.w.store.get(Match, need)
        assert found is not None
        return found.record

    async def waves(self, need: str = NEED) -> list[Wave]:
        query = Query((Where("need_id", "equal", need),), limit=1000)
        return [found.record for found in await self.w.store.find(Wave, query)]

    @cached_property
    def http(self) -> httpx2.AsyncClient:
        verifier = TokenVerifier(self._mint.public_key, self.w.clock)
        api = make_api([self.w.service], atlas=self.w.atlas, verifier=verifier, access_log=False)
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=api), base_url="http://desk")

    async def gets(self, who: str, path: str) -> httpx2.Response:
        """`staff` sits in the east, `stranger` in the west, `boss` above both, and so do `above` and
        `far_above`, who see nothing below; `volunteer` is one."""
        role, site_id = {
            "staff": (Role.STAFF, "east"),
            "stranger": (Role.STAFF, "west"),
            "boss": (Role.SUPERVISOR, "main"),
            "above": (Role.STAFF, "main"),
            "far_above": (Role.STAFF, "center"),
            "volunteer": (Role.VOLUNTEER, "east"),
        }[who]
        token = self._mint.sign(Principal(who, (role,), site_id, None, self.w.clock.now()), f"s-{who}")
        return await self.http.get(f"/api{path}", headers={"Authorization": f"Bearer {token}"})

    def _offers(self, line_id: str, need: str) -> list[tuple[str, str]]:
        return [
            (offer.volunteer_id, offer.invitation_id)
            for offered in self.said_of(SeatsOffered, need)
            for offer in offered.offers
            if offered.line_id == line_id
        ]


def hold_event(event: type[HoldEvent], one: HoldRequested, need: str = NEED, **more: Any) -> HoldEvent:
    """A lot's answer about this hold: nothing is left in it while it is held, and plenty when it is not."""
    held = event in (HoldPlaced, HoldConfirmed, LotIssued, LotReceived)
    state = more.pop("state", a_lot(0 if held else 100))
    return event(
        state=state, hold_id=one.hold_id, need_id=need, line_id=one.line_id, quantity=one.quantity, **more
    )


def minutes(moment: datetime) -> float:
    """Minutes since the beginning of the story."""
    return (moment - START).total_seconds() / 60


def ids(refs: Iterable[Any]) -> list[str]:
    return [ref.volunteer_id for ref in refs]


@asynccontextmanager
async def desk(**policy: Any) -> AsyncIterator[Desk]:
    async with world(RECORDS, build) as w:
        d = Desk(w)
        if policy:
            d.runs(**policy)
        try:
            yield d
        finally:
            if "http" in vars(d):
                await d.http.aclose()

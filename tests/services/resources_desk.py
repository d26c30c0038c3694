"""A world of charity resources with its HTTP interface, a small county, and builders for lots and requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.resources.app import RECORDS, build
from services.resources.domain.balance import faults
from services.resources.domain.ledger import Balances, LedgerEntry, recount
from services.resources.domain.records import Lot
from services.resources.schemas.lots import LotBody
from services.resources.service import Lots
from shared.contracts import Message
from shared.contracts.directory import OrganisationChanged, SiteChanged
from shared.contracts.matching import HoldConfirmationRequested, HoldReleaseRequested, HoldRequested
from shared.contracts.vocabulary import (
    Category,
    Closing,
    GoodsCategory,
    OrganisationKind,
    Role,
    SiteKind,
    TargetGroup,
)
from shared.http import id_from
from shared.http.api import make_api
from shared.ports import Op, Query, Where
from shared.run.kit import Kit
from shared.security.access import Principal
from shared.security.tokens import TokenMint, TokenVerifier
from tests.world import START, World, world

COUNTY, TOWNSHIP, ELSEWHERE = "522702", "522702102", "522702103"


class Desk:
    """The world of resources, as people and matching meet it."""

    def __init__(self, w: World) -> None:
        self.w = w
        w.knows(
            ("main", SiteChanged(site_name="总站", kind=SiteKind.MAIN_STATION, area=COUNTY)),
            ("east", SiteChanged(site_name="东站", kind=SiteKind.STATION, area=TOWNSHIP, parent_id="main")),
            ("west", SiteChanged(site_name="西站", kind=SiteKind.STATION, area=ELSEWHERE, parent_id="main")),
            (
                "love",
                OrganisationChanged(organisation_name="爱心", kind=OrganisationKind.CHARITY, site_id="main"),
            ),
            (
                "hope",
                OrganisationChanged(organisation_name="希望", kind=OrganisationKind.CHARITY, site_id="main"),
            ),
        )
        self._mint = TokenMint(Ed25519PrivateKey.generate())
        self._lots = Lots(Kit(store=w.store, clock=w.clock, ids=w.ids, atlas=w.atlas))
        self._keys = 0

    @cached_property
    def http(self) -> httpx2.AsyncClient:
        """Built when it is first asked: many stories never leave the messages."""
        verifier = TokenVerifier(self._mint.public_key, self.w.clock)
        api = make_api([self.w.service], atlas=self.w.atlas, verifier=verifier, access_log=False)
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=api), base_url="http://desk")

    def token(self, who: str) -> str:
        """`love` and `hope` are charities, `staff` sits in the east, `stranger` in the west, `boss` above both."""
        roles: dict[str, tuple[Role, str | None, str | None]] = {
            "love": (Role.CHARITY, "main", "love"),
            "hope": (Role.CHARITY, "main", "hope"),
            "staff": (Role.STAFF, "east", None),
            "stranger": (Role.STAFF, "west", None),
            "boss": (Role.SUPERVISOR, "main", None),
            "volunteer": (Role.VOLUNTEER, "east", None),
        }
        role, site_id, organisation_id = roles[who]
        return self._mint.sign(
            Principal(who, (role,), site_id, organisation_id, self.w.clock.now()), f"s-{who}"
        )

    async def ask(
        self,
        who: str,
        call: str,
        body: Any = None,
        *,
        key: str | None = None,
        **headers: str,
    ) -> httpx2.Response:
        """`await d.ask("love", "POST /lots", {...})`; a fresh Idempotency-Key unless one is given."""
        method, path = call.split(" ")
        self._keys += 1
        sent = {
            "Authorization": f"Bearer {self.token(who)}",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        if method == "POST":
            sent["Idempotency-Key"] = key or f"key-{self._keys}"
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        answer = await self.http.request(method, f"/api{path}", content=content, headers=sent)
        await self.w.settle()
        return answer

    async def lists(self, who: str = "love", **body: Any) -> str:
        """The id of a lot that this charity listed: ten sacks of rice unless said otherwise."""
        op = Op(sha256(f"lot {self._keys}".encode()).hexdigest(), "")
        self._keys += 1
        await self._lots.list_lot(LotBody(**a_lot(**body)).lot(id_from(op), who), op)
        await self.w.settle()
        return id_from(op)

    async def lot(self, lot_id: str) -> Lot:
        """The lot as stored, which must add up, and whose ledger must say the same."""
        found = await self.w.store.get(Lot, lot_id)
        assert found is not None
        assert faults(found.record) == []
        assert recount(await self.ledger(lot_id)) == balances(found.record)
        return found.record

    async def ledger(self, lot_id: str) -> list[LedgerEntry]:
        query = Query((Where("lot_id", "equal", lot_id),), order="sequence", limit=100_000)
        return [found.record for found in await self.w.store.find(LedgerEntry, query)]

    async def holds(self, lot_id: str, quantity: int = 1, need: str = "need-1", **more: Any) -> str:
        """The id of a hold that matching asked for."""
        asked = a_request(lot_id, quantity, need, **more)
        await self.w.hears((need, asked))
        return asked.hold_id

    async def confirms(self, hold_id: str, need: str = "need-1", **more: Any) -> None:
        await self.w.hears((need, a_confirmation(hold_id, **more)))

    async def hears_at_once(self, *messages: Message) -> None:
        """All of these handled side by side, then whatever follows."""
        attempt = self.w.unit.loop.dispatch.attempt
        rows = self.w.service.handlers
        pairs = [(row, m) for m in messages for row in rows if isinstance(m.data, row.event)]
        await asyncio.gather(*(attempt(row, message) for row, message in pairs))
        await self.w.settle()

    async def charity_is(self, active: bool, who: str = "love") -> None:
        """The directory closes this charity, or opens it again."""
        kind = OrganisationKind.CHARITY
        told = OrganisationChanged(organisation_name="爱心", kind=kind, site_id="main", active=active)
        self.w.knows((who, told))
        await self.w.hears((who, told))

    async def issues(self, hold_id: str) -> None:
        await self.confirms(hold_id)
        answer = await self.ask("staff", f"POST /holds/{hold_id}/issue")
        assert answer.status_code == 200, answer.text


def balances(lot: Lot) -> Balances:
    return Balances(lot.received, lot.held, lot.issued, lot.written_off)


def a_lot(**changes: Any) -> dict[str, Any]:
    return {"category": "food", "unit": "袋", "quantity": 10, "area": TOWNSHIP, **changes}


def a_request(lot_id: str, quantity: int = 1, need: str = "need-1", **changes: Any) -> HoldRequested:
    return HoldRequested(
        **{
            "hold_id": f"{lot_id}~{need}",
            "lot_id": lot_id,
            "line_id": "g1",
            "site_id": "east",
            "area": f"{TOWNSHIP}001",
            "household_id": "household-1",
            "category": Category.SOCIAL_ASSISTANCE,
            "target_groups": (TargetGroup.ELDER_ALONE,),
            "goods": GoodsCategory.FOOD,
            "unit": "袋",
            "quantity": quantity,
            "expires_at": START + timedelta(hours=4),
            **changes,
        }
    )


def a_confirmation(hold_id: str, **changes: Any) -> HoldConfirmationRequested:
    lot_id = hold_id.partition("~")[0]
    facts = {"hold_id": hold_id, "lot_id": lot_id, "line_id": "g1", "pick_up_by": START + timedelta(days=3)}
    return HoldConfirmationRequested(**{**facts, **changes})


def a_release(hold_id: str, reason: Closing = Closing.CANCELLED) -> HoldReleaseRequested:
    lot_id = hold_id.partition("~")[0]
    return HoldReleaseRequested(hold_id=hold_id, lot_id=lot_id, line_id="g1", reason=reason)


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    async with world(RECORDS, build) as w:
        d = Desk(w)
        try:
            yield d
        finally:
            if "http" in vars(d):
                await d.http.aclose()

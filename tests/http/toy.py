"""A toy service on the embedded store: notes that belong to a site, to try the manners of HTTP on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, ClassVar, Literal, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, FastAPI, Request, Response
from httpx2 import ASGITransport, AsyncClient
from prometheus_client import CollectorRegistry
from pydantic import Field

from shared.contracts.vocabulary import Role
from shared.embedded.clock import FixedClock
from shared.embedded.engine import SqliteEngine
from shared.embedded.ids import SeededIds
from shared.embedded.store import SqliteStore
from shared.errors import Illegible, NotFound, Outage, Refusal
from shared.http import (
    Access,
    IfMatch,
    Name,
    Operation,
    Page,
    Pages,
    Schema,
    allow,
    answered,
    answering,
    created,
    id_from,
    public,
    shown,
)
from shared.http.api import make_api
from shared.http.bodies import bulk, read_json
from shared.places import Atlas, Divisions
from shared.ports import Store
from shared.records import Change, Record, index
from shared.run.kit import Service
from shared.security.access import Principal
from shared.security.tokens import TokenMint, TokenVerifier


class Note(Record):
    kind: ClassVar = "note"
    indexes: ClassVar = (index("rank"),)

    text: str
    rank: int
    site_id: str


class Circle(Schema):
    kind: Literal["circle"]
    radius: int = Field(ge=1)


class Square(Schema):
    kind: Literal["square"]
    side: int = Field(ge=1)


class NewNote(Schema):
    text: Name
    rank: int = Field(1, ge=1)
    weight: float | None = None
    drawings: tuple[Annotated[Circle | Square, Field(discriminator="kind")], ...] = ()
    tags: dict[str, str] = Field(default_factory=dict)


class NoteView(Schema):
    id: str
    text: str
    rank: int

    @classmethod
    def of(cls, note: Note) -> Self:
        return cls(id=note.id, text=note.text, rank=note.rank)


class NoteFull(Refusal):
    code = "note-full"
    status = 409
    zh = "写满了"
    en = "The note is full"


def notes(store: Store) -> APIRouter:
    router = APIRouter(prefix="/notes")
    _reading(router, store)
    _changing(router, store)
    _failing(router)
    return router


def _reading(router: APIRouter, store: Store) -> None:
    @router.get("", operation_id="list_notes", summary="Notes")
    async def list_notes(pages: Pages, access: Access = allow("need.read")) -> Page[NoteView]:
        return pages.page(await store.find(Note, pages.query(order="rank")), NoteView.of)

    @router.get("/{id}", operation_id="read_note", summary="A note")
    async def read_note(id: str, response: Response, access: Access = allow("need.read")) -> NoteView:
        note = await store.get(Note, id)
        if note is None:
            raise NotFound()
        access.require(site_id=note.record.site_id)
        return shown(response, note, NoteView.of)


def _changing(router: APIRouter, store: Store) -> None:
    @router.post("", operation_id="post_note", summary="Write a note", status_code=201)
    async def post_note(
        new: NewNote, op: Operation, response: Response, access: Access = allow("need.post")
    ) -> NoteView:
        note = Note(id=id_from(op), text=new.text, rank=new.rank, site_id=access.principal.site_id or "")
        outcome = await store.change(Note, note.id, lambda _: answering(Change(note), NoteView.of), op=op)
        answer: NoteView = created(response, outcome, f"/api/notes/{note.id}")
        return answer

    @router.patch("/{id}", operation_id="edit_note", summary="Rewrite a note")
    async def edit_note(
        id: str, new: NewNote, expected: IfMatch, response: Response, access: Access = allow("need.edit")
    ) -> NoteView:
        def decide(note: Note | None) -> Change[Note]:
            if note is None:
                raise NotFound()
            return Change(note.but(text=new.text))

        return shown(response, await store.change(Note, id, decide, expect=expected), NoteView.of)

    @router.post("/{id}/grow", operation_id="grow_note", summary="An action without a body")
    async def grow_note(
        id: str, op: Operation, response: Response, access: Access = allow("need.edit")
    ) -> NoteView:
        def decide(note: Note | None) -> Change[Note]:
            if note is None:
                raise NotFound()
            return answering(Change(note.but(rank=note.rank + 1)), NoteView.of)

        answer: NoteView = answered(response, await store.change(Note, id, decide, op=op))
        return answer

    @router.post("/load", operation_id="load_notes", summary="Many notes, as JSON lines")
    @bulk
    async def load_notes(request: Request, access: Access = allow("need.load")) -> int:
        body = b"".join([chunk async for chunk in request.stream()])
        return len([read_json(line) for line in body.splitlines()])


def _failing(router: APIRouter) -> None:
    @router.get("/fail/{how}", operation_id="fail", summary="Fail", dependencies=[public("area.read")])
    async def fail(how: str) -> NoteView:
        match how:
            case "refused":
                raise NoteFull("/text")
            case "outage":
                raise Outage("the disk is full")
            case "shape":
                return NoteView.model_validate({"id": "secret-name"})
            case "illegible":
                raise Illegible("toy.note", "note-7")
        raise RuntimeError("secret-name")


class Toy:
    """The toy's HTTP interface, somebody to use it, and what it counted."""

    def __init__(self, api: FastAPI, clock: FixedClock, mint: TokenMint, atlas: Atlas) -> None:
        self.api = api
        self.clock = clock
        self.mint = mint
        self.atlas = atlas
        self.ready: str | None = None
        transport = ASGITransport(api, raise_app_exceptions=False)
        self.http = AsyncClient(transport=transport, base_url="http://wushe.test")

    async def readiness(self) -> str | None:
        return self.ready

    def token(self, *roles: Role, site: str | None = "fuquan", account: str = "wang") -> str:
        return self.mint.sign(Principal(account, roles, site, None, self.clock.now()), "session")

    def staff(self, key: str = "k1", **more: str) -> dict[str, str]:
        """The headers of a community worker who does one thing."""
        return {
            "Authorization": f"Bearer {self.token(Role.STAFF)}",
            "Idempotency-Key": key,
            "Accept-Language": "en",
            **more,
        }


@asynccontextmanager
async def a_toy() -> AsyncIterator[Toy]:
    clock = FixedClock()
    engine = SqliteEngine(":memory:", inline=True)
    store = SqliteStore(engine, "toy", (Note,), clock, SeededIds(1, clock))
    mint, atlas = TokenMint(Ed25519PrivateKey.generate()), Atlas(Divisions({}))

    async def ready() -> str | None:
        return toy.ready

    api = make_api(
        [Service("toy", (Note,), notes(store))],
        atlas=atlas,
        verifier=TokenVerifier(mint.public_key, clock),
        registry=CollectorRegistry(),
        checks={"toy": ready},
    )
    toy = Toy(api, clock, mint, atlas)
    async with toy.http:
        yield toy
    await engine.close()

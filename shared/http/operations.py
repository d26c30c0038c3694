"""Requests that change something: sent twice they act once, and edits say which version they edit."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from shared.errors import Refusal
from shared.http.access import Gate
from shared.ports import Op
from shared.records import Change, Outcome, Record, Versioned
from shared.security.digests import id_of_digest

R = TypeVar("R", bound=Record)
V = TypeVar("V")

_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_ETAG = re.compile(r'(?:W/)?"(\d{1,18})"')


class KeyMissing(Refusal):
    code = "idempotency-key-missing"
    status = 400
    zh = "请加上请求头 Idempotency-Key：每个新操作用一个新的随机值（如 UUID），重试时用同一个"
    en = "Send the header Idempotency-Key: a new random value (such as a UUID) for each new act, the same for a retry"


class KeyUnusable(Refusal):
    code = "idempotency-key-unusable"
    status = 400
    zh = "Idempotency-Key 只能有一个，须为 1 至 200 个可见的 ASCII 字符，不含空格"
    en = "Send one Idempotency-Key, of 1 to 200 visible ASCII characters and no spaces"


class MatchMissing(Refusal):
    code = "if-match-missing"
    status = 428
    zh = "请加上请求头 If-Match，其值为读取该记录时得到的 ETag"
    en = "Send the header If-Match with the ETag that came with the record when you read it"


class MatchUnusable(Refusal):
    code = "if-match-unusable"
    status = 400
    zh = 'If-Match 须是一个 ETag，如 "3"；请重新读取该记录'
    en = 'If-Match takes one ETag, such as "3"; read the record again'


_KEY_HEADER = Header(
    alias="Idempotency-Key", description="Needed. A new random value for each new act, the same for a retry"
)
_MATCH_HEADER = Header(alias="If-Match", description="Needed. The ETag that came with the record")


async def _operation(request: Request, key: Annotated[str | None, _KEY_HEADER] = None) -> Op:
    account_id = _account_id(request)
    if key is None:
        raise KeyMissing("/header/Idempotency-Key")
    if not _KEY.fullmatch(key) or _differs(request, "idempotency-key"):
        raise KeyUnusable("/header/Idempotency-Key")
    named = "\0".join((account_id, request.method, request.scope["path"], key))
    return Op(
        sha256(named.encode("utf-8", "surrogatepass")).hexdigest(), sha256(await request.body()).hexdigest()
    )


async def _if_match(request: Request, etag: Annotated[str | None, _MATCH_HEADER] = None) -> int:
    _account_id(request)
    if etag is None:
        raise MatchMissing("/header/If-Match")
    tag = _ETAG.fullmatch(etag.strip())
    if tag is None or _differs(request, "if-match"):
        raise MatchUnusable("/header/If-Match")
    return int(tag[1])


def _differs(request: Request, name: str) -> bool:
    """Whether this header came more than once, and not the same each time: nobody can tell which was meant."""
    return len(set(request.headers.getlist(name))) > 1


def _account_id(request: Request) -> str:
    """Who asks; whoever is not signed in hears that first."""
    gate: Gate = request.app.state.gate
    return gate.verified(request).principal.account_id


Operation = Annotated[Op, Depends(_operation)]
"""The identity of this request, for `store.change(op=...)`: account, method, path, Idempotency-Key; and its body."""

IfMatch = Annotated[int, Depends(_if_match)]
"""The version that the client edits, for `store.change(expect=...)`."""


def id_from(op: Op) -> str:
    """The id of what this request makes: the same whenever the same request comes (UUID version 8)."""
    return id_of_digest(op.key)


def answering(change: Change[R], view: Callable[[R], BaseModel]) -> Change[R]:
    """The same change, with the record as this view shows it for an answer: what a `decide` with an op gives back."""
    return Change(change.record, *change.events, answer=view(change.record).model_dump(mode="json"))


def answered(response: Response, outcome: Outcome[R]) -> Any:
    """The answer saved with this request, given again whenever it comes again; then without an ETag, since the record may
    have changed since, and whoever edits what they see here has not seen that."""
    if outcome.applied:
        response.headers["ETag"] = f'"{outcome.version}"'
    return outcome.answer


def created(response: Response, outcome: Outcome[R], location: str) -> Any:
    """The saved answer to a request that made something, and where that now stands."""
    response.status_code = 201
    response.headers["Location"] = location
    return answered(response, outcome)


def shown(response: Response, versioned: Versioned[R], view: Callable[[R], V]) -> V:
    """The record as this view shows it, with the ETag that an edit must name."""
    response.headers["ETag"] = f'"{versioned.version}"'
    return view(versioned.record)

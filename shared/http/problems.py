"""Saying no over HTTP: every error is problem+json (RFC 9457), in two languages, with a pointer to the field.

Nothing that was sent is quoted, and nothing is said about the inside of the system.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from traceback import extract_tb
from typing import Any, NamedTuple

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from shared.errors import Illegible, Outage, Refusal
from shared.http.words import words_for

log = structlog.get_logger("wushe.http")
RETRY_SECONDS = 2
TAG = "kind"
"""The field that says which of the alternatives in a list an entry is."""


class Flaw(NamedTuple):
    """One part of a request that is not right, by JSON pointer, with the way out."""

    pointer: str
    zh: str
    en: str


class Problem(NamedTuple):
    code: str
    status: int
    zh: str
    en: str


class RequestRefused(HTTPException):
    """A request that is refused while its body is still being read."""

    def __init__(self, problem: Problem, flaws: Sequence[Flaw] = ()) -> None:
        super().__init__(problem.status)
        self.problem = problem
        self.flaws = flaws


INVALID = Problem(
    "invalid", 422, "填写有误，请按提示修改", "Something filled in is not right; see the errors"
)
BROKEN_JSON = Problem(
    "broken-json", 400, "请求内容不是有效的 JSON（UTF-8）", "The body is not valid JSON in UTF-8"
)
WRONG_TYPE = Problem(
    "unsupported-content-type",
    415,
    "请求内容的类型不受支持，请用 Content-Type: application/json",
    "This content type is not supported; send Content-Type: application/json",
)
NOT_LINES = Problem(
    "unsupported-content-type",
    415,
    "这里一次提交多行，每行一个 JSON 对象，请用 Content-Type: application/x-ndjson",
    "This takes lines, one JSON object each; send Content-Type: application/x-ndjson",
)
TOO_LARGE = Problem(
    "body-too-large", 413, "请求内容过大，请分批提交", "The body is too large; send it in parts"
)
UNKNOWN = Problem("unknown-address", 404, "没有这个地址", "There is nothing at this address")
WRONG_METHOD = Problem(
    "method-not-allowed", 405, "此地址不支持这种方法", "This address does not take this method"
)
OUTAGE = Problem(
    "unavailable", 503, "系统暂时不可用，请稍后用同一个 Idempotency-Key 重试",
    "The system cannot be reached just now; try again shortly with the same Idempotency-Key",
)  # fmt: skip
FAULT = Problem("fault", 500, "系统内部出错，已记录", "Something went wrong inside; it has been noted")
_BY_STATUS = {p.status: p for p in (BROKEN_JSON, WRONG_TYPE, TOO_LARGE, UNKNOWN, WRONG_METHOD, OUTAGE, FAULT)}


class ProblemResponse(JSONResponse):
    media_type = "application/problem+json"


def say(
    request: Request, problem: Problem, flaws: Sequence[Flaw] = (), headers: Mapping[str, str] | None = None
) -> ProblemResponse:
    """The problem, its title in the language that the client asks for."""
    language = preferred_language(request.headers.get("accept-language", ""))
    shown = {"Content-Language": language, "Cache-Control": "no-store", **(headers or {})}
    return ProblemResponse(content(problem, flaws, language), problem.status, shown)


def content(problem: Problem, flaws: Sequence[Flaw], language: str) -> dict[str, Any]:
    """The body of the answer."""
    return {
        "type": f"urn:wushe:problem:{problem.code}",
        "title": problem.zh if language == "zh" else problem.en,
        "title_zh": problem.zh,
        "title_en": problem.en,
        "status": problem.status,
        "errors": [flaw._asdict() for flaw in flaws],
    }


def preferred_language(accepted: str) -> str:
    """ "en" if the header ranks English above Chinese, else "zh"."""
    ranks = {"zh": 0.0, "en": 0.0}
    for part in accepted.split(","):
        tag, _, weight = "".join(part.split()).lower().partition(";")
        language = tag.split("-")[0]
        if language in ranks:
            ranks[language] = max(ranks[language], _quality(weight))
    return "en" if ranks["en"] > ranks["zh"] else "zh"


def _quality(weight: str) -> float:
    try:
        return float(weight.removeprefix("q=")) if weight else 1.0
    except ValueError:
        return 0.0


async def _refused(request: Request, refusal: Refusal) -> ProblemResponse:
    zh, en = refusal.words("zh"), refusal.words("en")
    flaws = [Flaw(refusal.field, zh, en)] if refusal.field else []
    headers = {}
    if refusal.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="wushe"'
    if "retry_after" in refusal.facts:
        headers["Retry-After"] = str(refusal.facts["retry_after"])
    return say(request, Problem(refusal.code, refusal.status, zh, en), flaws, headers)


async def _unread(request: Request, refused: RequestRefused) -> ProblemResponse:
    return say(request, refused.problem, refused.flaws)


async def _invalid(request: Request, error: RequestValidationError) -> ProblemResponse:
    found = error.errors()
    if any(e["type"] == "json_invalid" for e in found):
        return say(request, BROKEN_JSON)
    return say(request, INVALID, [_flaw(e, error.body) for e in found[:100]])


def _flaw(error: Mapping[str, Any], body: Any) -> Flaw:
    return Flaw(_pointer(error["loc"], body), *words_for(error["type"], error.get("ctx", {})))


def _pointer(loc: Sequence[str | int], body: Any) -> str:
    """The JSON pointer of pydantic's location: into the body, or below /query, /header, /path, /cookie."""
    place, *path = loc
    if place != "body":
        return "/" + "/".join(escaped(part) for part in loc)
    return "".join(f"/{escaped(part)}" for part in _really_there(path, body))


def _really_there(path: Sequence[str | int], body: Any) -> list[str | int]:
    """The path without the parts which pydantic adds for the alternatives of a union."""
    kept: list[str | int] = []
    for n, part in enumerate(path):
        if n and isinstance(path[n - 1], int) and isinstance(body, dict) and body.get(TAG) == part:
            continue  # even where there is a field of that name
        if isinstance(body, list) and isinstance(part, int):
            body = body[part] if part < len(body) else None
        elif isinstance(body, dict) and part in body:
            body = body[part]
        elif n + 1 < len(path):
            continue
        kept.append(part)
    return kept


def escaped(part: str | int) -> str:
    """One step of a JSON pointer."""
    return str(part).replace("~", "~0").replace("/", "~1")


async def _http(request: Request, error: HTTPException) -> ProblemResponse:
    """What the framework itself refuses."""
    otherwise = Problem(
        f"http-{error.status_code}", error.status_code, "请求无法处理", "The request cannot be served"
    )
    return say(request, _BY_STATUS.get(error.status_code, otherwise), headers=error.headers)


async def out_of_order(request: Request, error: Outage) -> ProblemResponse:
    """Come again later."""
    log.warning("outage", reason=str(error))
    return say(request, OUTAGE, headers={"Retry-After": str(RETRY_SECONDS)})


async def _unfit(request: Request, error: ValidationError | ResponseValidationError) -> ProblemResponse:
    """A fault of ours in a shape; logged by field, since its own text would quote the values."""
    fields = [".".join(map(str, e["loc"])) + ": " + e["type"] for e in error.errors()]
    log.error("fault", kind=type(error).__name__, fields=fields)
    return say(request, FAULT)


async def _illegible(request: Request, error: Illegible) -> ProblemResponse:
    """Which record it is stands in the log, for whoever can mend it, and in no answer."""
    log.error("record cannot be read", record=error.where, id=error.id, fields=error.fields)
    return say(request, FAULT)


async def _fault(request: Request, error: Exception) -> ProblemResponse:
    """Anything else. What the error says is not logged, since it may quote values; where it was raised is."""
    frames = [
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)[-6:]
    ]
    log.error("fault", kind=type(error).__name__, where=frames)
    return say(request, FAULT)


_ANSWERS: dict[type[Exception], Callable[[Request, Any], Awaitable[ProblemResponse]]] = {
    Refusal: _refused,
    RequestRefused: _unread,
    RequestValidationError: _invalid,
    ResponseValidationError: _unfit,
    ValidationError: _unfit,
    HTTPException: _http,
    Illegible: _illegible,
    Outage: out_of_order,
    Exception: _fault,
}


class WithoutWords(logging.Filter):
    """The server that runs us logs a fault once more, with all it said: that is left out."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        return True


_WITHOUT_WORDS = WithoutWords()


def speak_problems(app: FastAPI) -> None:
    """Answer every error of this application with a problem."""
    logging.getLogger("uvicorn.error").addFilter(_WITHOUT_WORDS)
    for kind, answer in _ANSWERS.items():
        app.add_exception_handler(kind, answer)

"""What requests and answers are made of."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from functools import partial
from typing import Annotated, Any, Generic, LiteralString, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
)
from pydantic_core import CoreSchema, PydanticCustomError

from shared.http.numbers import without_yes_as_one

V = TypeVar("V")

_PHONE_AS_WRITTEN = re.compile(
    r"(?<![0-9A-Za-z-])((\+|00)?86[ .·-]?|0)?1[3-9]\d([ .·-]?\d{4}){2}(?![0-9A-Za-z-])"
)
_OF_A_PERSON = re.compile(r"(?<![0-9A-Za-z])(((\+|00)?86|0)?1[3-9]\d{9}|\d{17}[\dXx])(?![0-9A-Za-z])")
"""A mobile phone or an identity card, by its number, when nothing stands between the digits any more."""
_BETWEEN_DIGITS = str.maketrans("", "", " ().·-")
_NOT_DRAWN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
_UNSEEN = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0")
"""What counts as a letter or a sign and is drawn as nothing: fillers, and Braille without a dot."""


def not_blank(text: str) -> str:
    """Refuse text that nobody can see. For an AfterValidator.

    Characters that the Unicode tables here do not know yet, and those of a private use, may be the rare ones of a name.
    """
    if text and all(c in _UNSEEN or unicodedata.category(c) in _NOT_DRAWN for c in text):
        raise PydanticCustomError("blank", "must not be blank")
    return text


def impersonal(text: str) -> str:
    """Refuse a person's number in text that travels in events, such as the name of a site. For an AfterValidator."""
    read = text if text.isascii() else _as_read(text)
    if _PHONE_AS_WRITTEN.search(read) or _OF_A_PERSON.search(read.translate(_BETWEEN_DIGITS)):
        raise PydanticCustomError("personal", "must not hold a person's number")
    return text


def _as_read(text: str) -> str:
    """The text as people read it: any kind of digit is that digit, and what cannot be seen is not there."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(
        str(unicodedata.decimal(c, c)) for c in plain if c not in _UNSEEN and unicodedata.category(c) != "Cf"
    )


def _written(code: LiteralString, value: Any) -> Any:
    """Refuse numbers, which would be counted as seconds since 1970: nobody writes a day so."""
    if isinstance(value, date) or (isinstance(value, str) and _DAY.match(value)):
        return value
    raise PydanticCustomError(code, "must be a date")


def _utc(moment: datetime) -> datetime:
    """Any zone is taken; UTC is kept. Years far away cannot be turned into UTC safely."""
    if not 1900 < moment.year < 2200:
        raise PydanticCustomError("far_away", "must lie in one of the years 1901 to 2199")
    return moment.astimezone(UTC)


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

Day = Annotated[date, BeforeValidator(partial(_written, "date_type"))]
Moment = Annotated[AwareDatetime, BeforeValidator(partial(_written, "datetime_type")), AfterValidator(_utc)]
Name = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(not_blank)]
ShortText = Annotated[str, Field(max_length=200)]
LongText = Annotated[str, Field(max_length=2000)]


class Schema(BaseModel):
    """The base of every request and answer body: frozen, and nothing in it that was not asked for.

    Text is kept byte for byte. Numbers are finite, and true is none of them. An error never quotes what was sent.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        hide_input_in_errors=True,
        ser_json_inf_nan="null",
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        read: CoreSchema = without_yes_as_one(handler(source))
        return read


class Page(Schema, Generic[V]):
    """Some of a list, in order. `next_cursor` leads to the page after it; null on the last page."""

    items: list[V]
    next_cursor: str | None = None

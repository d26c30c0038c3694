"""What requests and answers are made of."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

V = TypeVar("V")


def not_blank(text: str) -> str:
    """Refuse text that nobody can see. For an AfterValidator."""
    if text and not text.strip():
        raise PydanticCustomError("blank", "must not be blank")
    return text


Name = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(not_blank)]
ShortText = Annotated[str, Field(max_length=200)]
LongText = Annotated[str, Field(max_length=2000)]


class Schema(BaseModel):
    """The base of every request and answer body: frozen, and nothing in it that was not asked for.

    Text is kept byte for byte. Numbers are finite. An error never quotes what was sent.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        hide_input_in_errors=True,
        ser_json_inf_nan="null",
    )


class Page(Schema, Generic[V]):
    """Some of a list, in order. `next_cursor` leads to the page after it; null on the last page."""

    items: list[V]
    next_cursor: str | None = None

"""What requests and answers are made of."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

V = TypeVar("V")


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

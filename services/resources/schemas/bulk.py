"""What came of a bulk load, line by line where something was wrong."""

from __future__ import annotations

from pydantic import Field

from shared.http import Schema


class RowFlaw(Schema):
    """Line `line` was not loaded: `field` (a JSON pointer) is to blame, and this is the way out."""

    line: int
    field: str | None
    code: str
    zh: str
    en: str


class Loaded(Schema):
    """`created` lots are new, `repeated` ones were there before, `refused` lines changed nothing."""

    lines: int = 0
    created: int = 0
    repeated: int = 0
    refused: int = 0
    errors: list[RowFlaw] = Field(default_factory=list)

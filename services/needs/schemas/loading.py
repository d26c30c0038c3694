"""What a bulk load comes to."""

from __future__ import annotations

from shared.http import Schema


class RowFlaw(Schema):
    """What is wrong with one line, counted from 1; `field` is a JSON pointer into that line."""

    line: int
    field: str | None
    code: str
    zh: str
    en: str


class Loaded(Schema):
    """`lines` were read: each was created, created before (`repeated`), or refused. `stopped_at` is the first bad
    line if the load stopped there; lines created before it stay. At most 1,000 errors are listed."""

    lines: int = 0
    created: int = 0
    repeated: int = 0
    refused: int = 0
    stopped_at: int | None = None
    errors: tuple[RowFlaw, ...] = ()

"""All that a system has stored, to be compared: what was refused must have changed nothing of it."""

from __future__ import annotations

from tests.town import Town

Rows = list[tuple[object, ...]]


def everything(t: Town) -> dict[str, Rows]:
    """Every row of every table: records, what they heard and answered, outboxes, the log."""
    tables = t.engine.read("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return {name: t.engine.read(f'SELECT * FROM "{name}" ORDER BY 1, 2') for (name,) in tables}


def differing(before: dict[str, Rows], after: dict[str, Rows]) -> list[str]:
    """The tables that are not as they were."""
    return [name for name in after if after[name] != before.get(name)]

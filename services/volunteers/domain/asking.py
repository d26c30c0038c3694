"""What one wave came to for one line: the record that speaks for the many calendars which it changed."""

from __future__ import annotations

from shared.contracts import topics
from shared.records import Record


class Asking(Record):
    """Written once, when everybody of the wave has been asked. The id names need, line and wave."""

    kind = "asking"
    topic = topics.ASKING

    need_id: str
    line_id: str
    asked: int

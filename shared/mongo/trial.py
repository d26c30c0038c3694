"""What some requests for one record come to, worked out before anything is written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import bson

from shared.bookkeeping import Asked, Held, Step, weigh
from shared.caught import Caught
from shared.errors import WusheError
from shared.mongo.document import Fields, Stored, fields
from shared.ports import Clock, Ids, Outgoing
from shared.records import Outcome, Record
from shared.times import milliseconds

LARGEST_RECORD = 12_000_000
"""Bytes. MongoDB takes 16 MB; the rest is for messages that wait to be published."""


class TooLarge(WusheError):
    """A record that has grown beyond what one document can hold."""


class Waiting:
    """A request, and the one who waits for its outcome."""

    __slots__ = ("answer", "asked")

    def __init__(self, asked: Asked[Record], answer: asyncio.Future[Outcome[Record]]) -> None:
        self.asked = asked
        self.answer = answer

    def fail(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Weighed(Caught):
    """What one request came to in a trial: a step, or an error that is its own."""

    step: Step[Record]


class Trial:
    """What some requests come to, one after another, on a record as it was read. Nothing is written yet.

    Raises TooLarge, or what the encoder raises, if they come to something that cannot be written.
    """

    def __init__(self, batch: Sequence[Waiting], stored: Stored | None, clock: Clock, ids: Ids) -> None:
        now = clock.now()
        before = None if stored is None else stored.held
        self.at = milliseconds(now)
        self.after: Held[Record] | None = before
        self.changed = Fields({})
        self.outgoing: list[Outgoing] = []
        self.weighed = [Weighed() for _ in batch]
        for waiting, weighed in zip(batch, self.weighed, strict=True):
            with weighed:
                weighed.step = weigh(waiting.asked, self.after, now, ids)
                self.after = weighed.step.after
                self.outgoing += weighed.step.outgoing
        self.idle = self.after is before
        if self.after is not None and not self.idle:
            self.changed = fields(stored, self.after)
            if len(bson.encode(self.changed.there)) > LARGEST_RECORD:  # what cannot be encoded fails here too
                raise TooLarge(f"{batch[0].asked.kind.kind} {batch[0].asked.id}")

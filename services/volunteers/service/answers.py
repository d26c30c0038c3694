"""Small turns that every part of this service takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from shared.errors import NotFound
from shared.http import Schema
from shared.records import Change, Record

R = TypeVar("R", bound=Record)


def with_answer(change: Change[R], view: Callable[[R], Schema]) -> Change[R]:
    """The same change; the record as this view shows it is kept as the answer to the request."""
    answer = view(change.record).model_dump(mode="json")
    return Change(change.record, *change.events, answer=answer)


def existing(record: R | None) -> R:
    if record is None:
        raise NotFound()
    return record


def owner_of(id: str) -> str:
    """The volunteer whose calendar holds this invitation or task: what stands before the last `~` of its id."""
    owner, _, _ = id.rpartition("~")
    if not owner:
        raise NotFound()
    return owner

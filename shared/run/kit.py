"""What a service is given, and what it gives back: the only wiring there is.

`services/<name>/app.py` holds `build(kit) -> Service`. A service cannot tell which adapters it runs on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from fastapi import APIRouter

from shared.contracts.base import Event, Message
from shared.places import Atlas
from shared.ports import Clock, Ids, Store
from shared.records import Record

E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Kit:
    """What one service lives on. `atlas` is a copy of areas, sites and organisations, kept fresh by the runner."""

    store: Store
    clock: Clock
    ids: Ids
    atlas: Atlas


@dataclass(frozen=True)
class Handler(Generic[E]):
    """One row of a handler table: this event is for that method."""

    event: type[E]
    method: Callable[[E, Message], Awaitable[None]]


def on(event: type[E], method: Callable[[E, Message], Awaitable[None]]) -> Handler[Any]:
    """`method(event, message)` is awaited for every such event; the message is the cause of what it changes."""
    return Handler(event, method)


@dataclass(frozen=True)
class Watch(Generic[E]):
    """One row of a private reader's table: this event, from every message since the start, into memory."""

    event: type[E]
    note: Callable[[E, Message], None]


def watch(event: type[E], note: Callable[[E, Message], None]) -> Watch[Any]:
    return Watch(event, note)


@dataclass(frozen=True)
class Sweep:
    """The records of `kind` are woken by `wake(id)` once their `due_at` has passed. While this process is not `ready` for
    them it leaves them alone: putting them off would only keep them from another that is."""

    kind: type[Record]
    wake: Callable[[str], Awaitable[None]]
    ready: Callable[[], bool] = lambda: True


@dataclass(frozen=True)
class Service:
    """A built service: what it stores, serves, hears, watches and wakes."""

    name: str
    records: Sequence[type[Record]]
    router: APIRouter
    handlers: Sequence[Handler[Any]] = ()
    watches: Sequence[Watch[Any]] = ()
    sweeps: Sequence[Sweep] = ()
    close: Callable[[], Awaitable[None]] | None = field(default=None)

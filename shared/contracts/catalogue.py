"""Every event there is: each named class of the contract modules. Nothing has to be registered by hand."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from shared.contracts import directory, matching, needs, resources, volunteers
from shared.contracts.base import Event
from shared.contracts.envelope import Registry


def _events(module: ModuleType) -> Iterator[type[Event]]:
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Event) and "name" in vars(value):
            yield value


EVENTS: tuple[type[Event], ...] = tuple(
    event for module in (directory, needs, volunteers, resources, matching) for event in _events(module)
)

REGISTRY = Registry(EVENTS)

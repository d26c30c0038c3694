"""What a message between services is: topics, event classes, and an event as it was read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict


class Topic(NamedTuple):
    """Where the events of one kind of record go: one topic per owning service and record kind.

    `partitions` is chosen once: adding some later re-maps keys and breaks the order per key.
    `days` is how long Kafka keeps messages; None is for ever, so that any service can be rebuilt.
    """

    service: str
    kind: str
    partitions: int = 12
    days: int | None = None

    @property
    def name(self) -> str:
        return f"wushe.{self.service}.{self.kind}.v1"


M = TypeVar("M", bound=BaseModel)


def copied(model: M, changes: Mapping[str, Any]) -> M:
    """The same frozen model with these fields changed: `model_copy`, without what frozen models do not need."""
    kind = type(model)
    copy = kind.__new__(kind)
    fields = {**model.__dict__, **changes}
    object.__setattr__(copy, "__dict__", fields)
    object.__setattr__(copy, "__pydantic_fields_set__", model.__pydantic_fields_set__ | changes.keys())
    object.__setattr__(copy, "__pydantic_extra__", None)
    object.__setattr__(copy, "__pydantic_private__", None)
    return copy


class Part(BaseModel):
    """A value inside an event. Unknown fields are ignored, so that an optional field may be added any time."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Part):
    """Something that happened. The class owns its name, version, topic and fields; they are never settings.

    It also owns how it is told to people who do not program, in `zh` and `en`; names in braces are its facts.

    A new optional field keeps the version. Anything else is a new class of the next version; the old one then
    sets `newer` and says in `upgrade` how it becomes the new one. Handlers only ever see the newest.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    topic: ClassVar[Topic]
    zh: ClassVar[str]
    en: ClassVar[str]

    @classmethod
    def type(cls) -> str:
        return f"cn.wushe.{cls.name}.v{cls.version}"

    def upgrade(self) -> Event:
        """This event as the newest version of it."""
        return self


class Message(NamedTuple):
    """An event in its envelope, as read from the bus."""

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    sequence: int
    correlation_id: str
    causation_id: str | None
    data: Event

    @property
    def source_record(self) -> str:
        """The record that said this, as `service.kind/id`: what watermarks are kept by."""
        return f"{self.data.topic.service}.{self.data.topic.kind}/{self.subject}"

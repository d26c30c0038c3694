"""What a message between services is: an event class, and the CloudEvents envelope around it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import TooNew, Unreadable


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


class Part(BaseModel):
    """A value inside an event. Unknown fields are ignored, so that an optional field may be added any time."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Part):
    """Something that happened. The class owns its name, version, topic and fields; they are never settings.

    A new optional field keeps the version. Anything else is a new class of the next version; the old one then
    sets `newer` and says in `upgrade` how it becomes the new one. Handlers only ever see the newest.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    topic: ClassVar[Topic]

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


class Registry:
    """All event classes by wire type; reading and writing of envelopes."""

    def __init__(self, events: Iterable[type[Event]]) -> None:
        self.by_type: dict[str, type[Event]] = {}
        for event in events:
            if event.type() in self.by_type:
                raise ValueError(f"two event classes for {event.type()}")
            self.by_type[event.type()] = event

    def decode(self, value: bytes) -> Message:
        """Read an envelope. Raises Unreadable, or TooNew for an event of ours that this code does not know."""
        try:
            raw = json.loads(value)
        except (ValueError, RecursionError) as e:
            raise Unreadable("not JSON") from e
        if not isinstance(raw, dict) or raw.get("specversion") != "1.0":
            raise Unreadable("not a CloudEvents 1.0 envelope")
        type_ = raw.get("type")
        if not isinstance(type_, str) or not type_.startswith("cn.wushe."):
            raise Unreadable("not an event of this system")
        event = self.by_type.get(type_)
        if event is None:
            raise TooNew(type_)
        try:
            envelope = _Envelope.model_validate(raw)
            data = event.model_validate(envelope.data)
        except (ValidationError, RecursionError) as e:
            raise Unreadable(_where(e)) from e
        if envelope.partitionkey != envelope.subject:
            raise Unreadable("partitionkey is not the subject")
        if envelope.source != f"/wushe/{event.topic.service}":
            raise Unreadable("the source does not own this type")
        return Message(
            envelope.id, type_, envelope.source, envelope.subject, envelope.time, envelope.sequence,
            envelope.correlationid, envelope.causationid, data.upgrade(),
        )  # fmt: skip


def encode(
    event: Event,
    *,
    id: str,
    subject: str,
    time: datetime,
    sequence: int,
    cause: Message | None,
    trace: str | None,
) -> bytes:
    """The event in a CloudEvents 1.0 envelope, structured JSON: the same bytes in the outbox and on every bus."""
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": id,
        "source": f"/wushe/{event.topic.service}",
        "type": event.type(),
        "subject": subject,
        "time": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "partitionkey": subject,
        "sequence": str(sequence),
        "correlationid": cause.correlation_id if cause else id,
    }
    if cause:
        envelope["causationid"] = cause.id
    if trace:
        envelope["traceparent"] = trace
    head = json.dumps(envelope, ensure_ascii=False)
    return f'{head[:-1]}, "data": {event.model_dump_json(exclude_none=True)}}}'.encode()


class _Envelope(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str
    source: str
    subject: str
    time: datetime
    partitionkey: str
    sequence: int
    correlationid: str
    causationid: str | None = None
    data: dict[str, Any]


def _where(error: Exception) -> str:
    """Which fields are wrong, without quoting what stands in them."""
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors(include_input=False)
        )
    return "nested too deeply"

"""The CloudEvents envelope around an event: how messages are written and read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from itertools import islice
from json.encoder import encode_basestring as quoted
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from shared.contracts.base import Event, Message
from shared.contracts.json import json_without_nothing
from shared.errors import TooNew, Unreadable

REMEMBERED = 4096
_HEAD = re.compile(
    rb'\{"specversion": "1\.0", "id": "[^"\\]*", "source": "[^"\\]*", "type": "([!-!#-\[\]-~]*)"'
)


class Registry:
    """All event classes by wire type; reading and writing of envelopes."""

    def __init__(self, events: Iterable[type[Event]]) -> None:
        self.by_type: dict[str, type[Event]] = {}
        self._read: dict[bytes, Message] = {}
        for event in events:
            if event.type() in self.by_type:
                raise ValueError(f"two event classes for {event.type()}")
            self.by_type[event.type()] = event

    def decode(self, value: bytes) -> Message:
        """Read an envelope. Raises Unreadable, or TooNew for an event of ours that this code does not know.

        Several readers in one process read the same bytes; the last ones read are remembered.
        """
        message = self._read.get(value)
        if message is None:
            message = self._at_once(value) or self._step_by_step(value)
            self._remember(value, message)
        return message

    def encode(
        self, event: Event, *, id: str, subject: str, time: datetime, sequence: int, cause: Message | None
    ) -> bytes:
        """Write an envelope. A reader in the same process is given the event itself, without decoding it again."""
        value = encode(event, id=id, subject=subject, time=time, sequence=sequence, cause=cause, trace=None)
        at = time.replace(microsecond=time.microsecond // 1000 * 1000)
        correlation, caused_by = (cause.correlation_id, cause.id) if cause else (id, None)
        source = f"/wushe/{event.topic.service}"
        known = Message(
            id, event.type(), source, subject, at, sequence, correlation, caused_by, event.upgrade()
        )
        self._remember(value, known)
        return value

    def _remember(self, value: bytes, message: Message) -> None:
        if len(self._read) >= REMEMBERED:
            for old in list(islice(self._read, REMEMBERED // 4)):
                del self._read[old]
        self._read[value] = message

    def _at_once(self, value: bytes) -> Message | None:
        """The message, if it is as `encode` writes it and nothing is wrong with it."""
        head = _HEAD.match(value)
        event = self.by_type.get(head[1].decode()) if head else None
        if event is None:
            return None
        try:
            envelope = _envelope_of(event).model_validate_json(value)
        except ValidationError:
            return None
        data: Any = envelope.data
        return self._message(event, envelope, data)

    def _step_by_step(self, value: bytes) -> Message:
        """The message, however its envelope is written, or what exactly is wrong with it."""
        try:
            raw = _json(value)
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
            if isinstance(e, ValidationError) and all(flaw["type"] == "enum" for flaw in e.errors()):
                raise TooNew(type_) from e
            raise Unreadable(_where(e)) from e
        return self._message(event, envelope, data)

    def _message(self, event: type[Event], envelope: _Envelope, data: Event) -> Message:
        if envelope.partitionkey != envelope.subject:
            raise Unreadable("partitionkey is not the subject")
        if envelope.source != f"/wushe/{event.topic.service}":
            raise Unreadable("the source does not own this type")
        return Message(
            envelope.id, event.type(), envelope.source, envelope.subject, envelope.time, envelope.sequence,
            envelope.correlationid, envelope.causationid, data.upgrade(),
        )  # fmt: skip


def type_of(value: bytes) -> str:
    """The type in the envelope, or "" if there is none that can be read."""
    head = _HEAD.match(value)
    if head:
        return head[1].decode()
    try:
        raw = _json(value)
    except (ValueError, RecursionError):
        return ""
    found = raw.get("type") if isinstance(raw, dict) else None
    return found if isinstance(found, str) else ""


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
    key = quoted(subject)
    at = time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    correlation = cause.correlation_id if cause else id
    caused = f', "causationid": {quoted(cause.id)}' if cause else ""
    traced = f', "traceparent": {quoted(trace)}' if trace else ""
    return (
        f'{{"specversion": "1.0", "id": {quoted(id)}, {_origin(type(event))}, "subject": {key}, "time": "{at}", '
        f'"datacontenttype": "application/json", "partitionkey": {key}, "sequence": "{sequence}", '
        f'"correlationid": {quoted(correlation)}{caused}{traced}, '
        f'"data": {json_without_nothing(event)}}}'
    ).encode()


def _json(value: bytes) -> Any:
    """Raises ValueError also for text with half a character in it, which could be neither kept nor told."""
    raw = json.loads(value)
    json.dumps(raw, ensure_ascii=False).encode()
    return raw


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


@cache
def _envelope_of(event: type[Event]) -> type[_Envelope]:
    """The envelope with this event in it, to be read in one go."""
    wanted: Any = {
        "specversion": (Literal["1.0"], ...),
        "type": (Literal[event.type()], ...),
        "data": (event, ...),
    }
    return create_model(f"{event.__name__}Envelope", __base__=_Envelope, **wanted)


@cache
def _origin(event: type[Event]) -> str:
    """What the envelopes of all events of this class have in common."""
    return f'"source": {quoted(f"/wushe/{event.topic.service}")}, "type": {quoted(event.type())}'


def _where(error: Exception) -> str:
    """Which fields are wrong, without quoting what stands in them."""
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors(include_input=False)
        )
    return "nested too deeply"

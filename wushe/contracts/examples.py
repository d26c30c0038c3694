"""A plausible example of any event, made from its field types: a start, to be frozen and then kept."""

from __future__ import annotations

import types
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from shared.contracts import Event, encode

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
TEXT = {
    "area": "522702100001",
    "parent": "522702100",
    "to_area": "522702",
    "cell": "8741a5c06ffffff",
    "zone": "Asia/Shanghai",
    "unit": "袋",
    "area_name": "金凤村",
    "site_name": "金山社工站",
    "organisation_name": "福泉市爱心协会",
}


def example(event: type[Event]) -> bytes:
    """One envelope with every field set."""
    data = event.model_validate(_fields(event))
    return encode(
        data,
        id="01959f3a-0000-7000-8000-000000000001",
        subject=f"{event.topic.kind}-1",
        time=NOON,
        sequence=1,
        cause=None,
        trace=None,
    )


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {name: _value(name, field.annotation) for name, field in model.model_fields.items()}


def _value(name: str, kind: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _value(name, next(a for a in arguments if a is not type(None)))
    if origin is tuple:
        return [_value(name.removesuffix("s"), arguments[0])]
    if origin is dict:
        return {"batch": "B0417"} if name == "attributes" else {"2026-W10": _value(name, arguments[1])}
    if origin is Literal:
        return arguments[0]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _fields(kind)
    return _plain(name, kind)


def _plain(name: str, kind: Any) -> Any:
    match kind:
        case _ if kind is datetime:
            return NOON.replace(hour=6) if name.startswith(("end", "until", "expires")) else NOON
        case _ if kind is date:
            return NOON.date()
        case _ if kind is bool:
            return True
        case _ if kind is int:
            return 2
        case _ if kind is float:
            return 1.5
        case _:
            return TEXT.get(name, f"{name.removesuffix('_id')}-1")

"""Records and events as JSON text: what pydantic would write, by a faster writer."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import BaseModel

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def json_of(value: Any) -> str:
    """The value as JSON: a model, or whatever stands in one."""
    return orjson.dumps(value, default=_parts, option=_OPTIONS).decode()


def json_without_nothing(value: BaseModel) -> str:
    """The same, without fields that are None, all the way down."""
    return orjson.dumps(value, default=_filled_parts, option=_OPTIONS).decode()


def _parts(value: Any) -> Any:
    return tuple(value) if isinstance(value, tuple) else value.__dict__


def _filled_parts(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(value)
    return {name: part for name, part in value.__dict__.items() if part is not None}

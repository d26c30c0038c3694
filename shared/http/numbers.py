"""Numbers in requests: the framework takes `true` for 1, which nobody means who fills in a number."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

from pydantic_core import PydanticKnownError
from pydantic_core.core_schema import no_info_before_validator_function

Kind = Literal["int_type", "float_type"]

_NUMBERS: dict[Any, Kind] = {"int": "int_type", "float": "float_type", "decimal": "float_type"}
_HELD = frozenset(
    {"schema", "fields", "items_schema", "keys_schema", "values_schema", "choices", "steps", "lax_schema", "strict_schema"}
)  # fmt: skip
"""Where in the description of a shape others stand that it is made of."""


def without_yes_as_one(shape: Any) -> Any:
    """The same shape (pydantic's description of what it reads), which takes no boolean where it asks for a number."""
    if isinstance(shape, list | tuple):
        return type(shape)(map(without_yes_as_one, shape))
    if not isinstance(shape, dict):
        return shape
    kind = shape.get("type")
    if not isinstance(kind, str):  # fields or alternatives by name, of which one may be called "type"
        return {name: without_yes_as_one(held) for name, held in shape.items()}
    if kind in _NUMBERS and not shape.get("strict"):
        return no_info_before_validator_function(partial(_no_boolean, _NUMBERS[kind]), shape)
    if kind == "function-before" and getattr(shape["function"]["function"], "func", None) is _no_boolean:
        return shape
    return {name: without_yes_as_one(held) if name in _HELD else held for name, held in shape.items()}


def _no_boolean(kind: Kind, value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticKnownError(kind)
    return value

"""What goes to and fro on the page that describes the interface: JSON Schema told in words, for whoever writes a client."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

Schema = Mapping[str, Any]

NULL = {"type": "null"}
_CODE = re.compile("`([^`]*)`")
FORMATS = {"date-time": "moment 时刻", "date": "day 日期", "password": "text 文字, not shown"}
TYPES = {
    "string": "text 文字",
    "integer": "whole number 整数",
    "number": "number 数",
    "boolean": "yes or no 是否",
}
NAMES = {"object": "object 对象", "null": "null"}


def shape(name: str, schema: Schema) -> Iterator[str]:
    """One named shape: its fields, or its codes with what they are called. It can be linked to by its name."""
    yield f'<details><summary id="{escape(name)}"><code>{escape(name)}</code></summary>'
    if said := schema.get("description"):
        yield f"<p>{prose(said)}</p>"
    if "enum" in schema:
        yield from _codes(schema)
    elif "properties" in schema:
        yield from fields(schema)
    else:
        yield f"<p>{told(schema)}</p>"
    yield "</details>"


def fields(schema: Schema) -> Iterator[str]:
    """Every field of an object: its name, whether it must be there, what it takes."""
    needed = schema.get("required", ())
    yield "<ul>"
    for name, field in schema.get("properties", {}).items():
        yield f"<li><code>{escape(name)}</code>{_must(name in needed)} {told(field)}"
        if "properties" in field:
            yield from fields(field)
        yield "</li>"
    yield "</ul>"


def parameters(given: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What stands in the path, the query and the headers. None of it can be null: what is optional is left out."""
    if not given:
        return
    yield "<ul>"
    for one in given:
        schema = one.get("schema", {})
        kinds = [kind for kind in schema.get("anyOf", ()) if kind != NULL]
        field = (kinds[0] if len(kinds) == 1 else schema) | {"description": one.get("description", "")}
        yield f"<li>{escape(one['in'])} <code>{escape(one['name'])}</code>{_must(one.get('required'))} {told(field)}</li>"
    yield "</ul>"


def prose(text: str) -> str:
    """A description, with what stands between backticks as code."""
    return _CODE.sub(r"<code>\1</code>", escape(text, quote=False))


def told(schema: Schema) -> str:
    """What one value may be, in a few words, with links to what has a name."""
    parts = [_kind(schema), *(escape(limit) for limit in _limits(schema))]
    default = schema.get("default")
    if default not in (None, [], {}, ""):
        parts.append(f"else 默认 {escape(default if isinstance(default, str) else json.dumps(default))}")
    said = schema.get("description")
    return ", ".join(parts) + (f": {prose(said)}" if said else "")


def _must(be_there: bool | None) -> str:
    return ' <b title="required 必填">*</b>' if be_there else ""


def _kind(schema: Schema) -> str:
    if (reference := schema.get("$ref")) is not None:
        name = escape(reference.rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    for several, word in (("anyOf", " or "), ("oneOf", " or "), ("allOf", " with ")):
        if several in schema:
            return word.join(told(one) for one in schema[several])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if "enum" in schema:
        return " · ".join(
            f"<code>{escape(str(code))}</code>{_called(schema, code)}" for code in schema["enum"]
        )
    kind = str(schema.get("type", "anything 任意"))
    if kind == "array":
        return f"list 列表 of [{told(schema.get('items', {}))}]"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"by name 按名称: {told(schema['additionalProperties'])}"
    return escape(FORMATS.get(schema.get("format", ""), TYPES.get(kind, NAMES.get(kind, kind))))


def _limits(schema: Schema) -> Iterator[str]:
    for low, high, word in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters 字"),
        ("minItems", "maxItems", " items 项"),
    ):
        least, most = schema.get(low), schema.get(high)
        if least is not None and most is not None:
            yield f"{least} to {most}{word}"
        elif most is not None:
            yield f"up to {most}{word}"
        elif least is not None:
            yield f"from {least}{word}"
    if (above := schema.get("exclusiveMinimum")) is not None:
        yield f"more than {above}"
    if (below := schema.get("exclusiveMaximum")) is not None:
        yield f"less than {below}"
    if (pattern := schema.get("pattern")) is not None:
        yield f"like {pattern}"


def _codes(schema: Schema) -> Iterator[str]:
    yield "<ul>"
    for code in schema["enum"]:
        yield f"<li><code>{escape(str(code))}</code>{_called(schema, code)}</li>"
    yield "</ul>"


def _called(schema: Schema, code: object) -> str:
    label = schema.get("x-labels", {}).get(code)
    return f" {escape(label['zh'])} {escape(label['en'])}" if label else ""

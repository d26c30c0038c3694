"""The published schema as a source of requests: a body with everything filled in, its texts, and junk."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

Json = Any
Path = tuple[str | int, ...]

JUNK: tuple[Json, ...] = (
    None, True, False, 0, -1, 1, 1.5, -0.0, 2**31, 2**63, 10**30, -(10**30), 1e308, "", " ", "0", "１２", "x" * 300,
    "\u202e", "👩‍👩‍👧", "阿依·古丽", "བོད་", "𠮷", "\ufeff", "../..", "~0~1/", "%00", "'; --", "2026-02-30", "0001-01-01",
    "9999-12-31", "2026-03-02T25:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "24:00", "NaN",
    [], [[]], [None], {}, {"": None}, {"$ref": "#"}, [{}] * 50, {"kind": "people"}, {"a": {"b": {"c": []}}},
)  # fmt: skip


class Shapes:
    """What `/openapi.json` says that requests look like."""

    def __init__(self, openapi: Json) -> None:
        self._openapi = openapi

    def bodies(self) -> Iterator[tuple[str, Json]]:
        """Every operation that takes JSON, as "METHOD path", with the schema of its body."""
        for path, methods in self._openapi["paths"].items():
            for method, operation in methods.items():
                content = operation.get("requestBody", {}).get("content", {})
                if "application/json" in content:
                    yield f"{method.upper()} {path}", content["application/json"]["schema"]

    def parameters(self) -> Iterator[tuple[str, list[str]]]:
        """Every reading operation with the names of what it takes in the query."""
        for path, methods in self._openapi["paths"].items():
            given = methods.get("get", {}).get("parameters", ())
            if "get" in methods:
                yield path, [p["name"] for p in given if p["in"] == "query"]

    def whole(self, schema: Json) -> Json:
        """A value of this shape with nothing left out; where there are alternatives in a list, one of each."""
        schema = self._plain(schema)
        if "enum" in schema:
            return schema["enum"][0]
        if "const" in schema:
            return schema["const"]
        match schema.get("type"):
            case "object" if "properties" in schema:
                return {name: self.whole(part) for name, part in schema["properties"].items()}
            case "object":
                return (
                    {"k": self.whole(schema["additionalProperties"])}
                    if "additionalProperties" in schema
                    else {}
                )
            case "array":
                return [self.whole(item) for item in self._alternatives(schema.get("items", {}))]
            case "string":
                return _sample(schema)
            case "integer" | "number":
                return max(1, schema.get("minimum", 1))
            case "boolean":
                return True
        return None

    def texts(self, schema: Json, at: Path = ()) -> Iterator[tuple[Path, Json]]:
        """Where texts stand in a whole value, each with its schema; a name of a dictionary too."""
        schema = self._plain(schema)
        match schema.get("type"):
            case "object" if "properties" in schema:
                for name, part in schema["properties"].items():
                    yield from self.texts(part, (*at, name))
            case "object" if isinstance(schema.get("additionalProperties"), dict):
                yield from self.texts(schema["additionalProperties"], (*at, "k"))
            case "array":
                for n, item in enumerate(self._alternatives(schema.get("items", {}))):
                    yield from self.texts(item, (*at, n))
            case "string" if "enum" not in schema and "const" not in schema:
                yield at, schema

    def _plain(self, schema: Json) -> Json:
        """Without references, and without null where there is something else."""
        return self._alternatives(schema)[0]

    def _alternatives(self, schema: Json) -> list[Json]:
        if "$ref" in schema:
            return self._alternatives(
                self._openapi["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
            )
        options = schema.get("anyOf") or schema.get("oneOf")
        if not options:
            return [schema]
        real = [option for option in options if option.get("type") != "null"]
        return [found for option in real for found in self._alternatives(option)]


def _sample(schema: Json) -> str:
    dates = {"date": "2026-03-05", "date-time": "2026-03-05T09:00:00+08:00", "time": "09:00:00"}
    return dates.get(schema.get("format", ""), "1234567890"[: schema.get("maxLength", 10)])


def with_value(body: Json, at: Path, value: Json) -> Json:
    """The same body with this value at that place."""
    if not at:
        return value
    changed = copy.deepcopy(body)
    inner = changed
    for part in at[:-1]:
        inner = inner[part]
    inner[at[-1]] = value
    return changed


def places(body: Json, at: Path = ()) -> Iterator[Path]:
    """Every place in this value."""
    yield at
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for part, value in inner:
        yield from places(value, (*at, part))


def spoiled(body: Json, chance: Random) -> Json:
    """This body with junk somewhere; something left out; something added; or junk and nothing else."""
    at = chance.choice(list(places(body)))
    match chance.randrange(4):
        case 0 if at and isinstance(at[-1], str):
            inner = changed = copy.deepcopy(body)
            for part in at[:-1]:
                inner = inner[part]
            del inner[at[-1]]
            return changed
        case 1 if isinstance(body, dict):
            return {**body, chance.choice(("x", "", "id", "__proto__", "站")): chance.choice(JUNK)}
        case _:
            return with_value(body, at, chance.choice(JUNK))

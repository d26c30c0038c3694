"""Whether a schema may follow another one under the same version: only what old readers and old messages bear."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def breaks(old: Schema, new: Schema, place: str = "") -> list[str]:
    """What would break, as sentences; empty if nothing does.

    Allowed: a new optional field, a new definition, new words in an enumeration. Not allowed: a field that went, a
    field newly required, another type, fewer words in an enumeration.
    """
    found = [f"{place}/{name}: field is gone" for name in _properties(old) if name not in _properties(new)]
    found += [f"{place}/{name}: is now required" for name in _newly_required(old, new)]
    for name, before in _properties(old).items():
        after = _properties(new).get(name)
        if after is not None:
            found += _value_breaks(before, after, f"{place}/{name}")
            found += breaks(before, after, f"{place}/{name}")
    for name, before in old.get("$defs", {}).items():
        after = new.get("$defs", {}).get(name)
        if after is not None:
            found += breaks(before, after, f"{place}/$defs/{name}")
            found += _value_breaks(before, after, f"{place}/$defs/{name}")
    return found


def _newly_required(old: Schema, new: Schema) -> list[str]:
    return [name for name in new.get("required", []) if name not in old.get("required", [])]


def _properties(schema: Schema) -> dict[str, Schema]:
    found: dict[str, Schema] = schema.get("properties", {})
    return found


def _value_breaks(old: Schema, new: Schema, place: str) -> list[str]:
    found: list[str] = []
    for key in ("type", "format", "$ref", "const"):
        if key in old and old.get(key) != new.get(key):
            found.append(f"{place}: {key} was {old.get(key)}, is {new.get(key)}")
    lost = set(map(str, old.get("enum", []))) - set(map(str, new.get("enum", [])))
    if "enum" in new and "enum" not in old:
        found.append(f"{place}: allowed any value, now only some")
    elif lost and "enum" in new:
        found.append(f"{place}: no longer allows {', '.join(sorted(lost))}")
    return found

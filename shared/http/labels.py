"""What codes are called, for a page that shows them: in the description of the interface, beside each code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.contracts.goods import VALUES
from shared.contracts.vocabulary import Term


def label(schemas: dict[str, Any]) -> None:
    """Give every list of codes its `x-labels`: code by code, in Chinese and English. Words of the common vocabulary that
    stand as text, as the rules of a diagnosis do, are described too."""
    terms = {term.__name__: term for term in _words(Term) if term.__module__ == Term.__module__}
    for name, term in terms.items():
        schemas.setdefault(name, {"type": "string", "enum": [*term], "title": name})
    known = {(term.__name__, tuple(term)): term for term in _words(Term)}
    for schema in schemas.values():
        words = known.get((schema.get("title", ""), tuple(schema.get("enum", ()))))
        if words is not None:
            schema["x-labels"] = {word.value: {"zh": word.zh, "en": word.en} for word in words}
        _label_attributes(schema.get("properties", {}).get("attributes", {}).get("properties", {}))


def _label_attributes(attributes: dict[str, Any]) -> None:
    """What the values of each attribute of goods (规格) are called."""
    for attribute, values in VALUES.items():
        if (given := attributes.get(attribute.value)) is not None:
            given["x-labels"] = {code: {"zh": zh, "en": en} for code, (zh, en) in values.items()}


def _words(kind: type[Term]) -> Iterator[type[Term]]:
    for term in kind.__subclasses__():
        yield term
        yield from _words(term)

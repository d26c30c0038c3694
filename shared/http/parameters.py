"""Parameters of an address. A mistyped one is refused: a list without its filter would show everything."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from shared.http.problems import INVALID, Flaw, RequestRefused, escaped
from shared.http.words import words_for

FLAWS_SHOWN = 100


def only_known(request: Request) -> None:
    """Refuse parameters that this route, if it only looks, does not have, and say which it has."""
    route = request.scope.get("route")
    if request.method != "GET" or not request.scope["query_string"] or not isinstance(route, APIRoute):
        return
    known = sorted(set(_names(route.dependant)))
    others = [name for name in request.query_params if name not in known]
    if others:
        words = words_for("parameter" if known else "no_parameter", {"known": ", ".join(known)})
        flaws = [Flaw(f"/query/{escaped(name)}", *words) for name in others[:FLAWS_SHOWN]]
        raise RequestRefused(INVALID, flaws)


def _names(needed: Dependant) -> Iterator[str]:
    yield from (field.alias for field in needed.query_params)
    for part in needed.dependencies:
        yield from _names(part)

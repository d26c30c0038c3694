"""The live route table: every route with the action that it is guarded by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from shared.http.access import Allow, Public


class Unguarded(ValueError):
    """A route that names no action of the policy table, or more than one."""


class Guarded(NamedTuple):
    """One method of one route. `public` actions need no account."""

    method: str
    path: str
    operation: str
    action: str
    public: bool


def catalogue(app: FastAPI) -> list[Guarded]:
    """Every route of this interface. Raises Unguarded for one that the policy table does not know."""
    table: list[Guarded] = []
    for context in iter_route_contexts(app.routes):
        route, path = context.original_route, context.path or ""
        if isinstance(route, APIRoute):
            methods = sorted(route.methods or ())
            guards = list(_guards(context.dependant))
            if len(guards) != 1:
                raise Unguarded(f"{', '.join(methods)} {path} has {len(guards)} actions")
            table += [_guarded(method, path, route, guards[0]) for method in methods]
    return table


def _guarded(method: str, path: str, route: APIRoute, guard: Allow | Public) -> Guarded:
    return Guarded(method, path, route.operation_id or route.name, guard.action, isinstance(guard, Public))


def _guards(dependant: Dependant) -> Iterator[Allow | Public]:
    for needed in dependant.dependencies:
        if isinstance(needed.call, Allow | Public):
            yield needed.call
        yield from _guards(needed)

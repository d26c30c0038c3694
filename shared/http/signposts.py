"""Many routes, found fast.

The framework asks every route in turn whether it matches, and included routers twice. With over a hundred routes the
last ones would wait two milliseconds. Here all routes of all services stand in one flat list, with a signpost before it
that knows them by the first part of their address.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from fastapi import APIRouter, FastAPI
from fastapi.datastructures import Default
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

_ALLOWED = "wushe.allowed"


def put_up(app: FastAPI, routers: Sequence[APIRouter], prefix: str) -> None:
    """Serve the routes of these routers below the prefix."""
    start = len(app.routes)
    for router in routers:
        for context in iter_route_contexts(router.routes):
            route = context.original_route
            if not isinstance(route, APIRoute):
                raise TypeError(f"{context.path} is no route of the framework's own kind")
            _put_up(app, route, f"{prefix}{context.path}", context.tags, context.dependencies)
    routes = [route for route in app.routes[start:] if isinstance(route, APIRoute)]
    app.router.routes.insert(0, Signpost(prefix, routes))


def _put_up(app: FastAPI, route: APIRoute, path: str, tags: list[Any], dependencies: list[Any]) -> None:
    app.router.add_api_route(
        path,
        route.endpoint,
        tags=tags,
        dependencies=dependencies,
        response_model=Default(None) if route.stream_item_type else route.response_model,
        status_code=route.status_code,
        summary=route.summary,
        description=route.description,
        response_description=route.response_description,
        responses=route.responses,
        deprecated=route.deprecated,
        methods=route.methods,
        operation_id=route.operation_id,
        response_model_exclude_none=route.response_model_exclude_none,
        response_model_exclude_unset=route.response_model_exclude_unset,
        include_in_schema=route.include_in_schema,
        response_class=route.response_class,
        name=route.name,
        openapi_extra=route.openapi_extra,
    )


class Signpost(BaseRoute):
    """The routes by the first part of their address below the prefix. What it does not find, the list behind it
    answers: a slash too many. To a wrong method it says itself which are right."""

    def __init__(self, prefix: str, routes: Sequence[APIRoute]) -> None:
        self._prefix = f"{prefix}/"
        self._routes: dict[str, list[APIRoute]] = {}
        for route in routes:
            self._routes.setdefault(self._first_part(route.path), []).append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        others: dict[str, Scope] = {}
        for route in self._routes.get(self._first_part(scope["path"]), ()):
            match, found = route.matches(scope)
            if match is Match.FULL:
                return match, found
            if match is Match.PARTIAL:
                others |= dict.fromkeys(route.methods or (), found)
        if not others:
            return Match.NONE, {}
        return Match.FULL, {**next(iter(others.values())), _ALLOWED: ", ".join(sorted(others))}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _ALLOWED in scope:
            raise HTTPException(405, headers={"Allow": scope[_ALLOWED]})
        await scope["route"].handle(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> NoReturn:
        raise NoMatchFound(name, path_params)

    def _first_part(self, path: str) -> str:
        return path.removeprefix(self._prefix).partition("/")[0]

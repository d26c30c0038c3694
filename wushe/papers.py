"""The whole interface on paper: all services composed and never started, for what is said of all of them together."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from shared.embedded.clock import SystemClock
from shared.embedded.engine import SqliteEngine
from shared.embedded.ids import SystemIds
from shared.ports import NoFaults
from shared.security.passwords import Hasher
from shared.security.tokens import TokenMint, TokenVerifier
from wushe.embedded import adapters
from wushe.system import Security, System


@cache
def whole_system() -> System:
    """All services on an empty store in memory; nothing moves in it, and it signs with a key of nobody's."""
    engine, clock = SqliteEngine(":memory:", inline=True), SystemClock()
    mint = TokenMint(Ed25519PrivateKey.generate())
    security = Security(TokenVerifier(mint.public_key, clock), mint, Hasher.cheap())
    ids = SystemIds(clock)
    return System(adapters(engine, clock, ids, NoFaults()), security, clock=clock, ids=ids)


def whole_interface() -> FastAPI:
    """Its HTTP interface, which knows `/docs` and `/openapi.json`."""
    return whole_system().api

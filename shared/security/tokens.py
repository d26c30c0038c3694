"""Access tokens: signed once by the directory, verified by every service by itself.

A token is a JWT signed with Ed25519, good for ten minutes. It says who the account is and what it may do; whether
it still counts is asked of the atlas at every request (`Atlas.admits`).
"""

from __future__ import annotations

import hmac
import os
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from shared.contracts.vocabulary import Role
from shared.errors import Refusal, WusheError
from shared.ports import Clock
from shared.security.access import Principal

ALGORITHM = "EdDSA"
ISSUER = "wushe"
LIFE = timedelta(minutes=10)
REMEMBERED = 20_000
_ROLES = {role.value: role for role in Role}


class NoKey(WusheError, ValueError):
    """This file holds no key of the kind that is needed."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} holds no Ed25519 key in PEM")
        self.path = path


class NotSignedIn(Refusal):
    code = "not-signed-in"
    status = 401
    zh = "请先登录"
    en = "Sign in first"


class TokenRefused(Refusal):
    code = "token-refused"
    status = 401
    zh = "登录已失效，请重新登录"
    en = "The sign-in is no longer valid; sign in again"


@dataclass(frozen=True, slots=True)
class Verified:
    """A token whose signature is good: whose it is, in which session, and until when."""

    principal: Principal
    session_id: str
    expires_at: datetime


class TokenMint:
    """Signs tokens. Only the directory has one."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @property
    def public_key(self) -> Ed25519PublicKey:
        return self._key.public_key()

    def secret(self, purpose: str) -> bytes:
        """A secret for one purpose, derived from the key, the same wherever the key is the same."""
        return hmac.digest(self._key.private_bytes_raw(), purpose.encode(), "sha256")

    def sign(self, principal: Principal, session_id: str, until: datetime | None = None) -> str:
        """A token for this principal, good `until` then, or for ten minutes from `issued_at`."""
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "sub": principal.account_id,
            "roles": [role.value for role in principal.roles],
            "site": principal.site_id,
            "org": principal.organisation_id,
            "sid": session_id,
            "iat": principal.issued_at.timestamp(),
            "exp": (until or principal.issued_at + LIFE).timestamp(),
        }
        return jwt.encode({k: v for k, v in claims.items() if v is not None}, self._key, algorithm=ALGORITHM)


class TokenVerifier:
    """Reads tokens, and remembers the latest of them, so that a signature is checked once and not at every request."""

    def __init__(self, key: Ed25519PublicKey, clock: Clock, *, remembered: int = REMEMBERED) -> None:
        self._key = key
        self._clock = clock
        self._limit = remembered
        self._known: OrderedDict[str, Verified] = OrderedDict()

    def verify(self, token: str) -> Verified:
        """Whose token this is. Raises TokenRefused if it was not signed here, is broken, or is past its time."""
        verified = self._known.get(token)
        if verified is None:
            verified = self._read(token)
            self._remember(token, verified)
        if verified.expires_at <= self._clock.now():
            self._known.pop(token, None)
            raise TokenRefused()
        return verified

    def _remember(self, token: str, verified: Verified) -> None:
        self._known[token] = verified
        if len(self._known) > self._limit:
            self._known.popitem(last=False)

    def _read(self, token: str) -> Verified:
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                options={
                    "verify_exp": False,
                    "verify_iat": False,
                    "require": ["sub", "iat", "exp", "sid", "roles"],
                },
            )
            principal = Principal(
                account_id=claims["sub"],
                roles=tuple(_ROLES[role] for role in claims["roles"]),
                site_id=claims.get("site"),
                organisation_id=claims.get("org"),
                issued_at=datetime.fromtimestamp(claims["iat"], UTC),
            )
            return Verified(principal, claims["sid"], datetime.fromtimestamp(claims["exp"], UTC))
        except (jwt.PyJWTError, ValueError, TypeError, KeyError, OverflowError) as e:
            raise TokenRefused() from e


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The key in this file; made, readable by its owner only, if there is no such file yet."""
    if not path.exists():
        _create(path, Ed25519PrivateKey.generate())
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as e:
        raise NoKey(path) from e
    if not isinstance(key, Ed25519PrivateKey):
        raise NoKey(path)
    return key


def verifying_key(path: Path) -> Ed25519PublicKey:
    """The public key in this file: all that a service needs that only verifies."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (ValueError, UnsupportedAlgorithm) as e:
        raise NoKey(path) from e
    if not isinstance(key, Ed25519PublicKey):
        raise NoKey(path)
    return key


def _create(path: Path, key: Ed25519PrivateKey) -> None:
    """Written beside and linked into place, so that whoever comes second finds the whole key of the first."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with NamedTemporaryFile(dir=path.parent) as beside:
        beside.write(pem)
        beside.flush()
        os.fsync(beside.fileno())
        with suppress(FileExistsError):
            os.link(beside.name, path)

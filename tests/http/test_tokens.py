"""Tokens and keys: what is taken for a token, and what is not."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path
from threading import Thread

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from shared.contracts.vocabulary import Role
from shared.embedded.clock import FixedClock
from shared.security.access import Principal
from shared.security.passwords import Hasher
from shared.security.tokens import TokenMint, TokenRefused, TokenVerifier, signing_key, verifying_key


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def mint() -> TokenMint:
    return TokenMint(Ed25519PrivateKey.generate())


def wang(clock: FixedClock) -> Principal:
    return Principal("wang", (Role.STAFF, Role.VOLUNTEER), "fuquan", None, clock.now())


def test_a_token_says_again_what_was_signed(clock: FixedClock, mint: TokenMint) -> None:
    clock.advance(0.123457)
    verified = TokenVerifier(mint.public_key, clock).verify(mint.sign(wang(clock), "s1"))
    assert verified.principal == wang(clock), "to the microsecond, since tokens die by the moment of issue"
    assert (verified.session_id, verified.expires_at) == ("s1", clock.now() + timedelta(minutes=10))


def test_a_token_of_another_key_is_refused(clock: FixedClock, mint: TokenMint) -> None:
    other = TokenMint(Ed25519PrivateKey.generate())
    with pytest.raises(TokenRefused):
        TokenVerifier(mint.public_key, clock).verify(other.sign(wang(clock), "s1"))


@pytest.mark.parametrize(
    "change",
    [
        {"roles": ["king"]},
        {"roles": "staff"},
        {"exp": "soon"},
        {"exp": 1e300},
        {"iss": "them"},
        {"sub": None},
        {"sid": None},
    ],
)
def test_a_signed_token_with_claims_that_make_no_sense_is_refused(
    clock: FixedClock, change: dict[str, object]
) -> None:
    key = Ed25519PrivateKey.generate()
    now = clock.now().timestamp()
    claims = {"iss": "wushe", "sub": "w", "sid": "s", "roles": [], "iat": now, "exp": now + 60} | change
    token = jwt.encode({k: v for k, v in claims.items() if v is not None}, key, algorithm="EdDSA")
    with pytest.raises(TokenRefused):
        TokenVerifier(key.public_key(), clock).verify(token)


def test_only_our_algorithm_counts(clock: FixedClock, mint: TokenMint) -> None:
    claims = {"iss": "wushe", "sub": "w", "sid": "s", "roles": ["administrator"], "iat": 0, "exp": 9e9}
    public = mint.public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    rsa = generate_private_key(65537, 2048)
    for token in (
        jwt.encode(claims, "", algorithm="none"),
        jwt.encode(claims, public, algorithm="HS256"),
        jwt.encode(claims, rsa, algorithm="RS256"),
    ):
        with pytest.raises(TokenRefused):
            TokenVerifier(mint.public_key, clock).verify(token)


def test_a_remembered_token_still_ends_in_time(clock: FixedClock, mint: TokenMint) -> None:
    verifier = TokenVerifier(mint.public_key, clock)
    token = mint.sign(wang(clock), "s1")
    assert verifier.verify(token) is verifier.verify(token)
    clock.advance(600)
    with pytest.raises(TokenRefused):
        verifier.verify(token)


def test_only_so_many_tokens_are_remembered(clock: FixedClock, mint: TokenMint) -> None:
    verifier = TokenVerifier(mint.public_key, clock, remembered=2)
    first = mint.sign(wang(clock), "s0")
    before = verifier.verify(first)
    for n in range(1, 4):
        verifier.verify(mint.sign(wang(clock), f"s{n}"))
    assert verifier.verify(first) is not before


def test_the_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "signing.pem"
    found: list[bytes] = []
    makers = [Thread(target=lambda: found.append(signing_key(path).private_bytes_raw())) for _ in range(8)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["signing.pem"]


def test_a_service_that_only_verifies_needs_only_the_public_key(tmp_path: Path, clock: FixedClock) -> None:
    mint = TokenMint(signing_key(tmp_path / "signing.pem"))
    public = tmp_path / "public.pem"
    public.write_bytes(mint.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert TokenVerifier(verifying_key(public), clock).verify(mint.sign(wang(clock), "s1")).session_id == "s1"


def test_another_kind_of_key_is_refused_at_the_start(tmp_path: Path) -> None:
    rsa = generate_private_key(65537, 2048)
    path = tmp_path / "signing.pem"
    path.write_bytes(rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(ValueError, match="Ed25519"):
        signing_key(path)


async def test_a_password_is_known_by_its_hash_however_it_was_composed() -> None:
    hasher = Hasher.cheap()
    hashed = await hasher.hash("caf\u00e9 社区")
    assert hashed.startswith("$argon2id$")
    assert await hasher.verify(hashed, "cafe\u0301 社区")
    assert not await hasher.verify(hashed, "cafe 社区")
    assert not await hasher.verify("no hash at all", "cafe 社区")
    assert not await hasher.verify(None, "nobody signs in with this")
    hasher.close()

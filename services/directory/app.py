"""The wiring of the directory."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.directory.domain.accounts import Account, Secret
from services.directory.domain.organisations import Organisation
from services.directory.domain.places import Site, Village
from services.directory.domain.sessions import Session, Tries
from services.directory.routes import routes
from services.directory.service import Accounts, Directory, Organisations, Places, Sessions
from shared.run.kit import Kit, Service, Sweep
from shared.security.passwords import Hasher
from shared.security.tokens import TokenMint

RECORDS = (Village, Site, Organisation, Account, Secret, Session, Tries)


def directory(kit: Kit, *, mint: TokenMint, hasher: Hasher) -> Directory:
    """What can be asked of the directory without HTTP: the first start and the sample use it.

    `directory(...).accounts.ensure(NewAccount(...))` gives the first administrator.
    """
    accounts = Accounts(kit, mint, hasher)
    return Directory(Places(kit), Organisations(kit), accounts, Sessions(kit, accounts, mint, hasher))


def build(kit: Kit, *, mint: TokenMint | None = None, hasher: Hasher | None = None) -> Service:
    """The service. Without a mint it signs with a key of its own, which nobody else can verify: for tests."""
    hasher = hasher or Hasher()
    built = directory(kit, mint=mint or TokenMint(Ed25519PrivateKey.generate()), hasher=hasher)

    async def close() -> None:
        hasher.close()

    return Service(
        name="directory",
        records=RECORDS,
        router=routes(built),
        sweeps=(Sweep(Session, built.sessions.wake), Sweep(Tries, built.accounts.patience.wake)),
        close=close,
    )

"""Signing in, staying signed in, signing out."""

from __future__ import annotations

import hmac
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from services.directory.domain.accounts import Account, void_tokens
from services.directory.domain.sessions import (
    Session,
    SessionEnded,
    WrongLoginOrPassword,
    end,
    lapse,
    open_session,
    refresh,
)
from services.directory.service.accounts import Accounts
from services.directory.service.tries import Guest
from shared.errors import NotFound
from shared.ports import Query, Where
from shared.records import Change
from shared.run.kit import Kit
from shared.security.access import Principal
from shared.security.passwords import Hasher
from shared.security.tokens import LIFE, TokenMint


class Opened(NamedTuple):
    """A session with its tokens of the moment."""

    account: Account
    access_token: str
    refresh_token: str
    expires_at: datetime
    refresh_expires_at: datetime


class Sessions:
    """A refresh token names its session and its number, and is sealed with a key that is not in the store: what is
    stored is of no use to a thief, and the same number is always the same token."""

    def __init__(self, kit: Kit, accounts: Accounts, mint: TokenMint, hasher: Hasher) -> None:
        self._store = kit.store
        self._clock = kit.clock
        self._ids = kit.ids
        self._accounts = accounts
        self._mint = mint
        self._hasher = hasher
        self._seal_key = mint.secret("refresh tokens")
        self._patience = accounts.patience

    async def sign_in(self, login: str, password: str, address: str) -> Opened:
        """Open a session. Raises WrongLoginOrPassword, TooManyTries. A login that nobody has takes as long as one
        that somebody has, and so does a disabled account."""
        id = await self._accounts.id_of(login)
        door = await self._patience.door(id, address)
        guest = Guest(login, address, await self._is_at_home(id, door))
        async with self._patience.turn(guest):
            looked_at = await self._store.get(Account, id)
            verified = looked_at.record.password_hash if looked_at else None
            right = await self._hasher.verify(verified, password)
            # Verifying takes a while, in which an account may change.
            found = await self._store.get(Account, id)
            if (
                found is None
                or not right
                or not found.record.active
                or found.record.password_hash != verified
            ):
                await self._patience.failed(guest)
                raise WrongLoginOrPassword()
            await self._patience.right(guest)
        since = found.record.sessions_from
        session = open_session(self._ids.new(), found.record.id, max(self._clock.now(), since), door, since)
        await self._store.change(Session, session.id, lambda _: Change(session))
        return self._opened(found.record, session)

    async def _is_at_home(self, account_id: str, door: str) -> bool:
        """Whether one of this account's latest sessions was opened from there, since its sessions were last ended."""
        account = await self._store.get(Account, account_id)
        latest = Query((Where("account_id", "equal", account_id),), descending=True)
        sessions = [found.record for found in await self._store.find(Session, latest)]
        return account is not None and any(
            session.door == door and session.stands(account.record.sessions_from) for session in sessions
        )

    async def refresh(self, token: str) -> Opened:
        """The next pair of tokens. Raises SessionEnded; if the token was a copy, all sessions of the account end."""
        id, generation = self._unseal(token)
        known = await self._store.get(Session, id)
        if known is None:
            raise SessionEnded()
        account = (await self._accounts.account(known.record.account_id)).record
        if not account.active or not known.record.stands(account.sessions_from):
            raise SessionEnded()
        now = self._clock.now()
        session = (await self._store.change(Session, id, lambda s: refresh(s, generation, now))).record
        if session.ended:
            await self._store.change(Account, account.id, self._void)
            raise SessionEnded()
        return self._opened(account, session)

    async def close(self, id: str) -> None:
        """End a session; one that has ended stays so."""
        await self._store.change(Session, id, end)

    async def close_by(self, token: str) -> None:
        """End the session of this refresh token, the latest or an older one; of a token that names none nothing is left."""
        with suppress(SessionEnded):
            await self.close(self._unseal(token)[0])

    async def wake(self, id: str) -> None:
        """A session that nobody refreshed in time ends."""
        now = self._clock.now()
        await self._store.change(Session, id, lambda session: lapse(session, now))

    def _void(self, account: Account | None) -> Change[Account]:
        if account is None:
            raise NotFound()
        return void_tokens(account, self._clock.now())

    def _opened(self, account: Account, session: Session) -> Opened:
        """Tokens good from now, of the rights that were read: dated by what gave these rights and not by a clock, so that
        they are void once these rights are, even if they were taken away between the reading and the signing."""
        expires_at, since = self._clock.now() + LIFE, account.valid_from
        principal = Principal(account.id, account.roles, account.site_id, account.organisation_id, since)
        return Opened(
            account=account,
            access_token=self._mint.sign(principal, session.id, expires_at),
            refresh_token=self._seal(session.id, session.generation),
            expires_at=expires_at,
            refresh_expires_at=session.expires_at,
        )

    def _seal(self, id: str, generation: int) -> str:
        named = f"{id}.{generation}"
        return f"{named}.{hmac.new(self._seal_key, named.encode(), sha256).hexdigest()}"

    def _unseal(self, token: str) -> tuple[str, int]:
        id, _, rest = token.partition(".")
        generation = rest.partition(".")[0]
        if not (generation.isascii() and generation.isdigit() and len(generation) < 10):
            raise SessionEnded()
        if not hmac.compare_digest(self._seal(id, int(generation)).encode(), token.encode()):
            raise SessionEnded()
        return id, int(generation)

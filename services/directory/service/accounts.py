"""Accounts: opening, editing, disabling, passwords."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from hashlib import sha256

from services.directory.domain.accounts import (
    Account,
    OwnRights,
    Secret,
    WrongPassword,
    account_id,
    change_rights,
    fit_login,
    fit_password,
    fit_places,
    open_account,
    require_grants,
    set_password,
)
from services.directory.domain.organisations import Organisation
from services.directory.domain.places import Site
from services.directory.schemas.accounts import AccountView, NewAccount, NewPassword
from services.directory.service.tries import Guest, Patience
from shared.contracts.vocabulary import Role
from shared.errors import KeyReused, NotFound
from shared.http import Access, answering
from shared.ports import Op, Query
from shared.records import Change, Outcome, Versioned
from shared.run.kit import Kit
from shared.security.passwords import Hasher
from shared.security.tokens import TokenMint

_LOGINS = "logins"


class Accounts:
    """Who may sign in. The methods without an `access` are for the system itself: the first start, the sample."""

    def __init__(self, kit: Kit, mint: TokenMint, hasher: Hasher) -> None:
        self._store = kit.store
        self._clock = kit.clock
        self._hasher = hasher
        self._bodies = mint.secret("request bodies with passwords")
        self._secret: str | None = None
        self.patience = Patience(kit, self.secret)

    async def secret(self) -> str:
        """The secret that account ids are derived with; made by whoever asks first."""
        if self._secret is None:
            fresh = Secret(id=_LOGINS, value=secrets.token_hex(32))
            kept = await self._store.change(Secret, _LOGINS, lambda known: Change(known or fresh))
            self._secret = kept.record.value
        return self._secret

    async def id_of(self, login: str) -> str:
        """The id of the account with this login, whether there is one or not."""
        return account_id(await self.secret(), login)

    async def account(self, id: str) -> Versioned[Account]:
        account = await self._store.get(Account, id)
        if account is None:
            raise NotFound()
        return account

    async def accounts(self, query: Query) -> list[Versioned[Account]]:
        return await self._store.find(Account, query)

    async def open_as(self, access: Access, new: NewAccount, op: Op) -> Outcome[Account]:
        """Open an account for somebody, with roles that are the asker's to give at that place."""
        require_grants(await self._roles_reaching(access, new.site_id, new.organisation_id), new.roles)
        return await self.open(new, op=op)

    async def open(self, new: NewAccount, *, op: Op | None = None) -> Outcome[Account]:
        """Open an account. Raises LoginTaken; Invalid for what does not fit together."""
        password = fit_password(new.password.get_secret_value(), fit_login(new.login))
        places = await self._places(new.site_id, new.organisation_id)
        now = self._clock.now()
        account = Account(
            id=await self.id_of(new.login),
            login=new.login,
            name=new.name,
            password_hash=await self._hasher.hash(password),
            roles=tuple(dict.fromkeys(new.roles)),
            site_id=new.site_id,
            organisation_id=new.organisation_id,
            valid_from=now,
            sessions_from=now,
        )

        def decide(known: Account | None) -> Change[Account]:
            fit_places(account, *places)
            return answering(open_account(known, account), AccountView.of)

        return await self._store.change(Account, account.id, decide, op=op and self._veiled(op))

    async def ensure(self, new: NewAccount) -> Account:
        """The account with this login, opened now if there was none: what a first start and a sample call."""
        known = await self._store.get(Account, await self.id_of(new.login))
        return known.record if known else (await self.open(new)).record

    async def edit_as(
        self, access: Access, id: str, edit: Callable[[Account], Account], expect: int | None = None
    ) -> Outcome[Account]:
        """Change name, roles or places, where both what was and what will be are the asker's to manage."""
        before = (await self.account(id)).record
        after = edit(before)
        await self._require_managed(access, before)
        if (after.roles, after.site_id, after.organisation_id) != (
            before.roles,
            before.site_id,
            before.organisation_id,
        ):
            await self._require_managed(access, after)
            fit_places(after, *await self._places(after.site_id, after.organisation_id))
        return await self._store.change(Account, id, self._managed(access, edit), expect=expect)

    async def set_active_as(self, access: Access, id: str, active: bool, op: Op) -> Outcome[Account]:
        """Disable or enable an account; a disabled one is signed out everywhere at once."""
        await self._require_managed(access, (await self.account(id)).record)
        return await self._store.change(
            Account, id, self._managed(access, lambda account: account.but(active=active)), op=op
        )

    async def set_password_as(
        self, access: Access, id: str, passwords: NewPassword, op: Op
    ) -> Outcome[Account]:
        """Change a password: one's own, knowing the present one; or, as administrator, another's."""
        access.require(owner_id=id)
        account = (await self.account(id)).record
        fit_password(passwords.new.get_secret_value(), account.login, "/new")
        op = self._veiled(op)
        if met := await self._met(id, op):
            return met
        known = id != access.principal.account_id or await self._knows(account, passwords)
        fresh = await self._hasher.hash(passwords.new.get_secret_value())
        now = self._clock.now()

        def decide(present: Account | None) -> Change[Account]:
            if present is None:
                raise NotFound()
            if not known or present.password_hash != account.password_hash:
                raise WrongPassword("/current")
            return answering(set_password(present, fresh, now), AccountView.of)

        return await self._store.change(Account, id, decide, op=op)

    async def _met(self, id: str, op: Op) -> Outcome[Account] | None:
        """What came of this very request, if it was met before: its present password is no longer that, and no guess."""

        def not_yet(_: Account | None) -> Change[Account]:
            raise WrongPassword("/current")

        try:
            return await self._store.change(Account, id, not_yet, op=op)
        except (WrongPassword, KeyReused):
            return None

    async def _knows(self, account: Account, passwords: NewPassword) -> bool:
        """Whether the present password was given. Raises TooManyTries, as signing in does."""
        if passwords.current is None:
            return False
        guest = Guest(
            account.login, at_home=True
        )  # signed in: strangers who guess at the door do not count here
        async with self.patience.turn(guest):
            right = await self._hasher.verify(account.password_hash, passwords.current.get_secret_value())
            await (self.patience.right(guest) if right else self.patience.failed(guest))
        return right

    def _managed(
        self, access: Access, edit: Callable[[Account], Account]
    ) -> Callable[[Account | None], Change[Account]]:
        now = self._clock.now()

        def decide(account: Account | None) -> Change[Account]:
            if account is None:
                raise NotFound()
            edited = edit(account)
            if account.id == access.principal.account_id and edited != account.but(name=edited.name):
                raise OwnRights()
            return answering(change_rights(account, edited, now), AccountView.of)

        return decide

    async def _require_managed(self, access: Access, account: Account) -> None:
        """Hide an account that is out of reach; refuse one with roles that are not the asker's to give."""
        access.require(site_id=account.site_id)
        require_grants(
            await self._roles_reaching(access, account.site_id, account.organisation_id), account.roles
        )

    async def _roles_reaching(
        self, access: Access, site_id: str | None, organisation_id: str | None
    ) -> list[Role]:
        """The asker's roles that reach both the site and the site of the organisation."""
        roles = access.roles_reaching(site_id=site_id)
        if organisation_id is None:
            return list(roles)
        organisation = await self._store.get(Organisation, organisation_id)
        attached_to = organisation.record.site_id if organisation else None
        return [role for role in access.roles_reaching(site_id=attached_to) if role in roles]

    async def _places(
        self, site_id: str | None, organisation_id: str | None
    ) -> tuple[Site | None, Organisation | None]:
        site = await self._store.get(Site, site_id) if site_id else None
        organisation = await self._store.get(Organisation, organisation_id) if organisation_id else None
        return site.record if site else None, organisation.record if organisation else None

    def _veiled(self, op: Op) -> Op:
        """The same request, its body digested with a key: the plain digest of a password could be guessed from."""
        return op._replace(body=hmac.new(self._bodies, op.body.encode(), sha256).hexdigest())

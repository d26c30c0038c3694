"""Accounts: who may sign in, and what their roles let them do.

The id of an account is derived from its login and a secret of this store (`account_id`). So one login is one record,
by construction: opening an account is one change, needs no claim record beside it, is the same whenever it is repeated,
and no crash can leave half of it. The secret keeps a telephone number that serves as a login from being
guessed from the id, which stands in events, log lines and addresses. The price: a login is never renamed; whoever
needs another gets another account.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import ClassVar

from services.directory.domain.organisations import Organisation
from services.directory.domain.places import Site
from shared.contracts import topics
from shared.contracts.directory import AccountChanged
from shared.contracts.vocabulary import OrganisationKind, Role
from shared.errors import Forbidden, Invalid, Refusal
from shared.records import Change, Record, index
from shared.security.digests import id_of_digest

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 200

_ORGANISED = frozenset({Role.PROVIDER, Role.CHARITY})
_STATIONED = frozenset({Role.STAFF, Role.SCOUT, Role.VOLUNTEER, Role.SOCIAL_WORKER, Role.SUPERVISOR})
_BELOW_SUPERVISOR = frozenset(Role) - {Role.SUPERVISOR, Role.ADMINISTRATOR}

GRANTS: dict[Role, frozenset[Role]] = {
    Role.STAFF: frozenset({Role.VOLUNTEER, Role.SCOUT}),
    Role.SUPERVISOR: _BELOW_SUPERVISOR,
    Role.ADMINISTRATOR: frozenset(Role),
}
"""Which roles a role may give to others, within its reach."""


class LoginTaken(Refusal):
    code = "login-taken"
    zh = "这个登录名已被使用，请换一个"
    en = "This login is taken; choose another"


class RoleNotYours(Refusal):
    code = "role-not-yours-to-give"
    status = 403
    zh = "您不能授予或管理这个角色：{role_zh}"
    en = "It is not for you to give or manage this role: {role_en}"


class OwnRights(Refusal):
    code = "own-rights"
    zh = "不能修改自己的角色、站点或停用自己的账号，请找另一位管理员"
    en = "Nobody changes their own roles or site or disables their own account; ask another administrator"


class WrongPassword(Refusal):
    code = "wrong-password"
    status = 403
    zh = "当前密码不对"
    en = "The present password is not right"


class Secret(Record):
    """A random value that this store made once for itself: what account ids are derived with."""

    kind: ClassVar = "secret"

    value: str


class Account(Record):
    """Somebody who may sign in. Tokens of rights from before `valid_from` are void, sessions of a password from before
    `sessions_from` too."""

    kind: ClassVar = "account"
    topic: ClassVar = topics.ACCOUNT
    indexes: ClassVar = (index("site_id"), index("organisation_id"))

    login: str
    name: str
    password_hash: str
    roles: tuple[Role, ...]
    site_id: str | None = None
    organisation_id: str | None = None
    active: bool = True
    valid_from: datetime
    sessions_from: datetime


def same_login(login: str) -> str:
    """What two logins have in common when they are one: full width or half, capitals or not (NFKC, case folded)."""
    folded = login
    for _ in range(2):  # folding can undo what normalising did, once
        folded = unicodedata.normalize("NFKC", folded).casefold()
    return unicodedata.normalize("NFKC", folded)


def account_id(secret: str, login: str) -> str:
    """The id of the account with this login, the same for logins that are one (UUID version 8)."""
    return id_of_digest(hmac.new(secret.encode(), same_login(login).encode(), sha256).hexdigest())


def fit_login(login: str) -> str:
    """Refuse a login with characters nobody can see or type: spaces, controls, invisible and unassigned ones."""
    if any(unicodedata.category(c)[0] in "CZ" for c in login + same_login(login)):
        raise Invalid(
            "/login", zh="登录名不能含空格或不可见字符", en="a login has no spaces or invisible characters"
        )
    return login


def fit_password(password: str, login: str, field: str = "/password") -> str:
    """Refuse a password that is too short, far too long, the login itself, or that nobody can type or see."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Invalid(
            field,
            zh=f"密码须为 {SHORTEST_PASSWORD} 至 {LONGEST_PASSWORD} 个字符",
            en=f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters",
        )
    if same_login(password) == same_login(login):
        raise Invalid(field, zh="密码不能与登录名相同", en="the password must not be the login")
    if not password.strip() or any(unicodedata.category(c) == "Cc" for c in password):
        raise Invalid(
            field,
            zh="密码不能只有空格，也不能含换行等控制字符",
            en="a password is more than blanks, and has no line breaks or control characters",
        )
    return password


def fit_roles(roles: Iterable[Role], site_id: str | None, party: OrganisationKind | None) -> None:
    """Refuse roles without the place they are about: `party` is the kind of the account's organisation."""
    asked = frozenset(roles)
    if asked & _STATIONED and site_id is None:
        raise Invalid("/site_id", zh="这个角色须归属一个站点", en="this role needs a site")
    if asked & _ORGANISED and party is None:
        raise Invalid("/organisation_id", zh="这个角色须归属一个组织", en="this role needs an organisation")
    if Role.CHARITY in asked and party is not OrganisationKind.CHARITY:
        raise Invalid(
            "/organisation_id", zh="慈善组织账号须归属慈善组织", en="a charity's account needs a charity"
        )
    if Role.PROVIDER in asked and party is OrganisationKind.CHARITY:
        raise Invalid(
            "/organisation_id",
            zh="社会组织账号不能归属慈善组织",
            en="a provider's account needs another kind of organisation",
        )


def fit_places(account: Account, site: Site | None, organisation: Organisation | None) -> None:
    """Refuse an account whose places (as they are found) are not there or closed, or do not go with its roles."""
    if account.site_id and (site is None or not site.active):
        raise Invalid("/site_id", zh="没有这个站点，或已停用", en="there is no such site, or it is closed")
    if account.organisation_id and (organisation is None or not organisation.active):
        raise Invalid(
            "/organisation_id",
            zh="没有这个组织，或已停用",
            en="there is no such organisation, or it is closed",
        )
    fit_roles(account.roles, account.site_id, organisation.party if organisation else None)


def require_grants(by: Iterable[Role], roles: Iterable[Role]) -> None:
    """Refuse roles which none of the giver's roles (those that reach the place) may give."""
    mine = tuple(by)
    if not mine:
        raise Forbidden()
    grantable = frozenset[Role]().union(*(GRANTS.get(role, frozenset()) for role in mine))
    for role in roles:
        if role not in grantable:
            raise RoleNotYours("/roles", role_zh=role.zh, role_en=role.en)


def open_account(known: Account | None, account: Account) -> Change[Account]:
    if known is not None:
        raise LoginTaken("/login")
    return Change(account, account_changed(account))


def change_rights(account: Account, edited: Account, now: datetime) -> Change[Account]:
    """Other roles, places or state: tokens issued before now are void everywhere; a disabled account's sessions too."""
    if edited == account:
        return Change(account)
    moment = later(account.valid_from, now)
    if _rights(edited) != _rights(account):
        edited = edited.but(valid_from=moment)
    if not edited.active:
        edited = edited.but(sessions_from=moment)
    return Change(edited, account_changed(edited))


def set_password(account: Account, password_hash: str, now: datetime) -> Change[Account]:
    """A new password ends every session there is."""
    moment = later(account.valid_from, now)
    changed = account.but(password_hash=password_hash, valid_from=moment, sessions_from=moment)
    return Change(changed, account_changed(changed))


def void_tokens(account: Account, now: datetime) -> Change[Account]:
    """Sign out everywhere: a session of this account may be in wrong hands."""
    moment = later(account.valid_from, now)
    voided = account.but(valid_from=moment, sessions_from=moment)
    return Change(voided, account_changed(voided))


def later(before: datetime, now: datetime) -> datetime:
    """Now, or just after `before` where two moments fall together."""
    return max(now, before + timedelta(milliseconds=1))


def account_changed(account: Account) -> AccountChanged:
    return AccountChanged(
        roles=account.roles,
        site_id=account.site_id,
        organisation_id=account.organisation_id,
        active=account.active,
        valid_from=account.valid_from,
    )


def _rights(account: Account) -> tuple[object, ...]:
    return account.roles, account.site_id, account.organisation_id, account.active

"""Rules of the directory, tried on whatever comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.directory.domain.accounts import (
    GRANTS,
    Account,
    account_id,
    change_rights,
    require_grants,
    same_login,
    set_password,
)
from services.directory.domain.sessions import (
    REPEAT,
    SESSION_LIFE,
    TRIES,
    TRIES_WITHIN_MS,
    SessionEnded,
    TooManyTries,
    Tries,
    note_try,
    open_session,
    refresh,
)
from shared.contracts.vocabulary import Role
from shared.errors import Refusal
from shared.times import moment_of

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
logins = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


def an_account() -> Account:
    return Account(
        id="a",
        login="a",
        name="甲",
        password_hash="h",
        roles=(Role.STAFF,),
        site_id="s",
        valid_from=NOW,
        sessions_from=NOW,
    )


@given(logins)
def test_what_logins_have_in_common_is_stable(login: str) -> None:
    folded = same_login(login)
    assert same_login(folded) == folded
    assert same_login(login.upper()) == same_login(login.upper().casefold())


@given(logins)
def test_an_account_id_is_a_uuid_that_depends_on_the_secret(login: str) -> None:
    id = account_id("one secret", login)
    assert (UUID(id).version, str(UUID(id))) == (8, id)
    assert id == account_id("one secret", same_login(login))
    assert id != account_id("another secret", login)


@given(st.lists(st.sampled_from(Role)), st.lists(st.sampled_from(Role), min_size=1))
def test_nobody_gives_a_role_above_their_own(mine: list[Role], asked: list[Role]) -> None:
    may = all(any(role in GRANTS.get(r, ()) for r in mine) for role in asked)
    if may:
        require_grants(mine, asked)
    else:
        with pytest.raises(Refusal):
            require_grants(mine, asked)
    if may and Role.ADMINISTRATOR not in mine:
        assert not {Role.ADMINISTRATOR, Role.SUPERVISOR} & set(asked)


@given(st.timedeltas(timedelta(days=-1), timedelta(days=1)))
def test_tokens_of_before_are_void_even_when_a_clock_is_wrong(drift: timedelta) -> None:
    account = an_account()
    for change in (
        change_rights(account, account.but(roles=(Role.SCOUT,)), NOW + drift),
        set_password(account, "h2", NOW + drift),
    ):
        assert change.record.valid_from > account.valid_from


def test_an_edit_of_the_name_voids_nothing() -> None:
    account = an_account()
    assert change_rights(account, account.but(name="乙"), NOW).record.valid_from == NOW
    assert change_rights(account, account, NOW).events == ()


@given(st.lists(st.tuples(st.integers(0, 4), st.timedeltas(timedelta(), timedelta(days=3))), max_size=30))
def test_one_refresh_token_is_good_at_a_time(steps: list[tuple[int, timedelta]]) -> None:
    """However old tokens are mixed in, an old one never leads to a live session beyond the moment of repetition."""
    session, now = open_session("s", "a", NOW), NOW
    for back, wait in steps:
        now += wait
        generation = session.generation - back
        alive = not session.ended and now < session.expires_at
        if not alive:
            with pytest.raises(SessionEnded):
                refresh(session, generation, now)
            return
        after = refresh(session, generation, now).record
        if back == 0:
            assert (after.generation, after.expires_at) == (session.generation + 1, now + SESSION_LIFE)
        elif back == 1 and now < session.refreshed_at + REPEAT:
            assert after == session
        else:
            assert after.ended
        session = after


@given(st.lists(st.integers(0, 20 * 60_000), max_size=60))
def test_never_more_than_five_tries_in_a_quarter_of_an_hour(waits: list[int]) -> None:
    tries, at, let_in = Tries(id="b", tries={}), 1_800_000_000_000, list[int]()
    for wait in waits:
        at += wait
        try:
            tries = note_try(tries, "b", "x", TRIES, moment_of(at)).record
        except TooManyTries as refusal:
            assert 0 < refusal.facts["retry_after"] <= TRIES_WITHIN_MS // 1000
            continue
        let_in.append(at)
    for first, sixth in zip(let_in, let_in[TRIES:], strict=False):
        assert sixth - first >= TRIES_WITHIN_MS


def test_a_bucket_holds_only_so_many_names() -> None:
    tries = Tries(id="b", tries={})
    for n in range(500):
        tries = note_try(tries, "b", f"x{n}", TRIES, NOW).record
    assert len(tries.tries) == 200
    assert "x499" in tries.tries

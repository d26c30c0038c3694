"""Signing in, staying signed in, signing out; and patience with those who guess."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from services.directory.app import directory
from services.directory.domain.sessions import Session, Tries, WrongLoginOrPassword
from shared.contracts.vocabulary import Role
from shared.ports import Query
from shared.run.kit import Kit
from shared.security.passwords import CHEAP, Hasher
from tests.services.town_hall import PASSWORD, TownHall, a_town_hall


@pytest_asyncio.fixture
async def hall() -> AsyncIterator[TownHall]:
    async with a_town_hall() as hall:
        center = await hall.a_site("center", None, "5227", name="指导中心")
        await hall.an_account("wang", Role.STAFF, site_id=center)
        yield hall


async def refresh(hall: TownHall, token: str) -> tuple[int, str]:
    answer = await hall.http.post("/api/session/refresh", json={"refresh_token": token})
    await hall.news()
    return answer.status_code, answer.json().get("refresh_token", "")


async def test_signing_in_gives_tokens_to_programs_and_cookies_to_browsers(hall: TownHall) -> None:
    answer = await hall.sign_in("wang")
    assert answer.status_code == 200
    assert answer.json()["account"]["login"] == "wang"
    assert datetime.fromisoformat(answer.json()["expires_at"]) > hall.w.clock.now()
    access, refresh_cookie = answer.headers.get_list("set-cookie")
    assert all(
        part in access for part in ("wushe_access=", "HttpOnly", "Path=/;", "SameSite=lax", "Max-Age=600")
    )
    assert all(part in refresh_cookie for part in ("wushe_refresh=", "HttpOnly", "Path=/api/session;"))
    assert "Secure" not in access
    assert PASSWORD not in answer.text


class Unhurried(Hasher):
    """Verifies a password, and then takes as long as it is let, as in a crowd."""

    def __init__(self) -> None:
        super().__init__(CHEAP)
        self.looked, self.go_on = asyncio.Event(), asyncio.Event()

    async def verify(self, hashed: str | None, password: str) -> bool:
        right = await super().verify(hashed, password)
        self.looked.set()
        await self.go_on.wait()
        return right


@pytest.mark.parametrize("change", ["password", "disable", "roles"])
async def test_who_signs_in_while_the_account_changes_gets_nothing_of_what_it_was(
    hall: TownHall, change: str
) -> None:
    me, slow = await hall.directory.accounts.id_of("wang"), Unhurried()
    kit = Kit(store=hall.w.store, clock=hall.w.clock, ids=hall.w.ids, atlas=hall.w.atlas)
    sessions = directory(kit, mint=hall.mint, hasher=slow).sessions
    signing_in = asyncio.ensure_future(sessions.sign_in("wang", PASSWORD, "10.0.0.9"))
    await slow.looked.wait()
    if change == "roles":
        answer = await hall.ask("PATCH", f"/accounts/{me}", {"roles": ["scout"]}, etag='"1"')
    else:
        body = {"new": "another horse"} if change == "password" else None
        answer = await hall.ask("POST", f"/accounts/{me}/{change}", body)
    assert answer.status_code == 200, answer.text
    slow.go_on.set()
    if change == "roles":
        assert (await signing_in).account.roles == (Role.SCOUT,)
    else:
        with pytest.raises(WrongLoginOrPassword):
            await signing_in
    slow.close()


async def test_over_https_the_cookies_stay_there(hall: TownHall) -> None:
    async with hall.client(scheme="https") as http:
        answer = await hall.sign_in("wang", http=http)
    assert all("Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))


async def test_a_browser_lives_on_its_cookies(hall: TownHall) -> None:
    await hall.sign_in("wang")
    who = (await hall.http.get("/api/session")).json()
    assert (who["account"]["login"], who["site"]["name"]) == ("wang", "指导中心")
    assert who["actions"]["need.post"] == "site"
    assert "dead_letter.read" not in who["actions"]
    hall.w.clock.advance(600)
    assert (await hall.http.get("/api/session")).status_code == 401
    assert (await hall.http.post("/api/session/refresh")).status_code == 403
    headers = {"X-Requested-With": "wushe"}
    assert (await hall.http.post("/api/session/refresh", headers=headers)).status_code == 200
    assert (await hall.http.get("/api/session")).status_code == 200
    assert (await hall.http.delete("/api/session")).status_code == 403
    assert (await hall.http.delete("/api/session", headers=headers)).status_code == 204
    assert (await hall.http.get("/api/session")).status_code == 401
    assert (await hall.http.post("/api/session/refresh", headers=headers)).status_code == 401


async def test_who_comes_back_to_a_browser_left_alone_can_still_sign_out(hall: TownHall) -> None:
    """A browser drops the access cookie after ten minutes, and keeps the refresh cookie."""
    ours = {"X-Requested-With": "wushe"}
    token = (await hall.sign_in("wang")).json()["refresh_token"]
    hall.w.clock.advance(660)
    hall.http.cookies.delete("wushe_access", path="/")
    assert (await hall.http.delete("/api/session")).status_code == 403, "a foreign page signs nobody out"
    assert (await hall.http.delete("/api/session", headers=ours)).status_code == 204
    assert dict(hall.http.cookies) == {}
    assert (await refresh(hall, token))[0] == 401


@pytest.mark.parametrize("how", ["over", "void"])
async def test_a_browser_whose_access_token_no_longer_counts_signs_out(hall: TownHall, how: str) -> None:
    token = (await hall.sign_in("wang")).json()["refresh_token"]
    if how == "over":
        hall.w.clock.advance(660)
    else:
        await take_away(hall, await hall.directory.accounts.id_of("wang"), "roles", await hall.token("admin"))
    answer = await hall.http.delete("/api/session", headers={"X-Requested-With": "wushe"})
    assert (answer.status_code, dict(hall.http.cookies)) == (204, {})
    assert (await refresh(hall, token))[0] == 401


async def test_signing_out_ends_one_session_and_says_where_there_was_none(hall: TownHall) -> None:
    ours = {"X-Requested-With": "wushe"}
    here, there = (await signed_in(hall))["refresh_token"], (await signed_in(hall))["refresh_token"]
    for kept in ("x.1.y", here, here):
        hall.http.cookies.set("wushe_refresh", kept, domain="wushe.test", path="/api/session")
        assert (await hall.http.delete("/api/session", headers=ours)).status_code == 204
        assert dict(hall.http.cookies) == {}
    assert (await refresh(hall, there))[0] == 200
    hall.http.cookies.clear()
    nothing = await hall.http.delete("/api/session", headers=ours)
    assert (nothing.status_code, nothing.json()["type"]) == (401, "urn:wushe:problem:session-ended")


@pytest.mark.parametrize(("login", "password"), [("wang", "wrong horse"), ("nobody", PASSWORD), ("wang", "")])
async def test_a_wrong_login_and_a_wrong_password_sound_the_same(
    hall: TownHall, login: str, password: str
) -> None:
    with capture_logs() as lines:
        answer = await hall.sign_in(login, password)
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:wushe:problem:wrong-login-or-password")
    assert answer.json()["errors"] == []
    assert "wang" not in str(lines) + answer.text
    assert "horse" not in str(lines) + answer.text


async def test_a_password_of_endless_marks_keeps_nobody_waiting(hall: TownHall) -> None:
    """To put a letter with so many marks in order takes time that grows with their square, and nothing else is done."""
    endless = "a" + "\u0301\u0327" * 600
    me = await hall.directory.accounts.id_of("admin")
    bodies: dict[str, dict[str, Any]] = {
        "/session": {"login": "wang", "password": endless},
        "/accounts": {"login": "new", "password": endless, "name": "新", "roles": ["administrator"]},
        f"/accounts/{me}/password": {"current": endless, "new": "another horse"},
    }
    for path, body in bodies.items():
        answer = await hall.ask("POST", path, body)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["pointer"]) == (
            422,
            "/current" if "current" in body else "/password",
        )


async def test_what_cannot_be_read_is_not_echoed(hall: TownHall) -> None:
    answer = await hall.http.post("/api/session", json={"login": "wang", "password": ["secret-pw"]})
    assert answer.status_code == 422
    assert "secret-pw" not in answer.text


async def test_after_five_failures_a_login_waits_a_quarter_of_an_hour(hall: TownHall) -> None:
    found = [(await hall.sign_in("wang", "wrong horse")).status_code for _ in range(6)]
    assert found == [401] * 5 + [429]
    hall.w.clock.advance(60)
    refused = await hall.sign_in("wang")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, str(14 * 60))
    assert (await hall.sign_in("admin")).status_code == 200
    await hall.w.passes(minutes=14)
    assert (await hall.sign_in("wang")).status_code == 200


async def test_many_guesses_at_once_gain_nothing(hall: TownHall) -> None:
    answers = await asyncio.gather(*(hall.sign_in("ＷＡＮＧ", f"guess number {n}") for n in range(20)))
    assert sorted(a.status_code for a in answers) == [401] * 5 + [429] * 15


async def test_many_who_know_the_password_sign_in_at_once(hall: TownHall) -> None:
    answers = await asyncio.gather(*(hall.sign_in("wang") for _ in range(40)))
    assert {a.status_code for a in answers} == {200}


async def test_knowing_the_password_forgives_what_went_before(hall: TownHall) -> None:
    for _ in range(3):
        assert [(await hall.sign_in("wang", "wrong horse")).status_code for _ in range(4)] == [401] * 4
        assert (await hall.sign_in("wang")).status_code == 200


async def test_an_address_that_guesses_many_logins_waits_too_and_others_do_not(hall: TownHall) -> None:
    async with hall.client("2001:db8::1") as guesser, hall.client("2001:db8::2") as neighbour:
        found = [(await hall.sign_in(f"l{n}", http=guesser)).status_code for n in range(31)]
        assert found == [401] * 30 + [429]
        assert (await hall.sign_in("wang", http=neighbour)).status_code == 429
    assert (await hall.sign_in("wang")).status_code == 200


async def test_nobody_is_locked_out_of_their_own_desk_by_who_guesses_from_afar_or_from_the_next_one(
    hall: TownHall,
) -> None:
    async with hall.client("10.0.0.7") as desk, hall.client("10.0.0.8") as afar:
        assert (await hall.sign_in("wang", http=desk)).status_code == 200
        assert [(await hall.sign_in("wang", "guess", afar)).status_code for _ in range(6)] == [401] * 5 + [
            429
        ]
        assert [(await hall.sign_in(f"l{n}", "guess", desk)).status_code for n in range(31)][-1] == 429
        assert (await hall.sign_in("wang", http=desk)).status_code == 200
        assert (await hall.sign_in("wang", http=afar)).status_code == 429


async def test_at_ones_own_desk_one_has_five_tries_as_well(hall: TownHall) -> None:
    async with hall.client("10.0.0.7") as desk:
        assert (await hall.sign_in("wang", http=desk)).status_code == 200
        assert [(await hall.sign_in("wang", "guess", desk)).status_code for _ in range(6)] == [401] * 5 + [
            429
        ]
        assert (await hall.sign_in("wang", http=desk)).status_code == 429
        assert (await hall.sign_in("wang")).status_code == 200


async def test_after_all_sessions_were_ended_no_desk_is_known_any_more(hall: TownHall) -> None:
    me = await hall.directory.accounts.id_of("wang")
    async with hall.client("10.0.0.7") as desk:
        await hall.sign_in("wang", http=desk)
        hall.w.clock.advance(1)
        await hall.ask("POST", f"/accounts/{me}/password", {"new": "another horse"})
        await asyncio.gather(*(hall.sign_in("wang", "guess") for _ in range(6)))
        assert (await hall.sign_in("wang", "another horse", desk)).status_code == 429


async def test_what_was_tried_is_forgotten_and_leaves_no_names(hall: TownHall) -> None:
    await hall.sign_in("13800001111", "wrong horse")
    await hall.w.passes(minutes=16)
    kept = await hall.w.store.find(Tries, Query())
    assert [tries.record.tries for tries in kept if tries.record.tries] == []
    assert await hall.w.store.next_due() is not None, "sessions still lapse"


async def test_a_refresh_token_is_good_once(hall: TownHall) -> None:
    first = (await hall.sign_in("wang")).json()["refresh_token"]
    status, second = await refresh(hall, first)
    assert (status, second != first) == (200, True)
    assert (await refresh(hall, second))[0] == 200


async def test_a_lost_answer_is_given_again_for_a_moment(hall: TownHall) -> None:
    first = (await hall.sign_in("wang")).json()["refresh_token"]
    answers = await asyncio.gather(*(refresh(hall, first) for _ in range(3)))
    assert len({token for _, token in answers}) == 1
    assert (await refresh(hall, answers[0][1]))[0] == 200


async def test_an_old_refresh_token_means_a_copy_and_ends_everything(hall: TownHall) -> None:
    other_device = (await hall.sign_in("wang")).json()
    first = (await hall.sign_in("wang")).json()["refresh_token"]
    _, second = await refresh(hall, first)
    hall.w.clock.advance(31)
    assert (await refresh(hall, first))[0] == 401
    assert (await refresh(hall, second))[0] == 401
    assert (await refresh(hall, other_device["refresh_token"]))[0] == 401
    assert (await hall.ask("GET", "/session", token=other_device["access_token"])).status_code == 401
    assert (await hall.sign_in("wang")).status_code == 200


@pytest.mark.parametrize("token", ["", "x", "a.1.b", "a.b.c", "...", "é.1.é", "x" * 5000])
async def test_a_refresh_token_that_was_never_given_is_refused_and_harms_nobody(
    hall: TownHall, token: str
) -> None:
    good = (await hall.sign_in("wang")).json()["refresh_token"]
    assert (await refresh(hall, token))[0] == 401
    forged = good[:-4] + "0000"
    assert (await refresh(hall, forged))[0] == 401
    assert (await refresh(hall, good))[0] == 200


async def test_a_session_lapses_after_fourteen_days_without_use(hall: TownHall) -> None:
    token = (await hall.sign_in("wang")).json()["refresh_token"]
    for _ in range(3):
        await hall.w.passes(days=13)
        status, token = await refresh(hall, token)
        assert status == 200
    await hall.w.passes(days=14)
    assert (await refresh(hall, token))[0] == 401
    sessions = await hall.w.store.find(Session, Query(limit=100))
    assert {s.record.ended for s in sessions} == {True}


async def test_tokens_issued_after_a_change_count_even_where_two_clocks_differ(hall: TownHall) -> None:
    me = await hall.directory.accounts.id_of("wang")
    await hall.ask("POST", f"/accounts/{me}/disable")
    await hall.ask("POST", f"/accounts/{me}/enable")
    hall.w.clock.set(hall.w.clock.now().replace(minute=0, hour=0))
    assert (await hall.ask("GET", "/session", token=await hall.token("wang"))).status_code == 200


async def test_who_signs_in_after_a_change_stays_signed_in_even_where_two_clocks_differ(
    hall: TownHall,
) -> None:
    me = await hall.directory.accounts.id_of("wang")
    await hall.ask("POST", f"/accounts/{me}/disable")
    await hall.ask("POST", f"/accounts/{me}/enable")
    hall.w.clock.set(hall.w.clock.now() - timedelta(seconds=2))
    token = (await hall.sign_in("wang")).json()["refresh_token"]
    assert (await refresh(hall, token))[0] == 200


@pytest.mark.parametrize(
    ("doing", "change"), [(d, c) for d in ("refresh", "sign in") for c in ("roles", "password")]
)
async def test_no_right_comes_back_by_a_token_that_was_made_while_it_was_taken_away(
    hall: TownHall, monkeypatch: pytest.MonkeyPatch, doing: str, change: str
) -> None:
    me, refresh_token = await hall.directory.accounts.id_of("wang"), (await signed_in(hall))["refresh_token"]
    write, administrator = hall.w.store.change, await hall.token("admin")

    async def meanwhile(kind: type[Any], id: str, decide: Any, **more: Any) -> Any:
        """The account has been read, and the session is about to be written."""
        if kind is Session:
            monkeypatch.setattr(hall.w.store, "change", write)
            hall.w.clock.advance(0.002)
            await take_away(hall, me, change, administrator)
            hall.w.clock.advance(0.002)
        return await write(kind, id, decide, **more)

    monkeypatch.setattr(hall.w.store, "change", meanwhile)
    async with hall.client("10.0.0.9") as http:
        if doing == "refresh":
            answer = await http.post("/api/session/refresh", json={"refresh_token": refresh_token})
        else:
            answer = await hall.sign_in("wang", http=http)
    assert answer.status_code == 200
    assert (await hall.ask("GET", "/session", token=answer.json()["access_token"])).status_code == 401
    stays = change == "roles"
    assert (await refresh(hall, answer.json()["refresh_token"]))[0] == (200 if stays else 401)


@pytest.mark.parametrize("change", ["roles", "password"])
async def test_a_clock_that_is_ahead_keeps_no_right_alive_that_is_taken_away(
    hall: TownHall, change: str
) -> None:
    me, administrator = await hall.directory.accounts.id_of("wang"), await hall.token("admin")
    now = hall.w.clock.now()
    hall.w.clock.set(now + timedelta(seconds=5))
    opened = await signed_in(hall)
    hall.w.clock.set(now)
    await take_away(hall, me, change, administrator)
    assert (await hall.ask("GET", "/session", token=opened["access_token"])).status_code == 401
    assert (await refresh(hall, opened["refresh_token"]))[0] == (200 if change == "roles" else 401)


async def signed_in(hall: TownHall) -> dict[str, Any]:
    async with hall.client() as http:
        opened: dict[str, Any] = (await hall.sign_in("wang", http=http)).json()
    return opened


async def take_away(hall: TownHall, id: str, what: str, token: str) -> None:
    if what == "roles":
        answer = await hall.ask("PATCH", f"/accounts/{id}", {"roles": ["scout"]}, token=token, etag='"1"')
    else:
        answer = await hall.ask("POST", f"/accounts/{id}/password", {"new": "another horse"}, token=token)
    assert answer.status_code == 200, answer.text

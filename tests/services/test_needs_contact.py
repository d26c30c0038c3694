"""Who sees how much of a contact: every field, for every role, in every state of the need, and all of it on record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from services.needs.domain.disclosure import ContactRead, mask_name, mask_phone
from services.needs.domain.household import digits
from shared.contracts.directory import AccountChanged
from shared.contracts.vocabulary import Closing, Role
from shared.ports import Query
from tests.services import needs_desk as k
from tests.services.needs_desk import ADDRESS, NAME, PHONE, Desk, a_resident, desk, people
from tests.world import START

State = Callable[[Desk, str], Awaitable[None]]


async def posted(d: Desk, need_id: str) -> None:
    pass


async def won(d: Desk, need_id: str) -> None:
    await d.hears((need_id, k.won()))


async def made(d: Desk, need_id: str) -> None:
    await won(d, need_id)
    await d.hears((need_id, k.made(k.taken())))


async def made_and_the_verdict_repeated(d: Desk, need_id: str) -> None:
    """The calendar had asked once more about a yes, because the first verdict was slow."""
    await made(d, need_id)
    await d.hears((need_id, k.won()))


async def partly(d: Desk, need_id: str) -> None:
    await won(d, need_id)
    await d.hears((need_id, k.partly(k.taken())))


async def another_dropped_out(d: Desk, need_id: str) -> None:
    await d.hears((need_id, k.made(k.taken(), k.taken("wang"))))
    await d.hears((need_id, k.reopened(k.taken())), k.withdrawn(need_id, "wang"))


async def in_service(d: Desk, need_id: str) -> None:
    await made(d, need_id)
    await d.hears(k.checked_in(need_id))


async def won_after_another_had_begun(d: Desk, need_id: str) -> None:
    """What is still missing no longer decides whether anybody comes."""
    await d.hears((need_id, k.made(k.taken("zhao"), k.taken("wang"))), k.checked_in(need_id, "zhao"))
    await d.hears(k.no_show(need_id, "wang"), (need_id, k.reopened(k.taken("zhao"))), (need_id, k.won()))


async def dropped_out(d: Desk, need_id: str) -> None:
    await made(d, need_id)
    await d.hears(k.withdrawn(need_id), (need_id, k.reopened()))


async def seat_given_back(d: Desk, need_id: str) -> None:
    await won(d, need_id)
    await d.hears((need_id, k.released(reason=Closing.CHANGED)))


async def task_done(d: Desk, need_id: str) -> None:
    await made(d, need_id)
    await d.hears(k.done(need_id))


async def cancelled(d: Desk, need_id: str) -> None:
    await made(d, need_id)
    await d.made("staff", f"POST /needs/{need_id}/cancel", {"reason": "solved"})


async def lapsed(d: Desk, need_id: str) -> None:
    await won(d, need_id)
    await d.hears((need_id, k.released(reason=Closing.LAPSED)))
    await d.w.passes(hours=1)
    await d.hears((need_id, k.stalled(d.w.clock.now())))


async def never_came(d: Desk, need_id: str) -> None:
    await d.hears((need_id, k.made(k.taken(), k.taken("wang"))))
    await d.w.passes(hours=5, minutes=1)


async def came_and_stays_long(d: Desk, need_id: str) -> None:
    await made(d, need_id)
    await d.hears(k.checked_in(need_id))
    await d.w.passes(hours=5, minutes=1)


FULL = ("full", NAME, PHONE, ADDRESS)
MASKED = ("masked", "罗**", "138****1234", "village")
AREA = ("area", None, None, None)
MATRIX: list[tuple[State, str, Any]] = [
    (posted, "staff", FULL), (posted, "social", FULL), (posted, "boss", FULL), (posted, "stranger", 404),
    (posted, "li", 404), (posted, "wang", 404), (posted, "scout", 403), (posted, "provider", 404),
    (posted, "charity", 403), (posted, "admin", 403),
    (won, "staff", FULL), (won, "li", MASKED), (won, "wang", 404), (won, "stranger", 404),
    (made, "staff", FULL), (made, "li", FULL), (made, "wang", 404), (made, "scout", 403),
    (made_and_the_verdict_repeated, "li", FULL), (made_and_the_verdict_repeated, "wang", 404),
    (partly, "li", FULL), (partly, "wang", 404),
    (another_dropped_out, "li", FULL), (another_dropped_out, "wang", AREA),
    (in_service, "li", FULL), (in_service, "wang", 404),
    (won_after_another_had_begun, "li", FULL), (won_after_another_had_begun, "wang", AREA),
    (dropped_out, "li", AREA), (dropped_out, "staff", FULL),
    (seat_given_back, "li", AREA),
    (task_done, "li", "contact-closed"), (task_done, "staff", FULL), (task_done, "wang", 404),
    (cancelled, "li", "contact-closed"), (cancelled, "staff", FULL), (cancelled, "wang", 404),
    (never_came, "li", AREA), (never_came, "staff", FULL), (came_and_stays_long, "li", FULL),
    (lapsed, "li", "contact-closed"), (lapsed, "boss", FULL),
]  # fmt: skip


@pytest.mark.parametrize(("state", "who", "expected"), MATRIX, ids=lambda v: getattr(v, "__name__", str(v)))
async def test_a_contact_opens_step_by_step_and_closes_again(state: State, who: str, expected: Any) -> None:
    async with desk() as d:
        need_id = await d.posts(people(2))
        await state(d, need_id)
        answer = await d.ask(who, f"GET /needs/{need_id}/contact")
        seen = answer.json()
        logged = [(v.record.reader_id, v.record.level) for v in await d.w.store.find(ContactRead, Query())]
        if isinstance(expected, tuple):
            assert answer.status_code == 200, answer.text
            address = "village" if seen["address"] and seen["address"].endswith("桂花村") else seen["address"]
            assert (seen["level"], seen["name"], seen["phone"], address) == expected
            assert (seen["category"], seen["area"]) == ("comfort", k.VILLAGE)
            assert logged == ([] if expected == AREA else [(who, expected[0])])
        else:
            assert answer.status_code == (expected if isinstance(expected, int) else 403)
            assert isinstance(expected, int) or seen["type"].endswith(expected)
            assert logged == []
            for personal in (NAME, PHONE, ADDRESS):
                assert personal not in answer.text


@pytest.mark.parametrize(
    ("state", "who", "expected"),
    [
        (won, "li", ("masked", "小**", None, "village")),
        (made, "li", ("full", "小**", None, ADDRESS)),
        (made, "staff", ("full", "小龙", PHONE, ADDRESS)),
    ],
)
async def test_of_a_child_a_helper_sees_an_initial_and_in_the_end_the_door_but_never_a_phone(
    state: State, who: str, expected: tuple[str, str, str | None, str]
) -> None:
    async with desk() as d:
        child = a_resident(name="小龙", birth_date="2016-06-01", phone="13900001111")
        need_id = await d.posts(people(2), household_id=await d.household(residents=[child]))
        await state(d, need_id)
        seen = (await d.ask(who, f"GET /needs/{need_id}/contact")).json()
        address = "village" if seen["address"].endswith("桂花村") else seen["address"]
        phone = PHONE if seen["phone"] == "13900001111" else seen["phone"]
        assert (seen["level"], seen["name"], phone, address) == expected


@pytest.mark.parametrize(
    ("resident", "expected"),
    [
        ({"relation": "child"}, ("小**", None)),
        ({"relation": "other"}, ("小**", None)),
        ({"relation": "grandparent"}, ("小龙", "13900001111")),
        ({"relation": "head", "birth_date": "1950-06-01"}, ("小龙", "13900001111")),
    ],
)
async def test_somebody_who_may_be_the_child_for_whom_a_household_is_known_is_shown_as_one(
    resident: dict[str, Any], expected: tuple[str, str | None]
) -> None:
    """The file says so of the household, and of the resident nothing from which one would know better."""
    async with desk() as d:
        filed = a_resident(**{"name": "小龙", "birth_date": None, "phone": "13900001111"} | resident)
        need_id = await d.posts(
            people(2), household_id=await d.household(target_groups=["orphan"], residents=[filed])
        )
        await won(d, need_id)
        masked = (await d.ask("li", f"GET /needs/{need_id}/contact")).json()
        assert masked["name"] == "小**" and (masked["phone"] is None) == (expected[1] is None)
        await made(d, need_id)
        seen = (await d.ask("li", f"GET /needs/{need_id}/contact")).json()
        assert (seen["level"], seen["name"], seen["phone"]) == ("full", *expected)
        need = await d.need(need_id)
        assert (need.audience, need.minor) == ("named", expected[1] is None)


async def test_the_masked_address_is_made_of_area_names_only() -> None:
    async with desk() as d:
        need_id = await d.posts(people(2))
        await won(d, need_id)
        seen = (await d.ask("li", f"GET /needs/{need_id}/contact")).json()
        assert seen["area_names"][-1] == "桂花村" and seen["address"] == "".join(seen["area_names"])
        assert "巷" not in seen["address"]


async def test_who_looked_is_listed_newest_first_and_only_for_the_station() -> None:
    async with desk() as d:
        need_id = await d.posts(people(2))
        await made(d, need_id)
        for who in ("li", "staff", "li"):
            await d.ask(who, f"GET /needs/{need_id}/contact")
            await d.w.passes(minutes=1)
        reads = await d.made("staff", f"GET /needs/{need_id}/reads")
        assert [(r["reader_id"], r["level"]) for r in reads["items"]] == [
            ("li", "full"), ("staff", "full"), ("li", "full"),
        ]  # fmt: skip
        assert (await d.ask("li", f"GET /needs/{need_id}/reads")).status_code == 403
        assert (await d.ask("stranger", f"GET /needs/{need_id}/reads")).status_code == 404
        household_id = (await d.need(need_id)).household_id
        await d.made("staff", f"GET /households/{household_id}")
        whole = await d.made("boss", f"GET /households/{household_id}/reads")
        assert [r["level"] for r in whole["items"]] == ["file", "full", "full", "full"]


async def test_of_whoever_looked_from_elsewhere_the_station_learns_role_site_and_organisation() -> None:
    async with desk() as d:
        role = (Role.SOCIAL_WORKER,)
        rights = AccountChanged(roles=role, site_id="west", organisation_id="hands", valid_from=START)
        d.w.knows(("li", rights))
        need_id = await d.posts(people(2))
        await made(d, need_id)
        await d.ask("li", f"GET /needs/{need_id}/contact")
        household_id = (await d.need(need_id)).household_id
        for path in (f"/needs/{need_id}/reads", f"/households/{household_id}/reads"):
            (read,) = (await d.made("staff", f"GET {path}"))["items"]
            told = (read["reader_roles"], read["reader_site_id"], read["reader_organisation_id"])
            assert told == (["social_worker"], "west", "hands")


async def test_an_applicant_and_who_passed_it_on_are_shown_to_the_station_only() -> None:
    async with desk() as d:
        applicant = {"name": "韦大姐", "phone": "13700001234", "relation": "邻居"}
        need_id = await d.posts(people(2), applicant=applicant, relayer={"name": "热线小周"})
        await made(d, need_id)
        station = (await d.ask("staff", f"GET /needs/{need_id}/contact")).json()
        helper = (await d.ask("li", f"GET /needs/{need_id}/contact")).json()
        assert (station["applicant_name"], station["applicant_phone"]) == ("韦大姐", "13700001234")
        assert (helper["applicant_name"], helper["applicant_phone"]) == (None, None)
        assert (station["relayer_name"], helper["relayer_name"]) == ("热线小周", None)
        assert "韦大姐" not in (await d.ask("staff", f"GET /needs/{need_id}")).text


async def test_a_contact_of_a_multi_visit_need_stays_open_until_the_persons_last_visit() -> None:
    async with desk() as d:
        later = START + timedelta(days=8)
        need_id = await d.posts(people(), people(start_at=later))
        second = k.taken("li", "p2").model_copy(update={"invitation_id": "li~2"})
        await d.hears((need_id, k.made(k.taken(), second)), k.done(need_id))
        assert (await d.ask("li", f"GET /needs/{need_id}/contact")).json()["level"] == "full"


async def test_who_took_a_need_over_no_longer_sees_the_phone_once_the_file_tells_that_it_is_a_child() -> None:
    """The need is over here, so no news of the file reaches it any more; the file itself is asked."""
    async with desk() as d:
        home = await d.household(residents=[a_resident(name="小龙", birth_date=None, phone="13900001111")])
        need_id = await d.posts(people(start_at=START + timedelta(days=9)), household_id=home)
        ask = {"organisation_id": "hands", "answer_by": (START + timedelta(days=2)).isoformat()}
        await d.made("staff", f"POST /needs/{need_id}/refer", ask)
        await d.made("provider", f"POST /needs/{need_id}/referral/accept")
        version = (await d.ask("staff", f"GET /households/{home}")).headers["etag"]
        corrected = {"birth_date": "2016-06-01"}
        child = f"PATCH /households/{home}/residents/{home}~1"
        assert (await d.ask("staff", child, corrected, if_match=version)).status_code == 200
        seen = await d.made("provider", f"GET /needs/{need_id}/contact")
        assert (seen["name"], seen["phone"], seen["address"]) == ("小**", None, ADDRESS)


def test_a_mask_keeps_the_first_character_as_a_reader_sees_it() -> None:
    names = {"王小明": "王**", "欧阳娜娜": "欧**", "བཀྲ་ཤིས": "བ**", "𠮷野": "𠮷**", "J": "J**", "éa": "é**"}
    assert {name: mask_name(name) for name in names} == names
    assert [mask_phone(p) for p in ("13812341234", "0854-1234567", "110")] == [
        "138****1234",
        "085****567",
        "****",
    ]


@pytest.mark.parametrize("who", ["stranger", "li"])
async def test_whoever_holds_a_seat_sees_the_contact_whatever_their_role_and_station(who: str) -> None:
    """A child's need goes to named people, who are mostly social workers and staff of other stations."""
    async with desk() as d:
        need_id = await d.posts(people())
        before = await d.ask(who, f"GET /needs/{need_id}/contact")
        await d.hears((need_id, k.won(who)), (need_id, k.made(k.taken(who))))
        contact = await d.ask(who, f"GET /needs/{need_id}/contact")
        assert before.status_code == 404 and contact.status_code == 200
        assert (contact.json()["level"], contact.json()["name"]) == ("full", NAME)
        (read,) = await d.w.store.find(ContactRead, Query())
        assert read.record.level == "full"
        assert contact.json()["applicant_name"] is None


@pytest.mark.parametrize(
    ("phone", "area", "shown"),
    [
        ("0854-2211334", "0854", "085****334"),
        ("010-62211334", "010", "010****334"),
        ("0755-82211334", "0755", "075****334"),
        ("+86 0854 2211334", "0854", "085****334"),
        ("+86 854 2211334", "854", "****"),
        ("0086-13985450001", "", "139****0001"),
        ("+8613985450001", "", "139****0001"),
    ],
)
def test_of_what_is_the_subscribers_own_in_a_number_at_least_four_digits_are_hidden(
    phone: str, area: str, shown: str
) -> None:
    """The area code is known to everybody in the county."""
    assert mask_phone(phone) == shown
    own = digits(phone).removeprefix("00").removeprefix("86").removeprefix(area)
    left = len(shown.rpartition("*")[2]) + max(0, len(shown.partition("*")[0]) - len(area))
    assert len(own) - left >= 4


@pytest.mark.parametrize("phone", ["822-1234", "82212345", "(0854)8221", "８２２－１２３４", "110"])
def test_a_number_of_which_the_mask_would_hide_hardly_anything_is_hidden_whole(phone: str) -> None:
    assert mask_phone(phone) == "****"

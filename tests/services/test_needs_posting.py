"""Posting a need: who may, for whom, what is refused and where it points, and that once is once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from services.needs.domain import Need
from services.needs.domain.household import Household
from services.needs.domain.ordering import Moment, Order, post, write_order
from shared.contracts.needs import NeedChanged, NeedPosted
from shared.contracts.parts import PeopleLine, SitePolicy
from shared.contracts.vocabulary import Category
from shared.ports import Query
from tests.services import needs_desk as k
from tests.services.needs_desk import TEN, a_resident, an_order, desk, goods, people
from tests.world import START

LATE = START + timedelta(days=91)
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"lines": []}, "/lines"),
    ({"lines": [people(start_at=START - timedelta(hours=1))]}, "/lines/0/window/start_at"),
    ({"lines": [people(start_at=START)]}, "/lines/0/window/start_at"),
    ({"lines": [people(hours=24.5)]}, "/lines/0/window/end_at"),
    ({"lines": [people(hours=0)]}, "/lines/0/window/end_at"),
    ({"lines": [people(hours=-1)]}, "/lines/0/window/end_at"),
    ({"lines": [people(start_at=LATE)]}, "/lines/0/window/start_at"),
    ({"lines": [people(0)]}, "/lines/0/seats"),
    ({"lines": [people(101)]}, "/lines/0/seats"),
    ({"lines": [people(2, minimum=3)]}, "/lines/0/minimum"),
    ({"lines": [people(minimum=-1)]}, "/lines/0/minimum"),
    ({"lines": [people(skills=["magic"])]}, "/lines/0/skills/0"),
    ({"lines": [people(mode="by_owl")]}, "/lines/0/mode"),
    (
        {"lines": [people(window={"start_at": "2026-03-02T10:00:00", "end_at": "x"})]},
        "/lines/0/window/start_at",
    ),
    ({"lines": [people(), goods(0)]}, "/lines/1/quantity"),
    ({"lines": [people(), goods(-3)]}, "/lines/1/quantity"),
    ({"lines": [goods() | {"quantity": "many"}]}, "/lines/0/quantity"),
    ({"lines": [goods() | {"quantity": 1.5}]}, "/lines/0/quantity"),
    ({"lines": [goods(True)]}, "/lines/0/quantity"),
    ({"lines": [goods(2, minimum=3)]}, "/lines/0/minimum"),
    ({"lines": [goods(minimum=10**30)], "draft": True}, "/lines/0/minimum"),
    ({"lines": [people(minimum=2**63)], "draft": True}, "/lines/0/minimum"),
    ({"lines": [goods(unit="")]}, "/lines/0/unit"),
    ({"lines": [{"kind": "goods", "category": "food", "quantity": 1}]}, "/lines/0/unit"),
    ({"lines": [goods(unit="一点点")]}, "/lines/0/unit"),
    ({"lines": [people(), goods(attributes={"口味": "辣"})]}, "/lines/1/attributes/口味"),
    ({"lines": [people(), goods(attributes={"diet": "辣"})]}, "/lines/1/attributes/diet"),
    ({"lines": [goods(attributes={"shoe_size": "38"})]}, "/lines/0/attributes/shoe_size"),
    ({"lines": [goods(category="gold")]}, "/lines/0/category"),
    ({"lines": [goods(needed_by=(START - timedelta(days=1)).isoformat())]}, "/lines/0/needed_by"),
    ({"lines": [goods(needed_by=LATE.isoformat())]}, "/lines/0/needed_by"),
    ({"lines": [goods(needed_by="0001-01-01T00:00:00+14:00")]}, "/lines/0/needed_by"),
    ({"lines": [people(id="p9")]}, "/lines/0/id"),
    ({"lines": [{"kind": "money"}]}, "/lines/0"),
    ({"lines": [people()] * 41}, "/lines"),
    ({"category": "wishes"}, "/category"),
    ({"urgency": "soon"}, "/urgency"),
    ({"audience": "public"}, "/audience"),
    ({"note": "长" * 2001}, "/note"),
    ({"note": "half \ud83d"}, "/note"),
    ({"note": "nul \0"}, "/note"),
    ({"household_id": "nobody"}, "/household_id"),
    ({"site_id": "west"}, "/site_id"),
    ({"beneficiary_id": "somebody"}, "/beneficiary_id"),
    ({"applicant": {"resident_id": "somebody"}}, "/applicant/resident_id"),
    ({"applicant": {"phone": "call me"}}, "/applicant/phone"),
]


@pytest.mark.parametrize(("changes", "pointer"), REFUSED)
async def test_what_makes_no_sense_is_refused_where_it_stands_and_changes_nothing(
    changes: dict[str, Any], pointer: str
) -> None:
    async with desk() as d:
        home = await d.household()
        before = len(d.w.messages)
        refused = await d.ask("staff", "POST /needs", an_order(home) | changes)
        assert refused.status_code == 422, refused.text
        assert pointer in [e["pointer"] for e in refused.json()["errors"]]
        assert len(d.w.messages) == before and await d.w.store.find(Need, Query()) == []


async def test_a_household_of_another_site_is_as_good_as_unknown() -> None:
    async with desk() as d:
        theirs = await d.household("stranger", area=k.ELSEWHERE)
        unknown = await d.ask("staff", "POST /needs", an_order("nobody"))
        refused = await d.ask("staff", "POST /needs", an_order(theirs))
        assert (refused.status_code, refused.json()) == (unknown.status_code, unknown.json())
        assert (await d.ask("boss", "POST /needs", an_order(theirs))).status_code == 201


async def test_a_household_of_several_must_say_who_it_is_for() -> None:
    async with desk() as d:
        residents = [a_resident(), a_resident(name="罗小妹", relation="child")]
        receipt = await d.made("staff", "POST /households", k.a_household(residents=residents))
        home, (_, second) = receipt["id"], receipt["resident_ids"]
        refused = await d.ask("staff", "POST /needs", an_order(home))
        assert refused.json()["errors"][0]["pointer"] == "/beneficiary_id"
        other = await d.household()
        elsewhere = await d.ask("staff", "POST /needs", an_order(other, beneficiary_id=second))
        assert elsewhere.json()["errors"][0]["pointer"] == "/beneficiary_id"
        asked = {"beneficiary_id": second, "applicant": {"resident_id": receipt["resident_ids"][0]}}
        made = await d.made("staff", "POST /needs", an_order(home, relayer={"name": "热线小张"}, **asked))
        seen = await d.made("staff", f"GET /needs/{made['id']}")
        assert (seen["beneficiary_id"], seen["applicant_id"]) == (second, receipt["resident_ids"][0])


async def test_the_same_request_twice_makes_one_need_and_gets_one_answer() -> None:
    async with desk() as d:
        body = an_order(await d.household())
        first = await d.ask("staff", "POST /needs", body, key="once")
        await d.w.passes(hours=2)
        again = await d.ask("staff", "POST /needs", body, key="once")
        assert first.status_code == again.status_code == 201
        assert first.json() == again.json(), "even when the window has passed meanwhile"
        assert first.headers["location"] == again.headers["location"]
        assert len(d.w.said(NeedPosted)) == 1
        other = await d.ask("staff", "POST /needs", body | {"urgency": "urgent"}, key="once")
        assert other.status_code == 422 and other.json()["type"].endswith("idempotency-key-reused")
        assert (await d.ask("social", "POST /needs", body, key="once")).status_code == 422
        assert (await d.http.post("/api/needs", json=body)).status_code == 401


@pytest.mark.parametrize(
    ("resident", "changes", "audience"),
    [
        ({}, {}, "public"),
        ({"birth_date": "2008-03-03"}, {}, "named"),
        ({"birth_date": "2008-03-02"}, {}, "public"),
        ({"birth_date": None, "target_groups": ["orphan"]}, {}, "named"),
        ({"target_groups": ["disabled"]}, {}, "public"),
        ({}, {"urgency": "crisis"}, "named"),
        ({}, {"category": "crisis_intervention"}, "named"),
        ({}, {"field": "children"}, "named"),
        ({}, {"urgency": "urgent"}, "public"),
    ],
)
async def test_who_may_be_asked_is_computed_and_never_chosen(
    resident: dict[str, Any], changes: dict[str, Any], audience: str
) -> None:
    async with desk() as d:
        home = await d.household(residents=[a_resident(**resident)])
        need_id = await d.posts(household_id=home, **changes)
        assert d.w.said(NeedPosted)[0].spec.audience == audience
        version = (await d.ask("staff", f"GET /needs/{need_id}")).headers["etag"]
        eased = {"urgency": "routine", "category": "comfort", "field": "other"}
        answer = await d.ask("staff", f"PATCH /needs/{need_id}", eased, if_match=version)
        assert answer.json()["audience"] == audience, "once for named people, always"


async def test_minding_children_is_for_named_people_whoever_the_service_is_for() -> None:
    """A mother is the beneficiary, and her children are those who are minded."""
    minding = people(skills=["child_minding"])
    async with desk() as d:
        home = await d.household(residents=[a_resident(birth_date="1990-05-06")])
        await d.posts(minding, goods(), household_id=home)
        rows = json.dumps(an_order(home, minding, key="1")).encode()
        sent = {"content_type": "application/x-ndjson"}
        assert (await d.ask("boss", "POST /needs/bulk", rows, **sent)).json()["created"] == 1
        report = {"area": k.VILLAGE, "text": "孩子一个人在家"}
        lead = (await d.made("scout", "POST /leads", report))["id"]
        await d.made("staff", f"POST /leads/{lead}/verify", an_order(home, minding))
        draft = (await d.made("staff", "POST /needs", an_order(home, minding, draft=True)))["id"]
        await d.made("staff", f"POST /needs/{draft}/post")
        await d.posts(people(skills=["tutoring"]), household_id=home)
        told = [posted.spec.audience for posted in d.w.said(NeedPosted)]
        assert told == ["named"] * 4 + ["public"], "grown-ups are tutored too"


async def test_a_need_to_which_child_minding_is_added_becomes_one_for_named_people_and_stays_so() -> None:
    async with desk() as d:
        need_id = await d.posts(people(2))
        draft = (await d.made("staff", "POST /needs", an_order(await d.household(), draft=True)))["id"]
        with_children = [people(2, id="p1"), people(skills=["child_minding"])]
        for id, lines in ((need_id, with_children), (draft, with_children), (need_id, [people(2, id="p1")])):
            version = (await d.ask("staff", f"GET /needs/{id}")).headers["etag"]
            answer = await d.ask("staff", f"PATCH /needs/{id}", {"lines": lines}, if_match=version)
            assert answer.json()["audience"] == "named", answer.text
        assert [changed.spec.audience for changed in d.w.said(NeedChanged)] == ["named", "named"]


async def test_a_crisis_intervention_is_a_crisis_whatever_its_urgency_was_said_to_be() -> None:
    async with desk() as d:
        posted, edited = await d.posts(category="crisis_intervention", urgency="routine"), await d.posts()
        version = (await d.ask("staff", f"GET /needs/{edited}")).headers["etag"]
        await d.ask("staff", f"PATCH /needs/{edited}", {"category": "crisis_intervention"}, if_match=version)
        urgent = (await d.made("staff", "GET /needs?urgency=crisis"))["items"]
        assert {need["id"] for need in urgent} == {posted, edited}
        assert d.w.said(NeedPosted)[0].spec.urgency == d.w.said(NeedChanged)[0].spec.urgency == "crisis"


async def test_a_child_in_the_household_makes_everything_for_the_household_named_by_its_group() -> None:
    async with desk() as d:
        home = await d.household(target_groups=["child_in_difficulty"])
        await d.posts(household_id=home)
        (posted,) = d.w.said(NeedPosted)
        assert posted.spec.audience == "named" and posted.spec.target_groups == ("child_in_difficulty",)


@pytest.mark.parametrize(
    "corrected", [{"birth_date": "2016-06-01"}, {"birth_date": None, "target_groups": ["orphan"]}]
)
async def test_a_need_is_for_named_people_from_the_moment_in_which_the_file_tells_of_a_child(
    corrected: dict[str, Any],
) -> None:
    async with desk() as d:
        home = await d.household(residents=[a_resident(birth_date=None)])
        posted = await d.posts(household_id=home)
        draft = await d.made("staff", "POST /needs", an_order(home, draft=True))
        done = await d.posts(household_id=home)
        await d.hears((done, k.made(k.taken())), k.checked_in(done), k.done(done))
        path, version = (
            f"/households/{home}",
            (await d.ask("staff", f"GET /households/{home}")).headers["etag"],
        )
        answer = await d.ask("staff", f"PATCH {path}/residents/{home}~1", corrected, if_match=version)
        assert answer.status_code == 200, answer.text
        told = [(changed.spec.audience, changed.begun) for changed in d.w.said(NeedChanged)]
        assert sorted(told) == [("named", False), ("named", True)]
        needs = [await d.need(id) for id in (posted, draft["id"], done)]
        assert [need.audience for need in needs] == ["named", "named", "named"]
        assert all(need.minor for need in needs), "nobody is shown a child's phone"


@pytest.mark.parametrize(("asked", "said"), [(["disabled"], "elder_alone"), (["elder_alone"], "disabled")])
async def test_goods_are_sought_for_whom_the_file_tells_of_now_also_where_some_are_promised(
    asked: list[str], said: str
) -> None:
    async with desk() as d:
        home = await d.household(target_groups=asked)
        searching, matched = [await d.posts(goods(), household_id=home) for _ in range(2)]
        await d.hears((matched, k.made(holds=(k.held(),))))
        version = (await d.ask("staff", f"GET /households/{home}")).headers["etag"]
        corrected = {"target_groups": [said]}
        answer = await d.ask("staff", f"PATCH /households/{home}", corrected, if_match=version)
        assert answer.status_code == 200, answer.text
        assert [changed.spec.target_groups for changed in d.w.said(NeedChanged)] == [(said,), (said,)]
        assert [(await d.need(id)).target_groups for id in (searching, matched)] == [(said,), (said,)]


async def test_a_search_follows_a_household_that_moves_and_nobody_is_sent_to_the_old_village() -> None:
    async with desk() as d:
        home = await d.household()
        searching, matched = [await d.posts(people(), goods(), household_id=home) for _ in range(2)]
        for need_id in (searching, matched):
            await d.hears((need_id, k.won()))
        await d.hears((matched, k.made(k.taken(), holds=(k.held(),))))
        version = (await d.ask("staff", f"GET /households/{home}")).headers["etag"]
        move = {"area": k.ELSEWHERE, "address": "新村1号", "location": {"lat": 26.9, "lon": 107.7}}
        assert (await d.ask("staff", f"PATCH /households/{home}", move, if_match=version)).status_code == 200
        (changed,) = d.w.said(NeedChanged)
        assert (changed.spec.area, changed.spec.cell) == (k.ELSEWHERE, (await d.need(searching)).cell)
        assert (await d.need(matched)).area == k.VILLAGE, "what is promised is not torn up"
        for need_id in (searching, matched):
            seen = (await d.ask("li", f"GET /needs/{need_id}/contact")).json()
            assert (seen["area"], seen["area_names"][-1]) == (
                k.ELSEWHERE,
                d.w.atlas.area_names(k.ELSEWHERE)[-1],
            )


async def test_a_search_follows_a_household_that_moved_as_soon_as_nothing_is_promised_any_more() -> None:
    async with desk() as d:
        home = await d.household()
        need_id = await d.posts(household_id=home)
        await d.hears((need_id, k.won()), (need_id, k.made(k.taken())))
        version = (await d.ask("staff", f"GET /households/{home}")).headers["etag"]
        move = {"area": k.ELSEWHERE, "address": "新村1号", "location": {"lat": 26.9, "lon": 107.7}}
        assert (await d.ask("staff", f"PATCH /households/{home}", move, if_match=version)).status_code == 200
        assert d.w.said(NeedChanged) == []
        await d.hears(k.withdrawn(need_id), (need_id, k.reopened()))
        assert [change.spec.area for change in d.w.said(NeedChanged)] == [k.ELSEWHERE]


async def test_a_search_follows_a_household_that_moved_when_the_goods_that_were_promised_are_given_back() -> (
    None
):
    async with desk() as d:
        home = await d.household()
        need_id = await d.posts(people(), goods(), household_id=home)
        await d.hears((need_id, k.won()), (need_id, k.made(k.taken(), holds=(k.held(),))))
        await d.hears(k.withdrawn(need_id), (need_id, k.reopened(holds=(k.held(),))))
        version = (await d.ask("staff", f"GET /households/{home}")).headers["etag"]
        move = {"area": k.ELSEWHERE, "address": "新村1号", "location": {"lat": 26.9, "lon": 107.7}}
        assert (await d.ask("staff", f"PATCH /households/{home}", move, if_match=version)).status_code == 200
        assert d.w.said(NeedChanged) == [], "goods are promised where it lived"
        before = await d.need(need_id)
        await d.hears(k.given_back(need_id))
        after = await d.need(need_id)
        assert (after.status, after.waiting) == (before.status, before.waiting), "nothing else is new"
        assert after.area == k.ELSEWHERE
        assert [change.spec.area for change in d.w.said(NeedChanged)] == [k.ELSEWHERE]


async def test_a_search_follows_a_household_that_moves_within_the_township() -> None:
    async with desk() as d:
        home = await d.household()
        need_id = await d.posts(household_id=home)
        before = (await d.need(need_id)).cell
        version = (await d.ask("staff", f"GET /households/{home}")).headers["etag"]
        move = {"address": "后山9号", "location": {"lat": 26.85, "lon": 107.51}}
        await d.ask("staff", f"PATCH /households/{home}", move, if_match=version)
        (changed,) = d.w.said(NeedChanged)
        assert changed.spec.cell == (await d.need(need_id)).cell != before


async def test_a_need_posted_by_the_file_as_it_was_a_moment_ago_becomes_one_for_named_people() -> None:
    async with desk() as d:
        home = await d.household(residents=[a_resident(birth_date=None)])
        read_before = await d.w.store.get(Household, home)
        assert read_before is not None
        version = {"if_match": f'"{read_before.version}"'}
        born = {"birth_date": "2016-06-01"}
        answer = await d.ask("staff", f"PATCH /households/{home}/residents/{home}~1", born, **version)
        assert answer.status_code == 200, answer.text
        lines = (PeopleLine(id="", seats=1, minimum=1, window=k.WINDOW),)
        order, at = Order(home, Category.COMFORT, lines), Moment(START, START.date(), SitePolicy())
        need = write_order("need-1", order, read_before.record, "staff", at)
        await d.w.store.change(Need, need.id, lambda _: post(None, need, lines, at))
        await d.w.settle()
        assert [changed.spec.audience for changed in d.w.said(NeedChanged)] == ["named"]
        assert (await d.need(need.id)).minor, "nobody is shown a child's phone"


async def test_the_deadline_is_the_first_start_or_else_the_first_date_or_else_two_weeks() -> None:
    async with desk() as d:
        soon = (START + timedelta(days=2)).isoformat()
        home = await d.household()
        for lines in (
            [goods(), people(), people(start_at=TEN + timedelta(days=1))],
            [goods(needed_by=soon)],
            [goods()],
        ):
            await d.posts(*lines, household_id=home)
        deadlines = [e.spec.deadline_at - START for e in d.w.said(NeedPosted)]
        assert deadlines == [timedelta(hours=1), timedelta(days=2), timedelta(days=14)]


async def test_what_may_stay_empty_decides_on_the_deadline_only_where_nothing_else_is_asked_for() -> None:
    async with desk() as d:
        optional = people(required=False, minimum=0)
        home = await d.household()
        for lines in ([optional], [optional, people(start_at=TEN + timedelta(days=1))], [optional, goods()]):
            await d.posts(*lines, household_id=home)
        deadlines = [e.spec.deadline_at - START for e in d.w.said(NeedPosted)]
        assert deadlines == [timedelta(hours=1), timedelta(days=1, hours=1), timedelta(days=14)]


async def test_text_comes_back_byte_for_byte_and_travels_nowhere() -> None:
    async with desk() as d:
        note = "  ２袋米 🍚 买买提·艾力 བཀྲ་ཤིས་བདེ་ལེགས 𠮷 \n"
        need_id = await d.posts(goods(attributes={"diet": "halal"}), note=note)
        seen = await d.made("staff", f"GET /needs/{need_id}")
        assert seen["note"] == note and seen["lines"][0]["attributes"] == {"diet": "halal"}
        assert all("🍚" not in m.data.model_dump_json() for m in d.w.messages)


async def test_needs_are_listed_newest_first_by_page_and_filter_within_reach() -> None:
    async with desk() as d:
        home, ids = await d.household(), []
        for n in range(5):
            ids.append(await d.posts(household_id=home, urgency="urgent" if n % 2 else "ordinary"))
            await d.w.passes(seconds=1)
        first = await d.made("staff", "GET /needs?limit=3")
        rest = await d.made("staff", f"GET /needs?limit=3&cursor={first['next_cursor']}")
        assert [n["id"] for n in first["items"] + rest["items"]] == ids[::-1] and rest["next_cursor"] is None

        async def found(who: str, query: str) -> list[str]:
            return [n["id"] for n in (await d.made(who, f"GET /needs?{query}"))["items"]]

        assert await found("staff", "urgency=urgent") == [ids[3], ids[1]]
        assert await found("staff", "status=open&waiting=search") == ids[::-1]
        assert await found("staff", f"household_id={home}&status=lapsed") == []
        assert await found("boss", "site_id=east") == ids[::-1]
        assert await found("stranger", "") == []
        assert (await d.ask("stranger", "GET /needs?site_id=east")).status_code == 404
        assert (await d.ask("staff", "GET /needs?status=lost")).status_code == 422


@pytest.mark.parametrize("who", ["scout", "li", "provider", "charity", "admin"])
async def test_others_neither_post_nor_read(who: str) -> None:
    async with desk() as d:
        need_id = await d.posts()
        body = an_order((await d.need(need_id)).household_id)
        assert (await d.ask(who, "POST /needs", body)).status_code == 403
        assert (await d.ask(who, f"GET /needs/{need_id}")).status_code == 403


async def test_another_station_cannot_touch_a_need_and_learns_nothing_of_it() -> None:
    async with desk() as d:
        need_id = await d.posts()
        by = (START + timedelta(days=1)).isoformat()
        for call, body in (
            (f"GET /needs/{need_id}", None),
            (f"POST /needs/{need_id}/post", None),
            (f"POST /needs/{need_id}/cancel", {"reason": "mistake"}),
            (f"POST /needs/{need_id}/refer", {"body": "x", "answer_by": by}),
            (f"POST /needs/{need_id}/rate", {"score": 5, "channel": "phone"}),
            (f"POST /needs/{need_id}/attempt", {"channel": "phone"}),
            (f"GET /needs/{need_id}/reads", None),
            (f"PATCH /needs/{need_id}", {"note": "x"}),
        ):
            refused = await d.ask("stranger", call, body, if_match='"1"')
            missing = await d.ask("stranger", call.replace(need_id, "nobody"), body, if_match='"1"')
            assert (refused.status_code, refused.json()) == (404, missing.json()), call


async def test_a_referral_goes_somewhere_that_exists_and_not_too_far_ahead() -> None:
    async with desk() as d:
        need_id = await d.posts(people(start_at=START + timedelta(days=40)))
        tomorrow, later = (START + timedelta(days=1)).isoformat(), (START + timedelta(days=31)).isoformat()
        for body, pointer in (
            ({"answer_by": tomorrow}, "/organisation_id"),
            ({"organisation_id": "hands", "body": "x", "answer_by": tomorrow}, "/organisation_id"),
            ({"organisation_id": "nobody", "answer_by": tomorrow}, "/organisation_id"),
            ({"body": "x", "answer_by": later}, "/answer_by"),
            ({"body": "x", "answer_by": START.isoformat()}, "/answer_by"),
        ):
            refused = await d.ask("staff", f"POST /needs/{need_id}/refer", body)
            assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_a_moment_in_a_year_nobody_means_is_refused_with_the_years_that_may_be() -> None:
    async with desk() as d:
        line = goods(needed_by="2500-01-01T00:00:00+08:00")
        answer = await d.ask("staff", "POST /needs", an_order(await d.household(), line))
        (error,) = answer.json()["errors"]
        assert error["pointer"] == "/lines/0/needed_by" and "2199" in error["en"] and "2199" in error["zh"]

"""Leads: a scout reports without seeing the file, staff decide, and the scout hears what came of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.needs.domain import Need
from services.needs.domain.lead import need_id_of
from shared.contracts.needs import LeadDismissed, LeadRaised, LeadReported, LeadVerified, NeedPosted
from tests.services import needs_desk as k
from tests.services.needs_desk import ADDRESS, NAME, PHONE, Desk, an_order, desk, goods, people

SUSPICION = {"area": k.VILLAGE, "text": "后山老人三天没开门", "hints": ["comfort"], "crisis": True}
COURSE = {"id", "status", "reported_at", "outcome", "outcome_zh", "outcome_en"}


async def reported(d: Desk, who: str = "scout") -> str:
    return str((await d.made(who, "POST /leads", SUSPICION))["id"])


async def outcome(d: Desk, lead_id: str, who: str = "scout") -> str:
    seen = await d.made(who, f"GET /leads/{lead_id}")
    assert set(seen) == COURSE
    return str(seen["outcome"])


async def test_a_scout_hears_what_came_of_it_and_never_sees_the_file() -> None:
    async with desk() as d:
        lead_id = await reported(d)
        (said,) = d.w.said(LeadReported)
        assert (said.scout_id, said.crisis) == ("scout", True)
        assert await outcome(d, lead_id) == "received"
        home = await d.household()
        need_id = (await d.made("staff", f"POST /leads/{lead_id}/verify", an_order(home, goods())))["id"]
        assert await outcome(d, lead_id) == "arranging"
        (verified,) = d.w.said(LeadVerified)
        assert verified.need_id == need_id == need_id_of(lead_id)
        decided = await d.made("staff", f"GET /leads/{lead_id}")
        assert (decided["status"], decided["decided_by"]) == ("verified", "staff")
        assert d.w.said(NeedPosted)[0].lead_id == lead_id
        hidden = (
            "GET /needs",
            f"GET /needs/{need_id}",
            f"GET /needs/{need_id}/contact",
            f"GET /households/{home}",
        )
        for call in hidden:
            assert (await d.ask("scout", call)).status_code == 403
        await d.hears((need_id, k.made(holds=(k.held(),))), k.issued(need_id), k.received(need_id))
        await d.made("staff", f"POST /needs/{need_id}/rate", {"score": 5, "channel": "in_person"})
        assert await outcome(d, lead_id) == "helped"
        everything = await d.ask("scout", "GET /leads")
        for hidden_text in (NAME, PHONE, ADDRESS, need_id, "后山"):
            assert hidden_text not in everything.text


async def test_staff_see_the_text_and_no_message_carries_it() -> None:
    async with desk() as d:
        lead_id = await reported(d)
        seen = await d.made("staff", f"GET /leads/{lead_id}")
        assert seen["text"] == "后山老人三天没开门" and seen["scout_id"] == "scout"
        assert all("后山" not in m.data.model_dump_json() for m in d.w.messages)


async def test_a_lead_belongs_to_its_scout_and_its_station() -> None:
    async with desk() as d:
        lead_id = await reported(d)
        assert (await d.ask("scout-2", f"GET /leads/{lead_id}")).status_code == 404
        assert (await d.ask("stranger", f"GET /leads/{lead_id}")).status_code == 404
        assert (await d.made("scout-2", "GET /leads"))["items"] == []
        assert (await d.made("stranger", "GET /leads"))["items"] == []
        for who in ("staff", "boss"):
            assert [n["id"] for n in (await d.made(who, "GET /leads?status=reported"))["items"]] == [lead_id]
        home = await d.household()
        for who, status in (("scout", 403), ("li", 403), ("stranger", 404)):
            assert (await d.ask(who, f"POST /leads/{lead_id}/verify", an_order(home))).status_code == status
            assert (
                await d.ask(who, f"POST /leads/{lead_id}/dismiss", {"outcome": "known"})
            ).status_code == status


async def test_a_lead_reported_again_at_a_station_that_has_closed_since_is_the_same_lead() -> None:
    async with desk() as d:
        first = await d.ask("scout", "POST /leads", SUSPICION, key="once")
        d.closes("east")
        again = await d.ask("scout", "POST /leads", SUSPICION, key="once")
        assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
        fresh = await reported(d)
        assert [said.site_id for said in d.w.said(LeadReported)] == ["east", "main"], "nobody is turned away"
        assert {lead["id"] for lead in (await d.made("scout", "GET /leads"))["items"]} == {
            first.json()["id"],
            fresh,
        }
        assert await outcome(d, fresh) == "received"
        assert [lead["id"] for lead in (await d.made("above", "GET /leads"))["items"]] == [fresh]
        d.closes("main")
        nobody = await d.ask("scout", "POST /leads", SUSPICION)
        assert nobody.status_code == 422 and "administrator" in nobody.json()["title_en"]


async def test_of_a_lead_whose_station_has_closed_whoever_looks_into_it_makes_a_need_of_their_own() -> None:
    async with desk(crisis_lead_seconds=1800) as d:
        lead_id = await reported(d)
        d.closes("east")
        await d.w.passes(minutes=31)
        filing = k.a_household(lead_id=lead_id)
        elsewhere = await d.ask("above", "POST /households", filing | {"site_id": "west"})
        assert elsewhere.status_code == 403
        home = await d.made("above", "POST /households", filing)
        assert home["site_id"] == "main"
        wanted = {"name": NAME, "lead_id": lead_id, "site_id": "main"}
        (found,) = (await d.made("above", "POST /households/search", wanted))["items"]
        assert found["id"] == home["id"]
        need_id = (await d.made("above", f"POST /leads/{lead_id}/verify", an_order(home["id"])))["id"]
        assert (await d.need(need_id)).site_id == "main" and await outcome(d, lead_id) == "arranging"


async def test_a_lead_never_becomes_two_needs() -> None:
    async with desk() as d:
        lead_id, home = await reported(d), await d.household()
        first = await d.ask("staff", f"POST /leads/{lead_id}/verify", an_order(home), key="once")
        same = await d.ask("staff", f"POST /leads/{lead_id}/verify", an_order(home), key="once")
        assert (first.status_code, first.json()) == (
            same.status_code,
            same.json(),
        ) and first.status_code == 201
        assert first.headers["location"] == f"/api/needs/{need_id_of(lead_id)}"
        again = await d.ask("social", f"POST /leads/{lead_id}/verify", an_order(home))
        assert again.status_code == 409 and again.json()["type"].endswith("lead-decided")
        dismissed = await d.ask("staff", f"POST /leads/{lead_id}/dismiss", {"outcome": "known"})
        assert dismissed.status_code == 409
        assert len(d.w.said(NeedPosted)) == len(d.w.said(LeadVerified)) == 1


async def test_the_need_of_a_verified_lead_waits_visibly_before_the_lead_has_heard_of_it() -> None:
    """A crash right after the answer loses nothing: the need is on record, and its message is still to go out."""
    async with desk() as d:
        lead_id, home = await reported(d), await d.household()
        d.holding_back = True
        need_id = (await d.made("staff", f"POST /leads/{lead_id}/verify", an_order(home)))["id"]
        need = await d.w.store.get(Need, need_id)
        assert need is not None and need.record.waiting == "search" and need.record.next_action_at
        assert await outcome(d, lead_id) == "received"
        await d.w.settle()
        assert await outcome(d, lead_id) == "arranging"


async def test_a_dismissed_lead_says_so_kindly() -> None:
    async with desk() as d:
        lead_id = await reported(d)
        wrong = await d.ask("staff", f"POST /leads/{lead_id}/dismiss", {"outcome": "helped"})
        assert wrong.status_code == 422 and wrong.json()["errors"][0]["pointer"] == "/outcome"
        await d.made("staff", f"POST /leads/{lead_id}/dismiss", {"outcome": "not_confirmed"})
        assert await outcome(d, lead_id) == "not_confirmed" and len(d.w.said(LeadDismissed)) == 1
        late = await d.ask("staff", f"POST /leads/{lead_id}/verify", an_order(await d.household()))
        assert late.status_code == 409


async def test_other_ends_are_told_too() -> None:
    async with desk() as d:
        ends: dict[str, Any] = {}
        for how in ("cancelled", "lapsed", "referred"):
            lead_id, home = await reported(d), await d.household()
            order = an_order(home, people(start_at=d.w.clock.now() + timedelta(hours=5)))
            need_id = (await d.made("staff", f"POST /leads/{lead_id}/verify", order))["id"]
            if how == "cancelled":
                await d.made("staff", f"POST /needs/{need_id}/cancel", {"reason": "moved"})
            elif how == "lapsed":
                await d.w.passes(hours=5, minutes=16)
            else:
                by = (d.w.clock.now() + timedelta(hours=1)).isoformat()
                await d.made("staff", f"POST /needs/{need_id}/refer", {"body": "县医院", "answer_by": by})
                await d.made("staff", f"POST /needs/{need_id}/referral/accept")
            ends[how] = await outcome(d, lead_id)
        assert ends == {"cancelled": "closed", "lapsed": "not_found", "referred": "handed_on"}


async def raised(d: Desk, who: str = "boss") -> list[tuple[str, int]]:
    """What the main station is to look into as well, and how often it was raised."""
    found = await d.made(who, "GET /leads?tier_site_id=main&status=reported")
    return [(lead["id"], lead["hops"]) for lead in found["items"]]


async def test_a_lead_that_nobody_decides_goes_a_tier_up_once_and_stays_with_both() -> None:
    async with desk(lead_seconds=24 * 3600, crisis_lead_seconds=1800) as d:
        crisis = await reported(d)
        usual = (await d.made("scout", "POST /leads", SUSPICION | {"crisis": False}))["id"]
        await d.w.passes(minutes=29)
        assert d.w.said(LeadRaised) == [] and await raised(d) == []
        await d.w.passes(minutes=2)
        (said,) = d.w.said(LeadRaised)
        assert (said.site_id, said.to_site_id, said.hops, said.crisis) == ("east", "main", 1, True)
        assert await raised(d) == [(crisis, 1)]
        await d.w.passes(hours=24)
        assert await raised(d) == [(usual, 1), (crisis, 1)]
        await d.w.passes(days=30)
        assert len(d.w.said(LeadRaised)) == 2
        theirs = await d.made("staff", "GET /leads?status=reported")
        assert {lead["id"]: lead["decide_by"] for lead in theirs["items"]} == {crisis: None, usual: None}
        await d.made("boss", f"POST /leads/{crisis}/dismiss", {"outcome": "not_confirmed"})
        assert await raised(d) == [(usual, 1)]


@pytest.mark.parametrize(
    ("closing", "told"),
    [
        ([[], [], []], ["main", "district", "centre"]),
        ([["main"], [], []], ["district", "centre"]),
        ([[], ["district"], []], ["main", "centre"]),
        ([[], ["main"], []], ["main", "district", "centre"]),
        ([[], [], ["main", "district"]], ["main", "district", "centre"]),
        ([[], ["main", "district", "centre"], []], ["main"]),
    ],
)
async def test_a_lead_goes_to_the_next_open_site_and_to_each_of_them_once(
    closing: list[list[str]], told: list[str]
) -> None:
    """Sites that close before the lead is raised for the first time, the second, the third."""
    async with desk(crisis_lead_seconds=1800) as d:
        d.has_a_centre_above()
        d.changes("main", parent_id="district")
        d.w.knows(("district", d.site("centre").model_copy(update={"parent_id": "centre"})))
        await reported(d)
        for closed in [*closing, []]:
            for id in closed:
                d.changes(id, active=False)
            await d.w.passes(minutes=31)
        said = d.w.said(LeadRaised)
        assert [(one.to_site_id, one.hops) for one in said] == list(zip(told, (1, 2, 3), strict=False))


async def test_whoever_is_asked_to_look_into_a_lead_as_well_can_read_and_decide_it() -> None:
    async with desk(crisis_lead_seconds=1800) as d:
        known, true = await reported(d), await reported(d)
        home = await d.household()
        assert (await d.ask("above", f"GET /leads/{known}")).status_code == 404, "nobody has asked them yet"
        await d.w.passes(minutes=31)
        assert (await raised(d, "above")) == [(true, 1), (known, 1)]
        assert (await d.made("above", f"GET /leads/{known}"))["text"] == SUSPICION["text"]
        assert (await d.ask("stranger", f"GET /leads/{known}")).status_code == 404
        await d.made("above", f"POST /leads/{known}/dismiss", {"outcome": "known"})
        need_id = (await d.made("above", f"POST /leads/{true}/verify", an_order(home)))["id"]
        assert (await d.need(need_id)).site_id == "east"
        assert [await outcome(d, id) for id in (known, true)] == ["known", "arranging"]
        other = await d.ask("above", "POST /needs", an_order(home))
        assert other.status_code == 422, "their households are not theirs for that"


async def test_whoever_a_lead_was_raised_to_finds_the_household_and_makes_a_need_of_it_for_its_own_station() -> (
    None
):
    async with desk(crisis_lead_seconds=1800) as d:
        lead_id, home = await reported(d), await d.household()
        wanted = {"name": NAME, "lead_id": lead_id}
        early = await d.ask("above", "POST /households/search", wanted)
        assert (early.status_code, early.json()["errors"][0]["pointer"]) == (422, "/lead_id"), "not yet asked"
        await d.w.passes(minutes=31)
        assert (await d.ask("above", "POST /households/search", wanted | {"lead_id": None})).json()[
            "items"
        ] == []
        (found,) = (await d.made("above", "POST /households/search", wanted))["items"]
        assert (found["id"], found["residents"][0]["name"]) == (home, "罗**"), "masked, as ever"
        assert (await d.ask("above", f"GET /households/{home}")).status_code == 404, "the file is not theirs"
        reads = (await d.made("staff", f"GET /households/{home}/reads"))["items"]
        assert [(read["reader_id"], read["level"]) for read in reads] == [("above", "masked")]
        need_id = (await d.made("above", f"POST /leads/{lead_id}/verify", an_order(home)))["id"]
        assert (await d.need(need_id)).site_id == "east" and await outcome(d, lead_id) == "arranging"
        assert (await d.made("above", f"GET /needs/{need_id}"))["lead_id"] == lead_id
        assert (await d.ask("above", f"GET /needs/{need_id}/contact")).status_code == 404
        assert (await d.ask("top", f"GET /needs/{need_id}")).status_code == 404, "nobody has asked them"
        over = await d.ask("above", "POST /households/search", wanted)
        assert (over.status_code, over.json()["type"].rpartition(":")[2]) == (409, "lead-decided")
        await d.made("staff", f"POST /needs/{need_id}/cancel", {"reason": "solved"})
        assert (await d.ask("above", f"GET /needs/{need_id}")).status_code == 404


async def test_whoever_a_lead_was_raised_to_files_a_household_that_nobody_knows_at_its_own_station() -> None:
    async with desk(crisis_lead_seconds=1800) as d:
        lead_id, dismissed = await reported(d), await reported(d)
        await d.w.passes(minutes=31)
        for who, changes, pointer in (
            ("above", {"lead_id": lead_id, "site_id": "main"}, "/site_id"),
            ("above", {"lead_id": "no such"}, "/lead_id"),
            ("stranger", {"lead_id": lead_id}, "/lead_id"),
        ):
            refused = await d.ask(who, "POST /households", k.a_household(**changes))
            assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
        filing = k.a_household(lead_id=lead_id)
        filed = await d.ask("above", "POST /households", filing, key="once")
        assert (filed.status_code, filed.json()["site_id"]) == (201, "east")
        home = filed.json()["id"]
        assert (await d.made("staff", f"GET /households/{home}"))["address"] == ADDRESS
        assert (await d.ask("above", f"GET /households/{home}")).status_code == 404
        d.holding_back = True
        await d.made("above", f"POST /leads/{lead_id}/verify", an_order(home))
        again = await d.ask("above", "POST /households", filing, key="once")
        assert (again.status_code, again.json()) == (201, filed.json()), "what was done is said again"
        more = await d.ask("above", "POST /households", filing)
        assert more.json()["type"].endswith("lead-decided"), "also before the lead has heard of its need"
        await d.made("above", f"POST /leads/{dismissed}/dismiss", {"outcome": "known"})
        late = await d.ask("above", "POST /households", k.a_household(lead_id=dismissed))
        assert late.json()["type"].endswith("lead-decided")


async def test_a_hint_at_a_crisis_is_as_pressing_as_the_mark_of_one() -> None:
    async with desk(crisis_lead_seconds=1800) as d:
        hint = {"crisis": False, "hints": ["comfort", "crisis_intervention"]}
        lead_id = (await d.made("scout", "POST /leads", SUSPICION | hint))["id"]
        assert d.w.said(LeadReported)[0].crisis
        await d.w.passes(minutes=31)
        assert await raised(d) == [(lead_id, 1)]


async def test_a_lead_that_was_decided_in_time_is_not_raised() -> None:
    async with desk() as d:
        dismissed, verified = await reported(d), await reported(d)
        await d.made("staff", f"POST /leads/{dismissed}/dismiss", {"outcome": "known"})
        home = await d.household()
        d.holding_back = True
        await d.made("staff", f"POST /leads/{verified}/verify", an_order(home))
        d.w.clock.advance(3600)  # the lead is due before it has heard of its need
        await d.w.settle()
        assert d.w.said(LeadRaised) == [] and len(d.w.said(LeadVerified)) == 1
        assert await outcome(d, verified) == "arranging"


async def test_what_was_raised_is_shown_to_the_tier_only_and_a_station_may_keep_its_leads() -> None:
    async with desk(max_hops=0) as d:
        await reported(d)
        await d.w.passes(days=3)
        assert d.w.said(LeadRaised) == []
        assert (await d.ask("staff", "GET /leads?tier_site_id=main")).status_code == 404
        both = await d.ask("boss", "GET /leads?tier_site_id=main&site_id=east")
        assert (both.status_code, both.json()["errors"][0]["pointer"]) == (422, "/tier_site_id")


async def test_a_lead_needs_a_place_that_exists_and_words_within_their_limit() -> None:
    async with desk() as d:
        for body, pointer in (
            (SUSPICION | {"area": "999999999"}, "/area"),
            (SUSPICION | {"area": k.COUNTY}, "/area"),
            (SUSPICION | {"text": "长" * 201}, "/text"),
            (SUSPICION | {"text": ""}, "/text"),
            (SUSPICION | {"hints": ["magic"]}, "/hints/0"),
            (SUSPICION | {"site_id": "west"}, "/site_id"),
        ):
            refused = await d.ask("scout", "POST /leads", body)
            assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
        assert d.w.said(LeadReported) == []


async def test_a_lead_about_a_household_that_was_handed_over_becomes_a_need_of_the_station_that_has_it() -> (
    None
):
    async with desk() as d:
        lead = await reported(d)
        home = await d.household()
        moved = await d.ask("boss", f"PATCH /households/{home}", {"site_id": "west"}, if_match='"1"')
        assert moved.status_code == 200
        assert (await d.ask("staff", f"POST /leads/{lead}/verify", an_order(home))).status_code == 422
        need = await d.made("boss", f"POST /leads/{lead}/verify", an_order(home))
        assert need["site_id"] == "west"


async def test_a_household_of_another_station_is_not_what_the_lead_was_about() -> None:
    async with desk() as d:
        lead_id = await reported(d)
        home = await d.household("boss", site_id="west", area=k.ELSEWHERE)
        refused = await d.ask("boss", f"POST /leads/{lead_id}/verify", an_order(home))
        assert refused.status_code == 422 and refused.json()["errors"][0]["pointer"] == "/household_id"


async def test_what_was_made_of_a_household_is_said_again_after_it_was_handed_over() -> None:
    async with desk() as d:
        lead_id, home = await reported(d), await d.household()
        calls = (f"POST /leads/{lead_id}/verify", "POST /needs")
        first = [await d.ask("staff", call, an_order(home), key=call.rpartition("/")[2]) for call in calls]
        moved = await d.ask("boss", f"PATCH /households/{home}", {"site_id": "west"}, if_match='"1"')
        assert moved.status_code == 200
        again = [await d.ask("staff", call, an_order(home), key=call.rpartition("/")[2]) for call in calls]
        assert [(a.status_code, a.json()) for a in again] == [(201, f.json()) for f in first]
        other = await d.ask("staff", calls[1], an_order(home, goods()), key="needs")
        assert other.json()["type"].endswith("idempotency-key-reused")
        decided, fresh = [await d.ask("staff", call, an_order(home)) for call in calls]
        assert decided.json()["type"].endswith("lead-decided")
        assert (fresh.status_code, fresh.json()["errors"][0]["pointer"]) == (422, "/household_id")
        assert len(d.w.said(NeedPosted)) == 2

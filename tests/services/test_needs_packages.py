"""Packages: an assessment decides what a package comes to, and what it comes to can be edited and posted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.needs_desk import an_order, desk

WEAK = {"self_care": "none", "body": "chronic", "support": "none"}


async def expanded(code: str, **found: Any) -> list[dict[str, Any]]:
    async with desk() as d:
        answer = await d.made("staff", f"POST /packages/{code}/expand", found)
        lines: list[dict[str, Any]] = answer["lines"]
        assert d.w.messages == []
        return lines


async def test_there_are_the_four_packages_of_the_field() -> None:
    async with desk() as d:
        listed = await d.made("staff", "GET /packages")
        assert [p["zh"] for p in listed["items"]] == ["未成年人成长", "老年人关爱", "残疾人幸福", "资源链接"]
        assert (await d.made("staff", "GET /packages/elderly"))["field"] == "elderly"
        assert (await d.ask("staff", "GET /packages/luxury")).status_code == 404
        assert (await d.ask("staff", "POST /packages/luxury/expand", {})).status_code == 404
        assert (await d.ask("scout", "GET /packages")).status_code == 403


async def test_the_assessment_decides_which_lines_there_are() -> None:
    strong = await expanded("elderly", disability={"self_care": "full", "support": "strong"})
    weak = await expanded("elderly", disability=WEAK)
    assert [line["skills"] for line in strong if line["kind"] == "people"] == [["home_visit"]]
    assert [line["skills"] for line in weak if line["kind"] == "people"] == [
        ["home_visit"], ["meal_delivery"], ["medical_escort"], ["phone_company"],
    ]  # fmt: skip
    assert not any(line["required"] for line in weak), "each is good by itself"


async def test_goods_are_counted_by_person_and_a_school_child_gets_what_a_school_child_needs() -> None:
    lines = await expanded("growth", persons=3, at_school=True, hardship=True)
    assert [(line["category"], line["quantity"]) for line in lines if line["kind"] == "goods"] == [
        ("school", 3), ("clothing", 3),
    ]  # fmt: skip
    assert [line["skills"][0] for line in lines if line["kind"] == "people"] == ["home_visit", "tutoring"]
    assert "child_director" in lines[0]["certificates"]


async def test_visits_are_at_the_hours_of_the_station_on_the_days_after_the_first() -> None:
    lines = await expanded("disability", first_day="2026-03-10", disability=WEAK, languages=["hmn"])
    starts = [line["window"]["start_at"] for line in lines if line["kind"] == "people"]
    assert starts == ["2026-03-10T02:00:00Z", "2026-03-12T01:00:00Z", "2026-03-14T01:00:00Z"]
    assert all(line["languages"] == ["hmn"] for line in lines if line["kind"] == "people")


@pytest.mark.parametrize("code", ["growth", "elderly", "disability", "linking"])
async def test_what_a_package_comes_to_can_be_edited_and_posted_as_it_is(code: str) -> None:
    async with desk() as d:
        everything = {"persons": 2, "disability": WEAK, "at_school": True, "hardship": True}
        proposal = await d.made("staff", f"POST /packages/{code}/expand", everything)
        lines = proposal["lines"]
        lines[-1]["quantity"], lines[-1]["minimum"] = 7, 1
        body = an_order(await d.household(), *lines) | {"category": proposal["category"]}
        need_id = (await d.made("staff", "POST /needs", body))["id"]
        posted = (await d.made("staff", f"GET /needs/{need_id}"))["lines"]
        assert posted[0]["id"] == "p1" and posted[-1]["quantity"] == 7


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"first_day": "2026-03-02"}, "/first_day"),
        ({"first_day": "2026-09-01"}, "/first_day"),
        ({"persons": 0}, "/persons"),
        ({"disability": {"support": "plenty"}}, "/disability/support"),
    ],
)
async def test_an_assessment_that_makes_no_sense_is_refused(body: dict[str, Any], pointer: str) -> None:
    async with desk() as d:
        refused = await d.ask("staff", "POST /packages/elderly/expand", body)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)

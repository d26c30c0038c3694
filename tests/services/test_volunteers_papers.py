"""Papers and everything else on file: what counts when somebody is asked, and what matching is told of a person."""

from __future__ import annotations

from datetime import timedelta

from shared.contracts.vocabulary import Certificate, Mode, Rule
from shared.contracts.volunteers import InvitationRefused, VolunteerChanged
from tests.services.volunteers_desk import TOMORROW, a_window, desk

CHILD_DIRECTOR = {"certificate": "child_director", "expires_on": "2026-03-03"}
NURSE = {"certificate": "nurse"}


async def test_papers_that_staff_have_not_seen_are_none_whatever_the_person_is_asked_for() -> None:
    async with desk() as d:
        await d.registers("li")
        for papers in (CHILD_DIRECTOR, NURSE):
            await d.ask("li", "POST /volunteers/li/certificates", papers)
        await d.asks("need-1", "li", named=True)
        await d.asks("need-2", "li", certificates=(Certificate.NURSE,))
        assert [r.rule for r in d.w.said(InvitationRefused)] == [Rule.AUDIENCE, Rule.CERTIFICATE]


async def test_papers_that_have_run_out_are_named_also_where_others_are_in_force() -> None:
    night = a_window(TOMORROW + timedelta(days=1))
    async with desk() as d:
        await d.registers("li", certificates=[CHILD_DIRECTOR, NURSE])
        await d.asks("need-1", "li", certificates=(Certificate.CHILD_DIRECTOR,), window=night)
        assert [r.rule for r in d.w.said(InvitationRefused)] == [Rule.CERTIFICATE_EXPIRED]


async def test_matching_is_told_all_by_which_a_person_is_found() -> None:
    facts = {
        "skills": ["home_visit"],
        "languages": ["hmn"],
        "modes": ["remote"],
        "reach_km": 7,
        "hours": [9, 10],
        "weekly_cap_minutes": 90,
        "weekly_contacts": 2,
        "quiet_from": 60,
        "quiet_to": 300,
    }
    async with desk() as d:
        await d.registers("li", **facts)
        state = d.w.said(VolunteerChanged)[-1].state
        assert state.modes == (Mode.REMOTE,)
        assert facts == {
            name: value for name, value in state.model_dump(mode="json").items() if name in facts
        }

"""The end of the story: every fact that must hold, looked up over HTTP."""

from __future__ import annotations

from typing import Any

from wushe.client import Account
from wushe.demo import cast
from wushe.demo.facts import Facts
from wushe.demo.story import Story
from wushe.sample.staff import ADMINISTRATOR, PASSWORD

SERVICES = ("directory", "needs", "volunteers", "resources", "matching")


async def look_back(story: Story, facts: Facts) -> None:
    """Look at everything the story did, and note each fact."""
    await _visit(story, facts)
    await _goods(story, facts)
    await _money(story, facts)
    await _signer(story, facts)
    await _letters(await story.stage.api.sign_in(ADMINISTRATOR, PASSWORD), facts)


async def _visit(story: Story, facts: Facts) -> None:
    need = (await story.staff.get(f"/api/needs/{story.needs['visit']}")).body
    racers = [story.verdicts.get(a.key) for a in (cast.XIAOMAN, cast.CHENYUAN)]
    facts.note(
        sorted(map(str, racers)) == ["filled", "won"],
        "两人抢最后一席：恰有一人得到，另一人当场被告知",
        "of the two who raced exactly one won, and the other was told at once",
        verdicts=racers,
    )
    done = [s["volunteer_id"] for s in need["seats"] if s["task_status"] == "done"]
    facts.note(
        len(done) == len(set(done)) == 2,
        "两个席位由两个人完成，没有一席两人",
        "two seats were served by two people, no seat twice",
        seats=need["seats"],
    )
    replaced = story.stage.ids[cast.DASHAN.key] in done and story.stage.ids[cast.YULAN.key] not in done
    facts.note(
        replaced,
        "退出者的席位由别人补上",
        "somebody else took the seat of the one who dropped out",
        done=done,
    )
    confirmed = bool(need["ending"] and need["ending"]["confirmed"] and need["rating"]["score"] == 5)
    facts.note(
        need["status"] == "completed" and confirmed,
        "需求办结，由服务对象本人确认",
        "the need is completed, confirmed by the resident",
        status=need["status"],
    )
    for actor in story.holders():
        hours = (await story.staff.get(f"/api/volunteers/{story.stage.ids[actor.key]}/hours")).body
        mine = [h for h in hours["items"] if h["need_id"] == story.needs["visit"]]
        facts.note(
            len(mine) == 1,
            f"{actor.name}的服务时长已记录一次",
            f"{actor.en}'s hours are on record once",
            hours=mine,
        )


async def _goods(story: Story, facts: Facts) -> None:
    lot = await _lot(story, "rice")
    facts.note(
        (lot["received"], lot["held"], lot["issued"], lot["available"]) == (cast.RICE, 0, 2, cast.RICE - 2),
        "大米：收20、出2、余18，账实相符",
        "rice: 20 received, 2 issued, 18 left",
        lot=lot,
    )
    statuses = [hold["status"] for hold in await story.holds("visit")]
    facts.note(statuses == ["received"], "大米已签收", "the rice was signed for", statuses=statuses)


async def _money(story: Story, facts: Facts) -> None:
    facts.note(
        "earmark_group" in story.refused_by,
        "专款被拒的理由是“对象不符”",
        "the earmarked fund was refused because it is for other people",
        rules=story.refused_by,
    )
    untouched = await _lot(story, "children's fund")
    facts.note(
        untouched["held"] == untouched["issued"] == 0,
        "助学金一分未动",
        "the children's fund is untouched",
        lot=untouched,
    )
    used = await _lot(story, "fund")
    facts.note(
        used["held"] == cast.GIFT_FEN,
        "救助金为他留出500元",
        "500 yuan of the relief fund are kept for him",
        lot=used,
    )


async def _signer(story: Story, facts: Facts) -> None:
    need = (await story.staff.get(f"/api/needs/{story.needs['signer']}")).body
    search: dict[str, Any] = need["search"] or {}
    facts.note(
        search.get("hops", 0) >= 1,
        "无人可接的需求已逐级上报",
        "the need nobody can take was raised a tier",
        search=search,
    )
    facts.note(
        need["site_id"] == story.stage.ids["room"],
        "首接站点仍然负责",
        "the first unit stays accountable",
        site=need["site_id"],
    )
    facts.note(
        bool(need["waiting"] and need["next_action_at"]) and not need["seats"],
        "这份需求仍在等待，写明了原因和下一步时间",
        "it waits, with a reason and a time for the next step",
        waiting=need["waiting"],
    )
    diagnosis = search.get("diagnosis", ())
    counted = {r["rule"]: r["count"] for d in diagnosis for r in d["removed"]}
    facts.note(
        counted.get("language", 0) >= len(cast.ACTORS),
        "能说明每条规则排除了多少人：七位会修理的都不会手语",
        "it says how many people each rule removed: none of the seven who repair can sign",
        removed=counted,
    )
    helps = [r for d in diagnosis for r in d["relaxations"] if r["rule"] == "language" and r["gain"] > 0]
    facts.note(
        bool(helps),
        "也能说明放宽哪一条、能多出几个人选",
        "and which rule to relax, and how many that would give",
        helps=diagnosis,
    )


async def _letters(administrator: Account, facts: Facts) -> None:
    waiting = [
        letter["id"] for s in SERVICES async for letter in administrator.every(f"/api/dead-letters/{s}")
    ]
    facts.note(not waiting, "没有未能处理的消息（死信）", "no message is stuck", letters=waiting)


async def _lot(story: Story, key: str) -> dict[str, Any]:
    lot: dict[str, Any] = (
        await story.stage.accounts["charity"].get(f"/api/lots/{story.stage.ids[key]}")
    ).body
    return lot

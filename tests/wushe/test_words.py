"""Every message can be told to somebody who does not program, in Chinese and in English."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from shared.contracts import EVENTS, REGISTRY, Event
from shared.contracts.matching import MatchMade, MatchReopened, MatchStalled, SeatsOffered
from shared.contracts.needs import NeedCompleted, NeedProgressed
from shared.contracts.parts import LineDiagnosis, Offer, Relaxation, Removed
from shared.contracts.resources import HoldConfirmed, HoldPlaced
from shared.contracts.vocabulary import Closing, NeedStatus, Ring, Waiting
from wushe.contracts.examples import example
from wushe.demo.narrator import SERVICES, Narrator, counted
from wushe.language import HERE, Language, chosen

LANGUAGES: tuple[Language, Language] = ("zh", "en")
CODE = re.compile(r"[{}]|\b[a-z]+_[a-z_]+\b|None|<|Enum")


def told(event: Event, language: Language, names: dict[str, str] | None = None, subject: str = "li") -> str:
    narrator = Narrator(language, lambda who, sentence: None)
    narrator.names = names or {}
    return narrator.sentence(event, subject)


def an_example(event: type[Event]) -> Event:
    return REGISTRY.decode(example(event)).data


def test_every_event_has_its_words() -> None:
    assert all(event.zh and event.en for event in EVENTS)
    assert {event.topic.service for event in EVENTS} == set(SERVICES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", EVENTS, ids=lambda e: str(e.name))
def test_every_event_makes_a_sentence_without_code_in_it(event: type[Event], language: Language) -> None:
    sentence = told(an_example(event), language)
    assert sentence
    assert not CODE.search(sentence.replace("rule-1", "")), sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_languages_do_not_mix(language: Language) -> None:
    event = NeedProgressed(site_id="s", status=NeedStatus.MATCHING, waiting=Waiting.ANSWERS)
    said = {"zh": "状态：匹配中，等待志愿者答复", "en": "Status: matching: people have been asked"}
    assert told(event, language) == said[language]


def test_a_time_of_another_day_is_told_with_its_day() -> None:
    confirmed = an_example(HoldConfirmed)
    at = datetime.now(UTC) + timedelta(days=3)
    said = told(confirmed.model_copy(update={"pick_up_by": at}), "en")
    assert at.astimezone(HERE).strftime("%m-%d %H:%M") in said


def test_people_are_called_by_name_and_strangers_by_a_short_number() -> None:
    offers = tuple(Offer(invitation_id=f"{who}~1", volunteer_id=who) for who in ("li", "0190-stranger"))
    example_event = an_example(SeatsOffered)
    assert isinstance(example_event, SeatsOffered)
    event = example_event.model_copy(update={"offers": offers, "ring": Ring.TOWNSHIP})
    assert told(event, "en", {"li": "李长河"}).endswith("asking 李长河, #ranger")


def test_a_diagnosis_counts_and_names_the_smallest_relaxation() -> None:
    line = LineDiagnosis(
        line_id="p1",
        looked_at=67,
        removed=(Removed(rule="skill", count=60), Removed(rule="language", count=7)),
        relaxations=(Relaxation(rule="language", gain=7),),
    )
    example_event = an_example(MatchStalled)
    event = example_event.model_copy(update={"diagnosis": (line,)})
    assert (
        told(event, "zh")
        == "还找不到合适的：共查看67人，其中60人技能不符、7人语言不通，剩下0人；若不计“语言不通”，就有7人"
    )


def test_goods_that_do_not_fit_are_counted_by_the_batch() -> None:
    line = LineDiagnosis(line_id="g1", looked_at=8, removed=(Removed(rule="earmark_group", count=8),))
    stalled = an_example(MatchStalled).model_copy(update={"diagnosis": (line,)})
    assert told(stalled, "zh") == "还找不到合适的：共查看8批，其中8批对象不符，剩下0批"


def test_a_search_that_goes_on_says_why_and_not_that_somebody_left() -> None:
    reopened = an_example(MatchReopened)
    for reason in (Closing.EXPIRED, Closing.NOT_TO_BE_HAD, Closing.CHANGED):
        assert told(reopened.model_copy(update={"reason": reason}), "zh") == f"{reason.zh}，重新寻找"


def test_money_is_told_in_yuan() -> None:
    hold = an_example(HoldPlaced)
    assert isinstance(hold, HoldPlaced)
    facts = hold.model_dump(mode="json")
    facts["state"] |= {"kind": "money", "unit": "fen", "category": "cash_gift", "issued": 0, "written_off": 0}
    facts["state"] |= {"received": 200_000, "held": 50_000}
    money = HoldPlaced.model_validate(facts | {"quantity": 50_000})
    assert told(money, "en").startswith("cash gift 500.00 yuan held")
    assert "1500 of 2000 yuan" in told(money, "en")


def test_silence_is_not_told_as_satisfaction() -> None:
    silent = NeedCompleted(site_id="s", household_id="h", confirmed=False)
    assert "without an answer" in told(silent, "en")
    assert "confirmed" not in told(silent, "en")


def test_a_match_of_goods_alone_does_not_say_nobody() -> None:
    made = an_example(MatchMade)
    assert isinstance(made, MatchMade)
    assert told(made.model_copy(update={"seats": ()}), "en") == "All is found: goods from 1 lot"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "C"}, "en"),
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "C", "WUSHE_LANGUAGE": "zh"}, "zh"),
    ],
)
def test_the_terminal_speaks_the_language_of_the_locale(environment: dict[str, str], language: str) -> None:
    assert chosen(environment) == language


def test_one_is_one_and_more_are_several() -> None:
    assert (
        counted("so far, 1 seat(s) open, 2 bag(s) of food, 20 half kilo(s)")
        == "so far, 1 seat open, 2 bags of food, 20 half kilos"
    )

"""Who plays in the demo, and where: a village of its own with its own policy, so that a living system is not disturbed.

All are invented. Seven people can both visit and repair, which nobody else in the town can.
"""

from __future__ import annotations

from typing import NamedTuple

from shared.contracts.vocabulary import Skill
from wushe.language import Language

SKILLS = (Skill.HOME_VISIT, Skill.REPAIR)
VILLAGE, NEXT_VILLAGE = "莲塘村", "枫林村"
LAT, LON = 26.808, 107.655


class Actor(NamedTuple):
    """A volunteer. `away` is how many hundredths of a degree the home lies from the resident's; those in the village
    itself live at 0. Only those who sign in have an account."""

    key: str
    name: str
    en: str
    away: int
    signs_in: bool = True

    def called(self, language: Language) -> str:
        return self.name if language == "zh" else self.en


ADUO = Actor("aduo", "王阿朵", "Wang Aduo", 0)
CHANGHE = Actor("changhe", "李长河", "Li Changhe", 0, signs_in=False)
YULAN = Actor("yulan", "周玉兰", "Zhou Yulan", 2)
XIAOMAN = Actor("xiaoman", "杨小满", "Yang Xiaoman", 2)
CHENYUAN = Actor("chenyuan", "陈远", "Chen Yuan", 2)
XIAOMEI = Actor("xiaomei", "罗小妹", "Luo Xiaomei", 2, signs_in=False)
DASHAN = Actor("dashan", "韦大山", "Wei Dashan", 8)

ACTORS = (ADUO, CHANGHE, YULAN, XIAOMAN, CHENYUAN, XIAOMEI, DASHAN)

POLICY = {
    "first_wave": 1,
    "wave_growth": 2,
    "wave_seconds": 3,
    "urgent_wave_seconds": 2,
    "invitation_seconds": 25,
    "urgent_invitation_seconds": 20,
    "hold_seconds": 60,
    "tier_seconds": 120,
    "max_hops": 2,
    "allow_partial": True,
    "criteria": ["fit", "distance", "load", "continuity", "waiting"],
}
"""Every timer in seconds, so that hours pass in a moment."""

RICE = 20
FUND_FEN = 200_000
GIFT_FEN = 50_000

"""What both a match and a wave are shown with: reasons and diagnoses."""

from __future__ import annotations

from collections.abc import Iterable

from shared.contracts.parts import LineDiagnosis, Reason
from shared.http import Schema


class ReasonView(Schema):
    criterion: str
    value: float


class CountView(Schema):
    """How many people or lots a rule removed, or how many would remain without it."""

    rule: str
    count: int


class DiagnosisView(Schema):
    """Why a line is short. `relaxations`: the smallest change first, with how many would then remain."""

    line_id: str
    looked_at: int
    removed: list[CountView]
    remaining: int
    relaxations: list[CountView]


def reason_views(reasons: Iterable[Reason]) -> list[ReasonView]:
    return [ReasonView(criterion=reason.criterion, value=reason.value) for reason in reasons]


def diagnosis_view(why: LineDiagnosis | None) -> DiagnosisView | None:
    if why is None:
        return None
    return DiagnosisView(
        line_id=why.line_id,
        looked_at=why.looked_at,
        removed=[CountView(rule=one.rule, count=one.count) for one in why.removed],
        remaining=why.remaining,
        relaxations=[CountView(rule=one.rule, count=one.gain) for one in why.relaxations],
    )

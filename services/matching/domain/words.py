"""The statuses of a match, of those who were asked, and of holds as matching knows them."""

from __future__ import annotations

from shared.contracts.vocabulary import HoldStatus, Term


class MatchStatus(Term):
    SEARCHING = "searching", "匹配中", "searching"
    CONFIRMING = "confirming", "确认中", "confirming"
    MADE = "made", "已匹配", "made"
    PARTLY_MADE = "partly_made", "部分匹配", "partly made"
    CLOSED = "closed", "已关闭", "closed"


class Answer(Term):
    """What became of asking one person. `passed`: their calendar refused once, or heard of it too late; they may be
    asked again."""

    ASKED = "asked", "待答复", "asked"
    WON = "won", "已获席位", "has the seat"
    FILLED = "filled", "已满员", "came too late"
    DECLINED = "declined", "已婉拒", "declined"
    EXPIRED = "expired", "未答复", "did not answer"
    REFUSED = "refused", "不可邀约", "could not be asked"
    PASSED = "passed", "可再邀约", "may be asked again"
    WITHDRAWN = "withdrawn", "已撤回", "the offer was withdrawn"
    GIVEN_UP = "given_up", "已退出", "gave the seat back"
    NO_SHOW = "no_show", "爽约", "did not come"
    CHANGED = "changed", "需求已修改", "asked for a line as it was before"


NEVER_ASKED = frozenset({Answer.REFUSED, Answer.PASSED})
MAY_BE_ASKED_AGAIN = frozenset({Answer.PASSED, Answer.CHANGED, Answer.FILLED, Answer.WITHDRAWN})
"""Who never said no and let no time pass: should the seat they were too late for be free again, they may want it."""


class Phase(Term):
    """Where a hold stands as matching knows it. What was refused, expired, released or returned is gone."""

    REQUESTED = "requested", "已申请", "asked for"
    HELD = "held", HoldStatus.HELD.zh, HoldStatus.HELD.en
    CONFIRMING = "confirming", "确认中", "being confirmed"
    CONFIRMED = "confirmed", HoldStatus.CONFIRMED.zh, HoldStatus.CONFIRMED.en
    ISSUED = "issued", HoldStatus.ISSUED.zh, HoldStatus.ISSUED.en
    RECEIVED = "received", HoldStatus.RECEIVED.zh, HoldStatus.RECEIVED.en
    RELEASING = "releasing", "释放中", "being released"


SURE = frozenset({Phase.CONFIRMED, Phase.ISSUED, Phase.RECEIVED})
HANDED_OVER = frozenset({Phase.ISSUED, Phase.RECEIVED})
SECURED = SURE | {Phase.HELD, Phase.CONFIRMING}
PROMISED = SECURED | {Phase.REQUESTED}

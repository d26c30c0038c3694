"""What needs intake says. Ids, coarse places, categories and windows only: the file stays in the service."""

from __future__ import annotations

from datetime import datetime

from shared.contracts import topics
from shared.contracts import vocabulary as v
from shared.contracts.base import Event
from shared.contracts.parts import NeedSpec


class HouseholdEvent(Event):
    """What others may know of a household: whole state, the newest is enough."""

    topic = topics.HOUSEHOLD

    site_id: str
    area: str
    persons: int
    target_groups: tuple[v.TargetGroup, ...] = ()


class HouseholdRegistered(HouseholdEvent):
    name = "household.registered"
    zh = "一户家庭已建档：{persons}人，{target_groups}"
    en = "A household is on file: {persons} person(s), {target_groups}"


class HouseholdChanged(HouseholdEvent):
    """A household moved, or its residents or target groups changed."""

    name = "household.changed"
    zh = "一户家庭的档案已更新：{persons}人，{target_groups}"
    en = "A household's file has changed: {persons} person(s), {target_groups}"


class LeadReported(Event):
    """A scout reported a suspicion; `scout_id` is an account."""

    name = "lead.reported"
    topic = topics.LEAD
    zh = "排困员上报了一条线索"
    en = "A scout reports that somebody may need help"

    site_id: str
    area: str
    scout_id: str
    crisis: bool = False


class LeadRaised(Event):
    """Nobody decided about it in time, and the station above is to look as well; the first stays accountable."""

    name = "lead.raised"
    topic = topics.LEAD
    zh = "线索逾期未核实，升级到上一级站点（第 {hops} 次）"
    en = "The report was not looked into in time and goes a tier up (hop {hops})"

    site_id: str
    to_site_id: str
    hops: int
    crisis: bool = False


class LeadVerified(Event):
    """Staff found it true and made a need of it."""

    name = "lead.verified"
    topic = topics.LEAD
    zh = "线索经核实成立，转为需求单"
    en = "The report is found true and becomes a need"

    site_id: str
    need_id: str


class LeadDismissed(Event):
    name = "lead.dismissed"
    topic = topics.LEAD
    zh = "线索已核实：目前无需另行帮助"
    en = "The report is looked into: nothing new is to be done"

    site_id: str


class NeedPosted(Event):
    name = "need.posted"
    topic = topics.NEED
    zh = "点单：{spec}"
    en = "A need is posted: {spec}"

    spec: NeedSpec
    lead_id: str | None = None


class NeedChanged(Event):
    """The lines were edited before everything was matched. Lines keep their ids; the search goes on with these.

    `begun`: somebody has begun to serve, so whoever has a seat keeps it, whatever changed. Said again without it, it was a
    mistake: nobody had begun."""

    name = "need.changed"
    topic = topics.NEED
    zh = "需求单已修改：{spec}"
    en = "The need is changed: {spec}"

    spec: NeedSpec
    begun: bool = False


class NeedCancelled(Event):
    """Cancelling wins at needs; matching then gives everything back."""

    name = "need.cancelled"
    topic = topics.NEED
    zh = "需求单已取消：{reason}"
    en = "The need is cancelled: {reason}"

    site_id: str
    reason: v.CancelReason


class NeedLapsed(Event):
    """The deadline passed before the need could be met."""

    name = "need.lapsed"
    topic = topics.NEED
    zh = "期限已过，需求单超时"
    en = "Time has run out: the need lapses"

    site_id: str


class ReferralAsked(Event):
    """Another body was asked to take the need over; until it accepts, the search goes on."""

    name = "referral.asked"
    topic = topics.NEED
    zh = "请{organisation_id}接手，{answer_by}前答复"
    en = "{organisation_id} is asked to take it over, by {answer_by}"

    site_id: str
    organisation_id: str
    answer_by: datetime


class ReferralDeclined(Event):
    name = "referral.declined"
    topic = topics.NEED
    zh = "{organisation_id}未接手"
    en = "{organisation_id} does not take it over"

    site_id: str
    organisation_id: str


class NeedReferred(Event):
    """Another body has accepted the need: it is finished here."""

    name = "need.referred"
    topic = topics.NEED
    zh = "已转介：{organisation_id}接手"
    en = "{organisation_id} takes the need over"

    site_id: str
    organisation_id: str


class SearchAsked(Event):
    """Needs has waited past the next-action time and asks matching for word."""

    name = "search.asked"
    topic = topics.NEED
    zh = "询问匹配进展"
    en = "Matching is asked where it stands"

    spec: NeedSpec


class NeedRated(Event):
    """The resident's own answer, from 1 to 5. Silence is never an answer."""

    name = "need.rated"
    topic = topics.NEED
    zh = "评单：服务对象打了{score}分（满分5分）"
    en = "The resident rates it {score} out of 5"

    site_id: str
    score: int


class NeedCompleted(Event):
    """Finished and confirmed: by the resident's answer, or without one (`confirmed` is then False).

    `invitation_ids` are the tasks that were done, `volunteer_ids` those who did them.
    """

    name = "need.completed"
    topic = topics.NEED
    zh = "需求单办结{confirmed}"
    en = "The need is completed{confirmed}"

    site_id: str
    household_id: str
    volunteer_ids: tuple[str, ...] = ()
    invitation_ids: tuple[str, ...] = ()
    confirmed: bool


class NeedProgressed(Event):
    """The need's status, computed from what was heard; while it waits, why and until when."""

    name = "need.progressed"
    topic = topics.NEED
    zh = "状态：{status}{why}"
    en = "Status: {status}{why}"

    site_id: str
    status: v.NeedStatus
    waiting: v.Waiting | None = None
    next_action_at: datetime | None = None

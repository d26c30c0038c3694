"""Every no that needs intake says beside the general ones of `shared.errors`."""

from __future__ import annotations

from shared.errors import Refusal


class NeedClosed(Refusal):
    code = "need-closed"
    zh = "该需求已了结，不能再更改"
    en = "This need is finished and can no longer be changed"


class NotADraft(Refusal):
    code = "not-a-draft"
    zh = "该需求已提交，不是草稿"
    en = "This need has been posted; it is not a draft"


class StillADraft(Refusal):
    code = "still-a-draft"
    zh = "该需求还是草稿，请先提交"
    en = "This need is still a draft; post it first"


class AlreadyMatched(Refusal):
    code = "already-matched"
    zh = "该需求已全部接单，不能再修改；可取消后重新登记"
    en = "Everything in this need is taken, so it cannot be edited; cancel it and post it anew"


class AlreadyInService(Refusal):
    code = "already-in-service"
    zh = "该需求已开始服务，不能再修改或转介"
    en = "The service has begun, so this need can no longer be edited or referred"


class AlreadyServed(Refusal):
    code = "already-served"
    zh = "服务已完成，请记录服务对象的评价，不能取消"
    en = "The service is done: record the resident's rating instead of cancelling"


class LineTaken(Refusal):
    code = "line-taken"
    zh = "这一项已有人接单或已预留物资，只能增加数量，不能改动其他内容"
    en = "Somebody has taken this line or goods are held for it: its number may grow, nothing else may change"


class NotServedYet(Refusal):
    code = "not-served-yet"
    zh = "服务尚未全部完成，暂不能评价"
    en = "The service is not finished yet, so it cannot be rated"


class AlreadyRated(Refusal):
    code = "already-rated"
    zh = "服务对象已评价过"
    en = "The resident has already rated this"


class ReferralPending(Refusal):
    code = "referral-pending"
    zh = "已向一个单位转介，等待其答复；要改请别家，请先撤回（referral/decline）"
    en = "Another body has been asked and has yet to answer; to ask somebody else, take it back first (referral/decline)"


class NoReferral(Refusal):
    code = "no-referral"
    zh = "没有待答复的转介"
    en = "No referral is waiting for an answer"


class ContactClosed(Refusal):
    code = "contact-closed"
    status = 403
    zh = "服务已结束，联系方式已关闭；如需联系请找站点"
    en = "The service is over, so the contact is closed; ask the station if you must reach them"


class LeadDecided(Refusal):
    code = "lead-decided"
    zh = "这条线索已处理过"
    en = "This lead has already been decided"


class TooManyResidents(Refusal):
    code = "too-many-residents"
    status = 422
    zh = "一户最多登记 {limit} 人"
    en = "A household has at most {limit} residents"

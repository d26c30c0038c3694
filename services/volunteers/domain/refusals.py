"""What this service says no to, in the words of its users."""

from __future__ import annotations

from shared.errors import Refusal


class AlreadyRegistered(Refusal):
    code = "already-registered"
    zh = "这个账号已经登记为志愿者，请直接修改其资料"
    en = "This account is registered as a volunteer already; edit the profile instead"


class CertificateExpired(Refusal):
    code = "certificate-expired"
    status = 422
    zh = "证书已于 {expires_on} 过期，请先换证再登记"
    en = "The certificate expired on {expires_on}; renew it before entering it"


class NotActive(Refusal):
    code = "volunteer-not-active"
    zh = "志愿者尚未激活、已停用或账号已关闭，请联系所在站点"
    en = "The volunteer is not active, or the account is closed; please ask the station"


class PapersMissing(Refusal):
    code = "certificate-needed"
    zh = "这项服务要求的证书不在有效期内，请联系所在站点更新证书"
    en = "This service needs a certificate that is in force; ask the station to renew yours"


class InvitationLapsed(Refusal):
    code = "invitation-expired"
    zh = "这份邀约已过答复时间"
    en = "The time to answer this invitation has passed"


class InvitationVoid(Refusal):
    code = "invitation-withdrawn"
    zh = "这份邀约已撤回，不再需要答复"
    en = "This invitation was withdrawn and needs no answer any more"


class AlreadyAnswered(Refusal):
    code = "invitation-already-answered"
    zh = "这份邀约已答复过，当前状态：{status_zh}"
    en = "This invitation has been answered; it is now: {status_en}"


class SlotTaken(Refusal):
    code = "slot-taken"
    zh = "这段时间已有别的任务，不能同时接两个"
    en = "There is another task at that time; nobody can be in two places"


class CapReached(Refusal):
    code = "weekly-cap-reached"
    zh = "接下这项任务，当周的服务时间就会超过 {cap} 分钟的上限"
    en = "Taking this would go beyond the cap of {cap} minutes in that week"


class SeatGone(Refusal):
    """The verdict was: filled. `other` is another open invitation that the person could take instead."""

    code = "seat-filled"
    zh = "谢谢您愿意帮忙！名额刚刚满了，您的时间已经空出来"
    en = "Thank you for your yes! The last place was just taken; your time is free again"


class NeedGone(SeatGone):
    """The verdict was no, but nobody was quicker: the need was changed, or it is over."""

    code = "invitation-withdrawn"
    zh = "谢谢您愿意帮忙！这项需求刚刚有了变动或已结束，您的时间已经空出来"
    en = "Thank you for your yes! The need was just changed, or is over; your time is free again"


class StillDeciding(Refusal):
    code = "still-deciding"
    zh = "您的接单正在确认，请稍候再试"
    en = "Your yes is just being decided; please try again in a moment"


class TaskNotOpen(Refusal):
    code = "task-not-open"
    zh = "任务当前状态为“{status_zh}”，不能这样操作"
    en = "The task is now: {status_en}; this cannot be done to it"


class TooEarly(Refusal):
    code = "too-early"
    zh = "还没到时间，{earliest_at} 起才能办理"
    en = "It is too early for this; it can be done from {earliest_at}"


class TimeIsOver(Refusal):
    code = "time-is-over"
    zh = "服务时间已过，请联系站点：来过的由站点补录到达时间，没来的由站点登记"
    en = "The time of this service is over; tell the station, which enters when you came, or that nobody did"


class TooLateToUndo(Refusal):
    code = "too-late-to-undo"
    zh = "签到已超过 {minutes} 分钟，请联系站点撤销"
    en = "The check-in is more than {minutes} minutes old; ask the station to take it back"


class InAnotherService(Refusal):
    code = "in-another-service"
    zh = "正在另一项服务中，请先签退"
    en = "Another service is going on; check out there first"


class ServiceOverlaps(Refusal):
    code = "service-overlaps"
    zh = "这段时间已有服务记录，同一时间不能记两次"
    en = "There is a service record for that time; nobody serves twice at once"


class DayFull(Refusal):
    code = "day-full"
    zh = "这一天的服务时长合计不能超过 24 小时（已有 {minutes} 分钟）"
    en = "A day has 24 hours; {minutes} minutes of it are recorded already"

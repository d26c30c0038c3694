"""What each message means, in plain words: the one table of sentences for every event, Chinese and English.

Names in braces are facts of the event as `render.facts` words them; `subject` is the record that speaks.
"""

from __future__ import annotations

from shared.contracts import Event, directory, matching, needs, resources, volunteers
from wushe.language import Words

SERVICES = {
    "directory": Words("组织", "directory"),
    "needs": Words("需求", "needs"),
    "volunteers": Words("志愿者", "volunteers"),
    "resources": Words("物资", "resources"),
    "matching": Words("匹配", "matching"),
}

WORDS: dict[type[Event], Words] = {
    directory.VillageAdded: Words("新增村（社区）：{area_name}", "The village {area_name} is added to the map"),
    directory.SiteChanged: Words(
        "{kind}“{site_name}”已开设或已更新", "The {kind} {site_name} is opened or changed"
    ),
    directory.OrganisationChanged: Words(
        "五社伙伴“{organisation_name}”（{kind}）已登记", "The partner {organisation_name} ({kind}) is on record"
    ),
    directory.AccountChanged: Words("一个账号已就绪：{roles}", "An account is ready: {roles}"),
    needs.HouseholdRegistered: Words(
        "一户家庭已建档：{persons}人，{target_groups}", "A household is on file: {persons} person(s), {target_groups}"
    ),
    needs.LeadReported: Words("排困员上报了一条线索", "A scout reports that somebody may need help"),
    needs.LeadVerified: Words("线索经核实成立，转为需求单", "The report is found true and becomes a need"),
    needs.LeadDismissed: Words("线索经核实不成立", "The report is looked into and found groundless"),
    needs.NeedPosted: Words("点单：{spec}", "A need is posted: {spec}"),
    needs.NeedChanged: Words("需求单已修改：{spec}", "The need is changed: {spec}"),
    needs.NeedCancelled: Words("需求单已取消：{reason}", "The need is cancelled: {reason}"),
    needs.NeedLapsed: Words("期限已过，需求单超时", "Time has run out: the need lapses"),
    needs.ReferralAsked: Words(
        "请{organisation_id}接手，{answer_by}前答复", "{organisation_id} is asked to take it over, by {answer_by}"
    ),
    needs.ReferralDeclined: Words("{organisation_id}未接手", "{organisation_id} does not take it over"),
    needs.NeedReferred: Words("已转介：{organisation_id}接手", "{organisation_id} takes the need over"),
    needs.SearchAsked: Words("久无消息，再次询问匹配进展", "No word for a while: matching is asked where it stands"),
    needs.NeedRated: Words("评单：服务对象打了{score}分（满分5分）", "The resident rates it {score} out of 5"),
    needs.NeedCompleted: Words("需求单办结{confirmed}", "The need is completed{confirmed}"),
    needs.NeedProgressed: Words("状态：{status}{why}", "Status: {status}{why}"),
    volunteers.VolunteerChanged: Words("{subject}的登记信息已更新", "{subject} is on the volunteers' register"),
    volunteers.TeamChanged: Words(
        "志愿服务队已更新，共{members}人", "A team of volunteers is on record: {members} member(s)"
    ),
    volunteers.InvitationsOpened: Words(
        "邀约已送到{opened}，{expires_at}前有效", "Asked, and may answer until {expires_at}: {opened}"
    ),
    volunteers.InvitationRefused: Words("暂不打扰{subject}：{rule}", "{subject} is not asked now: {rule}"),
    volunteers.InvitationAccepted: Words(
        "{subject}答应了，时间已为此留出", "{subject} says yes; the time is kept free for it"
    ),
    volunteers.InvitationDeclined: Words("{subject}婉拒：{reason}", "{subject} says no: {reason}"),
    volunteers.InvitationExpired: Words("{subject}没有答复，邀约已过期", "{subject} has not answered; the invitation expires"),
    volunteers.SlotFreed: Words("{subject}的时间空出来了", "{subject}'s time is free again"),
    volunteers.TaskTaken: Words("接单：{subject}的日程里有了这项任务", "{subject} has the task in the calendar"),
    volunteers.TaskWithdrawn: Words("{subject}临时退出，席位空出", "{subject} drops out; the seat is free again"),
    volunteers.TaskNoShow: Words("{subject}没有到场", "{subject} did not come"),
    volunteers.TaskCheckedIn: Words("{subject}已签到，服务开始", "{subject} checks in: the service begins"),
    volunteers.TaskDone: Words("{subject}已签退，服务{minutes}", "{subject} checks out after {minutes}"),
    volunteers.HoursRecorded: Words("{volunteer_id}记入{kind}{minutes}", "{volunteer_id}: {minutes} of {kind} on record"),
    resources.LotListed: Words("捐赠上架：{state}", "A donation is listed: {state}"),
    resources.LotChanged: Words("捐赠批次有变动：{state}", "A donation has changed: {state}"),
    resources.LotWrittenOff: Words("核销{quantity}：{state}", "{quantity} written off: {state}"),
    resources.HoldPlaced: Words("已预留{quantity}，还可用：{left}", "{quantity} held for this need; still free: {left}"),
    resources.HoldRefused: Words("未能预留：{rule}", "Nothing can be held: {rule}"),
    resources.HoldConfirmed: Words("预留已确认，{pick_up_by}前领取", "The goods are confirmed, to be fetched by {pick_up_by}"),
    resources.HoldExpired: Words("预留已过期，物资放回", "The hold has run out; the goods are free again"),
    resources.HoldReleased: Words("预留已释放：{reason}", "The hold is given back: {reason}"),
    resources.LotIssued: Words("出库{quantity}", "{quantity} handed over"),
    resources.LotReceived: Words("签收：服务对象已收到{quantity}", "The receipt for {quantity} is signed"),
    resources.LotReturned: Words("退回{quantity}", "{quantity} brought back"),
    matching.SeatsOffered: Words(
        "第{wave}轮邀约（{ring}），{open_seats}个席位：{offers}",
        "Wave {wave} ({ring}), {open_seats} seat(s) open: asking {offers}",
    ),
    matching.OffersWithdrawn: Words("通知{invitations}：{reason}", "{invitations}: told at once that {reason}"),
    matching.SeatWon: Words("席位归{volunteer_id}", "The seat is {volunteer_id}'s"),
    matching.SeatFilled: Words("{volunteer_id}晚了一步：{reason}", "{volunteer_id} comes too late: {reason}"),
    matching.SeatReleased: Words("{volunteer_id}的席位收回：{reason}", "{volunteer_id}'s seat is given back: {reason}"),
    matching.HoldRequested: Words("申请预留{asked}", "Asks to hold {asked}"),
    matching.HoldConfirmationRequested: Words("人和物都齐了，请确认预留", "Everything is there: the goods are to be confirmed"),
    matching.HoldReleaseRequested: Words("请释放预留：{reason}", "The goods are to be given back: {reason}"),
    matching.MatchMade: Words("人和物全部配齐：{found}", "All is found: {found}"),
    matching.MatchPartlyMade: Words("先按已有的开始：{found}", "Enough to begin: {found}"),
    matching.MatchReopened: Words("有人退出（{reason}），重新寻找", "{reason}: the search begins again"),
    matching.SearchProgressed: Words(
        "已邀请{asked}人，还缺{open_seats}人：{waiting}", "{asked} asked so far, {open_seats} seat(s) open: {waiting}"
    ),
    matching.MatchStalled: Words("找不到：{diagnosis}", "Nobody yet: {diagnosis}"),
    matching.MatchEscalated: Words(
        "升级：{from_site_id} → {to_site_id}（第{hops}次），首接站点仍负责",
        "Raised from {from_site_id} to {to_site_id} (hop {hops}); the first unit stays accountable",
    ),
    matching.MatchClosed: Words("匹配结束：{reason}", "The search is closed: {reason}"),
}  # fmt: skip

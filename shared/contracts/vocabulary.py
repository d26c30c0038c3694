"""The field's standard terms: stable codes, with labels in Chinese and English.

Codes travel in events, requests and records; labels are for people. Sources: `docs/domain.md`; categories after
DB3701/T 36-2023 (Jinan).
"""

from __future__ import annotations

from enum import StrEnum
from operator import attrgetter


class Term(StrEnum):
    """A code with its labels: `Term("code", "中文", "English")`."""

    zh: str
    en: str

    def __new__(cls, code: str, zh: str, en: str) -> Term:
        self = str.__new__(cls, code)
        self._value_ = code
        self.zh = zh
        self.en = en
        return self

    def label(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


# The same as in every Enum, but in C: it is read for every term in every message.
type.__setattr__(Term, "value", property(attrgetter("_value_")))


class Role(Term):
    STAFF = "staff", "社区工作者", "community worker"
    SCOUT = "scout", "排困员", "hardship scout"
    VOLUNTEER = "volunteer", "社区志愿者", "volunteer"
    SOCIAL_WORKER = "social_worker", "社会工作者", "social worker"
    PROVIDER = "provider", "社会组织", "contracted provider"
    CHARITY = "charity", "慈善组织", "charity"
    SUPERVISOR = "supervisor", "督导（总站／指导中心）", "supervisor"
    ADMINISTRATOR = "administrator", "系统管理员", "administrator"


class SiteKind(Term):
    CENTER = "center", "指导中心", "guidance centre"
    MAIN_STATION = "main_station", "总站", "main station"
    STATION = "station", "社工站", "social work station"
    ROOM = "room", "社工室", "social work room"


class OrganisationKind(Term):
    """The five parties of the linkage."""

    COMMUNITY = "community", "社区", "community"
    SOCIAL_ORGANISATION = "social_organisation", "社会组织", "social organisation"
    SOCIAL_WORK = "social_work", "社会工作机构", "social work agency"
    VOLUNTEER_TEAM = "volunteer_team", "社区志愿者队伍", "volunteer team"
    CHARITY = "charity", "社会慈善资源", "charity resources"


class NeedStatus(Term):
    DRAFT = "draft", "草稿", "draft"
    OPEN = "open", "已受理", "open"
    MATCHING = "matching", "匹配中", "matching"
    PARTLY_MATCHED = "partly_matched", "部分匹配", "partly matched"
    MATCHED = "matched", "已接单", "matched"
    IN_SERVICE = "in_service", "服务中", "in service"
    AWAITING_CONFIRMATION = "awaiting_confirmation", "待确认", "awaiting confirmation"
    COMPLETED = "completed", "已完成", "completed"
    CANCELLED = "cancelled", "已取消", "cancelled"
    LAPSED = "lapsed", "已超时", "lapsed"
    REFERRED = "referred", "已转介", "referred"

    @property
    def terminal(self) -> bool:
        return self in (NeedStatus.COMPLETED, NeedStatus.CANCELLED, NeedStatus.LAPSED, NeedStatus.REFERRED)


class LeadStatus(Term):
    REPORTED = "reported", "已上报", "reported"
    VERIFIED = "verified", "已核实", "verified"
    DISMISSED = "dismissed", "已了结", "dismissed"


class InvitationStatus(Term):
    """`claimed` is the moment between a person's yes and the verdict: the slot is theirs, the seat not yet."""

    PENDING = "pending", "待响应", "pending"
    CLAIMED = "claimed", "确认中", "being decided"
    ACCEPTED = "accepted", "已接单", "accepted"
    DECLINED = "declined", "已婉拒", "declined"
    EXPIRED = "expired", "已过期", "expired"
    WITHDRAWN = "withdrawn", "已撤回", "withdrawn"
    FILLED = "filled", "已满员", "filled"
    NO_SHOW = "no_show", "爽约", "no show"


class TaskStatus(Term):
    TAKEN = "taken", "已接单", "taken"
    CHECKED_IN = "checked_in", "服务中", "checked in"
    DONE = "done", "已完成", "done"
    WITHDRAWN = "withdrawn", "已退出", "withdrawn"
    NO_SHOW = "no_show", "爽约", "no show"
    CANCELLED = "cancelled", "已取消", "cancelled"


class HoldStatus(Term):
    """`confirmed` is a hold whose match was made: it has a pick-up date and no longer lapses by itself."""

    HELD = "held", "已预留", "held"
    CONFIRMED = "confirmed", "已确认", "confirmed"
    ISSUED = "issued", "已出库", "issued"
    RECEIVED = "received", "已签收", "received"
    RELEASED = "released", "已释放", "released"
    EXPIRED = "expired", "已过期", "expired"


class Urgency(Term):
    CRISIS = "crisis", "危机", "crisis"
    URGENT = "urgent", "紧急", "urgent"
    ORDINARY = "ordinary", "一般", "ordinary"
    ROUTINE = "routine", "常规", "routine"


class Audience(Term):
    PUBLIC = "public", "公开招募", "public"
    NAMED = "named", "指定人员", "named people"


class Mode(Term):
    ON_SITE = "on_site", "线下", "on site"
    REMOTE = "remote", "线上", "remote"


class Ring(Term):
    """How far from the need a wave reaches; each ring holds the ones before it."""

    VILLAGE = "village", "本村（社区）", "village"
    TOWNSHIP = "township", "本乡镇（街道）", "township"
    COUNTY = "county", "本县（市、区）", "county"
    CITY = "city", "本市（州）", "city"
    ANYWHERE = "anywhere", "不限地域", "anywhere"


class Category(Term):
    POLICY_ADVICE = "policy_advice", "政策宣传咨询", "policy advice"
    SOCIAL_ASSISTANCE = "social_assistance", "社会救助", "social assistance"
    COMFORT = "comfort", "精神慰藉", "emotional comfort"
    CAPACITY = "capacity", "能力提升", "capacity building"
    SOCIAL_SUPPORT = "social_support", "社会支持", "social support"
    CRISIS_INTERVENTION = "crisis_intervention", "危机干预", "crisis intervention"
    RIGHTS = "rights", "权益维护", "protection of rights"
    INTEGRATION = "integration", "社会融入", "social integration"
    PARTICIPATION = "participation", "社区参与", "community participation"
    CULTURE_HEALTH = "culture_health", "文体健康", "culture, sport and health"
    ENVIRONMENT = "environment", "环境保护", "environment"


def is_crisis(category: Category, urgency: Urgency) -> bool:
    """Whether somebody is in danger: by what a need is about, or by its urgency."""
    return category == Category.CRISIS_INTERVENTION or urgency == Urgency.CRISIS


class Field(Term):
    HARDSHIP = "hardship", "困弱帮扶", "help in hardship"
    ELDERLY = "elderly", "养老服务", "elderly care"
    CHILDREN = "children", "儿童关爱", "child care"
    DISABILITY = "disability", "残障康复", "disability and rehabilitation"
    GOVERNANCE = "governance", "社区治理", "community governance"
    OTHER = "other", "其他", "other"


class Skill(Term):
    """A concrete task that a person can do; a people line asks for one or more of them."""

    MEDICAL_ESCORT = "medical_escort", "助医", "escort to the doctor"
    MEAL_DELIVERY = "meal_delivery", "送餐", "meal delivery"
    ERRANDS = "errands", "代购", "errands"
    HOME_VISIT = "home_visit", "探访", "home visit"
    TEMPORARY_CARE = "temporary_care", "临时照护", "temporary care"
    COUNSELLING = "counselling", "心理疏导", "counselling"
    CHILD_MINDING = "child_minding", "儿童托管", "child minding"
    REHABILITATION = "rehabilitation", "康复治疗", "rehabilitation"
    MEDIATION = "mediation", "矛盾调处", "mediation"
    PHONE_COMPANY = "phone_company", "电话慰问", "phone call"
    TUTORING = "tutoring", "课业辅导", "tutoring"
    HAIRCUT = "haircut", "理发", "haircut"
    REPAIR = "repair", "家电维修", "household repair"
    TRANSPORT = "transport", "接送搬运", "transport"
    INTERPRETING = "interpreting", "语言翻译", "interpreting"
    POLICY_HELP = "policy_help", "政策代办", "help with applications"


class Certificate(Term):
    ASSISTANT_SOCIAL_WORKER = "assistant_social_worker", "助理社会工作师", "assistant social worker"
    SOCIAL_WORKER = "social_worker", "社会工作师", "social worker"
    SENIOR_SOCIAL_WORKER = "senior_social_worker", "高级社会工作师", "senior social worker"
    CHILD_DIRECTOR = "child_director", "儿童主任", "child director"
    CHILD_SUPERVISOR = "child_supervisor", "儿童督导员", "child supervisor"
    COUNSELLOR = "counsellor", "心理咨询师", "counsellor"
    NURSE = "nurse", "护士", "nurse"
    FIRST_AID = "first_aid", "急救员", "first aider"
    REHABILITATION_THERAPIST = "rehabilitation_therapist", "康复治疗师", "rehabilitation therapist"
    DRIVER = "driver", "驾驶证", "driving licence"


NAMED_CERTIFICATES = frozenset(
    {
        Certificate.CHILD_DIRECTOR,
        Certificate.CHILD_SUPERVISOR,
        Certificate.ASSISTANT_SOCIAL_WORKER,
        Certificate.SOCIAL_WORKER,
        Certificate.SENIOR_SOCIAL_WORKER,
    }
)
"""One of these, in force, is what a person needs to be asked for a child or in a crisis."""


class Language(Term):
    MANDARIN = "zh", "普通话", "Mandarin"
    DIALECT = "zh-dialect", "本地方言", "local dialect"
    MIAO = "hmn", "苗语", "Miao"
    BOUYEI = "pcc", "布依语", "Bouyei"
    TIBETAN = "bo", "藏语", "Tibetan"
    UYGHUR = "ug", "维吾尔语", "Uyghur"
    YI = "ii", "彝语", "Yi"
    SIGN = "csl", "手语", "Chinese sign language"
    ENGLISH = "en", "英语", "English"


class GoodsCategory(Term):
    FOOD = "food", "粮油食品", "food"
    CLOTHING = "clothing", "衣物被褥", "clothing and bedding"
    SCHOOL = "school", "学习用品", "school supplies"
    MEDICAL = "medical", "药品器械", "medicine and devices"
    AIDS = "aids", "辅具", "assistive devices"
    FURNITURE = "furniture", "家电家具", "appliances and furniture"
    CASH_GIFT = "cash_gift", "慰问金", "cash gift"
    VOUCHER = "voucher", "服务券", "service voucher"


class LotKind(Term):
    GOODS = "goods", "物资", "goods"
    MONEY = "money", "资金", "money"
    SERVICE = "service", "服务", "service"


class TargetGroup(Term):
    LOW_INCOME = "low_income", "低保对象", "subsistence allowance recipient"
    EXTREME_POVERTY = "extreme_poverty", "特困人员", "person in extreme difficulty"
    NEAR_LOW_INCOME = "near_low_income", "低保边缘家庭", "household near the allowance line"
    ORPHAN = "orphan", "孤儿", "orphan"
    UNSUPPORTED_CHILD = "unsupported_child", "事实无人抚养儿童", "child without de facto support"
    LEFT_BEHIND_CHILD = "left_behind_child", "留守儿童", "left-behind child"
    CHILD_IN_DIFFICULTY = "child_in_difficulty", "困境儿童", "child in difficulty"
    ELDER_ALONE = "elder_alone", "独居老人", "elder living alone"
    EMPTY_NEST = "empty_nest", "空巢老人", "empty-nest elder"
    ADVANCED_AGE = "advanced_age", "高龄老人", "elder of advanced age"
    DISABLED_ELDER = "disabled_elder", "失能老人", "elder unable to care for themselves"
    LEFT_BEHIND_WOMAN = "left_behind_woman", "留守妇女", "left-behind woman"
    DISABLED = "disabled", "残疾人", "person with a disability"
    SEVERELY_DISABLED = "severely_disabled", "重度残疾人", "person with a severe disability"
    SERIOUSLY_ILL = "seriously_ill", "重病患者", "seriously ill person"
    HOMELESS = "homeless", "流浪乞讨人员", "homeless person"
    BEREAVED_PARENTS = "bereaved_parents", "失独家庭", "bereaved only-child family"
    DISASTER_AFFECTED = "disaster_affected", "受灾人员", "person affected by a disaster"
    RESETTLED = "resettled", "易地搬迁户", "resettled household"


CHILD_GROUPS = frozenset(
    {
        TargetGroup.ORPHAN,
        TargetGroup.UNSUPPORTED_CHILD,
        TargetGroup.LEFT_BEHIND_CHILD,
        TargetGroup.CHILD_IN_DIFFICULTY,
    }
)


class Criterion(Term):
    """Soft criteria of matching; the station puts them in order, nobody tunes weights."""

    FIT = "fit", "技能契合", "fit of skills"
    WAITING = "waiting", "等候时间", "waiting time"
    DISTANCE = "distance", "距离远近", "distance"
    LOAD = "load", "本月负担", "load this month"
    CONTINUITY = "continuity", "服务延续", "continuity with the household"


class Rule(Term):
    """Hard rules of matching, in the order in which they are applied and counted."""

    INACTIVE = "inactive", "未激活或已停用", "not active"
    AUDIENCE = "audience", "非指定人员", "not among the named, certified people"
    SKILL = "skill", "技能不符", "lacks the skill"
    CERTIFICATE = "certificate", "缺少证书", "lacks the certificate"
    CERTIFICATE_EXPIRED = "certificate_expired", "证书过期", "the certificate has expired"
    LANGUAGE = "language", "语言不通", "does not speak the language"
    MODE = "mode", "服务方式不符", "does not work in this mode"
    RING = "ring", "不在当前范围", "outside the present ring"
    REACH = "reach", "超出服务半径", "beyond the person's reach"
    WINDOW = "window", "时间不合", "not free at that time"
    OVERLAP = "overlap", "已有任务", "has another task at that time"
    BLOCKED = "blocked", "暂停接单", "takes no tasks until a later date"
    CAP = "cap", "当周已满", "weekly cap reached"
    BUDGET = "budget", "近期已多次邀约", "contact budget used up"
    QUIET = "quiet", "免打扰时段", "quiet hours"
    ASKED = "asked", "已邀约过", "asked before for this need"


class GoodsRule(Term):
    """Why a lot was passed over, in the order in which it is checked."""

    CATEGORY = "category", "类别不符", "other category"
    UNIT = "unit", "单位不符", "other unit"
    ATTRIBUTES = "attributes", "规格或批次不符", "attributes or batch differ"
    BATCH = "batch", "属于专用批次", "put aside for a campaign"
    EXPIRED = "expired", "已过有效期", "past its expiry"
    EARMARK_PURPOSE = "earmark_purpose", "用途不符", "earmarked for another purpose"
    EARMARK_GROUP = "earmark_group", "对象不符", "earmarked for other people"
    EARMARK_AREA = "earmark_area", "区域不符", "earmarked for another area"
    EARMARK_DATE = "earmark_date", "不在使用期内", "outside its dates of use"
    AREA = "area", "不在当前范围", "outside the present ring"
    QUANTITY = "quantity", "数量不足", "not enough left"
    REFUSED = "refused", "已被拒绝过", "refused before for this need"


class Waiting(Term):
    """Why a need that is not finished waits, and for whom."""

    SEARCH = "search", "等待匹配", "the search is about to begin"
    ANSWERS = "answers", "等待志愿者答复", "people have been asked"
    HOLDS = "holds", "等待物资确认", "goods are being confirmed"
    NOBODY = "nobody", "暂无合适人员", "nobody fits yet"
    STOCK_SHORT = "stock_short", "物资不足", "stock is short"
    COORDINATOR = "coordinator", "等待协调员处理", "a coordinator must look at it"
    SERVICE = "service", "等待服务或领取", "the help is to come"
    CONFIRMATION = "confirmation", "等待服务对象确认", "the resident has yet to confirm"
    REFERRAL = "referral", "等待转介单位答复", "another body has been asked"
    SUBMISSION = "submission", "草稿待提交", "the draft has yet to be posted"


class Closing(Term):
    """Why a search, an offer, a seat or a hold was given up."""

    CANCELLED = "cancelled", "需求已取消", "the need was cancelled"
    LAPSED = "lapsed", "需求已超时", "the need lapsed"
    REFERRED = "referred", "已转介", "another body took it over"
    COMPLETED = "completed", "已完成", "it was completed"
    FILLED = "filled", "名额已满", "the seats are filled"
    CHANGED = "changed", "需求已修改", "the need was changed"
    WITHDRAWN = "withdrawn", "志愿者退出", "the person withdrew"
    NO_SHOW = "no_show", "志愿者爽约", "the person did not come"
    NOT_NEEDED = "not_needed", "不再需要", "no longer needed"
    BY_STAFF = "by_staff", "工作人员释放", "released by staff"
    EXPIRED = "expired", "物资已过有效期", "the goods are past their expiry"
    NOT_TO_BE_HAD = "not_to_be_had", "物资已不可用", "the goods can no longer be had"


class ReturnReason(Term):
    """Why goods that were handed over are in the store again."""

    UNDELIVERED = "undelivered", "未能送达", "could not be delivered"
    DECLINED = "declined", "对象谢绝", "the resident declined it"
    UNSUITABLE = "unsuitable", "不合适", "not suitable"
    OTHER = "other", "其他", "other"


class DeclineReason(Term):
    NO_TIME = "no_time", "时间不便", "no time"
    TOO_FAR = "too_far", "路途太远", "too far"
    NOT_ABLE = "not_able", "不能胜任", "not able to do this"
    UNWELL = "unwell", "身体不适", "unwell"
    OTHER = "other", "其他", "other"


class CancelReason(Term):
    SOLVED = "solved", "已自行解决", "solved otherwise"
    DUPLICATE = "duplicate", "重复登记", "entered twice"
    MOVED = "moved", "已搬离", "moved away"
    DECLINED = "declined", "本人不需要", "the resident does not want it"
    MISTAKE = "mistake", "登记有误", "entered by mistake"
    OTHER = "other", "其他", "other"


class HoursKind(Term):
    CREDIT = "credit", "信用时数", "hours by check-in"
    HONOUR = "honour", "荣誉时数", "hours entered afterwards"

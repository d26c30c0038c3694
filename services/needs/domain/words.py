"""Terms that only this service uses: they stand in its records and answers, never in an event."""

from __future__ import annotations

from shared.contracts.vocabulary import Term


class Relation(Term):
    """What a resident is to the head of the household."""

    HEAD = "head", "户主", "head of the household"
    SPOUSE = "spouse", "配偶", "spouse"
    CHILD = "child", "子女", "child"
    PARENT = "parent", "父母", "parent"
    GRANDPARENT = "grandparent", "祖父母", "grandparent"
    GRANDCHILD = "grandchild", "孙子女", "grandchild"
    SIBLING = "sibling", "兄弟姐妹", "sibling"
    GUARDIAN = "guardian", "监护人", "guardian"
    OTHER = "other", "其他", "other"


class Sex(Term):
    FEMALE = "female", "女", "female"
    MALE = "male", "男", "male"


class SelfCare(Term):
    """自理程度, the first of the four fields of a disability assessment."""

    FULL = "full", "完全自理", "needs no help"
    PARTIAL = "partial", "部分自理", "needs help at times"
    NONE = "none", "不能自理", "needs help with everything"


class Livelihood(Term):
    """生活来源"""

    WORK = "work", "劳动收入", "own work"
    PENSION = "pension", "退休金（养老金）", "pension"
    ALLOWANCE = "allowance", "低保或补贴", "public allowance"
    FAMILY = "family", "家庭供养", "the family"
    NONE = "none", "无固定来源", "nothing steady"


class BodyCondition(Term):
    """身体状况"""

    STABLE = "stable", "稳定", "stable"
    CHRONIC = "chronic", "慢性病", "chronic illness"
    IN_TREATMENT = "in_treatment", "治疗康复中", "in treatment"
    BEDRIDDEN = "bedridden", "卧床", "bedridden"


class Support(Term):
    """支持体系"""

    STRONG = "strong", "家人邻里可照应", "family and neighbours help"
    WEAK = "weak", "照应有限", "little help"
    NONE = "none", "无人照应", "no help"


class Move(Term):
    """Why an address is an old one."""

    RESETTLED = "resettled", "易地搬迁", "resettled"
    MOVED = "moved", "搬家", "moved"
    CORRECTED = "corrected", "登记更正", "corrected"


class Channel(Term):
    """How a need came in."""

    STAFF = "staff", "社区工作者登记", "taken by staff"
    SCOUT = "scout", "排困员送单", "a scout's report"
    HOTLINE = "hotline", "热线", "hotline"
    RESIDENT = "resident", "居民自报", "by a resident"
    LOADED = "loaded", "批量导入", "loaded in bulk"


class RatingChannel(Term):
    """How the resident answered."""

    PHONE = "phone", "电话", "by phone"
    PAPER = "paper", "纸质", "on paper"
    LINK = "link", "链接", "by a link"
    IN_PERSON = "in_person", "当面", "in person"


class LeadOutcome(Term):
    """What a scout is told of a lead: kind words, and nothing of the file."""

    RECEIVED = (
        "received",
        "已收到，谢谢您，站点会尽快了解",
        "received with thanks; the station will look into it",
    )
    ARRANGING = "arranging", "已核实，正在安排帮助", "found true; help is being arranged"
    HELPED = "helped", "已经帮上忙，谢谢您的留心", "help has reached them, thanks to you"
    HANDED_ON = "handed_on", "已转给更合适的单位帮助", "handed on to a body better placed to help"
    CLOSED = "closed", "站点已跟进，本次事项已了结", "the station followed it up, and it is closed"
    NOT_FOUND = (
        "not_found",
        "很抱歉，这次没能及时找到帮助，站点已知晓，会继续想办法",
        "help could not be found in time; the station knows, and will try on",
    )
    KNOWN = "known", "站点已掌握情况，谢谢您", "the station already knew; thank you"
    NOT_CONFIRMED = (
        "not_confirmed",
        "已走访，目前不需要帮助，谢谢您",
        "visited; no help is needed at present, thank you",
    )


DISMISSALS = frozenset({LeadOutcome.KNOWN, LeadOutcome.NOT_CONFIRMED})
"""The outcomes with which a lead may be dismissed."""


class Level(Term):
    """How much of a contact is open to somebody, step by step."""

    AREA = "area", "仅区域", "area only"
    MASKED = "masked", "部分隐藏", "masked"
    FULL = "full", "完整", "full"
    FILE = "file", "家庭档案", "the household's file"

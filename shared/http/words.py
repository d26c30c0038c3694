"""What is wrong with a value, by pydantic's kind of error: in Chinese and English, with the way out.

Only limits and allowed values are filled in, never what was sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Words = tuple[str, str]

_TEXT: Words = ("应为文字", "must be text")
_NUMBER: Words = ("应为数字", "must be a number")
_WHOLE: Words = ("应为整数，不带小数", "must be a whole number")
_YES_NO: Words = ("应为 true 或 false", "must be true or false")
_OBJECT: Words = ("应为 JSON 对象 {{…}}", "must be a JSON object {{…}}")
_LIST: Words = ("应为 JSON 数组 […]", "must be a JSON array […]")
_MOMENT: Words = (
    "应为带时区的时间，如 2026-03-02T09:00:00+08:00",
    "must be a time with its zone, such as 2026-03-02T09:00:00+08:00",
)
_DAY: Words = ("应为日期，如 2026-03-02", "must be a date, such as 2026-03-02")
_WALL: Words = ("应为当地时刻，不带时区，如 09:00", "must be a local time without a zone, such as 09:00")

WORDS: dict[str, Words] = {
    "missing": ("必须填写", "must be filled in"),
    "extra_forbidden": ("没有这一项，请删去", "there is no such field; leave it out"),
    "string_type": _TEXT,
    "string_unicode": ("含有无法保存的字符", "holds characters that cannot be kept"),
    "string_too_short": ("至少 {min_length} 个字", "must have at least {min_length} characters"),
    "string_too_long": ("最多 {max_length} 个字，请缩短", "must have at most {max_length} characters; make it shorter"),
    "string_pattern_mismatch": ("格式应为 {pattern}", "must look like {pattern}"),
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": ("数字过大", "is too large a number"),
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": ("应为有限的数字", "must be a finite number"),
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "bool_type": _YES_NO,
    "bool_parsing": _YES_NO,
    "greater_than": ("应大于 {gt}", "must be greater than {gt}"),
    "greater_than_equal": ("不能小于 {ge}", "must be {ge} or more"),
    "less_than": ("应小于 {lt}", "must be less than {lt}"),
    "less_than_equal": ("不能大于 {le}", "must be {le} or less"),
    "multiple_of": ("应为 {multiple_of} 的倍数", "must be a multiple of {multiple_of}"),
    "enum": ("不在可选值之内：{expected}", "must be one of {expected}"),
    "literal_error": ("不在可选值之内：{expected}", "must be one of {expected}"),
    "union_tag_invalid": ("种类应为其一：{expected_tags}", "its kind must be one of {expected_tags}"),
    "union_tag_not_found": ("必须写明种类（{discriminator}）", "must say its kind ({discriminator})"),
    "datetime_type": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "datetime_object_invalid": _MOMENT,
    "timezone_aware": _MOMENT,
    "far_away": ("年份应在 1901 至 2199 之间", "must lie in one of the years 1901 to 2199"),
    "time_type": _WALL,
    "time_parsing": _WALL,
    "not_local": _WALL,
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "too_short": ("至少 {min_length} 项", "must have at least {min_length} entries"),
    "too_long": ("最多 {max_length} 项", "must have at most {max_length} entries"),
    "dict_type": _OBJECT,
    "mapping_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "parameter": ("没有这个查询参数；可用的有：{known}", "there is no such parameter; there are {known}"),
    "no_parameter": ("没有这个查询参数；此地址不带参数", "there is no such parameter; this address takes none"),
    "twice": ("这一项写了两次，请只留一次", "stands here twice; leave one of them"),
    "addresses": (
        "应为逗号分隔的 IP 地址或网段，如 127.0.0.1,10.0.0.7",
        "must be IP addresses or networks parted by commas, as in 127.0.0.1,10.0.0.7",
    ),
    "fault_point": ("应为“点名:次数”，点名有：{points}", "must be POINT:N, where the points are {points}"),
    "phone": (
        "电话为 3 至 20 个字符：数字、空格、括号、加号和短横",
        "a phone number has 3 to 20 characters: digits, spaces, brackets, plus and hyphens",
    ),
    "blank": ("不能只有空格或看不见的字符", "must not be blank"),
    "personal": ("请勿在此填写电话或证件号码", "must not hold a phone number or an identity number"),
    "nul": ("不能含空字符（NUL）", "must not hold the NUL character"),
    "surrogate": ("含有不完整的字符（半个代理对）", "holds half a character (a lone surrogate)"),
}  # fmt: skip

_AND = re.compile(r", | or ")

PATTERNS: dict[str, Words] = {
    r"^[0-9]+$": ("只能用数字", "has digits only"),
    r"^(\d{2}|\d{4}|\d{6}|\d{9}|\d{12})$": ("区划代码为 2、4、6、9 或 12 位数字", "the code of an area has 2, 4, 6, 9 or 12 digits"),
    r"^[0-9a-f]{15}$": ("H3 网格编号为 15 位，只含 0-9 与 a-f", "an H3 cell has 15 characters, 0-9 and a-f"),
    r"^[0-9A-Za-z._-]+$": ("只能用字母、数字、点、下划线和短横", "has letters, digits, dots, underscores and hyphens only"),
    r"^[a-z0-9]{1,20}$": ("为 1 至 20 个小写字母或数字", "has 1 to 20 small letters or digits"),
}  # fmt: skip
"""What the patterns of the interface ask for; whoever fills in a form need not read them."""

_OTHERWISE: Words = ("填写有误，请核对后重填", "is not right; check it and fill it in again")


def words_for(kind: str, facts: Mapping[str, Any]) -> Words:
    """What to say about an error of this kind; `facts` are its limits."""
    zh, en = PATTERNS.get(str(facts.get("pattern"))) or WORDS.get(kind, _OTHERWISE)
    known = _Facts(facts)
    listed = _Facts(
        {n: _AND.sub("、", v) if n in {"expected", "expected_tags"} else v for n, v in facts.items()}
    )
    return zh.format_map(listed), en.format_map(known)


class _Facts(dict[str, Any]):
    """A limit that pydantic did not tell is left open."""

    def __missing__(self, name: str) -> str:
        return "…"

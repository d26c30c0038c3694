"""Who signs in to the sample town: the twelve at work, and the volunteers who have an account. All invented."""

from __future__ import annotations

from typing import NamedTuple

from shared.contracts.vocabulary import Role

PASSWORD = "wushe-fuquan"
"""The same for every sample account. A production system has neither the accounts nor the password."""

ADMINISTRATOR = "admin"


class StaffRow(NamedTuple):
    """An account: `site` and `partner` are keys of the sample."""

    login: str
    name: str
    roles: tuple[Role, ...]
    site: str | None = None
    partner: str | None = None


STAFF = (
    StaffRow(ADMINISTRATOR, "系统管理员", (Role.ADMINISTRATOR,)),
    StaffRow("zhidao", "岑望舒", (Role.SUPERVISOR,), "center"),
    StaffRow("zongzhan", "罗予安", (Role.SUPERVISOR,), "main"),
    StaffRow("jinshan", "王映雪", (Role.STAFF,), "jinshan"),
    StaffRow("niuchang", "韦青禾", (Role.STAFF,), "niuchang"),
    StaffRow("xianqiao", "龙阿妮", (Role.STAFF,), "xianqiao"),
    StaffRow("shegong", "陈㮾", (Role.SOCIAL_WORKER,), "jinshan"),
    StaffRow("paikun", "吴德昌", (Role.SCOUT,), "jinshan"),
    StaffRow("jigou", "石念慈", (Role.PROVIDER,), "main", "nuanyang"),
    StaffRow("tongxin", "田以和", (Role.CHARITY,), None, "tongxin"),
    StaffRow("liangyou", "潘满仓", (Role.CHARITY,), None, "liangyou"),
    StaffRow("zhiyuan", "杨书颜", (Role.CHARITY,), None, "zhiyuan"),
)

VOLUNTEER_LOGINS = ("yang", "wei", "long", "zhou", "aduo", "luo")
"""The volunteers who sign in, in the order of the first rows of `volunteers.ROWS`."""

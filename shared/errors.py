"""Everything that can go wrong, as one small tree.

    WusheError
    ├── Refusal      the domain says no: carries a code, an HTTP status, words in zh and en, a field
    ├── Unreadable   bytes that are no message of ours: a dead letter at once
    ├── TooNew       a message of a version this code does not know yet: set aside
    ├── TooOld       a message whose watermark has been forgotten: set aside for a person
    ├── Illegible    a stored record that this code cannot read: damaged, or written by another version
    ├── Oversized    an event larger than any topic takes: whoever wrote it is at fault, and nothing is saved
    └── Outage       the store or the bus cannot be reached: stop reading, answer 503, lose nothing

Anything else that is raised is a fault in the code: tried again, then a dead letter.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import ValidationError


class WusheError(Exception):
    """The root of the tree."""


class Refusal(WusheError):
    """The domain says no, and says why in words its users use.

    A subclass is one kind of no: `code` is stable and machine-readable, `status` is the HTTP status,
    `zh` and `en` are templates filled from the keyword arguments. `field` is the JSON pointer of the
    part of the request that is to blame, such as `/lines/0/quantity`.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    zh: ClassVar[str] = "请求被拒绝"
    en: ClassVar[str] = "The request was refused"

    def __init__(self, field: str | None = None, **facts: Any) -> None:
        super().__init__(self.code)
        self.field = field
        self.facts = facts

    def words(self, language: str) -> str:
        """The refusal in one sentence, `language` being "zh" or "en"."""
        return (self.zh if language == "zh" else self.en).format(**self.facts)

    def __str__(self) -> str:
        return f"{self.code}: {self.words('en')}"


class NotFound(Refusal):
    code = "not-found"
    status = 404
    zh = "没有找到这条记录，或您无权查看"
    en = "There is no such record, or you may not see it"


class Forbidden(Refusal):
    code = "forbidden"
    status = 403
    zh = "您的角色不能做这件事"
    en = "Your role does not allow this"


class Invalid(Refusal):
    """A value that can be read but makes no sense; `field` names it and `reason` says the way out."""

    code = "invalid"
    status = 422
    zh = "填写有误：{reason_zh}"
    en = "Something filled in is not right: {reason_en}"

    def __init__(self, field: str, *, zh: str, en: str) -> None:
        super().__init__(field, reason_zh=zh, reason_en=en)


class Stale(Refusal):
    code = "stale"
    status = 412
    zh = "这条记录已被别人修改（当前版本 {current}），请刷新后再改"
    en = "Somebody changed this record meanwhile (it is at version {current}); reload and try again"


class KeyReused(Refusal):
    code = "idempotency-key-reused"
    status = 422
    zh = "同一个 Idempotency-Key 已用于另一份内容，请换一个"
    en = "This Idempotency-Key was used for another body; choose a new one"


class Unreadable(WusheError):
    """Bytes that are no message of ours; `reason` is for a person and quotes none of the bytes."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooNew(WusheError):
    """A message of ours in a version this code does not know yet."""

    def __init__(self, type_: str) -> None:
        super().__init__(f"no reader here for {type_}")
        self.type = type_


class TooOld(WusheError):
    """A message older than the watermarks that the record still keeps: nobody can tell if it was applied."""


class Illegible(WusheError):
    """A stored record that cannot be read. `where` is its service and kind, as far as they are known where it is read;
    `fields` tells which parts are wrong. Quotes nothing of what is stored."""

    def __init__(self, where: str, id: str, error: Exception | None = None) -> None:
        flaws = (
            error.errors(include_url=False, include_context=False, include_input=False)
            if isinstance(error, ValidationError)
            else ()
        )
        self.where, self.id = where, id.encode(errors="surrogateescape").decode(errors="replace")
        self.fields = ", ".join(sorted({".".join(map(str, flaw["loc"])) for flaw in flaws} - {""})) or "JSON"
        super().__init__(f"the stored record {where} {self.id} cannot be read ({self.fields})")


class Outage(WusheError):
    """The store or the bus cannot be reached, or did not answer in time; whether a write happened is unknown."""


class Oversized(WusheError):
    """An event too large for a topic. Refused before it is saved, so that no outbox is ever stuck behind it."""

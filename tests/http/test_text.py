"""Which text is refused: what nobody can see, and a person's number where everybody hears it; and nothing else."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from services.directory.schemas.places import PublicName
from shared.http.schema import Name, impersonal

SEEN = [
    "２０２６年第３站", "👩‍👩‍👧 之家", "阿朵·仰", "༄༅། །བོད་ཡིག", "𠮷𡈽村", "\U00031350", "\ue863", "\U0002ebf1", "é", "e\u0301", "1", "。",
    "ㅤ站", " 站 ", "\u200f站",
]  # fmt: skip
UNSEEN = [
    " ",
    "\u3000 ",
    "\n\t",
    "\u200b",
    "\u3164",
    "\u2800",
    "\u202e",
    "\u200b\u200d",
    "\x1b",
    "\ufeff",
    "\uffa0",
    "\u2028",
    "\u00ad",
]
NUMBERS = [
    "13985450001", "王 +8613985450001", "86-13985450001", "0086 139 8545 0001", "139\u200b8545\u200b0001", "013985450001",
    "139.8545.0001", "139·8545·0001", "139854 50001", "(139)8545-0001", "１３９ ８５４５ ０００１", "3 13985450001", "3 139.8545.0001",
    "电话-13985450001", "༡༣༩༨༥༤༥༠༠༠༡", "①③⑨⑧⑤④⑤⓪⓪⓪①", "1 3 9 8 5 4 5 0 0 0 1", "139\u20608545\u31640001", "139\u00a08545\u20030001",
    "522701199001011234", "522701 19900101 123X", "５２２７０１-１９９００１０１-１２３Ｘ",
]  # fmt: skip
NO_NUMBERS = [
    "0854-2221234", "522702102001村", "第 5 组 2026", "12345678901", "139854500012", "13985450001234", "A13985450001",
    "01399854-5000-4139-8545-000139854500", "8f139854-5000-4139-8545-000139854500", "1990.1.1-1995.1.1", "19491001",
]  # fmt: skip


@pytest.mark.parametrize("text", SEEN + NO_NUMBERS)
def test_what_people_can_see_is_kept_byte_for_byte(text: str) -> None:
    assert TypeAdapter(PublicName).validate_python(text) == text


@pytest.mark.parametrize("text", UNSEEN)
def test_what_nobody_can_see_is_no_name(text: str) -> None:
    with pytest.raises(ValidationError, match="blank"):
        TypeAdapter(Name).validate_python(text)


@pytest.mark.parametrize("text", NUMBERS)
def test_a_persons_number_is_found_however_it_is_written(text: str) -> None:
    for told in (text, f"王师傅 {text}", f"{text}（王）"):
        with pytest.raises(ValidationError, match="person's number"):
            TypeAdapter(PublicName).validate_python(told)


@given(st.builds(UUID, int=st.integers(0, 2**128 - 1)))
def test_an_id_made_here_is_nobodys_number(id: UUID) -> None:
    assert impersonal(str(id)) == str(id)

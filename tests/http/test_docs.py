"""The page that describes the interface, of the whole system: what somebody reads who writes a client."""

from __future__ import annotations

import re

import httpx2
import pytest

from shared.http.shapes import told
from wushe.papers import whole_interface


@pytest.fixture
async def page() -> str:
    transport = httpx2.ASGITransport(app=whole_interface())
    async with httpx2.AsyncClient(transport=transport, base_url="http://papers") as http:
        return (await http.get("/docs")).text


async def test_every_link_on_the_page_leads_somewhere(page: str) -> None:
    leads = set(re.findall(r'href="?#([^">]+)', page))
    assert leads > {"NeedIn", "NeedSummary", "Category", "Problem", "needs", "shapes"}
    assert leads <= set(re.findall(r'id="?([^">]+)', page))


async def test_a_route_says_what_it_takes_and_what_it_answers(page: str) -> None:
    (posting,) = re.findall(r'<details><summary id="post_need">.*?</details>', page, re.DOTALL)
    assert 'Takes 提交 <a href="#NeedIn">' in posting
    assert '<b>201</b> <a href="#NeedSummary">' in posting
    assert '<code>Idempotency-Key</code> <b title="required 必填">*</b>' in posting


async def test_a_code_says_what_it_is_called(page: str) -> None:
    (category,) = re.findall(r'<summary id="Category">.*?</details>', page, re.DOTALL)
    assert "<code>comfort</code> 精神慰藉 emotional comfort" in category


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 50}, "whole number 整数, 1 to 50"),
        ({"type": "integer", "exclusiveMinimum": 0}, "whole number 整数, more than 0"),
        ({"type": "string", "maxLength": 200}, "text 文字, up to 200 characters 字"),
        ({"type": "string", "format": "date"}, "day 日期"),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, "yes or no 是否 or null"),
        ({"type": "array", "items": {"type": "number"}, "minItems": 1}, "list 列表 of [number 数], from 1 items 项"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "by name 按名称: whole number 整数"),
        ({"const": "people", "type": "string"}, "<code>people</code>"),
        ({"enum": ["a", "b"], "type": "string", "default": "b"}, "<code>a</code> · <code>b</code>, else 默认 b"),
        ({"type": "boolean", "default": False, "description": "Of `x` < y"}, "yes or no 是否, else 默认 false: "
         "Of <code>x</code> &lt; y"),
        ({}, "anything 任意"),
    ],
)  # fmt: skip
def test_a_value_is_told_in_words(schema: dict[str, object], words: str) -> None:
    assert told(schema) == words

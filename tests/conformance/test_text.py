"""Text comes back byte for byte, whatever people write."""

from __future__ import annotations

import pytest

from shared.ports import Op, Query, Where
from shared.records import Change
from tests.conformance.homes import StoreHome
from tests.conformance.toys import TOYS, Basket, BasketFilled, Fill, put

TEXTS = {
    "full-width digits": "１３８００１３８０００",
    "emoji with joiners": "👩‍👩‍👧‍👦👍🏽🇨🇳",
    "middle dots": "买买提·阿不都拉 ‧ • ・",
    "Tibetan stacks": "བོད་ཡིག ཧཱུྃ ཨོཾ་མ་ཎི་པདྨེ་ཧཱུྃ",
    "beyond the basic plane": "𠮷野 𠀀 𪚥",
    "right to left": "\u202eتشكىلاتى\u202c ئۇيغۇرچە",
    "zero width": "a\u200bb\u200dc\ufeffd",
    "not normalised": "e\u0301 é ﬁ Å Å 가",
    "quotes and escapes": "'; DROP TABLE basket; -- \"\\\n\r\t\x7f\u2028\u2029",
    "line of blanks": " \u3000\xa0 ",
    "control characters": "\x01\x1f",
    "long": "很长" * 20_000,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_text_comes_back_byte_for_byte(home: StoreHome, text: str) -> None:
    store = home.store()
    basket = Basket(id=f"a{text[:100]}", area=text[:500], note=text)
    op = Op(text[:100], "body")
    change = Change(basket, BasketFilled(count=1, note=text), answer={"said": text})
    await store.change(Basket, basket.id, lambda _: change, op=op)
    for again in (False, True):
        store = await home.restarted() if again else home.store()
        found = await store.get(Basket, basket.id)
        assert found is not None
        assert found.record.model_dump_json().encode() == basket.model_dump_json().encode()
        by_area = await store.find(Basket, Query((Where("area", "equal", text[:500]),)))
        assert [one.record for one in by_area] == [basket]
        by_start = await store.find(Basket, Query((Where("area", "prefix", text[:3]),)))
        assert [one.record for one in by_start] == [basket]
        [message] = await store.pending(10)
        assert TOYS.decode(message.value).data == BasketFilled(count=1, note=text)
        assert message.key == basket.id
        assert (await store.change(Basket, basket.id, Fill(), op=op)).answer == {"said": text}


async def test_a_large_body_comes_back_whole(home: StoreHome) -> None:
    note = "棉被、大米、食用油；" * 70_000
    await home.store().change(Basket, "a", put(Basket(id="a", note=note)))
    await home.store().change(Basket, "a", Fill())
    found = await (await home.restarted()).get(Basket, "a")
    assert found is not None
    assert found.record.note == note
    assert len(note.encode()) > 2_000_000

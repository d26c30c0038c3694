"""What may be said of goods: a closed vocabulary, so that no free text travels in an event."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.contracts.goods import ATTRIBUTES, VALUES, Attribute, Unit, check_attributes, label
from shared.contracts.parts import GoodsLine
from shared.contracts.vocabulary import GoodsCategory
from shared.errors import Invalid


def a_line(**attributes: str) -> GoodsLine:
    return GoodsLine(
        id="g1", category=GoodsCategory.FOOD, quantity=1, minimum=1, unit=Unit.BAG, attributes=attributes
    )


@pytest.mark.parametrize("category", GoodsCategory)
def test_every_word_of_a_category_is_taken_and_has_both_labels(category: GoodsCategory) -> None:
    for attribute in ATTRIBUTES[category]:
        for value in VALUES.get(attribute, {"B0417": ("", "")}):
            check_attributes(category, {attribute: value})
            assert a_line(**{attribute: value}).attributes == {attribute: value}
            assert label(attribute, value, "zh") and label(attribute, value, "en")


@pytest.mark.parametrize(
    ("given", "field", "listed"),
    [
        ({"尺码": "L"}, "/lines/2/attributes/尺码", ("diet", "饮食要求", "age_band")),
        ({"size": "L"}, "/lines/2/attributes/size", ("diet", "pack", "batch")),
        ({"diet": "罗阿婆"}, "/lines/2/attributes/diet", ("halal", "清真", "low_sugar")),
        ({"diet": "halal", "batch": "13985450001"}, "/lines/2/attributes/batch", ("B0417",)),
        ({"a~/b": "L"}, "/lines/2/attributes/a~0~1b", ("diet",)),
    ],
)
def test_any_other_word_is_refused_by_field_with_what_is_allowed(
    given: dict[str, str], field: str, listed: tuple[str, ...]
) -> None:
    with pytest.raises(Invalid) as no:
        check_attributes(GoodsCategory.FOOD, given, "/lines/2")
    assert no.value.field == field
    assert all(word in no.value.words("zh") for word in listed)
    assert not any(value in no.value.words(language) for value in given.values() for language in ("zh", "en"))


@pytest.mark.parametrize("given", [{"note": "x"}, {"diet": "罗阿婆"}, {"batch": "B04175"}, {"size": ""}])
def test_an_event_cannot_even_be_written_with_a_word_outside(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        a_line(**given)


def test_codes_are_short_and_hold_no_room_for_a_person() -> None:
    codes = [code for values in VALUES.values() for code in values] + [a.value for a in Attribute]
    assert all(len(code) <= 13 and code.isascii() for code in codes)
    assert all(len(unit) <= 3 for unit in Unit)

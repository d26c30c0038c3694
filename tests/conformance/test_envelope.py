"""The same CloudEvents bytes from the outbox through the bus to the reader."""

from __future__ import annotations

import json

from cloudevents.v1.http import from_json

from shared.ports import Bus, Store
from shared.records import Change
from tests.conformance.toys import BASKETS, TOYS, Basket, BasketFilled, heard, take


async def test_a_message_goes_from_record_to_reader_unchanged(store: Store, bus: Bus) -> None:
    said = BasketFilled(count=1, note="１袋 大米 · 🙏")
    await store.change(Basket, "a", lambda _: Change(Basket(id="a"), said), cause=heard(7))
    pending = await store.pending(10)
    await bus.publish(pending)
    await store.trim(pending)
    [delivery] = await take(await bus.read([BASKETS], group="g"), 1)
    assert (delivery.key, delivery.value) == ("a", pending[0].value)
    message = TOYS.decode(delivery.value)
    assert message.data == said
    assert (message.subject, message.sequence, message.source_record) == ("a", 1, "toys.basket/a")
    assert (message.correlation_id, message.causation_id) == ("story", "s-7")


async def test_what_lies_on_the_bus_is_a_cloud_event(store: Store, bus: Bus) -> None:
    await store.change(Basket, "a", lambda _: Change(Basket(id="a"), BasketFilled(count=1)))
    await bus.publish(await store.pending(10))
    [delivery] = await take(await bus.read([BASKETS], group=None), 1)
    event = from_json(delivery.value)
    assert event["specversion"] == "1.0"
    assert event["type"] == "cn.wushe.basket.filled.v1"
    assert event["source"] == "/wushe/toys"
    assert event["subject"] == event["partitionkey"] == delivery.key == "a"
    assert event["sequence"] == "1"
    assert event["datacontenttype"] == "application/json"
    assert event.get_data() == json.loads(delivery.value)["data"] == {"count": 1}

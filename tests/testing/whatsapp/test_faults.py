"""Each fault of a plan, as the real engine meets it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.testing.whatsapp.driving import Engine, EngineError

from guvercin.testing.whatsapp.bed import Bed
from guvercin.testing.whatsapp.devices import LinkedDevice
from guvercin.testing.whatsapp.faults import Act, Fault, Point
from guvercin.testing.whatsapp.phones import Phone


@pytest.fixture(scope="module")
async def ayse(engine: Engine, bed: Bed) -> tuple[Phone, LinkedDevice]:
    phone = bed.server.add_phone("905321234521", "Ayşe")
    return phone, await engine.link("ayse", phone)


@pytest.fixture
async def zeynep(bed: Bed, ayse: tuple[Phone, LinkedDevice]) -> AsyncIterator[Phone]:
    """Somebody new to write to, and a plan without faults afterwards."""
    assert ayse[1].connection is not None
    yield bed.server.add_phone(f"90532123{len(bed.server.phones):04}", "Zeynep")
    bed.server.faults.clear()


@pytest.mark.parametrize("act", [Act.CUT, Act.CUT_AFTER])
async def test_a_short_cut_is_mended_with_the_same_id(engine: Engine, bed: Bed, zeynep: Phone, act: Act) -> None:
    bed.server.faults.add(Fault(at=Point.MESSAGE, act=act))
    sent = await engine.ask("ayse", "send", to=zeynep.number, text=act)
    assert [(one.id, one.text) for one in zeynep.inbox] == [(sent["ID"], act)]
    tries = [node for node in bed.server.stanzas if node.tag == "message" and node.text("id") == sent["ID"]]
    assert len(tries) == 2


@pytest.mark.parametrize("code", ["463", "475", "479", "429", "400"])
async def test_a_refused_message_arrives_nowhere(engine: Engine, bed: Bed, zeynep: Phone, code: str) -> None:
    bed.server.faults.add(Fault(at=Point.MESSAGE, act=Act.REFUSE, code=code))
    with pytest.raises(EngineError, match=f"server returned error {code}"):
        await engine.ask("ayse", "send", to=zeynep.number, text="olmaz")
    assert zeynep.inbox == []


async def test_a_late_answer_comes_after_the_receipts(engine: Engine, bed: Bed, zeynep: Phone) -> None:
    bed.server.faults.add(Fault(at=Point.MESSAGE, act=Act.DELAY, seconds=0.3))
    before = len(engine.told)
    sent = await engine.ask("ayse", "send", to=zeynep.number, text="geç")
    kinds = [told["data"]["Type"] for told in engine.told[before:] if told["event"] == "Receipt"]
    assert kinds == ["SENDER", "DELIVERED"]
    assert zeynep.inbox[0].id == sent["ID"]


@pytest.mark.parametrize("act", [Act.FORGED, Act.MISSING])
async def test_without_good_keys_the_recipient_gets_nothing(engine: Engine, bed: Bed, zeynep: Phone, act: Act) -> None:
    """The engine says that it sent: only a delivery receipt proves anything."""
    bed.server.faults.add(Fault(at=Point.PREKEYS, act=act, to=zeynep.number))
    sent = await engine.ask("ayse", "send", to=zeynep.number, text="kime")
    (received,) = zeynep.inbox
    assert (received.id, received.message, received.own_copy is None) == (sent["ID"], None, False)


async def test_a_number_without_whatsapp_is_known_before(engine: Engine, bed: Bed, zeynep: Phone) -> None:
    bed.server.faults.add(Fault(at=Point.LOOKUP, act=Act.MISSING, to=zeynep.number))
    with pytest.raises(EngineError, match="no LID found"):
        await engine.ask("ayse", "send", to=zeynep.number, text="kim")
    assert zeynep.inbox == []


async def test_a_refused_upload_sends_nothing(engine: Engine, bed: Bed, zeynep: Phone) -> None:
    bed.server.faults.add(Fault(at=Point.UPLOAD, act=Act.REFUSE, code="507"))
    with pytest.raises(EngineError, match="507"):
        await engine.ask("ayse", "document", to=zeynep.number, content="JVBERi0=", caption="")
    assert zeynep.inbox == []


async def linked(engine: Engine, bed: Bed, client: str) -> tuple[Phone, LinkedDevice]:
    """A client for one test alone: what the engine keeps of one that was stopped is nobody else's trouble."""
    phone = bed.server.add_phone(f"90532123{len(bed.server.phones):04}", "Mehmet")
    return phone, await engine.link(client, phone)


async def test_a_receipt_that_no_client_knows_ends_the_engines_ears(engine: Engine, bed: Bed, zeynep: Phone) -> None:
    phone, device = await linked(engine, bed, "poisoned")
    bed.server.faults.add(Fault(at=Point.MESSAGE, act=Act.RECEIPT, code="server-error"))
    before = len(engine.told)
    await engine.ask("poisoned", "send", to=zeynep.number, text="zehir")
    assert "Receipt.Type not set" in await engine.event("poisoned", "ended", after=before)
    await engine.ask("poisoned", "stop")
    await bed.server.until(lambda: device.connection is None)
    await engine.ask("poisoned", "connect", device=[phone.number, device.number])
    await engine.event("poisoned", "Connected", after=before)


def refusal(reason: str, **attrs: str) -> Fault:
    return Fault(at=Point.LOGIN, act=Act.REFUSE, code=reason, attrs=tuple(attrs.items()))


@pytest.mark.parametrize(
    ("fault", "event"),
    [
        (refusal("402", code="101", expire="3600"), "TemporaryBan"),
        (refusal("405"), "ClientOutdated"),
        (refusal("409"), "ConnectFailure"),
        (refusal("418"), "ended"),
        (refusal("503"), "Disconnected"),
    ],
)
async def test_a_refused_login(engine: Engine, bed: Bed, fault: Fault, event: str) -> None:
    client = f"refused-{fault.code}"
    phone, device = await linked(engine, bed, client)
    fault = replace(fault, account=phone.number)
    bed.server.faults.add(fault)
    before = len(engine.told)
    assert device.connection is not None
    await device.connection.cut()
    await bed.server.until(lambda: fault in bed.server.faults.struck)
    await engine.event(client, event, after=before)
    if fault.code != "503":  # then the engine redials by itself
        await engine.ask(client, "stop")
        await engine.ask(client, "connect", device=[phone.number, device.number])
    await engine.event(client, "Connected", after=before)


async def test_another_client_takes_the_connection_over(engine: Engine, bed: Bed, zeynep: Phone) -> None:
    phone, device = await linked(engine, bed, "replaced")
    bed.server.faults.add(Fault(at=Point.MESSAGE, act=Act.REPLACED, account=phone.number))
    before = len(engine.told)
    await engine.ask("replaced", "send", to=zeynep.number, text="son")
    await engine.event("replaced", "StreamReplaced", after=before)
    await engine.ask("replaced", "stop")
    await engine.ask("replaced", "connect", device=[phone.number, device.number])
    await engine.event("replaced", "Connected", after=before)


@pytest.mark.parametrize(("act", "arrives"), [(Act.SILENT, True), (Act.LOST, False)])
async def test_a_message_that_nobody_acknowledges(engine: Engine, bed: Bed, act: Act, *, arrives: bool) -> None:
    phone = bed.server.add_phone(f"90532123{len(bed.server.phones):04}", "Mehmet")
    zeynep = bed.server.add_phone(f"90532123{len(bed.server.phones):04}", "Zeynep")
    await engine.link(act, phone)
    fault = Fault(at=Point.MESSAGE, act=act, to=zeynep.number)
    bed.server.faults.add(fault)
    sending = asyncio.ensure_future(engine.ask(act, "send", to=zeynep.number, text="kimse duymadı"))
    await bed.server.until(lambda: fault in bed.server.faults.struck)
    if arrives:
        await engine.event(act, "Receipt", where=lambda it: it["Type"] == "DELIVERED")
    assert (len(zeynep.inbox), sending.done()) == (int(arrives), False)
    sending.cancel()  # the engine itself gives up after 75 seconds


async def test_the_phone_removes_the_client_after_a_message(engine: Engine, bed: Bed) -> None:
    phone = bed.server.add_phone(f"90532123{len(bed.server.phones):04}", "Mehmet")
    zeynep = bed.server.add_phone(f"90532123{len(bed.server.phones):04}", "Zeynep")
    await engine.link("after", phone)
    bed.server.faults.add(Fault(at=Point.MESSAGE, act=Act.REMOVED, account=phone.number, skip=1))
    for text in ("bir", "iki"):
        await engine.ask("after", "send", to=zeynep.number, text=text)
    await engine.event("after", "LoggedOut")
    assert ([one.text for one in zeynep.inbox], phone.devices) == (["bir", "iki"], {})


@pytest.mark.parametrize("code", ["401", "403", "406", "removed"])
async def test_an_account_that_is_lost_must_be_linked_again(engine: Engine, bed: Bed, code: str) -> None:
    phone = bed.server.add_phone(f"90532123{len(bed.server.phones):04}", "Mehmet")
    device = await engine.link(code, phone)
    assert device.connection is not None
    if code == "removed":
        await phone.unlink(device)
    else:
        bed.server.faults.add(Fault(at=Point.LOGIN, act=Act.REFUSE, code=code, account=phone.number))
        await device.connection.cut()
    told = await engine.event(code, "LoggedOut")
    assert bool(told.get("OnConnect")) is (code != "removed")


async def test_a_server_that_is_away_answers_nobody(
    engine: Engine, bed: Bed, zeynep: Phone, ayse: tuple[Phone, LinkedDevice]
) -> None:
    _, device = ayse
    before = len(engine.told)
    bed.server.is_away = True
    assert device.connection is not None
    await device.connection.cut()
    await engine.event("ayse", "Disconnected", after=before)
    with pytest.raises(EngineError, match="websocket not connected"):
        await engine.ask("ayse", "send", to=zeynep.number, text="orada mısın")
    bed.server.is_away = False
    await engine.event("ayse", "Connected", after=before)

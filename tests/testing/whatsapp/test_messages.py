"""Messages between the real engine and simulated phones, and between two accounts that the engine is linked to."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from tests.testing.whatsapp.driving import Engine

from guvercin.testing.whatsapp.bed import Bed
from guvercin.testing.whatsapp.devices import LinkedDevice
from guvercin.testing.whatsapp.faults import Act, Fault, Point
from guvercin.testing.whatsapp.phones import DELIVERED, READ, Phone, Received

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
LAST_WROTE = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
NUMBERS = count(905321235000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    phone: Phone
    device: LinkedDevice


@pytest.fixture(scope="module")
async def ayse(engine: Engine, bed: Bed) -> Account:
    phone = bed.server.add_phone("905321234511", "Ayşe", receipts=(DELIVERED, READ))
    phone.history = ((somebody(bed, "Eski"), LAST_WROTE),)
    return Account(phone=phone, device=await engine.link("ayse", phone))


@pytest.fixture(scope="module")
async def mehmet(engine: Engine, bed: Bed) -> Account:
    phone = bed.server.add_phone("905321234512", "Mehmet")
    return Account(phone=phone, device=await engine.link("mehmet", phone))


def somebody(bed: Bed, name: str = "Zeynep", **behaviour: Any) -> Phone:
    return bed.server.add_phone(str(next(NUMBERS)), name, **behaviour)


async def arrived(bed: Bed, message_id: str) -> Received:
    return await bed.server.until(lambda: next((one for one in bed.server.received if one.id == message_id), None))


async def test_a_text_and_its_receipts(engine: Engine, bed: Bed, ayse: Account) -> None:
    zeynep = somebody(bed, receipts=(DELIVERED, READ))
    sent = await engine.ask("ayse", "send", to=zeynep.number, text="Merhaba *dünya* 👋")
    received = await arrived(bed, sent["ID"])
    assert (received.text, received.error, zeynep.inbox) == ("Merhaba *dünya* 👋", "", [received])
    assert received.own_copy.deviceSentMessage.message.conversation == received.text
    delivered = await engine.event("ayse", "Receipt", where=lambda it: it["Type"] == "DELIVERED")
    read = await engine.event("ayse", "Receipt", where=lambda it: it["Type"] == "READ")
    assert delivered["MessageIDs"] == read["MessageIDs"] == [sent["ID"]]
    assert ayse.device.connection is not None


async def test_a_note_to_oneself(engine: Engine, bed: Bed, ayse: Account) -> None:
    sent = await engine.ask("ayse", "send", to=ayse.phone.number, text="unutma")
    assert (await arrived(bed, sent["ID"])).text == "unutma"


async def test_a_message_between_two_linked_accounts(engine: Engine, bed: Bed, ayse: Account, mehmet: Account) -> None:
    """Both get everything: the phone, the linked client, and the writer's own phone a copy."""
    sent = await engine.ask("ayse", "send", to=mehmet.phone.number, text="selam Mehmet")
    heard = await engine.event("mehmet", "Message", where=lambda it: it["Info"]["ID"] == sent["ID"])
    assert heard["Message"]["conversation"] == "selam Mehmet"
    assert heard["Info"]["MessageSource"]["SenderAlt"]["User"] == ayse.phone.number
    assert (await arrived(bed, sent["ID"])).text == "selam Mehmet"
    answer = await engine.ask("mehmet", "send", to=ayse.phone.number, text="aleyküm selam")
    heard = await engine.event("ayse", "Message", where=lambda it: it["Info"]["ID"] == answer["ID"])
    assert heard["Message"]["conversation"] == "aleyküm selam"
    await engine.ask("ayse", "read", message=answer["ID"], chat=mehmet.phone.lid)
    told = await engine.event(
        "mehmet", "Receipt", where=lambda it: it["Type"] == "READ" and it["MessageIDs"] == [answer["ID"]]
    )
    assert told["MessageSource"]["Chat"]["User"] == ayse.phone.lid


async def test_a_client_that_links_later_is_written_to_as_well(engine: Engine, bed: Bed, ayse: Account) -> None:
    """The news about the recipient's devices makes the engine ask for them again."""
    zeynep = somebody(bed)
    await engine.ask("ayse", "send", to=zeynep.number, text="önce")
    device = await engine.link("zeynep", zeynep)
    await bed.server.until(lambda: not ayse.device.queue)
    first = await engine.ask("ayse", "send", to=zeynep.number, text="sonra")
    second = await engine.ask("ayse", "send", to=zeynep.number, text="daha sonra")
    heard = await engine.event("zeynep", "Message", where=lambda it: it["Info"]["ID"] in (first["ID"], second["ID"]))
    assert heard["Message"]["conversation"] in ("sonra", "daha sonra")
    await zeynep.unlink(device)
    await engine.event("zeynep", "LoggedOut")
    third = await engine.ask("ayse", "send", to=zeynep.number, text="en son")
    assert (await arrived(bed, third["ID"])).text == "en son"


async def test_a_phone_writes_and_a_copy_comes_of_what_it_writes_itself(
    engine: Engine, bed: Bed, ayse: Account
) -> None:
    zeynep = somebody(bed, "Zeynep Kaya")
    written = await zeynep.write(ayse.phone, "günaydın")
    heard = await engine.event("ayse", "Message", where=lambda it: it["Info"]["ID"] == written)
    assert heard["Message"]["conversation"] == "günaydın"
    assert heard["Info"]["Pushname"] == "Zeynep Kaya"
    own = await ayse.phone.write(zeynep, "telefondan yazdım")
    heard = await engine.event("ayse", "Message", where=lambda it: it["Info"]["ID"] == own)
    assert heard["Info"]["MessageSource"]["IsFromMe"]
    assert heard["Info"]["MessageSource"]["Chat"]["User"] == zeynep.lid
    await bed.server.until(lambda: not ayse.device.queue)


async def test_files_both_ways(engine: Engine, bed: Bed, ayse: Account) -> None:
    zeynep = somebody(bed)
    content = base64.b64encode(PDF).decode()
    sent = await engine.ask("ayse", "document", to=zeynep.number, content=content, caption="Fatura")
    received = await arrived(bed, sent["ID"])
    document = received.message.documentMessage
    if received.message.HasField("documentWithCaptionMessage"):
        document = received.message.documentWithCaptionMessage.message.documentMessage
    assert (bed.server.media.fetch(document, "document"), received.text) == (PDF, "Fatura")
    written = await zeynep.send_file(ayse.phone, PDF, "document", fileName="dilekçe.pdf", mimetype="application/pdf")
    heard = await engine.event("ayse", "Message", where=lambda it: it["Info"]["ID"] == written)
    assert base64.b64decode(await engine.ask("ayse", "download", message=heard["Message"])) == PDF


@pytest.mark.usefixtures("ayse")
async def test_a_phone_that_cannot_read_asks_again(engine: Engine, bed: Bed) -> None:
    zeynep = somebody(bed)
    bed.server.faults.add(Fault(at=Point.MESSAGE, act=Act.UNREADABLE, to=zeynep.number))
    sent = await engine.ask("ayse", "send", to=zeynep.number, text="tekrar")
    await engine.event("ayse", "Receipt", where=lambda it: (it["Type"], it["MessageIDs"]) == ("RETRY", [sent["ID"]]))
    received = await bed.server.until(lambda: next((one for one in zeynep.inbox if one.message is not None), None))
    assert (received.id, received.text, received.retries) == (sent["ID"], "tekrar", 1)
    delivered = ("DELIVERED", [sent["ID"]])
    await engine.event("ayse", "Receipt", where=lambda it: (it["Type"], it["MessageIDs"]) == delivered)


async def test_a_client_that_cannot_read_asks_again(engine: Engine, bed: Bed, ayse: Account) -> None:
    zeynep = somebody(bed)
    zeynep.signal.begin(str(ayse.device.lid_jid), somebody(bed).signal.bundle())  # keys of somebody else's
    written = await zeynep.write(ayse.phone, "okunmaz")
    heard = await engine.event("ayse", "Message", where=lambda it: it["Info"]["ID"] == written)
    assert heard["Message"]["conversation"] == "okunmaz"


async def test_the_history_tells_who_wrote_last(engine: Engine, ayse: Account) -> None:
    told = await engine.event("ayse", "HistorySync")
    (conversation,) = told["Data"]["conversations"]
    ((known, at),) = ayse.phone.history
    assert conversation["pnJID"] == str(known.pn_jid)
    (message,) = conversation["messages"]
    assert message["message"]["messageTimestamp"] == str(int(at.timestamp()))


async def test_what_came_while_the_client_was_away_waits(engine: Engine, bed: Bed, mehmet: Account) -> None:
    zeynep = somebody(bed)
    await engine.ask("mehmet", "stop")
    await bed.server.until(lambda: mehmet.device.connection is None)
    before = len(engine.told)
    written = [await zeynep.write(mehmet.phone, f"{number}") for number in range(3)]
    await engine.ask("mehmet", "connect", device=[mehmet.phone.number, mehmet.device.number])
    preview = await engine.event("mehmet", "OfflineSyncPreview", after=before)
    assert (preview["Total"], preview["Message"]) == (3, 3)
    await engine.event("mehmet", "OfflineSyncCompleted", after=before)
    await engine.event("mehmet", "Message", where=lambda it: it["Info"]["ID"] == written[-1])
    heard = [told["data"]["Info"]["ID"] for told in engine.told[before:] if told["event"] == "Message"]
    assert heard == written
    await bed.server.until(lambda: not mehmet.device.queue)


async def test_who_is_on_whatsapp(engine: Engine, bed: Bed, ayse: Account) -> None:
    zeynep = somebody(bed)
    gone = somebody(bed)
    gone.is_registered = False
    found = await engine.ask("ayse", "look_up", numbers=[f"+{zeynep.number}", f"+{gone.number}"])
    assert [bool(one.get("IsIn")) for one in found] == [True, False]
    assert ayse.phone.devices


@pytest.mark.parametrize("hours", [-3, 3])
async def test_the_servers_clock_goes_wrong(engine: Engine, bed: Bed, ayse: Account, hours: int) -> None:
    bed.server.skew = timedelta(hours=hours)
    try:
        zeynep = somebody(bed)
        sent = await engine.ask("ayse", "send", to=zeynep.number, text="saat")
        assert abs(int(sent["Timestamp"]) - bed.server.seconds()) < 60
        written = await zeynep.write(ayse.phone, "saat kaç")
        heard = await engine.event("ayse", "Message", where=lambda it: it["Info"]["ID"] == written)
        assert abs(int(heard["Info"]["Timestamp"]) / 1000 - bed.server.seconds()) < 60
    finally:
        bed.server.skew = timedelta(0)

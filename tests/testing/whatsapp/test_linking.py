"""The real engine is linked to a phone, and refuses what isn't right."""

from pathlib import Path

import aiohttp
import pytest
from tests.testing.whatsapp.driving import Engine

from guvercin.gateway.clock import SystemClock
from guvercin.testing.whatsapp.bed import Bed, running
from guvercin.testing.whatsapp.faults import Act, Fault, Point
from guvercin.testing.whatsapp.linking import LinkingError


async def test_by_qr(engine: Engine, bed: Bed) -> None:
    ayse = bed.server.add_phone("905321234501", "Ayşe")
    device = await engine.link("qr", ayse)
    assert ayse.devices == {1: device}
    assert len(device.prekeys) > 700
    assert bed.server.offers == {}


async def test_by_a_typed_code(engine: Engine, bed: Bed) -> None:
    ayse = bed.server.add_phone("905321234502", "Ayşe")
    await engine.ask("typed", "connect")
    await engine.event("typed", "code")
    code = await engine.ask("typed", "code", phone="+90 532 123 45 02")
    device = await ayse.type_code(code)
    await engine.event("typed", "Connected")
    assert device.connection is not None


async def test_a_mistyped_code_links_nothing(engine: Engine, bed: Bed) -> None:
    ayse = bed.server.add_phone("905321234503", "Ayşe")
    await engine.ask("mistyped", "connect")
    await engine.event("mistyped", "code")
    code = await engine.ask("mistyped", "code", phone="905321234503")
    wrong = ("A" if code[0] != "A" else "B") + code[1:]
    with pytest.raises(LinkingError, match="mistyped"):
        await ayse.type_code(wrong)
    assert ayse.devices == {}


async def test_a_wrong_signature_is_refused(engine: Engine, bed: Bed) -> None:
    bed.server.faults.add(Fault(at=Point.LINKING, act=Act.REFUSE))
    ayse = bed.server.add_phone("905321234504", "Ayşe")
    await engine.ask("refused", "connect")
    with pytest.raises(LinkingError, match="refuses"):
        await ayse.scan(await engine.event("refused", "code"))
    assert await engine.event("refused", "status") == "error"
    assert ayse.devices == {}


async def test_a_passkey_stands_in_the_way(engine: Engine, bed: Bed) -> None:
    bed.server.faults.add(Fault(at=Point.LINKING, act=Act.PASSKEY))
    ayse = bed.server.add_phone("905321234505", "Ayşe")
    await engine.ask("passkey", "connect")
    with pytest.raises(LinkingError, match="passkey"):
        await ayse.scan(await engine.event("passkey", "code"))
    assert await engine.event("passkey", "status") == "passkey-request"
    assert ayse.devices == {}


async def test_a_stale_code_is_none(bed: Bed) -> None:
    ayse = bed.server.add_phone("905321234506", "Ayşe")
    for text in ("", "hello", "https://wa.me/settings/linked_devices#2@gone,AAAA,AAAA,AAAA,1"):
        with pytest.raises(LinkingError):
            await ayse.scan(text)


@pytest.mark.parametrize("said", [b"GET /", b"WA\x06\x03\x00\x00\x02hi", b"WA\x06\x03\x00\x00\x00\x00\x00\x00"])
async def test_nonsense_ends_its_own_connection_alone(engine: Engine, bed: Bed, said: bytes) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(bed.address) as websocket:
        await websocket.send_bytes(said)
        async for _ in websocket:
            pass
    ayse = bed.server.add_phone(f"90532123{len(bed.server.phones):04}", "Ayşe")
    await engine.link(ayse.number, ayse)


async def test_the_clients_own_root_key_refuses_this_server(tmp_path: Path) -> None:
    """A control: the certificate is really looked at."""
    async with running(tmp_path / "bed", SystemClock(), is_trusted=False) as bed:
        engine = Engine(bed)
        await engine.start()
        await engine.ask("a", "connect")
        assert "failed to verify" in await engine.event("a", "ended")
        assert bed.server.offers == {}
        await engine.kill()

"""The fixture that others use as well."""

from tests.testing.whatsapp.driving import Engine

from guvercin.testing.whatsapp.bed import Bed


async def test_the_fixture_is_a_whole_whatsapp(whatsapp: Bed) -> None:
    zeynep = whatsapp.server.add_phone("905321234561", "Zeynep")
    engine = Engine(whatsapp)
    await engine.start()
    try:
        await engine.ask("a", "connect")
        assert await engine.event("a", "code")
        assert len(whatsapp.server.offers) == 6
        assert zeynep.devices == {}
    finally:
        await engine.kill()

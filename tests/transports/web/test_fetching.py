"""The files that people send to a linked phone: the real engine fetches them when it is asked to, and not before."""

from pathlib import Path

import pytest
from tests.transports.web.bedside import Bedside, Linked, until

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.outcome import Inbound
from guvercin.testing.whatsapp.faults import Act, Fault, Point
from guvercin.transports.web.errors import fetch_trouble

pytestmark = pytest.mark.xdist_group("whatsapp")

LIMIT = 1_000_000
PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8


async def received(side: Bedside, line: Linked, content: bytes, kind: str) -> bytes:
    """Let somebody send a file, and answer the way to it."""
    before = len(line.told)
    await side.call(side.person().send_file(line.phone, content, kind))
    await until(lambda: any(isinstance(event, Inbound) for event in line.told[before:]))
    (inbound,) = [event for event in line.told[before:] if isinstance(event, Inbound)]
    assert inbound.source is not None
    assert repr(inbound.source) not in repr(inbound)
    return inbound.source


async def refused(line: Linked, source: bytes, path: Path, *, limit: int = LIMIT) -> Code:
    with pytest.raises(GuvercinError) as caught:
        await line.web.fetch(source, path, limit=limit)
    return caught.value.code


async def test_a_file_comes_whole_when_it_is_asked_for(side: Bedside, line: Linked, tmp_path: Path) -> None:
    path = tmp_path / "gelen"
    for kind in ("image", "document", "video", "audio"):
        path.write_bytes(b"")
        await line.web.fetch(await received(side, line, PICTURE + kind.encode(), kind), path, limit=LIMIT)
        assert path.read_bytes() == PICTURE + kind.encode()


async def test_why_a_file_cannot_be_had(side: Bedside, line: Linked, tmp_path: Path) -> None:
    path = tmp_path / "gelen"
    path.write_bytes(b"")
    source = await received(side, line, PICTURE, "image")
    assert await refused(line, source, path, limit=len(PICTURE) - 1) is Code.INBOUND_FILE_LARGE
    side.server.faults.add(Fault(at=Point.DOWNLOAD, act=Act.REFUSE, code="500", times=20))
    assert await refused(line, source, path) is Code.INBOUND_FILE_AWAY
    side.server.faults.clear()
    assert path.read_bytes() == b""
    await line.web.fetch(source, path, limit=LIMIT)
    side.server.media.forget()
    assert await refused(line, source, path) is Code.INBOUND_FILE_GONE
    await line.end()
    assert await refused(line, source, path) is Code.INBOUND_FILE_AWAY


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("failed to download media from last host: download failed with status code 404", Code.INBOUND_FILE_GONE),
        ("download failed with status code 410", Code.INBOUND_FILE_GONE),
        ("hash of media ciphertext doesn't match", Code.INBOUND_FILE_GONE),
        ("invalid media hmac", Code.INBOUND_FILE_GONE),
        ("download failed with status code 503", Code.INBOUND_FILE_AWAY),
        ("failed to refresh media connections: websocket not connected", Code.INBOUND_FILE_AWAY),
        ("client is nil", Code.INBOUND_FILE_AWAY),
        ("too large to fetch", Code.INBOUND_FILE_LARGE),
    ],
)
def test_what_the_engine_says_of_a_file(error: str, code: Code) -> None:
    assert fetch_trouble(error) is code

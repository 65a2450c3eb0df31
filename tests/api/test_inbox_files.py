"""The files of the inbox over HTTP: fetched when they are asked for, kept, and gone with their message."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
from tests.api.conftest import BASE, Connect, Server

from guvercin.core.inbound import InboundKind, Media
from guvercin.core.outcome import Inbound
from guvercin.core.token import Permission
from guvercin.transports.drawing import picture

SENDER = "+905000000013"
INBOX = f"{BASE}/gelen"


async def sent_a_picture(server: Server, client: httpx2.AsyncClient) -> dict[str, Any]:
    """Write to the number that answers with a picture; answers its row."""
    await client.post(f"{BASE}/gonder", json={"telefon": SENDER, "mesaj": "Merhaba"})
    for _ in range(200):
        rows: list[dict[str, Any]] = (await client.get(INBOX)).json()["data"]
        if rows:
            return rows[0]
        await server.clock.sleep_until(server.clock.monotonic() + 0.1)
    raise AssertionError("no picture came")


def copies(server: Server) -> list[str]:
    return sorted(path.name for path in (server.files.parent / "spool").glob("*/*"))


async def test_a_picture_is_fetched_kept_and_forgotten_with_its_sender(
    server: Server, client: httpx2.AsyncClient
) -> None:
    row = await sent_a_picture(server, client)
    assert (row["tip"], row["metin"]) == ("gorsel", "Bundan var mı?")
    url = f"/api/v1/whatsapp/gelen/{row['id']}/dosya"
    assert row["medya"] == {"tur": "image/png", "ad": None, "boyut": len(picture()), "dosya_url": url}
    assert copies(server) == [], "nothing is fetched by itself"
    (event,) = (await client.get(f"{BASE}/olaylar?olaylar=mesaj.alindi")).json()["data"]
    assert event["data"]["medya"] == row["medya"]
    found = await server.store.file_of_inbox(row["id"])
    assert found is not None
    assert found.source is not None
    assert b"drawing" not in found.source, "the way to a file is sealed"
    for path in (server.files.parent / "guvercin.db", server.files.parent / "guvercin.db-wal"):
        assert b"drawing" not in path.read_bytes()

    answers = await asyncio.gather(*(client.get(url) for _ in range(4)))
    for answer in answers:
        assert (answer.status_code, answer.content) == (200, picture())
        assert answer.headers["content-type"] == "image/png"
        name = f"gelen-{row['id']}.png"
        assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "no-store" in answer.headers["cache-control"]
        assert "sandbox" in answer.headers["content-security-policy"]
    assert len(copies(server)) == 1
    assert copies(server)[0] in await server.store.spool_digests(), "it stays as long as its message"

    owner = await server.gateway.authenticate(await server.token())
    await server.gateway.accounts.pause(owner, server.account.id)
    assert (await client.get(url)).content == picture(), "a copy asks nobody"
    (server.files.parent / "spool" / copies(server)[0][:2] / copies(server)[0]).unlink()
    down = await client.get(url)
    assert (down.status_code, down.json()["kod"], down.headers["retry-after"]) == (503, "gelen_dosya_alinamadi", "30")
    await server.gateway.accounts.resume(owner, server.account.id)
    for _ in range(200):
        if (await client.get(url)).status_code == 200:
            break
        await server.clock.sleep_until(server.clock.monotonic() + 0.1)
    assert len(copies(server)) == 1, "fetched again"

    await server.clock.sleep_until(server.clock.monotonic() + 0.1)  # what was taken this very moment is spared
    gone = await client.delete(f"{BASE}/kisiler/{SENDER}")
    assert gone.json()["data"]["dosya"] == 1
    assert copies(server) == []
    assert (await client.get(url)).status_code == 404


async def test_the_night_takes_the_way_and_the_copy(server: Server, client: httpx2.AsyncClient) -> None:
    row = await sent_a_picture(server, client)
    assert (await client.get(f"{INBOX}/{row['id']}/dosya")).status_code == 200
    store, now = server.store, server.clock.now()
    night = await store.begin_destruction(now=now)
    await store.destroy_contents(night, above=0, before=now + timedelta(hours=1))
    found = await store.file_of_inbox(row["id"])
    assert found is not None
    assert (found.source, found.digest, found.received.text) == (None, None, None)
    assert not await store.keep_file_of_inbox(row["id"], copies(server)[0]), "and it doesn't come back"
    assert copies(server)[0] not in await store.spool_digests()
    gone = await client.get(f"{INBOX}/{row['id']}/dosya")
    assert (gone.status_code, gone.json()["kod"]) == (410, "gelen_dosya_yok")
    assert (await client.get(f"{INBOX}/{row['id']}")).json()["data"]["medya"]["dosya_url"] is None


async def heard(server: Server, number: int, *, media: Media | None, source: bytes | None = None) -> None:
    kind = InboundKind.TEXT if media is None else InboundKind.DOCUMENT
    wrote = Inbound(
        remote_id=f"I-{number}",
        sender="+905321234567",
        text="",
        at=server.clock.now(),
        kind=kind,
        media=media,
        source=source,
    )
    await server.house.sessions.tell(server.account.id, [wrote])


async def test_what_cannot_be_had_is_said(server: Server, client: httpx2.AsyncClient, connect: Connect) -> None:
    await heard(server, 1, media=None)
    await heard(server, 2, media=Media(name="eski.pdf"))
    await heard(server, 3, media=Media(name="dev.mp4", size=33 * 1024 * 1024), source=b"drawing")
    await heard(server, 4, media=Media(name="fatura.pdf.exe", type="application/pdf"), source=b"drawing")
    await heard(server, 5, media=Media(name="x"), source=b"another way")
    text, old, large, named, away = sorted(row["id"] for row in (await client.get(INBOX)).json()["data"])
    assert (await client.get(f"{INBOX}/{text}/dosya")).status_code == 404
    assert (await client.get(f"{INBOX}/9999/dosya")).status_code == 404
    assert (await client.get(f"{INBOX}/{old}/dosya")).json()["kod"] == "gelen_dosya_yok"
    refused = await client.get(f"{INBOX}/{large}/dosya", headers={"Accept-Language": "en"})
    assert (refused.status_code, refused.json()["kod"]) == (422, "gelen_dosya_buyuk")
    assert "the limit is 32 MB" in refused.json()["hata"]
    saved = await client.get(f"{INBOX}/{named}/dosya")
    assert saved.headers["content-type"] == "image/png", "the content says what it is"
    assert saved.headers["content-disposition"].endswith("''fatura.pdf.exe.png")
    assert (await client.get(f"{INBOX}/{away}/dosya")).json()["kod"] == "gelen_dosya_yok"
    async with connect(await server.token(account_ids=frozenset({99}))) as stranger:
        assert (await stranger.get(f"{INBOX}/{named}/dosya")).status_code == 404
    async with connect(await server.token(permissions=frozenset({Permission.SEND}))) as sender:
        assert (await sender.get(f"{INBOX}/{named}/dosya")).status_code == 403

"""`gelen`: what people wrote, at a terminal."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.running import Guvercin, Server

from guvercin.core.inbound import InboundKind, Media
from guvercin.core.outcome import Inbound
from guvercin.store.sqlite_store import SqliteStore
from guvercin.testing.clock import ManualClock
from guvercin.transports.drawing import picture

AYSE, BORA = "+905321234567", "+905331234567"


async def hear(guvercin: Guvercin) -> None:
    clock = ManualClock()
    store = SqliteStore(guvercin.data_dir)
    await store.open()
    try:
        (account, *_) = await store.accounts()
        at = clock.now() - timedelta(hours=1)
        file = Media(type="application/pdf", name="FTR.pdf", size=3)
        for wrote in (
            Inbound(remote_id="1", sender=AYSE, text="Merhaba\nsiparişim nerede? " * 9, at=at, sender_name="Ayşe"),
            Inbound(remote_id="2", sender=BORA, text="\x1b[2J", at=at, kind=InboundKind.DOCUMENT, media=file),
            Inbound(remote_id="3", sender=BORA, text="", at=at, kind=InboundKind.AUDIO, media=Media()),
        ):
            await store.receive_inbound(account.id, wrote, now=clock.now())
        await store.mark_read(1, now=clock.now())
    finally:
        await store.close()


def test_it_is_listed_newest_first_and_narrowed(guvercin: Guvercin) -> None:
    guvercin("anahtar", "uret")
    assert guvercin("gelen").out == "Nobody has written yet.\n"
    asyncio.run(hear(guvercin))
    head, *rows, unread = guvercin("inbox").out.splitlines()
    assert head.split() == ["No", "Time", "From", "Account", "State", "Text"]
    assert [row.split()[0] for row in rows] == ["3", "2", "1"]
    assert rows[0].endswith("New    [Voice message]")
    assert "[FTR.pdf] \N{REPLACEMENT CHARACTER}[2J" in rows[1], "what somebody wrote doesn't command a terminal"
    assert f"{AYSE} Ayşe" in rows[2]
    assert rows[2].endswith("Merhaba siparişim nerede? Merhaba siparişim nerede? Merhaba…")
    assert unread == "Not read yet: 2"
    assert [row["id"] for row in guvercin("gelen", "--okunmamis", "--json").json["data"]] == [3, 2]
    assert [row["id"] for row in guvercin("gelen", "--gonderen", "0532 123 45 67", "--json").json["data"]] == [1]
    assert [row["id"] for row in guvercin("gelen", "--limit", "1", "--json").json["data"]] == [3]
    assert guvercin("gelen", "--hesap", "9").out == "Nothing with this filter.\n"
    assert guvercin("gelen", "--bu-yana", "dün", code=1).err.startswith("Error: ")


@pytest.mark.e2e
def test_a_file_is_saved_and_nothing_is_overwritten(
    guvercin: Guvercin, start_server: Callable[..., Server], tmp_path: Path
) -> None:
    start_server("--ornek")
    guvercin("gonder", "05000000013", "Merhaba")
    rows: list[dict[str, Any]] = []
    for _ in range(60):
        if rows := guvercin("gelen", "--json").json["data"]:
            break
    saved = guvercin("gelen", "dosya", str(rows[0]["id"]), "--kaydet", str(tmp_path))
    written = tmp_path / f"gelen-{rows[0]['id']}.png"
    assert saved.out == f"Written: {written}\n"
    assert written.read_bytes() == picture()
    again = guvercin("inbox", "file", str(rows[0]["id"]), "--kaydet", str(written), code=1)
    assert again.err.startswith(f"Error: {written} is there already, and nothing is overwritten.")
    assert guvercin("gelen", "dosya", "9999", code=1).err.startswith("Error: ")

"""Bulks that wait for a yes, bear a name, and are sent once more; and the hours in which people read."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.panel.desk import Panel, as_viewer, panel

from guvercin.core.message import Status

pytestmark = pytest.mark.anyio

BULK = "/panel/toplu"
ROWS = "Telefon;İsim;Borç\n0532 111 00 01;Ayşe;10\n+905000000002;Bora;20\n0532 111 00 03;Can {x};30\n"


@pytest.fixture
async def made(tmp_path: Path, empty_database: Path) -> AsyncIterator[Panel]:
    async with panel(tmp_path, empty_database, zone=ZoneInfo("Europe/Istanbul")) as made:
        yield made


async def upload(made: Panel, rows: str = ROWS) -> str:
    answer = await made.post(f"{BULK}/yeni", {}, files={"dosya": ("Kasım <b>bakiye</b>.csv", rows.encode())})
    return answer.headers["location"]


def columns(page: str) -> dict[str, str]:
    """Answer what the page takes each column for."""
    found = re.findall(r'name="(s\d)".*?</select>', page, re.DOTALL)
    chosen = re.findall(r'<option value="(\w+)" selected', page)
    return dict(zip(found, chosen, strict=True))


async def start(made: Panel, draft: str, text: str, **more: str) -> str:
    form = columns((await made.get(draft)).text) | {"mesaj": text, "hesap": "1", "tur": "10", "izin": "1", **more}
    answer = await made.post(draft, form | {"adim": "baslat"})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def finish(made: Panel, batch_id: int, rows: int) -> None:
    clock = made.server.clock
    while True:
        row = await made.server.store.batch(batch_id)
        assert row is not None
        assert row.counts.total == rows
        if row.counts.is_finished:
            return
        await clock.sleep_until(clock.monotonic() + 0.01)


async def test_a_list_that_was_not_started_waits_among_the_drafts(made: Panel) -> None:
    assert "Taslak yok." in (await made.get(f"{BULK}/taslaklar")).text
    draft = await upload(made)
    page = (await made.get(f"{BULK}/taslaklar")).text
    assert f'href="{draft}"' in page
    assert "Kasım &lt;b&gt;bakiye&lt;/b&gt;.csv" in page
    await start(made, draft, "Merhaba {isim}")
    assert "Taslak yok." in (await made.get(f"{BULK}/taslaklar")).text, "what was started is no draft"
    await upload(made)
    await as_viewer(made)
    assert (await made.get(f"{BULK}/taslaklar")).status_code == 403


async def test_a_bulk_is_called_by_its_file_or_as_its_owner_likes(made: Panel) -> None:
    draft = await upload(made)
    page = await made.post(draft, columns((await made.get(draft)).text) | {"adim": "kontrol"})
    assert 'name="ad" maxlength="80" autocomplete="off" value="Kasım &lt;b&gt;bakiye&lt;/b&gt;"' in page.text
    bulk = await start(made, draft, "Merhaba {isim}", ad="Kasım bakiyesi")
    assert '<h1 tabindex="-1">Kasım bakiyesi</h1>' in (await made.get(bulk)).text
    assert "Kasım bakiyesi</a></h2>" in (await made.get(BULK)).text
    await made.post(f"{bulk}/ad", {"ad": "Başka"})
    assert "Başka</a></h2>" in (await made.get(BULK)).text
    await made.post(f"{bulk}/ad", {"ad": ""})
    assert "Toplu gönderim no. 1" in (await made.get(bulk)).text
    assert (await made.post(f"{bulk}/ad", {"ad": "x" * 81})).status_code == 422


async def test_a_copy_goes_through_the_steps_again_and_each_gets_their_own_text(made: Panel) -> None:
    bulk = await start(made, await upload(made), "Merhaba {isim}, borcunuz {borc} TL {{ }}")
    await finish(made, 1, 3)
    copied = (await made.post(f"{bulk}/kopya", {"kim": "hepsi"})).headers["location"]
    page = (await made.get(copied)).text
    assert 'name="mesaj" value="{mesaj}"' in page
    await start(made, copied, "{mesaj}")
    await finish(made, 2, 3)
    rows = [row async for page in made.server.gateway.batches.rows(1) for row in page]
    again = [row async for page in made.server.gateway.batches.rows(2) for row in page]
    assert [(row.recipient, row.recipient_name, row.content.text) for row in again] == [
        (row.recipient, row.recipient_name, row.content.text) for row in rows
    ]
    assert again[2].content.text == "Merhaba Can {x}, borcunuz 30 TL { }"


async def test_the_failed_ones_are_tried_again_and_nobody_else(made: Panel) -> None:
    bulk = await start(made, await upload(made), "Herkese {{aynı}} metin")
    await finish(made, 1, 3)
    assert "Başarısızları yeniden dene" in (await made.get(bulk)).text
    copied = (await made.post(f"{bulk}/kopya", {"kim": "basarisiz"})).headers["location"]
    page = (await made.get(copied)).text
    assert 'name="mesaj" value="Herkese {{aynı}} metin"' in page
    again = await start(made, copied, "Herkese {{aynı}} metin")
    await finish(made, 2, 1)
    (row,) = [row async for page in made.server.gateway.batches.rows(2) for row in page]
    assert (row.recipient, row.content.text) == ("+905000000002", "Herkese {aynı} metin")
    await as_viewer(made)
    assert "kopya" not in (await made.get(again)).text
    assert (await made.post(f"{bulk}/kopya", {"kim": "hepsi"})).status_code == 403


async def test_the_hours_of_reading_are_counted(made: Panel) -> None:
    form = {"telefon": "+905000000001", "mesaj": "Merhaba", "hesap": "1", "tur": "10"}
    log_id = int((await made.post("/panel/gonder", form)).headers["location"].partition("kayit=")[2])
    clock = made.server.clock
    while (row := await made.server.store.message(log_id)) is None or row.status is not Status.READ:
        await clock.sleep_until(clock.monotonic() + 0.01)
    for _ in range(2):
        await made.server.house.tally.step(clock.now())
    assert row.read_at is not None
    hour = row.read_at.astimezone(ZoneInfo("Europe/Istanbul")).hour
    for period in ("gun", "7", "30", "yil"):
        page = (await made.get(f"/panel/raporlar?sure={period}")).text
        assert f'<th scope="row" class="num">{hour:02}</th><td class="num">1</td>' in page
        assert page.count('<td class="num">0</td></tr>') >= 23

"""The log in the panel: searched by number, name and text, narrowed by source and days, taken along as a file."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.panel.desk import Panel, as_viewer, panel

from guvercin.core.message import Status
from guvercin.gateway.requests import Ask

pytestmark = pytest.mark.anyio

LOG = "/panel/mesajlar"
AYSE, BORA, DOUBT = "+905321234567", "+905339876543", "+905000000008"


@pytest.fixture
async def made(tmp_path: Path, empty_database: Path) -> AsyncIterator[Panel]:
    async with panel(tmp_path, empty_database, zone=ZoneInfo("Europe/Istanbul")) as made:
        yield made


@pytest.fixture
async def full(made: Panel) -> Panel:
    """A message from the panel, one from a program, and another from the panel."""
    form = {"telefon": AYSE, "isim": "Ayşe Işık", "mesaj": "Siparişiniz yolda", "tur": "3", "hesap": "1"}
    assert (await made.post("/panel/gonder", form)).status_code == 303
    gateway = made.server.gateway
    program = await gateway.authenticate(await made.server.token())
    await gateway.singles.send(
        program, Ask(phone=BORA, text="=1+1 Fatura", name="Bora", reference="F-7"), wait=timedelta(0), key=None
    )
    form |= {"telefon": "+905321110003", "isim": "", "mesaj": "Başka"}
    assert (await made.post("/panel/gonder", form)).status_code == 303
    return made


async def shown(made: Panel, query: str) -> list[int]:
    page = (await made.get(f"{LOG}?{query}")).text
    return [int(n) for n in re.findall(r'<td data-l="Alıcı"><a href="/panel/mesajlar/(\d+)">', page)]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [3, 2, 1]),
        ("ara=SİPARIS", [1]),
        ("ara=ayse isik", [1]),
        ("ara=fatura", [2]),
        ("ara=F-7", [2]),
        ("ara=0533 987 65 43", [2]),
        ("ara=yok böyle", []),
        ("ara=%25", []),
        ("kaynak=panel", [3, 1]),
        ("kaynak=api", [2]),
        ("kaynak=toplu", []),
        ("kaynak=panel&ara=siparis&tur=3", [1]),
        ("kaynak=panel&tur=10", []),
        ("tarih=aralik&bas=2020-01-01", [3, 2, 1]),
        ("tarih=aralik&bit=2020-01-01", []),
        ("tarih=aralik&bas=dün&bit=yarın", [3, 2, 1]),
        ("tarih=aralik&bas=2020-01-01&bit=2099-01-01&ara=bora", [2]),
        ("tarih=bugun&kaynak=api", [2]),
    ],
)
async def test_filters_find_what_they_say(full: Panel, query: str, ids: list[int]) -> None:
    assert await shown(full, query) == ids


async def test_filters_stay_in_the_form_and_in_the_download(full: Panel) -> None:
    page = (await full.get(f"{LOG}?ara=işık&kaynak=panel&tarih=aralik&bas=2020-01-01")).text
    assert 'value="işık"' in page
    assert re.search(r'value="panel" selected', page)
    assert 'value="2020-01-01"' in page
    assert "/panel/mesajlar.csv?ara=i%C5%9F%C4%B1k&amp;kaynak=panel&amp;tarih=aralik&amp;bas=2020-01-01" in page


async def test_what_was_found_is_taken_along(full: Panel) -> None:
    answer = await full.get(f"{LOG}.csv?kaynak=api")
    assert answer.headers["content-disposition"] == 'attachment; filename="guvercin-mesajlar.csv"'
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("905339876543;Bora;")
    assert "'=1+1 Fatura" in lines[1]
    assert len((await full.get(f"{LOG}.csv")).text.splitlines()) == 4
    await as_viewer(full)
    masked = (await full.get(f"{LOG}.csv")).text
    assert "905339876543" not in masked
    assert "*" in masked


async def test_a_message_in_doubt_is_given_up_once_and_for_nobody_else(made: Panel) -> None:
    answer = await made.post("/panel/gonder", {"telefon": DOUBT, "mesaj": "Merhaba", "tur": "10", "hesap": "1"})
    log_id = int(answer.headers["location"].partition("kayit=")[2])
    while (row := await made.server.store.message(log_id)) is None or row.status is not Status.UNKNOWN:
        await made.server.clock.sleep_until(made.server.clock.monotonic() + 0.01)
    assert f"/panel/mesajlar/{log_id}/vazgec" in (await made.get(f"{LOG}/{log_id}")).text
    for _ in range(2):
        assert (await made.post(f"{LOG}/{log_id}/vazgec", {})).headers["location"] == f"{LOG}/{log_id}"
    row = await made.server.store.message(log_id)
    assert row is not None
    assert row.status is Status.FAILED
    page = (await made.get(f"{LOG}/{log_id}")).text
    assert "/vazgec" not in page
    assert "Yeniden Gönder" in page
    await as_viewer(made)
    assert (await made.post(f"{LOG}/{log_id}/vazgec", {})).status_code == 403

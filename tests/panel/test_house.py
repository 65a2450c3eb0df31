"""Reports and settings: numbers that add up, and what only some may change."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.panel.desk import PASSWORD, Panel, as_viewer, panel

pytestmark = pytest.mark.anyio


@pytest.fixture
async def made(tmp_path: Path, empty_database: Path) -> AsyncIterator[Panel]:
    async with panel(tmp_path, empty_database, zone=ZoneInfo("Europe/Istanbul")) as made:
        yield made


async def test_reports_are_empty_before_the_first_message(made: Panel) -> None:
    for period in ("gun", "7", "30", "yil", "yanlış"):
        answer = await made.get(f"/panel/raporlar?sure={period}")
        assert answer.status_code == 200
        assert "İlk mesajdan sonra burası dolar." in answer.text


async def test_reports_count_what_went(made: Panel) -> None:
    for number in ("+905321234567", "+905339876543", "+905000000002"):
        form = {"telefon": number, "mesaj": "Merhaba", "hesap": "1"}
        assert (await made.post("/panel/gonder", form)).status_code == 303
    house = made.server.house
    await house.tally.step(made.server.clock.now())
    await house.tally.step(made.server.clock.now())
    for period in ("gun", "7", "30", "yil"):
        page = (await made.get(f"/panel/raporlar?sure={period}")).text
        table = re.findall(r'<th scope="row">[^<]*</th><td class="num">(\d+)', page)
        assert sum(map(int, table)) == 3, period
        assert page.count("<title>") > 7, "each bar says its numbers"


async def test_one_changes_ones_own_password_and_stays_signed_in(made: Panel) -> None:
    wrong = await made.post("/panel/ayarlar/parola", {"eski_parola": "yanlış", "yeni_parola": "bambaşka bir söz"})
    assert "eski_parola-hata" in wrong.text
    short = await made.post("/panel/ayarlar/parola", {"eski_parola": PASSWORD, "yeni_parola": "kısa"})
    assert "yeni_parola-hata" in short.text
    form = {"eski_parola": PASSWORD, "yeni_parola": "bambaşka bir söz"}
    assert (await made.post("/panel/ayarlar/parola", form)).status_code == 303
    assert (await made.get("/panel")).status_code == 200
    (owner,) = await made.server.house.people.every()
    assert len(await made.server.house.people.sessions(owner)) == 1


async def test_people_are_added_changed_and_removed(made: Panel) -> None:
    add = {"ad": "Ayşe", "rol": "izleyici", "parola": "dörtnal"}
    refused = await made.post("/panel/ayarlar/kisiler", add)
    assert refused.status_code == 422
    assert 'value="Ayşe"' in refused.text
    assert "dörtnal" not in refused.text
    assert (await made.post("/panel/ayarlar/kisiler", add | {"parola": PASSWORD})).status_code == 303
    alone = await made.post("/panel/ayarlar/kisiler/1", {"yap": "izleyici"})
    assert "Önce başka birini yönetici yapın" in alone.text
    assert (await made.post("/panel/ayarlar/kisiler/2", {"yap": "yonetici"})).status_code == 303
    assert (await made.post("/panel/ayarlar/kisiler/2", {"yap": "sil"})).status_code == 303
    assert len(await made.server.house.people.every()) == 1


async def test_other_sessions_are_ended(made: Panel) -> None:
    people = made.server.house.people
    (owner,) = await people.every()
    other = await people.open_session(owner, agent="Başka <b>tarayıcı</b>", address="192.0.2.9")
    page = (await made.get("/panel/ayarlar")).text
    assert "Başka &lt;b&gt;tarayıcı&lt;/b&gt;" in page
    await made.post("/panel/ayarlar/oturumlar", {"oturum": "hepsi"})
    assert await people.session(other) is None
    assert (await made.get("/panel")).status_code == 200


async def test_whoever_only_looks_has_a_password_and_sessions_of_their_own(made: Panel) -> None:
    await as_viewer(made)
    page = (await made.get("/panel/ayarlar")).text
    assert "/panel/ayarlar/parola" in page
    assert "/panel/ayarlar/kisiler" not in page
    assert (await made.post("/panel/ayarlar/isletme", {"isletme": "Başka"})).status_code == 403
    form = {"eski_parola": PASSWORD, "yeni_parola": "bambaşka bir söz"}
    assert (await made.post("/panel/ayarlar/parola", form)).status_code == 303


async def test_counts_are_made_anew_from_the_rows(made: Panel) -> None:
    form = {"telefon": "+905321234567", "mesaj": "Merhaba", "hesap": "1"}
    await made.post("/panel/gonder", form)
    house, now = made.server.house, made.server.clock.now()
    today = house.tally.day_of(now)
    await house.tally.step(now)
    await house.tally.step(now)
    before = await house.tally.between(today, today)
    assert sum(each.n for each in before) == 1
    await made.server.store.keep_counts(today, ())
    await made.server.store.keep_counts(today - timedelta(days=1), before)
    await made.post("/panel/gonder", form | {"telefon": "+905339876543"})
    await house.tally.step(now)
    assert sum(each.n for each in await house.tally.between(today, today)) == 2

"""The pace and the manners of an account, set in the panel; and a backup that the browser takes along."""

import io
import re
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.panel.desk import Panel, as_viewer, panel

from guvercin.core.account import Account, Kind
from guvercin.core.message import Lane
from guvercin.core.pacing import CLOUD_PACE
from guvercin.core.presets import PRESETS, WEB_PACE, Preset

pytestmark = pytest.mark.anyio

PAGE = "/panel/hesaplar/2/hiz"


@pytest.fixture
async def made(tmp_path: Path, empty_database: Path) -> AsyncIterator[Panel]:
    async with panel(tmp_path, empty_database, zone=ZoneInfo("Europe/Istanbul")) as made:
        added = await made.server.store.add_account("Dükkân", Kind.WEB, None, WEB_PACE, now=made.server.clock.now())
        assert added.id == 2
        yield made


async def account(made: Panel) -> Account:
    return (await made.server.store.accounts())[1]


def left_of(folder: Path) -> list[Path]:
    return list(folder.glob(".guvercin-yedek-*"))


def fields(page: str) -> dict[str, str]:
    """Read the form of the page as a browser does."""
    given = dict(re.findall(r'<input class="form-control num"[^>]*? name="(\w+)"[^>]*? value="([^"]*)"', page))
    return given | {name: value for value, name in re.findall(r' value="([^"]*)"[^>]*? name="(\w+_\w+)"', page)}


async def test_a_page_that_is_saved_as_it_is_changes_nothing(made: Panel) -> None:
    page = (await made.get(PAGE)).text
    assert re.search(r'name="secim" value="normal" checked', page)
    assert "Saatte en çok 150, günde en çok 600 mesaj; toplu gönderimde iki mesaj arası 12–25 sn." in page
    assert "Hafta içi 09.00–20.00, cumartesi 10.00–18.00" in page
    assert "Hiçbir ayar numarayı korumaz." in page
    before = (await account(made)).pace
    for chosen in ("normal", "ozel"):
        saved = await made.post(PAGE, {"secim": chosen, "sessiz": "1", **fields(page)})
        assert saved.status_code == 303, saved.text
        assert (await account(made)).pace == before


@pytest.mark.parametrize("preset", list(Preset))
async def test_a_pace_is_chosen_by_its_name_and_quiet_hours_apart(made: Panel, preset: Preset) -> None:
    await made.post(PAGE, {"secim": preset.value})
    pace = (await account(made)).pace
    assert dict(pace.gaps) == dict(PRESETS[preset].gaps)
    assert pace.rules is not None
    assert not pace.rules.keeps_quiet
    page = (await made.get(PAGE)).text
    assert re.search(f'name="secim" value="{preset.value}" checked', page)
    assert not re.search(r'name="sessiz" value="1" checked', page)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bulk_az", "7,9"),
        ("single_az", "1"),
        ("known_az", "x"),
        ("new_az", "61"),
        ("new_az", "nan"),
        ("hourly_all", "301"),
        ("daily_new", "51"),
        ("daily_all", "0"),
        ("monthly_new", "301"),
        ("hourly_new", "-1"),
    ],
)
async def test_nothing_below_a_floor_or_above_a_ceiling_and_it_is_told_at_its_field(
    made: Panel, field: str, value: str
) -> None:
    form = fields((await made.get(PAGE)).text) | {"secim": "ozel", "sessiz": "1", "new_cok": "60", field: value}
    before = (await account(made)).pace
    answer = await made.post(PAGE, form)
    assert answer.status_code == 422
    assert f'id="{field}-hata"' in answer.text
    assert f'value="{value}"' in answer.text
    assert (await account(made)).pace == before


async def test_a_pace_of_ones_own_is_kept_to_the_digit(made: Panel) -> None:
    form = fields((await made.get(PAGE)).text) | {
        "secim": "ozel",
        "bulk_az": "9,5",
        "bulk_cok": "30",
        "daily_all": "77",
    }
    assert (await made.post(PAGE, form)).status_code == 303
    pace = (await account(made)).pace
    assert pace.gaps[Lane.BULK].least.total_seconds() == 9.5
    assert pace.rules is not None
    assert pace.rules.daily is not None
    assert (pace.rules.daily.all, pace.rules.keeps_quiet) == (77, False)
    page = (await made.get(PAGE)).text
    assert re.search(r'name="secim" value="ozel" checked', page)
    assert 'value="9.5"' in page


async def test_lines_that_keep_no_rules_say_so(made: Panel) -> None:
    assert "kimseye ulaşmaz" in (await made.get("/panel/hesaplar/1/hiz")).text
    await made.server.store.add_account("Bulut", Kind.CLOUD, "+905001112233", CLOUD_PACE, now=made.server.clock.now())
    made.server.gateway.accounts.forget()
    assert "Meta&#39;nın bu numaraya o an izin verdiği hızda" in (await made.get("/panel/hesaplar/3/hiz")).text


async def test_settings_lead_to_every_pace(made: Panel) -> None:
    page = (await made.get("/panel/ayarlar")).text
    assert 'href="/panel/hesaplar/2/hiz"' in page
    assert '<span class="muted small">Normal</span>' in page


async def test_manners_are_kept_and_a_slip_is_told_at_its_field(made: Panel) -> None:
    form = {"isim": "Dükkân", "unvan": "Yılmaz Market Ltd. Şti.", "mukerrer": "48", "belirsiz": "vazgec"}
    for slip in ("yarım", "721"):
        refused = await made.post("/panel/hesaplar/2", form | {"mukerrer": slip})
        assert refused.status_code == 422
        assert 'id="mukerrer-hata"' in refused.text
        assert 'value="Yılmaz Market Ltd. Şti."' in refused.text
    assert (await made.post("/panel/hesaplar/2", form)).status_code == 303
    manners = (await account(made)).manners
    assert manners.sender_title == "Yılmaz Market Ltd. Şti."
    assert manners.repeat_guard is not None
    page = (await made.get("/panel/hesaplar/2")).text
    assert 'value="48"' in page
    await made.post("/panel/hesaplar/2", form | {"unvan": "", "mukerrer": ""})
    manners = (await account(made)).manners
    assert (manners.sender_title, manners.repeat_guard) == (None, None)


async def test_a_backup_is_one_file_and_leaves_nothing_behind(made: Panel, tmp_path: Path) -> None:
    await made.post("/panel/gonder", {"telefon": "+905321234567", "mesaj": "Merhaba", "tur": "10", "hesap": "1"})
    assert "Henüz yedek alınmadı." in (await made.get("/panel/ayarlar")).text
    answer = await made.post("/panel/ayarlar/yedek", {})
    assert re.fullmatch(
        r'attachment; filename="guvercin-yedek-\d{8}-\d{4}\.tar"', answer.headers["content-disposition"]
    )
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        assert archive.getnames() == ["guvercin.db"]
        database = archive.extractfile("guvercin.db")
        assert database is not None
        assert database.read(6) == b"SQLite"
    assert left_of(tmp_path) == []
    assert "Son yedek: az önce." in (await made.get("/panel/ayarlar")).text


async def test_whoever_only_looks_changes_no_pace_and_takes_nothing_along(made: Panel) -> None:
    await as_viewer(made)
    assert "disabled" in (await made.get(PAGE)).text
    for path in (PAGE, "/panel/ayarlar/yedek", "/panel/hesaplar/2"):
        assert (await made.post(path, {"secim": "hizli", "isim": "x"})).status_code == 403
    assert (await account(made)).pace == WEB_PACE

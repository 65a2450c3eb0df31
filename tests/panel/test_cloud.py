"""A number on Meta's line, added in the panel and tried on the fake of Meta's server."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.contracts.graph_thread import GraphThread
from tests.panel.desk import Panel, as_viewer, panel

from guvercin.core.account import Account, Kind
from guvercin.transports.cloud.setup import Template

pytestmark = pytest.mark.anyio

TOKEN, SECRET, NUMBER = "EAAG-gizli", "uygulama-sirri", "100000000000001"
NEW, ONE = "/panel/hesaplar/yeni-bulut", "/panel/hesaplar/2/bulut"


@pytest.fixture(scope="module")
def fake() -> Iterator[GraphThread]:
    fake = GraphThread(app_secret=SECRET).start()
    fake.graph.add_number(NUMBER, "+90 850 000 00 01", TOKEN, templates={("fatura_hazir", "tr")})
    yield fake
    fake.stop()


@pytest.fixture
async def made(tmp_path: Path, empty_database: Path, fake: GraphThread) -> AsyncIterator[Panel]:
    zone = ZoneInfo("Europe/Istanbul")
    async with panel(tmp_path, empty_database, zone=zone, graph_url=fake.url) as made:
        yield made


def form(**change: str) -> dict[str, str]:
    return {
        "isim": "Bulut <hat>",
        "numara_id": NUMBER,
        "isletme_id": "900000000000001",
        "erisim_anahtari": TOKEN,
        "uygulama_sirri": SECRET,
        "dogrulama_sozu": "soz-42",
        **change,
    }


async def accounts(made: Panel) -> list[Account]:
    return [each for each in await made.server.store.accounts() if each.kind is Kind.CLOUD]


async def test_a_number_is_added_and_the_page_says_where_meta_calls(made: Panel) -> None:
    page = (await made.get(NEW)).text
    assert re.search(r'name="dogrulama_sozu"[^>]*value="[0-9a-f]{24}"', page), "a word is offered"
    answer = await made.post(NEW, form())
    assert answer.headers["location"] == f"{ONE}?yeni=1"
    (account,) = await accounts(made)
    assert (account.name, account.phone) == ("Bulut <hat>", "+908500000001")
    page = (await made.get(answer.headers["location"])).text
    assert "http://guvercin.test/meta/webhook/2" in page
    assert "Bulut &lt;hat&gt;" in page
    assert "sertifikalı" in page, "an address that Meta can't reach is told"
    for path in (ONE, "/panel/hesaplar/2", "/panel/hesaplar", "/panel/hesaplar/2/hiz"):
        text = (await made.get(path)).text
        assert not any(word in text for word in (TOKEN, SECRET, "soz-42")), path


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"isim": " "}, "isim"),
        ({"numara_id": ""}, "numara_id"),
        ({"erisim_anahtari": ""}, "erisim_anahtari"),
        ({"erisim_anahtari": "yanlış"}, "erisim_anahtari"),
        ({"numara_id": "100000000000009"}, "numara_id"),
    ],
)
async def test_what_meta_does_not_know_is_told_at_its_field_and_no_secret_comes_back(
    made: Panel, change: dict[str, str], field: str
) -> None:
    answer = await made.post(NEW, form(**change))
    assert answer.status_code == 422
    assert f'id="{field}-hata"' in answer.text
    assert 'value="soz-42"' in answer.text
    assert TOKEN not in answer.text
    assert SECRET not in answer.text
    assert await accounts(made) == []


async def test_a_meta_that_can_not_be_reached_is_told(tmp_path: Path, empty_database: Path) -> None:
    zone, nobody = ZoneInfo("Europe/Istanbul"), "http://127.0.0.1:9"
    async with panel(tmp_path, empty_database, zone=zone, graph_url=nobody) as made:
        answer = await made.post(NEW, form())
        assert answer.status_code == 422
        assert "Meta" in answer.text
        assert 'role="alert"' in answer.text


async def test_templates_are_mapped_and_keys_stay_when_left_empty(made: Panel) -> None:
    await made.post(NEW, form())
    mapped = {"ad_1": "fatura_hazir", "dil_1": "tr", "yer_1": "isim, tutar,", "ad_5": "", "dil_5": "tr"}
    slip = await made.post(f"{ONE}/sablonlar", mapped | {"ad_5": "Bakiye Hatırlatma"})
    assert slip.status_code == 422
    assert 'id="ad_5-hata"' in slip.text
    assert 'value="fatura_hazir"' in slip.text
    saved = await made.post(f"{ONE}/sablonlar", mapped)
    assert saved.headers["location"] == f"{ONE}?kaydedildi=sablon"
    told = made.server.gateway.meta.told(2)
    assert told is not None
    assert dict(told.templates) == {1: Template(name="fatura_hazir", language="tr", places=("isim", "tutar"))}
    page = (await made.get(ONE)).text
    assert re.search(r'id="ad_1"[^>]*value="fatura_hazir"', page)
    empty = {name: "" for name in form() if name != "isim"}
    assert (await made.post(ONE, empty)).headers["location"] == f"{ONE}?kaydedildi=anahtar"
    told = made.server.gateway.meta.told(2)
    assert told is not None
    assert told.number_id == NUMBER
    wrong = await made.post(ONE, empty | {"erisim_anahtari": "yanlış-anahtar"})
    assert wrong.status_code == 422
    assert "yanlış-anahtar" not in wrong.text


async def test_only_a_number_of_meta_has_the_page_and_who_looks_changes_nothing(made: Panel) -> None:
    assert (await made.get("/panel/hesaplar/1/bulut")).status_code == 404
    await made.post(NEW, form())
    await as_viewer(made)
    page = (await made.get(ONE)).text
    assert "erisim_anahtari" not in page
    assert (await made.get(NEW)).status_code == 403
    for path in (NEW, ONE, f"{ONE}/sablonlar"):
        assert (await made.post(path, form())).status_code == 403

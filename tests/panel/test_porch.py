"""Who is let in, what they may do there, and what becomes of what they typed when they are not."""

from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.panel.desk import PASSWORD, Panel, as_viewer, panel

from guvercin.gateway.people import TRIES
from guvercin.panel import assets

pytestmark = pytest.mark.anyio


@pytest.fixture
async def made(tmp_path: Path, empty_database: Path) -> AsyncIterator[Panel]:
    async with panel(tmp_path, empty_database, zone=ZoneInfo("Europe/Istanbul")) as made:
        yield made


async def test_every_answer_carries_the_same_policy(made: Panel) -> None:
    for path in ("/panel", "/giris", "/panel/yok", assets.address("app.js"), "/panel/static/yok.js"):
        answer = await made.get(path)
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'"), path
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        kept = answer.headers["cache-control"]
        assert kept == ("public, max-age=31536000, immutable" if "/app." in path else "no-store"), path


async def test_an_asset_comes_packed_where_that_is_understood(made: Panel) -> None:
    path = assets.address("tabler.css")
    plain = await made.get(path, **{"Accept-Encoding": "identity"})
    packed = await made.get(path, **{"Accept-Encoding": "gzip"})
    assert plain.content == packed.content == assets.read("tabler.css").content
    assert packed.headers["content-encoding"] == "gzip"
    assert len(assets.read("tabler.css").packed) < len(plain.content) / 6


async def test_trouble_is_told_in_words_and_in_the_readers_language(made: Panel) -> None:
    turkish, english = await made.get("/panel/yok"), await made.get("/panel/yok", **{"Accept-Language": "en"})
    assert (turkish.status_code, english.status_code) == (404, 404)
    assert "Böyle bir sayfa yok." in turkish.text
    assert "There is no such page." in english.text


async def test_whoever_is_signed_out_keeps_what_they_typed(made: Panel) -> None:
    made.client.cookies.clear()
    answer = await made.post("/panel/gonder", {"mesaj": "Yarım kalan söz", "parola": "gizli"})
    assert answer.status_code == 401
    assert 'name="tasi.mesaj" value="Yarım kalan söz"' in answer.text
    assert "gizli" not in answer.text
    form = {"parola": PASSWORD, "sonra": "/panel/gonder", "tasi.mesaj": "Yarım kalan söz"}
    back = await made.client.post("/giris", data=form)
    assert back.status_code == 419
    assert 'name="mesaj" value="Yarım kalan söz"' in back.text
    assert 'action="/panel/gonder"' in back.text
    assert (await made.get("/panel")).status_code == 200


async def test_a_form_without_the_sessions_word_comes_back_as_it_was(made: Panel) -> None:
    answer = await made.post("/panel/gonder", {"mesaj": "Merhaba <b>"}, word=False)
    assert answer.status_code == 419
    assert 'value="Merhaba &lt;b&gt;"' in answer.text
    assert 'name="_csrf"' in answer.text
    by_script = await made.post("/panel/gonder", {}, word=False, headers={"HX-Request": "true"})
    assert (by_script.status_code, by_script.headers["hx-refresh"]) == (403, "true")


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://example.org"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
)
async def test_another_site_can_ask_for_nothing(made: Panel, headers: dict[str, str]) -> None:
    assert (await made.post("/panel/cikis", {}, headers=headers)).status_code == 403
    assert (await made.get("/panel")).status_code == 200
    made.client.cookies.clear()
    assert (await made.client.post("/giris", data={"parola": PASSWORD}, headers=headers)).status_code == 403


async def test_a_script_is_told_that_the_session_is_over(made: Panel) -> None:
    made.client.cookies.clear()
    shown = "http://guvercin.test/panel/mesajlar?durum=failed"
    answer = await made.get("/panel", **{"HX-Request": "true", "HX-Current-URL": shown})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (
        401,
        "/giris?sonra=/panel/mesajlar%3Fdurum%3Dfailed",
    )


async def test_a_browser_that_keeps_no_cookies_is_told(made: Panel) -> None:
    made.client.cookies.clear()
    answer = await made.sign_in()
    made.client.cookies.clear()
    page = await made.get(answer.headers["location"])
    assert "çerez" in page.text


async def test_five_wrong_passwords_close_the_door_of_an_address_and_of_a_person(made: Panel) -> None:
    made.client.cookies.clear()
    for _ in range(TRIES):
        assert (await made.sign_in(password="yanlış bir parola")).status_code == 401
    refused = await made.sign_in()
    assert refused.status_code == 429
    assert "data-countdown" in refused.text


async def test_the_cookie_is_the_browsers_alone(made: Panel) -> None:
    made.client.cookies.clear()
    plain = (await made.sign_in()).headers["set-cookie"]
    assert plain.startswith("guvercin=")
    assert {"httponly", "samesite=lax", "path=/"} <= set(plain.lower().split("; "))
    form = {"ad": "yönetici", "parola": PASSWORD}
    sealed = (await made.client.post("https://guvercin.test/giris", data=form)).headers
    assert sealed["set-cookie"].startswith("__Host-guvercin=")
    assert "Secure" in sealed["set-cookie"]
    assert "strict-transport-security" in sealed


async def test_whoever_only_looks_changes_nothing(made: Panel) -> None:
    await as_viewer(made)
    assert (await made.get("/panel")).status_code == 200
    for path in ("/panel/gonder", "/panel/hesaplar/1/sil", "/panel/yok"):
        assert (await made.post(path, {"mesaj": "x"})).status_code == 403, path
    assert (await made.post("/panel/cikis", {})).status_code == 303
    assert (await made.get("/panel")).status_code == 303


async def test_a_session_ends_for_its_browser_when_it_is_ended_elsewhere(made: Panel) -> None:
    people = made.server.house.people
    (owner,) = await people.every()
    assert len(await people.sessions(owner)) == 1
    await people.set_password(owner.id, "bambaşka bir parola")
    assert (await made.get("/panel")).status_code == 303
    assert (await made.sign_in()).status_code == 401
    assert (await made.sign_in(password="bambaşka bir parola")).status_code == 303

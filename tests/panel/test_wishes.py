"""Who wants no messages: on the list by hand or by a file, off it for a reason, and what only sounds like it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.panel.desk import Panel, as_viewer, panel

from guvercin.core.folding import fold
from guvercin.core.optout import STARTS, STOPS, WRONG_NUMBERS, NewOptOut, OptOut, OptOutScope, OptOutSource
from guvercin.core.outcome import Inbound
from guvercin.panel.wishes import WRITTEN

pytestmark = pytest.mark.anyio

AYSE, BORA = "+905321234567", "+905339876543"
LIST = "/panel/istemeyenler"


@pytest.fixture
async def made(tmp_path: Path, empty_database: Path) -> AsyncIterator[Panel]:
    async with panel(tmp_path, empty_database, zone=ZoneInfo("Europe/Istanbul")) as made:
        yield made


async def live(made: Panel) -> list[OptOut]:
    return list(await made.server.store.opt_outs(None, is_live=True, limit=200, below=None))


async def doubted(made: Panel, said: str = "Bir daha <b>mesaj</b> atmayın") -> OptOut:
    new = NewOptOut(
        account_id=1, phone=AYSE, scope=OptOutScope.DOUBTFUL, source=OptOutSource.MESSAGE, said=said, token_id=None
    )
    return await made.server.store.add_opt_out(new, now=made.server.clock.now())


async def test_an_empty_list_says_how_it_fills_and_which_words_count(made: Panel) -> None:
    page = (await made.get(LIST)).text
    assert "Kimse yok. Biri size DUR yazarsa" in page
    assert "mesaj istemiyorum" in page
    assert "ÇIKIŞ" in page


def test_every_word_is_shown_as_it_is_heard() -> None:
    for word in STOPS | STARTS | WRONG_NUMBERS:
        assert fold(WRITTEN.get(word, word)) == word


async def test_somebody_is_added_by_hand_and_gets_nothing_any_more(made: Panel) -> None:
    form = {"telefon": "0532 123 45 67", "kapsam": "her_sey", "hesap": "", "not": "Telefonda <i>söyledi</i>"}
    assert (await made.post(LIST, form)).status_code == 303
    page = (await made.get(LIST)).text
    assert "+90 532 123 45 67" in page
    assert "Telefonda &lt;i&gt;söyledi&lt;/i&gt;" in page
    refused = await made.post("/panel/gonder", {"telefon": AYSE, "mesaj": "Merhaba", "tur": "10", "hesap": "1"})
    assert refused.status_code == 422
    await made.post(LIST, form)
    assert len(await live(made)) == 1, "asking twice adds nobody twice"


async def test_a_bad_number_is_told_at_its_field_and_nothing_typed_is_lost(made: Panel) -> None:
    answer = await made.post(LIST, {"telefon": "0532 12", "kapsam": "ticari", "hesap": "1", "not": "Mektupla"})
    assert answer.status_code == 422
    assert 'id="telefon-hata"' in answer.text
    assert 'value="Mektupla"' in answer.text
    assert re.search(r'value="ticari" selected', answer.text)
    assert await live(made) == []


async def test_the_list_is_searched_and_paged(made: Panel) -> None:
    for n in range(31):
        await made.server.gateway.wishes.refuse_all(
            (await made.server.house.people.every())[0].token, [f"+9053211100{n:02}"], OptOutSource.PANEL
        )
    first = (await made.get(LIST)).text
    assert first.count("/cikar") == 30
    older = re.search(r'href="(/panel/istemeyenler\?sonra=\d+)"', first)
    assert older is not None
    assert (await made.get(older[1])).text.count("/cikar") == 1
    assert (await made.get(f"{LIST}?ara=0532 111 00 07")).text.count("/cikar") == 1
    assert "Bu süzgeçle kimse yok" in (await made.get(f"{LIST}?ara=0532 999 99 99")).text
    assert 'id="ara-hata"' in (await made.get(f"{LIST}?ara=0532")).text


async def test_a_file_adds_and_never_removes_and_can_come_twice(made: Panel) -> None:
    rows = "Ad;Telefon\nAyşe;0532 123 45 67\nBora;533 987 65 43\nAyşe;+90 532 123 45 67\nCan;0532 12\n".encode("cp1254")
    answer = await made.post(f"{LIST}/dosyadan", {"kaynak": "iys"}, files={"dosya": ("liste.csv", rows)})
    assert answer.headers["location"] == f"{LIST}?yeni=2&eski=0&hatali=1"
    assert {(each.phone, each.source) for each in await live(made)} == {
        (AYSE, OptOutSource.IYS),
        (BORA, OptOutSource.IYS),
    }
    again = await made.post(f"{LIST}/dosyadan", {"kaynak": "iys"}, files={"dosya": ("liste.csv", rows)})
    assert again.headers["location"] == f"{LIST}?yeni=0&eski=2&hatali=1"
    told = (await made.get(answer.headers["location"])).text
    assert "2 numara listeye yeni girdi; 0 numara zaten listedeydi, 1 satır okunamadı." in told


@pytest.mark.parametrize("file", [None, ("bos.csv", b""), ("resim.xlsx", b"\x89PNG\r\n\x1a\n" + b"x" * 90)])
async def test_a_file_that_is_no_list_is_told_at_its_field(made: Panel, file: tuple[str, bytes] | None) -> None:
    files = {} if file is None else {"dosya": file}
    answer = await made.post(f"{LIST}/dosyadan", {"kaynak": "panel"}, files=files)
    assert answer.status_code == 422
    assert re.search(r'id="dosya-hata">\s*<svg.*?<span>[^<]+</span>', answer.text, re.DOTALL)
    assert await live(made) == []


async def test_nobody_comes_off_without_a_reason_which_is_kept(made: Panel) -> None:
    await made.post(LIST, {"telefon": AYSE, "kapsam": "her_sey", "hesap": ""})
    (refusal,) = await live(made)
    leave = f"{LIST}/{refusal.id}/cikar"
    assert "Neden?" in (await made.get(leave)).text
    without = await made.post(leave, {"not": "Aradı"})
    assert without.status_code == 422
    assert 'id="neden-hata"' in without.text
    assert 'value="Aradı"' in without.text
    assert (await made.post(leave, {"neden": "istedi", "not": "x\x07"})).status_code == 422
    assert len(await live(made)) == 1
    assert (await made.post(leave, {"neden": "istedi", "not": "Aradı"})).status_code == 303
    assert await live(made) == []
    ended = await made.server.store.opt_out(refusal.id)
    assert ended is not None
    assert ended.ended_why == "Yeniden mesaj istiyor: Aradı"
    assert "Yeniden mesaj istiyor: Aradı" in (await made.get(f"{LIST}?hangisi=bitti")).text
    assert (await made.get(leave)).headers["location"] == LIST, "a page that is too old leads to the list"


async def test_the_list_is_downloaded_whole_and_no_cell_becomes_a_formula(made: Panel) -> None:
    await made.post(LIST, {"telefon": AYSE, "kapsam": "her_sey", "hesap": "1", "not": "=1+1"})
    answer = await made.get(f"{LIST}.csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("Numara;")
    assert lines[1].startswith("905321234567;Her şey;")
    assert "'=1+1" in lines[1]


@pytest.mark.parametrize(
    ("said", "scopes"),
    [("ret", [OptOutScope.EVERYTHING]), ("yanlis_numara", [OptOutScope.WRONG_NUMBER]), ("devam", [])],
)
async def test_what_only_sounds_like_a_refusal_is_decided(made: Panel, said: str, scopes: list[OptOutScope]) -> None:
    doubt = await doubted(made)
    assert '<span class="pill pill-wait count">1</span>' in (await made.get(LIST)).text
    page = (await made.get(f"{LIST}/bakilacaklar")).text
    assert "Bir daha &lt;b&gt;mesaj&lt;/b&gt; atmayın" in page
    for _ in range(2):  # a second tab decides once more, and changes nothing
        answer = await made.post(f"{LIST}/bakilacaklar/{doubt.id}", {"karar": said})
        assert answer.headers["location"] == f"{LIST}/bakilacaklar"
    assert [each.scope for each in await live(made)] == scopes
    assert "Karar bekleyen yok" in (await made.get(f"{LIST}/bakilacaklar")).text


async def test_notices_go_on_where_the_owner_says_so(made: Panel) -> None:
    await made.post(f"{LIST}/bildirimler", {"bildirim": "1"})
    assert (await made.server.store.accounts())[0].manners.keeps_notices
    assert re.search(r'name="bildirim" value="1" checked', (await made.get(LIST)).text)
    await made.post(f"{LIST}/bildirimler", {})
    assert not (await made.server.store.accounts())[0].manners.keeps_notices


async def test_a_consent_is_recorded_with_its_proof_and_goes_to_iys(made: Panel) -> None:
    form = {"telefon": AYSE, "kim": "BIREYSEL", "kaynak": "HS_WEB", "zaman": "2026-02-20T10:15", "metin": "2026-01"}
    bad = await made.post(f"{LIST}/onaylar", form | {"zaman": "2999-01-01T00:00"})
    assert bad.status_code == 422
    assert 'id="zaman-hata"' in bad.text
    assert 'value="2026-01"' in bad.text
    assert 'id="zaman-hata"' in (await made.post(f"{LIST}/onaylar", form | {"zaman": "dün"})).text
    file = {"dosya": ("form.exe", b"MZ" * 50)}
    assert 'id="dosya-hata">' in (await made.post(f"{LIST}/onaylar", form, files=file)).text
    kept = await made.post(f"{LIST}/onaylar", form, files={"dosya": ("form.pdf", b"%PDF-1.4\n" + b"x" * 90)})
    assert kept.status_code == 303
    page = (await made.get(f"{LIST}/onaylar")).text
    assert "form.pdf" in page
    assert "İnternet sitesinde" in page
    lines = (await made.get(f"{LIST}/onaylar.csv")).text.splitlines()
    assert lines[1] == f"{AYSE},MESAJ,HS_WEB,ONAY,BIREYSEL,2026-02-20 10:15:00"


async def test_whoever_only_looks_sees_masked_numbers_and_changes_nothing(made: Panel) -> None:
    await made.post(LIST, {"telefon": AYSE, "kapsam": "her_sey", "hesap": ""})
    await doubted(made)
    (refusal, *_) = await live(made)
    await as_viewer(made)
    for path in (LIST, f"{LIST}.csv", f"{LIST}/bakilacaklar", f"{LIST}/onaylar"):
        answer = await made.get(path)
        assert answer.status_code == 200, path
        assert "1234567" not in answer.text.replace(" ", ""), path
        assert '<form method="post" action="/panel/istemeyenler' not in answer.text
    for path in (f"{LIST}/onaylar.csv", f"{LIST}/{refusal.id}/cikar"):
        assert (await made.get(path)).status_code == 403, path
    for path in (LIST, f"{LIST}/dosyadan", f"{LIST}/bildirimler", f"{LIST}/onaylar", f"{LIST}/{refusal.id}/cikar"):
        assert (await made.post(path, {"neden": "istedi", "telefon": BORA})).status_code == 403, path
    assert len(await live(made)) == 2


async def test_words_of_the_shops_own_refuse_from_the_next_message_on(made: Panel) -> None:
    async def wrote(who: str, said: str) -> None:
        told = Inbound(remote_id=f"{who}{said}", sender=who, text=said, at=made.server.clock.now())
        await made.server.store.receive_inbound(1, told, now=made.server.clock.now())

    await wrote(AYSE, "Vazgeçtim")
    assert not await live(made)
    assert (await made.post(f"{LIST}/sozler", {"sozler": "vazgectim,  İSTEMEM\nkapat, Kapat"})).status_code == 303
    page = (await made.get(LIST)).text
    assert "vazgectim, İSTEMEM, kapat</textarea>" in page
    assert re.search(r"İPTAL, [^<]*vazgectim, İSTEMEM, kapat</dd>", page)
    await wrote(AYSE, "VAZGEÇTİM!")
    await wrote(BORA, "Vazgeçtim, kırmızısı olsun")
    assert [(each.phone, each.scope, each.said) for each in await live(made)] == [
        (AYSE, OptOutScope.EVERYTHING, "VAZGEÇTİM!")
    ]
    await wrote(AYSE, "başla")
    assert not await live(made)
    assert (await made.post(f"{LIST}/sozler", {"sozler": ""})).status_code == 303
    await wrote(BORA, "kapat")
    assert not await live(made)
    await wrote(BORA, "Dur")
    assert [each.phone for each in await live(made)] == [BORA], "a fixed word needs nobody to have written it here"
    acts = [each for each in await made.server.store.audit(limit=50, below=None) if each.what == "ret.sozleri_degisti"]
    assert [dict(each.detail) for each in acts] == [{"adet": 0}, {"adet": 3}]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("kapat, dur", "«dur» zaten geçerli"),
        ("BAŞLA", "«BAŞLA» sözünün zaten başka bir anlamı var"),
        ("yanlış numara", "başka bir anlamı var"),
        ("?!", "eçersiz"),
        ("a" * 41, "uzun"),
        (",".join(f"söz{n}" for n in range(31)), "En çok 30"),
    ],
)
async def test_a_word_that_can_be_none_is_told_at_its_place(made: Panel, words: str, told: str) -> None:
    answer = await made.post(f"{LIST}/sozler", {"sozler": words})
    assert answer.status_code == 422
    at = re.search(r'id="sozler-hata">(.*?)</div>', answer.text, re.DOTALL)
    assert at is not None
    assert told in at[1]
    assert f">{words}</textarea>" in answer.text
    assert not await made.server.store.stop_words()

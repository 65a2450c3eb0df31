"""Gelenler without a browser: what people wrote, who sees it, what is marked, and an answer."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.panel.desk import Panel, as_viewer, panel

from guvercin.core.inbound import InboundKind, Media
from guvercin.core.outcome import Inbound
from guvercin.transports.drawing import picture

pytestmark = pytest.mark.anyio

AYSE, BORA = "+905321234567", "+905331234567"
INBOX = "/panel/gelenler"


@pytest.fixture
async def made(tmp_path: Path, empty_database: Path) -> AsyncIterator[Panel]:
    async with panel(tmp_path, empty_database, zone=ZoneInfo("Europe/Istanbul")) as made:
        yield made


async def hear(made: Panel, text: str, who: str = AYSE, **more: Any) -> int:
    """Let somebody write; answers the row."""
    server = made.server
    now = server.clock.now()
    wrote = Inbound(remote_id=f"I-{await server.gateway.hooks.newest()}", sender=who, text=text, at=now)
    await server.store.receive_inbound(server.account.id, replace(wrote, **more), now=now)
    return int(await newest(made))


async def newest(made: Panel) -> str:
    return str(re.findall(r'href="/panel/gelenler/(\d+)"', (await made.get(INBOX)).text)[0])


async def unread(made: Panel) -> int:
    owner = (await made.server.house.people.every())[0].token
    return await made.server.gateway.inbox.unread(owner)


async def test_nobody_has_written_yet(made: Panel) -> None:
    page = (await made.get(INBOX)).text
    assert "Henüz kimse yazmadı." in page
    assert "/panel/gonder?telefon=%2B905000000005" in page
    assert "Everything has been read." in (await made.get(f"{INBOX}?yeni=1", **{"Accept-Language": "en"})).text
    assert "Bu süzgeçle yazan yok." in (await made.get(f"{INBOX}?ara=0532")).text


async def test_what_people_wrote_is_listed_as_text(made: Panel) -> None:
    await hear(made, "<img src=x onerror=alert(1)> {{7*7}}", sender_name="Ayşe <b>")
    media = Media(type="application/pdf", name='"><script>.pdf', size=48_213)
    number = await hear(made, "", BORA, kind=InboundKind.DOCUMENT, media=media)
    page = (await made.get(INBOX)).text
    assert "&lt;img src=x onerror=alert(1)&gt; {{7*7}}" in page
    assert "Ayşe &lt;b&gt;" in page
    assert "Belge: &#34;&gt;&lt;script&gt;.pdf" in page
    assert "Okunmamış" in page
    talk = (await made.get(f"{INBOX}/{number}")).text
    assert "(47 KB)" in talk
    assert "telefonda bakın" in talk
    assert "<script>.pdf" not in talk


async def test_one_is_marked_and_then_all(made: Panel) -> None:
    first = await hear(made, "Bir")
    await hear(made, "İki", BORA)
    await made.post(f"{INBOX}/{first}/okundu", {"sonra": INBOX})
    assert await unread(made) == 1
    assert "Bir" not in (await made.get(f"{INBOX}?yeni=1")).text
    top = await newest(made)
    await hear(made, "Sonra gelen")
    answer = await made.post(f"{INBOX}/okundu?yeni=1", {"son": top})
    assert answer.headers["location"] == f"{INBOX}?yeni=1"
    assert await unread(made) == 1, "what came while the page was open is still new"
    assert (await made.post(f"{INBOX}/okundu", {"son": "x"})).status_code == 303
    assert await unread(made) == 1


async def test_an_answer_goes_over_the_same_account_and_marks_the_conversation(made: Panel) -> None:
    await hear(made, "Siparişim nerede?", sender_name="Ayşe")
    number = await hear(made, "Alo?")
    await hear(made, "Başka biri", BORA)
    page = (await made.get(f"{INBOX}/{number}")).text
    assert page.index("Siparişim nerede?") < page.index("Alo?")
    assert "Başka biri" not in page
    fields = dict(re.findall(r'name="(_tek|son)" value="([0-9a-f]+)"', page))
    for _ in range(2):
        sent = await made.post(f"{INBOX}/{number}/yanit", {"mesaj": "*Yolda*", **fields})
        assert (sent.status_code, sent.headers["location"]) == (303, f"{INBOX}/{number}")
    assert await made.server.rows() == 1, "sent twice, it is one message"
    assert await unread(made) == 1
    talk = (await made.get(f"{INBOX}/{number}")).text
    assert talk.index("Alo?") < talk.index("<strong>Yolda</strong>")
    assert 'href="/panel/mesajlar/1"' in talk
    assert "Ayşe" in (await made.get("/panel/mesajlar")).text


async def test_a_bad_answer_is_told_at_its_place_and_stays_typed(made: Panel) -> None:
    number = await hear(made, "Merhaba")
    long = "a" * 4_097
    answer = await made.post(f"{INBOX}/{number}/yanit", {"mesaj": long})
    assert answer.status_code == 422
    assert 'id="mesaj-hata"' in answer.text
    assert long in answer.text
    assert (await made.post(f"{INBOX}/{number}/yanit", {"mesaj": " "})).status_code == 422
    await hear(made, "DUR")
    refused = await made.post(f"{INBOX}/{number}/yanit", {"mesaj": "Neden?"})
    assert refused.status_code == 422
    assert "Bu kişi mesaj istemediğini bildirdi." in refused.text
    assert "Neden?" in refused.text
    assert await unread(made) == 2, "what was not answered is not read"


async def test_who_shows_no_number_can_not_be_answered_here(made: Panel) -> None:
    number = await hear(made, "Merhaba", "TR.13491208655302741")
    page = (await made.get(f"{INBOX}/{number}")).text
    assert "numarasını göstermiyor" in page
    assert "<textarea" not in page


async def test_whoever_only_looks_sees_no_number_and_changes_nothing(made: Panel) -> None:
    number = await hear(made, "Merhaba")
    await as_viewer(made)
    for path in (INBOX, f"{INBOX}/{number}", f"{INBOX}?ara=0532 123 45 67"):
        page = (await made.get(path)).text
        shown = re.sub(r'value="[^"]*"', "", page)
        assert AYSE not in shown
        assert "532 123 45 67" not in shown
        assert "<textarea" not in page
        assert 'okundu"' not in page
    for path in ("okundu", f"{number}/okundu", f"{number}/yanit"):
        assert (await made.post(f"{INBOX}/{path}", {"mesaj": "x", "son": "9"})).status_code == 403
    assert await unread(made) == 1


async def test_older_pages_and_addresses_that_make_no_sense(made: Panel) -> None:
    for each in range(51):
        await made.server.store.receive_inbound(
            1,
            Inbound(remote_id=f"P-{each}", sender=AYSE, text=f"{each}.", at=made.server.clock.now()),
            now=made.server.clock.now(),
        )
    page = (await made.get(f"{INBOX}?ara=0532 123 45 67")).text
    older = re.search(r'href="(/panel/gelenler\?[^"]*sonra=\d+)"', page)
    assert older is not None
    last = (await made.get(older[1].replace("&amp;", "&"))).text
    assert ">0.</span>" in last
    assert "En yeni<" in last
    for odd in ("?ara=%00%ff", "?hesap=99999999999999999999", "?sonra=x", "?yeni=", "/99"):
        assert (await made.get(f"{INBOX}{odd}")).status_code == (404 if odd == "/99" else 200), odd
    conversation = (await made.get(f"{INBOX}/1")).text
    assert "İki tarafın en yenileri." in conversation
    assert ">0.</span>" in conversation, "the message that was asked for is always there"


# -- files


async def heard(made: Panel, remote_id: str, source: bytes) -> int:
    """Let a file come in as a line tells it; answers the row."""
    server = made.server
    wrote = Inbound(
        remote_id=remote_id,
        sender=AYSE,
        text="",
        at=server.clock.now(),
        kind=InboundKind.IMAGE,
        media=Media(type="image/png"),
        source=source,
    )
    await server.house.sessions.tell(server.account.id, [wrote])
    return int(await newest(made))


async def test_a_file_is_a_link_that_saves_it(made: Panel) -> None:
    number = await heard(made, "F-1", b"drawing")
    page = (await made.get(f"{INBOX}/{number}")).text
    assert f'href="{INBOX}/{number}/dosya"' in page
    assert "Dosyayı aç / indir" in page
    answer = await made.get(f"{INBOX}/{number}/dosya")
    assert (answer.status_code, answer.content) == (200, picture())
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_a_file_that_cannot_be_had_is_said_on_its_page(made: Panel) -> None:
    number = await heard(made, "F-1", b"another way")
    answer = await made.get(f"{INBOX}/{number}/dosya")
    assert answer.status_code == 410
    assert "Bu dosya WhatsApp&#39;ta artık yok" in answer.text
    assert "yeniden göndermesini isteyin" in answer.text
    assert (await made.get(f"{INBOX}/9999/dosya")).status_code == 404
    bare = await hear(made, "Merhaba")
    assert (await made.get(f"{INBOX}/{bare}/dosya")).status_code == 404

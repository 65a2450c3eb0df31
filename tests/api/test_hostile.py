"""What hostile clients write: it stays a value, wherever it comes out again."""

import base64
import gzip
import json
import logging
import re
import unicodedata
import zlib
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from tests.api.conftest import BASE, Connect, Server
from tests.cli.running import LATER, Guvercin

from guvercin import logs
from guvercin.store.sqlite import engine_for

URL = f"{BASE}/gonder"
PHONE = "+905321234567"
JSON = {"Content-Type": "application/json"}

HOSTILE = {
    "a header of its own": "x\r\nX-Injected: 1",
    "a line feed": "x\nX-Injected: 1",
    "an answer of its own": "x\r\n\r\n<script>alert(1)</script>",
    "NUL": "x\0y",
    "a colour": "\x1b[31mx",
    "a title of the window": "\x1b]0;pwned\x07",
    "C1 control": "\x9b31mx",
    "the other way round": "fatura\u202efdp.exe",
    "isolates": "\u2066x\u2069",
    "line separator": "x\u2028X-Injected: 1",
    "markup": "<script>alert(1)</script>",
    "a template": "{{7*7}}${7*7}#{7*7}%n%s",
    "a formula": "=HYPERLINK(1)",
    "SQL": "x'; DROP TABLE message; --",
    "a shell": "$(id)`id`;id",
    "a path": "../../etc/passwd",
}


def control_marks(text: str) -> list[str]:
    """Answer what would command a terminal, begin a line or turn the reading direction."""
    return [mark for mark in text if unicodedata.category(mark) == "Cc" or "\u202a" <= mark <= "\u202e"]


def assert_plain(answer: httpx2.Response) -> None:
    """Hold that an answer is whole: no header from outside, no mark in one, JSON that is read as it was meant."""
    assert "x-injected" not in answer.headers
    for name, value in answer.headers.raw:
        assert control_marks((name + value).decode("latin-1")) == []
    assert answer.status_code < 500
    if answer.content:
        json.loads(answer.content)
        assert not re.search(rb"[\x00-\x1f]", answer.content), "JSON keeps control characters escaped"


async def test_what_a_field_holds_stays_a_value(connect: Connect, server: Server, paused: None) -> None:
    del paused
    async with connect(await server.token(guards_retries=False)) as client:
        for value in HOSTILE.values():
            await field_by_field(client, server, value)
    with engine_for(server.store.path).connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"


async def field_by_field(client: httpx2.AsyncClient, server: Server, value: str) -> None:
    (server.files / "a.pdf").write_bytes(b"%PDF-1.4")
    file = await client.post(f"{BASE}/dosyalar", files={"dosya": (value + ".pdf", b"%PDF-1.4")})
    assert_plain(file)
    if file.status_code == 200:
        assert control_marks(file.json()["dosya_adi"]) == []
    for body in (
        {"mesaj": value},
        {"mesaj": "a", "isim": value},
        {"mesaj": "a", "referans": value},
        {"mesaj": "a", "telefon": value},
    ):
        answer = await client.post(URL, json={"telefon": PHONE, **body}, headers={"Prefer": "wait=0"})
        assert_plain(answer)
        if answer.status_code == 200:
            row = await client.get(f"{BASE}/gonderimler/{answer.json()['log_id']}")
            assert_plain(row)
            for field, written in body.items():
                assert row.json()["data"][field] == written.strip(), "kept as it was written"
    for path in (f"{BASE}/hesaplar", f"{BASE}/iptal"):
        assert_plain(await client.post(path, json={"isim": value, "tur": "sandbox", "referans": value}))
    assert_plain(await client.post(f"{BASE}/dosya-gonder", json={"telefon": PHONE, "dosya_yolu": value}))
    named = {"telefon": PHONE, "dosya_yolu": "a.pdf", "dosya_adi": value + ".pdf"}
    sent = await client.post(f"{BASE}/dosya-gonder", json=named, headers={"Prefer": "wait=0"})
    assert_plain(sent)
    row = (await client.get(f"{BASE}/gonderimler/{sent.json()['log_id']}")).json()["data"]
    assert control_marks(row["dosya_adi"]) == []
    for query in ("referans", "telefon", "sonra", "durum", "baslangic"):
        assert_plain(await client.get(f"{BASE}/gonderimler", params={query: value}))


async def test_what_a_header_holds_stays_a_value(connect: Connect, token: str) -> None:
    """More than a server's parser lets through: it refuses control characters before we see them."""
    for value in HOSTILE.values():
        await header_by_header(connect, token, value.encode())


async def header_by_header(connect: Connect, token: str, value: bytes) -> None:
    names = (b"x-request-id", b"host", b"idempotency-key", b"prefer", b"accept-language", b"accept", b"content-type")
    async with connect(None) as client:
        for name in (*names, b"x-forwarded-for", b"origin"):
            signed = [(b"authorization", b"Bearer " + token.encode()), (name, value)]
            for path in (URL, f"{BASE}/durum/999999"):
                method = "POST" if path == URL else "GET"
                body = {"telefon": PHONE, "mesaj": "a", "planlanan_zaman": LATER} if path == URL else None
                content = None if body is None else json.dumps(body).encode()
                assert_plain(await client.request(method, path, content=content, headers=signed))
        page = await client.get("/belge", headers=[(b"host", value), (b"accept-language", value)])
        assert value.decode() not in page.text
        assert page.status_code == 200


async def test_no_other_method_hides_in_a_header(client: httpx2.AsyncClient, server: Server) -> None:
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        answer = await client.post(f"{BASE}/hesaplar/{server.account.id}?_method=DELETE", headers={name: "DELETE"})
        assert answer.status_code == 405
    assert (await client.get(f"{BASE}/hesaplar/{server.account.id}")).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://guvercin.test"])
async def test_no_foreign_page_is_let_in(client: httpx2.AsyncClient, connect: Connect, origin: str) -> None:
    """No answer names an origin, and a token travels in a header that makes a browser ask first."""
    asks_first = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for path in (URL, f"{BASE}/hesaplar", "/saglik", "/openapi.json"):
        before = await client.options(path, headers=asks_first)
        assert before.status_code == 405
        answer = await client.get(path, headers={"Origin": origin})
        for each in (before, answer):
            assert "set-cookie" not in each.headers
            assert not [name for name in each.headers if name.lower().startswith("access-control-")]
    async with connect(None) as browser:  # a form of a foreign page: no preflight, and no token either
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            headers = {"Origin": origin, "Content-Type": kind, "Cookie": "token=x"}
            assert (await browser.post(URL, content=b"{}", headers=headers)).status_code == 401


@pytest.mark.parametrize(
    "path", ["/saglik", "/openapi.json", "/belge", "/hatalar/bozuk_json", f"{BASE}/hesaplar", f"{BASE}/durum/9", "/yok"]
)
async def test_no_answer_is_taken_for_something_else(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.headers.get_list("X-Content-Type-Options") == ["nosniff"]
    assert len(answer.headers.get_list("Cache-Control")) == 1
    if answer.headers["Content-Type"].startswith("text/html"):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    else:
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda _: base64.b64decode("CwSAeyJ0In0D"),
    "gzip, gzip": lambda body: gzip.compress(gzip.compress(body)),
    "identity, gzip": gzip.compress,
}


async def test_a_packed_body_is_refused_and_never_unpacked(client: httpx2.AsyncClient, server: Server) -> None:
    """A bomb: a kilobyte that unpacks into a megabyte."""
    for encoding, pack in PACKED.items():
        bomb = pack(b'{"telefon": "' + b" " * 1_000_000 + b'"}')
        for path in ("gonder", "toplu-gonder", "iptal", "hesaplar"):
            answer = await client.post(f"{BASE}/{path}", content=bomb, headers=JSON | {"Content-Encoding": encoding})
            assert (answer.status_code, answer.json()["kod"]) == (415, "icerik_turu"), encoding
    twice = [(b"content-encoding", b"identity"), (b"content-encoding", b"gzip"), (b"content-type", b"application/json")]
    assert (await client.post(URL, content=gzip.compress(b"{}"), headers=twice)).status_code == 400
    assert await server.rows() == 0


HUGE = {
    "an integer of 100,000 digits": b'{"telefon": "+905321234567", "mesaj": "a", "tur_id": ' + b"9" * 100_000 + b"}",
    "a number as a number of digits": b'{"telefon": ' + b"9" * 300 + b', "mesaj": "a"}',
    "an exponent": b'{"telefon": "+905321234567", "mesaj": "a", "tur_id": 1e308}',
    "many decimals": b'{"telefon": "+905321234567", "mesaj": "a", "tur_id": 0.' + b"1" * 100_000 + b"}",
    "beyond 64 bits": b'{"telefon": 18446744073709551616, "mesaj": "a"}',
    "below zero": b'{"telefon": "+905321234567", "mesaj": "a", "tur_id": -9223372036854775808}',
    "deep objects": b'{"telefon": "+905321234567", "mesaj": "a", "x": '
    + b'{"x":' * 50_000
    + b"1"
    + b"}" * 50_000
    + b"}",
    "many keys": b'{"telefon": "x", ' + b", ".join(b'"k%d": 1' % n for n in range(50_000)) + b"}",
    "one key many times": b'{"telefon": "x"' + b', "mesaj": "a"' * 50_000 + b"}",
}


async def test_a_huge_shape_is_refused_in_words(client: httpx2.AsyncClient, server: Server) -> None:
    for shape, body in HUGE.items():
        for path in ("gonder", "toplu-gonder", "dosya-gonder"):
            answer = await client.post(f"{BASE}/{path}", content=body, headers=JSON)
            assert answer.status_code in {400, 422}, (shape, answer.text)
            assert_plain(answer)
    assert await server.rows() == 0


# -- what comes out elsewhere


def test_the_log_forges_no_line_and_commands_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    said = StringIO()
    monkeypatch.setattr("sys.stderr", said)
    for form in ("text", "json"):
        logs.configure("info", form)
        for value in HOSTILE.values():
            trouble = ValueError(value)
            logging.getLogger("x").error("write_failed", extra={"trouble": value}, exc_info=trouble)
    lines = said.getvalue().split("\n")
    assert [line for line in lines if control_marks(line)] == []
    assert [line for line in lines if line.startswith(("X-Injected", "<script"))] == []


def test_errors_of_the_database_keep_what_they_were_given_to_themselves(tmp_path: Path) -> None:
    with engine_for(tmp_path / "x.db", create=True).connect() as connection:
        with pytest.raises(DatabaseError) as caught:
            connection.execute(text("INSERT INTO nowhere VALUES (:phone)"), {"phone": PHONE})
        assert PHONE not in str(caught.value)


def test_the_terminal_shows_what_clients_wrote_and_obeys_nothing_of_it(tmp_path: Path) -> None:
    guvercin = Guvercin(tmp_path / "veri")
    hostile = "a\x9b31m\u202eb"
    sent = guvercin("gonder", "+905000000001", hostile, "--isim", hostile, "--json").json
    guvercin("hesap", "ekle", hostile)
    for line in (("kayit",), ("durum", str(sent["log_id"])), ("hesap", "liste"), ("durum",)):
        shown = guvercin(*line).out
        assert "a\ufffd31m\ufffdb" in shown or line == ("durum",), shown
        assert control_marks(shown.replace("\n", "")) == []
    written = guvercin("durum", str(sent["log_id"]), "--json").out
    assert control_marks(written.replace("\n", "")) == []
    row: dict[str, Any] = json.loads(written)["data"]
    assert row["mesaj"] == row["isim"] == hostile, "programs get every letter"

"""HTTP itself: bodies as they arrive, who may ask, limits, languages, and the door for what nobody expected."""

from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from typing import Any, cast

import httpx2
import orjson
import pytest
from tests.api.conftest import BASE, Connect, Server, connecting

from guvercin.api.app import create_app
from guvercin.core.token import Permission
from guvercin.gateway.clock import SystemClock
from guvercin.gateway.gateway import Gateway
from guvercin.logs import fields

URL = f"{BASE}/gonder"
TEXT = {"telefon": "+905321234567", "mesaj": "Şükrü Bey, faturanız hazır."}
JSON = {"Content-Type": "application/json"}


async def text_of(client: httpx2.AsyncClient, answer: httpx2.Response) -> str:
    row = (await client.get(f"{BASE}/gonderimler/{answer.json()['log_id']}")).json()
    return str(row["data"]["mesaj"])


# -- bodies


@pytest.mark.parametrize(
    ("content_type", "codec"),
    [
        ("application/json", "utf-8"),
        ("application/json; charset=utf-8", "utf-8"),
        ('application/json;charset="UTF-8"', "utf-8"),
        ("APPLICATION/JSON", "utf-8"),
        ("application/vnd.api+json", "utf-8"),
        ("application/json", "utf-8-sig"),
        ("application/json; charset=windows-1254", "cp1254"),
        ("application/json; charset=ISO-8859-9", "iso8859-9"),
        (None, "utf-8"),
    ],
)
async def test_a_body_is_read_in_the_charset_that_it_declares(
    client: httpx2.AsyncClient, content_type: str | None, codec: str
) -> None:
    body = orjson.dumps(TEXT).decode().encode(codec)
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = await client.post(URL, content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert await text_of(client, answer) == TEXT["mesaj"]


GOOD = orjson.dumps(TEXT)
DEEP = b'{"telefon":"+905321234567","mesaj":"a","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    ("headers", "body", "status", "kod"),
    [
        (JSON, b"", 400, "bozuk_json"),
        (JSON, b"{", 400, "bozuk_json"),
        (JSON, b"telefon=5321234567", 400, "bozuk_json"),
        (JSON, GOOD + b"{}", 400, "bozuk_json"),
        (JSON, GOOD.replace(b'"mesaj"', b"mesaj"), 400, "bozuk_json"),
        (JSON, b'{"telefon": NaN, "mesaj": "a"}', 400, "bozuk_json"),
        (JSON, b'{"telefon": "+905321234567", "mesaj": "a", "x": Infinity}', 400, "bozuk_json"),
        (JSON, b'{"telefon": "+905321234567", "mesaj": "\\ud800"}', 400, "bozuk_json"),
        (JSON, b'{"telefon": 1e999, "mesaj": "a"}', 400, "bozuk_json"),
        (JSON, DEEP, 400, "bozuk_json"),
        (JSON, orjson.dumps(TEXT).decode().encode("cp1254"), 400, "utf8_degil"),
        (JSON, orjson.dumps(TEXT).decode().encode("utf-16"), 400, "utf8_degil"),
        (JSON, b'{"mesaj": "\xff"}', 400, "utf8_degil"),
        ({"Content-Type": "application/json; charset=windows-1254"}, b'{"mesaj": "\x81"}', 400, "bozuk_json"),
        ({"Content-Type": "application/json; charset=shift_jis"}, GOOD, 415, "icerik_turu"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"telefon=5321234567&mesaj=a", 415, "icerik_turu"),
        ({"Content-Type": "text/plain"}, GOOD, 415, "icerik_turu"),
        ({"Content-Type": "text/json"}, GOOD, 415, "icerik_turu"),
        ({"Content-Type": "json"}, GOOD, 415, "icerik_turu"),
        ({"Content-Type": ""}, GOOD, 415, "icerik_turu"),
        (JSON | {"Content-Encoding": "gzip"}, GOOD, 415, "icerik_turu"),
        (JSON, b"[]", 422, "gecersiz_alan"),
        (JSON, b"null", 422, "gecersiz_alan"),
        (JSON, b'"metin"', 422, "gecersiz_alan"),
        (JSON, b"42", 422, "gecersiz_alan"),
    ],
)
async def test_a_malformed_request_is_refused_and_stores_nothing(  # noqa: PLR0917 -- two fixtures and a case
    client: httpx2.AsyncClient, server: Server, headers: dict[str, str], body: bytes, status: int, kod: str
) -> None:
    for path in ("gonder", "toplu-gonder", "dosya-gonder"):
        answer = await client.post(f"{BASE}/{path}", content=body, headers=headers)
        assert (answer.status_code, answer.json()["kod"]) == (status, kod), answer.text
        assert answer.json()["ok"] is False
        assert answer.json()["hata"]
    assert await server.rows() == 0


async def test_identity_is_no_encoding(client: httpx2.AsyncClient) -> None:
    answer = await client.post(URL, content=GOOD, headers=JSON | {"Content-Encoding": "identity"})
    assert answer.status_code == 200


async def test_of_a_repeated_key_the_last_one_counts(client: httpx2.AsyncClient) -> None:
    body = b'{"mesaj": "ilk", "telefon": "+905321234567", "mesaj": "son"}'
    assert await text_of(client, await client.post(URL, content=body, headers=JSON)) == "son"


async def test_a_body_too_deep_for_a_key_is_refused(client: httpx2.AsyncClient) -> None:
    body = b'{"telefon": "+905321234567", "mesaj": "a", "x": ' + b"[" * 500 + b"]" * 500 + b"}"
    answer = await client.post(URL, content=body, headers=JSON | {"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["kod"]) == (400, "bozuk_json")
    assert (await client.post(URL, content=body, headers=JSON)).status_code == 200


@pytest.mark.parametrize(("path", "limit"), [("gonder", 1_000_000), ("toplu-gonder", 8_000_000)])
@pytest.mark.parametrize("says_length", [True, False])
async def test_a_body_is_bounded_by_its_real_bytes(
    client: httpx2.AsyncClient,
    server: Server,
    path: str,
    limit: int,
    says_length: bool,  # noqa: FBT001 -- a case
) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 3 * limit:
            sent += 100_000
            yield b" " * 100_000

    headers = JSON | ({"Content-Length": str(3 * limit)} if says_length else {})
    answer = await client.post(f"{BASE}/{path}", content=chunks(), headers=headers)
    assert (answer.status_code, answer.json()["kod"]) == (413, "govde_buyuk")
    assert await server.rows() == 0


# -- addresses and methods


@pytest.mark.parametrize(
    "path", ["/yok", f"{BASE}/yok", f"{BASE}/gonder/", f"{BASE}/durum", "/docs", "/redoc", "/api/v1"]
)
async def test_an_unknown_address_is_told_and_never_redirected(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.post(path, json=TEXT)
    assert (answer.status_code, answer.json()["kod"]) == (404, "bulunamadi")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "gonder", {"POST"}),
        ("PUT", "hesaplar", {"GET", "POST"}),
        ("POST", "hesaplar/1", {"GET", "PATCH", "DELETE"}),
        ("DELETE", "durum/1", {"GET"}),
        ("GET", "gonderimler/1/iptal", {"POST"}),
    ],
)
async def test_a_wrong_method_hears_which_ones_work(
    client: httpx2.AsyncClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = await client.request(method, f"{BASE}/{path}")
    assert (answer.status_code, answer.json()["kod"]) == (405, "yontem_yok")
    assert {name.strip() for name in answer.headers["Allow"].split(",")} == allowed


# -- who asks


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic Z3Y6eA==", "gv_123", "Token gv_123"])
async def test_a_request_without_a_token_is_refused(connect: Connect, header: str | None) -> None:
    async with connect(None) as client:
        headers = {} if header is None else {"Authorization": header}
        answer = await client.post(URL, content=b"{", headers=headers)
        assert (answer.status_code, answer.json()["kod"]) == (401, "anahtar_yok")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("secret", ["gv_yanlis", "x" * 10_000, "gv_" + "0" * 64])
async def test_a_wrong_token_is_refused(connect: Connect, secret: str) -> None:
    async with connect(None) as client:
        headers = [(b"Authorization", f"Bearer {secret}".encode())]
        answer = await client.get(f"{BASE}/hesaplar", headers=headers)
        assert (answer.status_code, answer.json()["kod"]) == (401, "anahtar_gecersiz")
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


async def test_a_token_in_the_url_is_no_token(connect: Connect, token: str) -> None:
    async with connect(None) as client:
        answer = await client.get(f"{BASE}/hesaplar", params={"token": token, "access_token": token})
        assert answer.status_code == 401


async def test_the_scheme_is_read_in_any_case(connect: Connect, token: str) -> None:
    async with connect(None) as client:
        answer = await client.get(f"{BASE}/hesaplar", headers={"Authorization": f"bearer  {token}"})
        assert answer.status_code == 200


async def test_an_address_that_guesses_is_slowed_down_but_the_right_token_works(connect: Connect, token: str) -> None:
    async with connect("gv_yanlis") as guesser:
        statuses = [(await guesser.get(f"{BASE}/hesaplar")).status_code for _ in range(12)]
        assert statuses == [401] * 10 + [429] * 2
        answer = await guesser.post(URL, json=TEXT)
        assert (answer.status_code, answer.json()["kod"]) == (429, "istek_siniri")
        assert 0 < int(answer.headers["Retry-After"]) <= 60
    async with connect(token) as neighbour:
        assert (await neighbour.get(f"{BASE}/hesaplar")).status_code == 200
    async with connect("gv_yanlis", peer="192.0.2.8") as elsewhere:
        assert (await elsewhere.get(f"{BASE}/hesaplar")).status_code == 401


async def test_a_limited_token_hears_what_is_left(connect: Connect, server: Server) -> None:
    async with connect(await server.token(per_minute=2)) as limited:
        answer = await limited.get(f"{BASE}/hesaplar")
        assert answer.headers["RateLimit-Policy"] == '"api";q=2;w=60'
        assert answer.headers["RateLimit"].startswith('"api";r=1;t=')
        answer = await limited.get(f"{BASE}/durum/999")
        assert answer.status_code == 404
        assert answer.headers["RateLimit"].startswith('"api";r=0;t=')
        answer = await limited.post(URL, json=TEXT)
        assert (answer.status_code, answer.json()["kod"]) == (429, "istek_siniri")
        assert answer.headers["RateLimit"].startswith('"api";r=0;t=')
        assert int(answer.headers["Retry-After"]) >= int(answer.headers["RateLimit"].rpartition("=")[2])
    assert await server.rows() == 0


async def test_a_token_without_a_limit_hears_of_none(client: httpx2.AsyncClient) -> None:
    answer = await client.get(f"{BASE}/hesaplar")
    assert not [name for name in answer.headers if name.lower().startswith("ratelimit")]


async def test_an_expired_token_is_refused(connect: Connect, server: Server) -> None:
    async with connect(await server.token(expires_at=server.clock.now() - timedelta(seconds=1))) as late:
        assert (await late.get(f"{BASE}/hesaplar")).json()["kod"] == "anahtar_gecersiz"


# -- how an answer looks


@pytest.mark.parametrize("request_id", ["abc-123", "A.b_c", "x" * 100])
async def test_a_sane_request_id_is_echoed(client: httpx2.AsyncClient, request_id: str) -> None:
    answer = await client.get(f"{BASE}/durum/999", headers={"X-Request-Id": request_id})
    assert answer.headers["X-Request-Id"] == answer.json()["istek_id"] == request_id


@pytest.mark.parametrize("request_id", ["", "a b", "x" * 101, "<script>", "ş", "a\tb"])
async def test_another_request_id_is_replaced(client: httpx2.AsyncClient, request_id: str) -> None:
    answer = await client.get(f"{BASE}/durum/999", headers=[(b"X-Request-Id", request_id.encode())])
    assert answer.headers["X-Request-Id"] == answer.json()["istek_id"]
    assert answer.headers["X-Request-Id"] != request_id
    assert answer.headers["X-Request-Id"].isalnum()


@pytest.mark.parametrize(
    ("accept_language", "language", "word"),
    [
        (None, "tr", "telefon"),
        ("en", "en", "phone"),
        ("de, en;q=0.5", "en", "phone"),
        ("tr-TR,tr;q=0.9,en;q=0.8", "tr", "telefon"),
    ],
)
async def test_a_refusal_speaks_the_readers_language(
    client: httpx2.AsyncClient, accept_language: str | None, language: str, word: str
) -> None:
    headers = {} if accept_language is None else {"Accept-Language": accept_language}
    answer = await client.post(URL, json=TEXT | {"telefon": "0532"}, headers=headers)
    assert answer.headers["Content-Language"] == language
    assert "Accept-Language" in answer.headers["Vary"]
    assert word in answer.json()["title"].lower()


async def test_a_problem_document_is_given_to_those_who_name_it(client: httpx2.AsyncClient) -> None:
    plain = await client.post(URL, json={}, headers={"Accept": "application/json"})
    assert plain.headers["Content-Type"] == "application/json"
    problem = await client.post(URL, json={}, headers={"Accept": "application/problem+json"})
    assert problem.headers["Content-Type"] == "application/problem+json"
    assert problem.json()["instance"] == URL
    assert problem.json()["type"] == "/hatalar/gecersiz_alan"


class Broken:
    """A gateway with a bug: what a route can't expect."""

    async def authenticate(self, _secret: str | None) -> Any:
        raise RuntimeError("gizli: +905321234567")

    @property
    def meta(self) -> Any:
        raise RuntimeError("gizli: +905321234567")


async def test_what_nobody_expected_leaks_nothing_and_has_a_number(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(cast("Gateway", Broken()), timezone=UTC, clock=SystemClock(), rng=server.rng)
    with connecting(app) as connect:
        async with connect("gv_x") as client:
            for path in (f"{BASE}/gonder", f"{BASE}/toplu-gonder", "/meta/webhook/1"):
                answer = await client.post(path, json=TEXT, headers={"X-Request-Id": "istek-7"})
                assert (answer.status_code, answer.json()["kod"]) == (500, "ic_hata")
                assert "gizli" not in answer.text
                assert "+90532" not in answer.text
                assert answer.headers.get_list("X-Request-Id") == ["istek-7"]
                assert answer.json()["istek_id"] == "istek-7"
    assert [fields(line)["request_id"] for line in caplog.records] == ["istek-7"] * 3


# -- operations


async def test_live_and_ready_need_no_token(connect: Connect, server: Server) -> None:
    async with connect(None) as client:
        assert (await client.get("/saglik")).json()["ok"] is True
        assert (await client.get("/hazir")).json() == {"ok": True}
        server.gateway.close()
        answer = await client.get("/hazir")
        assert (answer.status_code, answer.json()["kod"]) == (503, "kapaniyor")
        assert (await client.get("/saglik")).status_code == 200


async def test_metrics_are_for_this_machine_and_for_readers(
    connect: Connect, client: httpx2.AsyncClient, server: Server
) -> None:
    await client.post(URL, json=TEXT)
    async with connect(None, peer="127.0.0.1") as local:
        local.headers["Host"] = "127.0.0.1:8080"
        answer = await local.get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/plain")
        counted = f'guvercin_http_requests_total{{method="POST",route="{URL}",status="200"}} 1.0'
        assert counted in answer.text
        assert 'guvercin_line{account_id="1",state="connected"} 1.0' in answer.text
        assert 'guvercin_in_line{account_id="1"} 0.0' in answer.text
        assert 'guvercin_outcomes_total{status="sent"} 1.0' in answer.text
        for header in ("X-Forwarded-For", "Forwarded"):
            assert (await local.get("/metrics", headers={header: "for=192.0.2.1"})).status_code == 401
    async with connect(None) as stranger:
        assert (await stranger.get("/metrics")).status_code == 401
    for permission, status in ((Permission.READ, 200), (Permission.ADMIN, 200), (Permission.SEND, 403)):
        async with connect(await server.token(permissions=frozenset({permission}))) as signed_in:
            assert (await signed_in.get("/metrics")).status_code == status


async def test_metrics_never_carry_what_a_client_made_up(connect: Connect, client: httpx2.AsyncClient) -> None:
    await client.get("/uydurma-adres")
    await client.get(f"{BASE}/durum/123456")
    await client.post("/meta/webhook/123456", json={})
    async with connect(None, peer="::1") as local:
        text = (await local.get("/metrics", headers={"Host": "[::1]:8080"})).text
    assert "uydurma" not in text
    assert "123456" not in text
    assert 'route="/meta/webhook/{account_id}",status="404"' in text


async def test_the_bare_address_leads_to_the_panel(connect: Connect) -> None:
    async with connect(None) as client:
        answer = await client.get("/")
        assert (answer.status_code, answer.headers["Location"]) == (302, "/panel")

"""The error door: every way in which a request can fail, and the one body that comes out."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Body, FastAPI, HTTPException, Query
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect, Request

from guvercin.api.problems import PROBLEM_JSON, STATUS, Problem, describe, install, problem, responses
from guvercin.core.errors import Code, FieldFault, GuvercinError
from guvercin.core.phone import PhoneFault
from guvercin.locale import Language
from guvercin.locale.faults import FAULTS
from guvercin.logs import fields

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "phone": "telefon",
        "text": "mesaj",
        "name": "isim",
        "category": "tur_id",
        "recipients": "alicilar",
        "planned_at": "planlanan_zaman",
        "kind": "tur",
    },
)


def told(error: GuvercinError, language: Language = Language.TR, accept: str = "*/*") -> httpx2.Response:
    """Answer the response of an error, as a client reads it."""
    response = problem(
        error,
        language=language,
        instance="/api/v1/whatsapp/gonder",
        request_id="7f3a21c0",
        accept=accept,
        wire_name=lambda name: NAMES.get(name, name),
    )
    return httpx2.Response(response.status_code, headers=response.raw_headers, content=bytes(response.body))


class Ask(BaseModel):
    phone: str = Field(alias="telefon")
    text: str = Field(alias="mesaj", max_length=10)


GOOD = {"telefon": "+905321234567", "mesaj": "Merhaba"}


# -- the body


def test_the_body_is_that_of_the_contract_to_the_letter() -> None:
    answer = told(GuvercinError(Code.INVALID_PHONE, faults=(FieldFault("phone", PhoneFault.TOO_SHORT.value),)))
    short = "Eksik hane var. Türkiye numaralarında ülke kodundan sonra 10 hane bulunur."
    assert list(answer.json().items()) == [
        ("ok", False),
        ("hata", f"Telefon numarası geçersiz. {short}"),
        ("kod", "gecersiz_telefon"),
        ("type", "/hatalar/gecersiz_telefon"),
        ("title", "Geçersiz telefon"),
        ("status", 422),
        ("detail", f"Telefon numarası geçersiz. {short}"),
        ("instance", "/api/v1/whatsapp/gonder"),
        ("alanlar", [{"alan": "telefon", "kod": "eksik_hane", "mesaj": short}]),
        ("istek_id", "7f3a21c0"),
    ]
    assert answer.status_code == 422
    assert "\\u" not in answer.text


def test_a_refusal_of_a_stored_message_names_its_record_last() -> None:
    answer = told(GuvercinError(Code.NOT_ON_WHATSAPP, log_id=42)).json()
    assert list(answer)[-2:] == ["istek_id", "log_id"]
    assert (answer["log_id"], answer["status"], answer["alanlar"]) == (42, 422, [])


def test_several_faults_are_told_together() -> None:
    faults = (FieldFault("phone", "tip"), FieldFault("text", "zorunlu"), FieldFault("category", "aralik"))
    answer = told(GuvercinError(Code.INVALID_FIELD, faults=faults))
    body = answer.json()
    assert (answer.status_code, body["kod"]) == (422, "gecersiz_alan")
    assert body["hata"] == "İstekte hatalı alan var: telefon, mesaj, tur_id."
    assert [(each["alan"], each["kod"]) for each in body["alanlar"]] == [
        ("telefon", "tip"),
        ("mesaj", "zorunlu"),
        ("tur_id", "aralik"),
    ]


def test_a_field_fault_of_many_does_not_keep_its_own_code() -> None:
    faults = (FieldFault("phone", "bos"), FieldFault("category", "gecersiz_tur"))
    assert told(GuvercinError(Code.INVALID_PHONE, faults=faults)).json()["kod"] == "gecersiz_alan"


def test_an_unsupported_field_stays_unsupported_and_is_named() -> None:
    faults = (FieldFault("name", "desteklenmiyor"), FieldFault("kind", "desteklenmiyor"))
    answer = told(GuvercinError(Code.UNSUPPORTED, faults=faults))
    assert answer.status_code == 501
    assert answer.json()["hata"].endswith("yapılamıyor: isim, tur.")


@pytest.mark.parametrize("language", Language)
def test_the_sentence_names_the_limit_in_the_reader_s_own_numbers(language: Language) -> None:
    fault = FieldFault("text", "uzun_mesaj", {"limit": 4096})
    body = told(GuvercinError(Code.LONG_TEXT, faults=(fault,)), language).json()
    expected = {
        Language.TR: "Mesaj çok uzun: sınır 4.096 harf.",
        Language.EN: "The message is too long: the limit is 4,096 letters.",
    }
    assert body["hata"] == body["alanlar"][0]["mesaj"] == expected[language]


def test_ten_thousand_faults_are_not_a_megabyte() -> None:
    faults = tuple(FieldFault(f"recipients.{place}.phone", "zorunlu") for place in range(10_000))
    answer = told(GuvercinError(Code.INVALID_FIELD, faults=faults))
    assert len(answer.json()["alanlar"]) == 100
    assert answer.json()["alanlar"][99]["alan"] == "alicilar.99.telefon"
    assert answer.json()["hata"].endswith("alicilar.0.telefon, alicilar.1.telefon, alicilar.2.telefon ….")


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("code", Code)
def test_every_code_can_be_answered(code: Code, language: Language) -> None:
    answer = told(GuvercinError(code), language)
    body = answer.json()
    assert answer.status_code == body["status"] == (STATUS[code] or 422)
    assert body["kod"] == code
    assert "{" not in body["hata"]
    assert answer.headers["content-language"] == language
    assert answer.headers["vary"] == "Accept, Accept-Language"
    assert ("retry-after" in answer.headers) == (answer.status_code in {429, 503})
    assert ("www-authenticate" in answer.headers) == (answer.status_code == 401)


def test_every_code_has_its_place_in_the_table_of_statuses() -> None:
    assert set(STATUS) == set(Code)


@pytest.mark.parametrize("fault", [*FAULTS, *PhoneFault])
def test_every_fault_has_a_sentence(fault: str) -> None:
    params: Mapping[str, str | int] = {"limit": 3, "wanted": "x"}
    for brought in ({}, params):
        error = GuvercinError(Code.INVALID_FIELD, faults=(FieldFault("name", fault, brought),))
        texts = [told(error, language).json()["alanlar"][0]["mesaj"] for language in Language]
        assert all(texts)
        assert texts[0] != texts[1]
        assert not [text for text in texts if "{" in text]


# -- headers


@pytest.mark.parametrize(
    ("accept", "is_problem"),
    [
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("application/*", False),
        (PROBLEM_JSON, True),
        ("Application/Problem+JSON", True),
        (f"application/json, {PROBLEM_JSON}", True),
        (f"application/json;q=0.9, {PROBLEM_JSON};q=0.8", False),
        (f"application/json;q=0.5, {PROBLEM_JSON};charset=utf-8;q=0.8", True),
        (f"{PROBLEM_JSON};q=0.5, */*", False),
        (f"{PROBLEM_JSON}, */*;q=0.1", True),
        (f"{PROBLEM_JSON};q=0", False),
        (f"{PROBLEM_JSON};q=best", False),
        (f"text/html, {PROBLEM_JSON};q=0.2", True),
    ],
)
def test_a_problem_document_is_called_so_only_on_demand(accept: str, *, is_problem: bool) -> None:
    answer = told(GuvercinError(Code.NOT_FOUND), accept=accept)
    assert answer.headers["content-type"] == (PROBLEM_JSON if is_problem else "application/json")


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [
        (timedelta(seconds=30), "30"),
        (timedelta(milliseconds=1), "1"),
        (timedelta(0), "1"),
        (timedelta(seconds=1.2), "2"),
    ],
)
def test_the_moment_to_come_back_is_whole_seconds_and_never_now(wait: timedelta, seconds: str) -> None:
    answer = told(GuvercinError(Code.TOO_MANY_REQUESTS, retry_after=wait))
    assert answer.headers["retry-after"] == seconds
    assert f" {seconds} saniye sonra" in answer.json()["hata"]


def test_a_client_with_a_bad_token_is_told_so_in_http_s_own_words() -> None:
    assert told(GuvercinError(Code.NO_TOKEN)).headers["www-authenticate"] == 'Bearer realm="guvercin"'
    assert 'error="invalid_token"' in told(GuvercinError(Code.INVALID_TOKEN)).headers["www-authenticate"]


# -- the app's door


class Broken(Exception):  # noqa: N818 -- a stand-in for anything
    """Something that nobody expected, with a secret in its words."""


def app_with_door() -> FastAPI:
    app = FastAPI()
    install(app, field_names=NAMES, request_id=lambda request: request.headers.get("x-request-id", "made-here"))

    @app.post("/gonder")
    async def send(ask: Annotated[Ask, Body()], limit: Annotated[int, Query()] = 1) -> int:
        return limit + len(ask.text)

    @app.get("/kisiler/{phone}")
    async def person(phone: str) -> None:
        raise Broken(f"cannot read {phone}")

    @app.get("/dolu")
    async def full() -> None:
        raise GuvercinError(Code.QUEUE_FULL, retry_after=timedelta(seconds=3))

    @app.get("/garip")
    async def odd() -> None:
        raise HTTPException(status_code=418)

    @app.post("/ham")
    async def raw(request: Request) -> int:
        return len(await request.body())

    return app


async def ask(method: str, path: str, **options: Any) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=app_with_door(), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, path, **options)


async def test_a_bad_body_passes_the_door() -> None:
    answer = await ask("POST", "/gonder", json={"mesaj": "x"}, headers={"accept-language": "en-GB,tr;q=0.5"})
    assert answer.status_code == 422
    assert answer.json()["hata"] == "The phone number is not valid. This field is required."
    assert answer.json()["instance"] == "/gonder"
    assert answer.headers["content-language"] == "en"


async def test_a_bad_query_passes_the_door() -> None:
    answer = (await ask("POST", "/gonder?limit=x", json=GOOD)).json()
    assert [(each["alan"], each["kod"]) for each in answer["alanlar"]] == [("limit", "tip")]


@pytest.mark.parametrize(
    ("body", "code"), [(b"", "gecersiz_alan"), (b"{", "bozuk_json"), (b'{"mesaj": "\xfe"}', "utf8_degil")]
)
async def test_an_unreadable_body_passes_the_door(body: bytes, code: str) -> None:
    answer = await ask("POST", "/gonder", content=body, headers={"content-type": "application/json"})
    assert answer.json()["kod"] == code


async def test_a_wrong_address_and_a_wrong_method_pass_the_door() -> None:
    assert (await ask("GET", "/yok")).json()["kod"] == "bulunamadi"
    answer = await ask("DELETE", "/gonder")
    assert (answer.status_code, answer.json()["kod"]) == (405, "yontem_yok")
    assert answer.headers["allow"] == "POST"


async def test_our_own_refusal_passes_the_door() -> None:
    answer = await ask("GET", "/dolu")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")


async def test_a_refusal_in_the_middle_of_a_body_is_still_that_refusal() -> None:
    async def too_much() -> AsyncIterator[bytes]:
        yield b"{"
        raise GuvercinError(Code.BODY_TOO_LARGE, params={"limit": "1 MB"})

    answer = await ask("POST", "/gonder", content=too_much(), headers={"content-type": "application/json"})
    assert answer.json()["hata"] == "İsteğin gövdesi çok büyük: sınır 1 MB."


@pytest.mark.parametrize("path", ["/kisiler/+905321234567", "/garip"])
async def test_the_unexpected_tells_a_number_to_the_client_and_the_rest_to_the_log(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await ask("GET", path, headers={"x-request-id": "abc123"})
    assert answer.status_code == 500
    assert answer.json()["istek_id"] == answer.headers["x-request-id"] == "abc123"
    assert "abc123" in answer.json()["hata"]
    assert not [word for word in ("Broken", "Traceback", "cannot read", ".py") if word in answer.text]
    (line,) = caplog.records
    told = fields(line)
    assert (line.getMessage(), told["request_id"], told["method"]) == ("unexpected_error", "abc123", "GET")
    assert line.exc_info is not None
    assert "905321234567" not in str(told)


@pytest.mark.parametrize("path", ["/ham", "/gonder"])
async def test_a_client_that_went_away_is_no_error_of_ours(path: str, caplog: pytest.LogCaptureFixture) -> None:
    async def gone() -> AsyncIterator[bytes]:
        yield b"{"
        raise ClientDisconnect

    await ask("POST", path, content=gone(), headers={"content-type": "application/json"})
    assert caplog.records == []


# -- the documented error


def test_every_error_of_a_route_is_declared_with_the_one_model() -> None:
    app = FastAPI()

    @app.post("/gonder", responses=responses(Code.NO_TOKEN, Code.INVALID_TOKEN, Code.INVALID_PHONE, Code.NO_ACCOUNT))
    async def send() -> None:
        """Do nothing."""

    document = app.openapi()
    declared = document["paths"]["/gonder"]["post"]["responses"]
    assert set(declared) == {"200", "401", "422", "503"}
    assert declared["401"]["description"] == "anahtar_yok, anahtar_gecersiz"
    assert declared["401"]["x-kodlar"] == ["anahtar_yok", "anahtar_gecersiz"]
    for media_type in ("application/json", PROBLEM_JSON):
        assert declared["422"]["content"][media_type]["schema"] == {"$ref": "#/components/schemas/Problem"}
    fields = Problem.model_json_schema(mode="serialization")["properties"]
    shown = describe(
        GuvercinError(Code.NOT_ON_WHATSAPP, log_id=1),
        language=Language.TR,
        instance="/",
        request_id="x",
        wire_name=str,
    )
    assert list(json.loads(shown.model_dump_json(by_alias=True))) == list(fields)
    assert fields["log_id"]["type"] == "integer"

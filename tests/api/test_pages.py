"""The public pages, rendered from a small app that has the contract's five operations."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Body, Depends, FastAPI
from fastapi import Path as InPath
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from guvercin.api import pages
from guvercin.api.problems import responses
from guvercin.api.reference import chapters
from guvercin.core.errors import Code
from guvercin.locale import Language, translator
from guvercin.locale.codes import WORDS

SEND = {"telefon": "+905321234567", "mesaj": "Hello, your invoice is ready.", "isim": "John", "tur_id": 1}
BULK = {
    "alicilar": [{"telefon": "+905321234567", "isim": "Ali"}, {"telefon": "+905339876543", "isim": "Veli"}],
    "mesaj": "Balance reminder",
    "tur_id": 5,
}
FILE = {"telefon": "+905321234567", "dosya_yolu": "/faturalar/FTR-001.pdf", "mesaj": "Invoice attached"}


def example(value: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [value]})


class Recipient(BaseModel):
    telefon: str = Field(description="Alıcı telefon numarası (+905XXXXXXXXX)")
    isim: str | None = Field(default=None, description="Alıcı adı (log için)", max_length=100)


class Send(BaseModel):
    model_config = example(SEND)

    telefon: str = Field(description="Alıcı telefon numarası (+905XXXXXXXXX)")
    mesaj: str = Field(description="Gönderilecek mesaj metni", max_length=4096)
    isim: str | None = Field(default=None, description="Alıcı adı (log için)")
    tur_id: int = Field(default=10, description="Gönderim türü ID (varsayılan: 10=genel)", ge=1, le=999999)


class SendMany(BaseModel):
    model_config = example(BULK)

    alicilar: list[Recipient] = Field(description="Alıcı listesi [{telefon, isim}]", max_length=10000)
    mesaj: str = Field(description="Gönderilecek mesaj metni")
    tur_id: int = Field(default=10, description="Gönderim türü ID (varsayılan: 10=genel)")


class SendFile(BaseModel):
    model_config = example(FILE)

    telefon: str = Field(description="Alıcı telefon numarası (+905XXXXXXXXX)")
    dosya_yolu: str = Field(description="Sunucudaki dosya yolu")
    mesaj: str | None = Field(default=None, description="Dosya açıklaması")


class SendAnswer(BaseModel):
    model_config = example({"ok": True, "log_id": 42, "message_id": "BAE5F4A1C..."})

    ok: bool
    log_id: int
    message_id: str | None


class SendManyAnswer(BaseModel):
    model_config = example({"ok": True, "total": 2, "sent": 2, "failed": 0})

    ok: bool
    total: int
    sent: int
    failed: int


class Delivery(BaseModel):
    id: int
    durum: str
    alici: str
    gonderim_zamani: str | None


class StatusAnswer(BaseModel):
    model_config = example(
        {
            "ok": True,
            "data": {
                "id": 42,
                "durum": "delivered",
                "alici": "+905321234567",
                "gonderim_zamani": "2026-02-23 14:30:00",
            },
        },
    )

    ok: bool
    data: Delivery


COMMON = (Code.NO_TOKEN, Code.INVALID_TOKEN, Code.NOT_ALLOWED, Code.INTERNAL)
SENDING = (*COMMON, Code.BROKEN_JSON, Code.INVALID_FIELD, Code.INVALID_PHONE, Code.EMPTY_TEXT, Code.NO_ACCOUNT)
BEARER = [Depends(HTTPBearer())]
BASE = "/api/v1/whatsapp"
TAGS: list[Any] = ["WhatsApp"]


def seed_app() -> FastAPI:
    """Build an app with the documented operations; none of them does anything."""
    app = FastAPI(
        title="Güvercin",
        version="0.1.0",
        description="WhatsApp mesaj gönderimi ve hesap yönetimi.",
        docs_url=None,
        redoc_url=None,
        dependencies=BEARER,
    )

    @app.post(f"{BASE}/gonder", summary="Mesaj Gönder", tags=TAGS, responses=responses(*SENDING))
    def send(body: Annotated[Send, Body()]) -> SendAnswer:
        """Belirtilen numaraya WhatsApp mesajı gönderir. Ülke kodu dahil telefon numarası gereklidir."""
        raise NotImplementedError(body)

    @app.post(f"{BASE}/toplu-gonder", summary="Toplu Mesaj Gönder", tags=TAGS, responses=responses(*SENDING))
    def send_many(body: Annotated[SendMany, Body()]) -> SendManyAnswer:
        """Birden fazla numaraya WhatsApp mesajı gönderir. Aralıklı gönderim yapar."""
        raise NotImplementedError(body)

    @app.post(f"{BASE}/dosya-gonder", summary="Dosya Gönder", tags=TAGS, responses=responses(*SENDING))
    def send_file(body: Annotated[SendFile, Body()]) -> SendAnswer:
        """WhatsApp üzerinden PDF veya görsel gönderir."""
        raise NotImplementedError(body)

    @app.get(f"{BASE}/hesaplar", summary="Hesap Listesi", tags=TAGS, responses=responses(*COMMON))
    def accounts() -> dict[str, Any]:
        """Tanımlı WhatsApp hesaplarını ve bağlantı durumlarını listeler."""
        raise NotImplementedError

    @app.get(f"{BASE}/durum/{{logId}}", summary="Gönderim Durumu", tags=TAGS, responses=responses(*COMMON))
    def status(
        log_id: Annotated[int, InPath(alias="logId", description="Log kayıt ID", examples=[42], ge=1)],
    ) -> StatusAnswer:
        """Belirtilen log kaydının gönderim durumunu sorgular."""
        raise NotImplementedError(log_id)

    app.router.routes.extend(pages.routes(app.openapi))
    return app


class Reader(HTMLParser):
    """Reads a page the way a careful visitor does: its text, its ids, its links, its languages."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.languages: list[str] = []
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.attributes |= given.keys()
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [value for name, value in attrs if name in {"href", "src", "action"} and value]
        if language := given.get("lang"):
            self.languages.append(language)

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text))


async def get(path: str, *, host: str = "127.0.0.1:8080", **headers: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=seed_app())
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        return await client.get(
            path, headers={"host": host, **{name.replace("_", "-"): headers[name] for name in headers}}
        )


@pytest.mark.parametrize("path", ["/belge", "/hatalar", "/hatalar/gecersiz_telefon", "/hatalar/yok_boyle_bir_kod"])
@pytest.mark.parametrize("language", Language)
async def test_a_page_is_safe_and_speaks_the_reader_s_language(path: str, language: Language) -> None:
    answer = await get(path, accept_language=language)
    page = Reader(answer.text)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-language"] == language
    assert answer.headers["vary"] == "Accept-Language"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page.languages[0] == language
    assert not {"script", "style", "img", "iframe", "form"} & set(page.tags)
    assert not {name for name in page.attributes if name == "style" or name.startswith("on")}
    assert len(page.ids) == len(set(page.ids))
    assert "icerik" in page.ids
    outside = [link for link in page.links if not link.startswith(("/", "#", "?"))]
    assert not outside
    assert not [link for link in page.links if link.startswith("#") and link[1:] not in page.ids]


async def test_every_link_of_the_pages_leads_somewhere() -> None:
    links = {link for path in ("/belge", "/hatalar") for link in Reader((await get(path)).text).links}
    asked = {link.partition("#")[0] for link in links if link.startswith("/") and link != "/openapi.json"}
    lost = {link for link in asked if (await get(link)).status_code != 200}
    assert asked
    assert lost == set()


async def test_the_reference_shows_the_contract_as_printed() -> None:
    page = Reader((await get("/belge")).text)
    for body in (SEND, BULK, FILE):
        assert json.dumps(body, ensure_ascii=False, indent=2) in "".join(page.text)
    for text in ("Mesaj Gönder", "/api/v1/whatsapp/durum/{logId}", "Alıcı telefon numarası (+905XXXXXXXXX)", "Zorunlu"):
        assert text in page.words
    for text in ("alicilar[].telefon", "en çok 10.000 öge", "varsayılan: 10", "integer", "data.gonderim_zamani"):
        assert text in page.words
    assert "/hatalar/gecersiz_telefon?dil=tr" in page.links


def run_as_printf(line: str) -> list[str]:
    """Answer the arguments that a shell would give to curl."""
    shown = subprocess.run(
        ["/bin/sh", "-c", line.replace("curl ", "printf '%s\\n' ", 1)],
        capture_output=True,
        text=True,
        check=True,
        env={"GUVERCIN_TOKEN": "gv_example"},
    )
    return shown.stdout.splitlines()


async def test_the_curl_line_is_one_that_a_shell_runs() -> None:
    text = "".join(Reader((await get("/belge", host="guvercin.example:8443")).text).text)
    line = next(block for block in re.findall(r"curl (?:.*\\\n)+.*", text) if "/gonder" in block)
    shown = run_as_printf(line)
    assert shown[:3] == ["-X", "POST", "http://guvercin.example:8443/api/v1/whatsapp/gonder"]
    assert shown[3:9:2] == ["-H", "-H", "-H"]
    assert shown[4] == "Authorization: Bearer gv_example"
    assert json.loads(shown[-1]) == SEND
    assert "curl http://guvercin.example:8443/api/v1/whatsapp/durum/42" in text


@pytest.mark.parametrize("host", ['"><script>alert(1)</script>', "a'; rm -rf x; '", "`id`.example"])
async def test_an_address_that_is_none_is_not_repeated(host: str) -> None:
    answer = await get("/belge", host=host)
    assert host not in answer.text
    assert "http://127.0.0.1:8080/api/v1/whatsapp/gonder" in answer.text


@pytest.mark.parametrize("language", Language)
async def test_bulk_sending_is_shown_with_its_risk(language: Language) -> None:
    page = (await get("/belge", accept_language=language)).text
    section = page.split('id="post-api-v1-whatsapp-toplu-gonder"')[1].split("</section>")[0]
    told = Reader(section).words
    assert "Cloud API" in told
    assert translator(language)(pages.RISK[0]) in told
    assert page.count('class="risk"') == 1


@pytest.mark.parametrize("code", Code)
async def test_every_code_has_its_page_in_both_languages(code: Code) -> None:
    page = Reader((await get(f"/hatalar/{code}", accept_language="en")).text)
    assert page.languages[0] == "en"
    assert [language for language in page.languages[1:] if language in {"tr", "en"}][-2:] == ["en", "tr"]
    for language in Language:
        say = translator(language)
        words = WORDS[code]
        for text in (words.title, words.detail, words.happened, words.sent, words.todo):
            assert say(text).replace("`", " ").split()[0] in page.words
        assert say(words.title) in page.words


async def test_a_link_chooses_the_language() -> None:
    assert Reader((await get("/belge?dil=en", accept_language="tr")).text).languages[0] == "en"


async def test_an_unknown_code_is_404() -> None:
    assert (await get("/hatalar/%3Cb%3E")).status_code == 404


async def test_the_style_may_be_kept_for_ever_under_its_own_name() -> None:
    link = next(link for link in Reader((await get("/hatalar")).text).links if link.endswith(".css"))
    style = await get(link)
    assert style.status_code == 200
    assert style.headers["content-type"].startswith("text/css")
    assert "immutable" in style.headers["cache-control"]
    older = await get("/belge.0123456789ab.css")
    assert older.content == style.content
    assert older.headers["cache-control"] == "no-cache"


async def test_what_the_document_says_is_text_and_never_markup() -> None:
    app = FastAPI(title="x", description="<script>alert(1)</script> `<b>`")
    app.router.routes.extend(pages.routes(app.openapi))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://x") as client:
        page = (await client.get("/belge")).text
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<code>&lt;b&gt;</code>" in page


def test_importing_the_pages_does_not_load_the_template_engine() -> None:
    script = "import sys, guvercin.api.pages; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_document_is_read_whatever_it_refers_to() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}, "kind": {"const": "x"}}}
    operation = {
        "parameters": [
            {"name": "X-Key", "in": "header", "schema": {"type": "string", "minLength": 1}},
            {"$ref": "#/components/parameters/id"},
        ],
        "requestBody": {
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file"],
                        "properties": {
                            "file": {"type": "string"},
                            "words": {"type": "array", "items": {"type": "string"}, "minItems": 2},
                            "one": {"allOf": [{"$ref": "#/components/schemas/Node"}], "description": "said beside"},
                        },
                    },
                },
            },
        },
        "responses": {"204": {"description": "gone"}},
    }
    document = {
        "paths": {"/a/{id}": {"put": operation}},
        "components": {
            "schemas": {"Node": node},
            "parameters": {
                "id": {"name": "id", "in": "path", "required": True, "example": 7, "schema": {"type": "integer"}}
            },
        },
    }
    (chapter,) = chapters(document, "http://x", translator(Language.EN))
    (put,) = chapter.operations
    rows = {row.name: row for row in put.rows}
    assert [row.place for row in put.rows][:: len(put.rows) - 1] == ["path", "header"]
    assert rows["words"].type == "string[]"
    assert rows["words"].notes == ["at least 2 items"]
    assert rows["X-Key"].notes == []
    assert rows["one"].description == "said beside"
    assert rows["one.kind"].type == '"x"'
    assert max(name.count("next") for name in rows) == 3  # a model that contains itself ends somewhere
    assert put.needs_token is False
    assert put.curl == 'curl -X PUT http://x/a/7 \\\n  -F file=@fatura.pdf \\\n  -H "Accept: application/json"'
    assert [(answer.status, answer.rows, answer.example) for answer in put.answers] == [("204", [], None)]

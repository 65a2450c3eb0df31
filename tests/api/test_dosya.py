"""`POST /dosya-gonder` and `POST /dosyalar`."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.api.conftest import BASE, Connect, Server, connecting, serve

from guvercin.core.token import Permission

URL = f"{BASE}/dosya-gonder"
UPLOADS = f"{BASE}/dosyalar"
PDF = b"%PDF-1.7\nfatura"
ALI = "+905321234567"


@pytest.fixture
def invoice(server: Server) -> str:
    (server.files / "FTR-001.pdf").write_bytes(PDF)
    return "/FTR-001.pdf"


async def record(client: httpx2.AsyncClient, answer: httpx2.Response) -> dict[str, Any]:
    found = await client.get(f"{BASE}/gonderimler/{answer.json()['log_id']}")
    data: dict[str, Any] = found.json()["data"]
    return data


async def test_a_file_is_sent_by_its_path(client: httpx2.AsyncClient, invoice: str) -> None:
    answer = await client.post(URL, json={"telefon": ALI, "dosya_yolu": invoice, "mesaj": "Faturanız ektedir."})
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["ok", "log_id", "message_id"]
    row = await record(client, answer)
    assert (row["dosya_adi"], row["mesaj"]) == ("FTR-001.pdf", "Faturanız ektedir.")


@pytest.mark.parametrize("text", [None, ""])
async def test_a_file_needs_no_text_and_may_have_another_name(
    client: httpx2.AsyncClient, invoice: str, text: str | None
) -> None:
    asked = {"telefon": ALI, "dosya_yolu": invoice, "mesaj": text, "dosya_adi": "Şubat faturası.pdf", "isim": "Ali"}
    row = await record(client, await client.post(URL, json=asked))
    assert (row["dosya_adi"], row["mesaj"], row["isim"]) == ("Şubat faturası.pdf", None, "Ali")


async def test_an_uploaded_file_is_sent_by_its_id(client: httpx2.AsyncClient) -> None:
    answer = await client.post(UPLOADS, files={"dosya": ("Şubat.pdf", PDF, "application/octet-stream")})
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["ok", "dosya_id", "dosya_adi", "dosya_turu", "boyut"]
    assert (answer.json()["dosya_adi"], answer.json()["dosya_turu"]) == ("Şubat.pdf", "application/pdf")
    assert answer.json()["boyut"] == len(PDF)
    sent = await client.post(URL, json={"telefon": ALI, "dosya_id": answer.json()["dosya_id"]})
    assert (await record(client, sent))["dosya_adi"] == "Şubat.pdf"


async def test_another_tokens_upload_does_not_exist(
    client: httpx2.AsyncClient, connect: Connect, server: Server
) -> None:
    answer = await client.post(UPLOADS, files={"dosya": ("a.pdf", PDF)})
    async with connect(await server.token()) as stranger:
        refused = await stranger.post(URL, json={"telefon": ALI, "dosya_id": answer.json()["dosya_id"]})
        assert (refused.status_code, refused.json()["kod"]) == (422, "dosya_acilamadi")
        assert refused.json()["alanlar"][0]["alan"] == "dosya_id"


@pytest.mark.parametrize(
    ("asked", "field", "kod"),
    [
        ({}, "dosya_yolu", "gecersiz_alan"),
        ({"dosya_yolu": ""}, "dosya_yolu", "gecersiz_alan"),
        ({"dosya_yolu": None, "dosya_id": None}, "dosya_yolu", "gecersiz_alan"),
        ({"dosya_yolu": "/a.pdf", "dosya_id": "x"}, "dosya_id", "gecersiz_alan"),
        ({"dosya_yolu": 5}, "dosya_yolu", "gecersiz_alan"),
        ({"dosya_yolu": "/yok.pdf"}, "dosya_yolu", "dosya_acilamadi"),
        ({"dosya_yolu": "../../etc/passwd"}, "dosya_yolu", "dosya_acilamadi"),
        ({"dosya_yolu": "/a\x00.pdf"}, "dosya_yolu", "dosya_acilamadi"),
        ({"dosya_yolu": "/hesap.xlsx"}, "dosya_yolu", "dosya_turu"),
        ({"dosya_id": "yok"}, "dosya_id", "dosya_acilamadi"),
    ],
)
async def test_a_file_that_can_not_be_sent_is_refused(
    client: httpx2.AsyncClient, server: Server, asked: dict[str, Any], field: str, kod: str
) -> None:
    (server.files / "hesap.xlsx").write_bytes(b"PK\x03\x04 tablo")
    answer = await client.post(URL, json={"telefon": ALI} | asked)
    assert (answer.status_code, answer.json()["kod"]) == (422, kod), answer.text
    assert answer.json()["alanlar"][0]["alan"] == field
    assert await server.rows() == 0


async def test_without_a_root_no_path_is_read(tmp_path: Path, empty_database: Path) -> None:
    async with serve(tmp_path, empty_database, has_roots=False) as server:
        with connecting(server.app) as connect:
            async with connect(await server.token()) as client:
                answer = await client.post(URL, json={"telefon": ALI, "dosya_yolu": "/FTR-001.pdf"})
                assert (answer.status_code, answer.json()["kod"]) == (503, "dosya_koku_tanimsiz")
                uploaded = await client.post(UPLOADS, files={"dosya": ("a.pdf", PDF)})
                sent = await client.post(URL, json={"telefon": ALI, "dosya_id": uploaded.json()["dosya_id"]})
                assert sent.status_code == 200


async def test_an_upload_of_another_kind_is_refused(client: httpx2.AsyncClient) -> None:
    answer = await client.post(UPLOADS, files={"dosya": ("a.pdf", b"MZ\x90 program", "application/pdf")})
    assert (answer.status_code, answer.json()["kod"]) == (422, "dosya_turu")
    assert answer.json()["alanlar"][0]["alan"] == "dosya"


@pytest.mark.parametrize(
    "form", [{"files": {"file": ("a.pdf", PDF)}}, {"data": {"dosya": "yazı"}, "files": {"b": b"b"}}]
)
async def test_an_upload_without_its_field_is_refused(client: httpx2.AsyncClient, form: dict[str, Any]) -> None:
    answer = await client.post(UPLOADS, **form)
    assert (answer.status_code, answer.json()["kod"]) == (422, "gecersiz_alan")
    assert answer.json()["alanlar"][0] | {"mesaj": ""} == {"alan": "dosya", "kod": "zorunlu", "mesaj": ""}


@pytest.mark.parametrize(
    ("content_type", "body", "status", "kod"),
    [
        ("application/pdf", PDF, 415, "icerik_turu"),
        ("application/json", b"{}", 415, "icerik_turu"),
        ("multipart/form-data", b"--x\r\n", 422, "gecersiz_alan"),
        ("multipart/form-data; boundary=x", b"no parts at all", 422, "gecersiz_alan"),
        ("multipart/form-data; boundary=x", b"", 422, "gecersiz_alan"),
    ],
)
async def test_an_upload_that_is_no_form_is_refused(
    client: httpx2.AsyncClient, content_type: str, body: bytes, status: int, kod: str
) -> None:
    answer = await client.post(UPLOADS, content=body, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["kod"]) == (status, kod)


async def test_an_upload_is_bounded_by_its_real_bytes(client: httpx2.AsyncClient) -> None:
    large = PDF + b"0" * (17 * 1024 * 1024)
    answer = await client.post(UPLOADS, files={"dosya": ("a.pdf", large)})
    assert (answer.status_code, answer.json()["kod"]) == (413, "govde_buyuk")


async def test_files_need_their_permission(connect: Connect, server: Server) -> None:
    async with connect(await server.token(permissions=frozenset({Permission.SEND}))) as till:
        assert (await till.post(URL, json={})).status_code == 403
        assert (await till.post(UPLOADS)).status_code == 403

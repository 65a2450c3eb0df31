"""`GET /toplu/{id}/rapor.csv` and `rapor.xlsx`: what a shop opens in its spreadsheet."""

import csv
import io
from typing import Any

import httpx2
import openpyxl
import pytest
from tests.api.conftest import BASE, Connect, Server

ALI = "+905321234567"
HEADS = ["Phone", "Name", "Status", "Reason", "Sent at", "Delivered at", "Read at", "Reference", "Text", "File"]
NASTY = ["=1+1", "+1", "-1", "@a", "=HYPERLINK(1)", "'x", "Ay;şe", 'Tır"nak', "12345678901234567"]


async def batch_of(client: httpx2.AsyncClient, *lines: dict[str, Any]) -> str:
    answer = await client.post(f"{BASE}/toplu-gonder", json={"alicilar": lines, "mesaj": "=Merhaba\nAyşe"})
    return answer.headers["Location"]


async def cells(client: httpx2.AsyncClient, batch: str, language: str = "en") -> list[list[str]]:
    answer = await client.get(f"{batch}/rapor.csv", headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.content.endswith(b"\r\n")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";"))


async def test_a_csv_that_a_turkish_spreadsheet_opens(client: httpx2.AsyncClient) -> None:
    lines = [{"telefon": ALI, "isim": "Şükrü", "referans": "FTR-1"}, {"telefon": "abc"}, {"telefon": ALI}]
    batch = await batch_of(client, *lines)
    heads, first, second, third = await cells(client, batch)
    assert heads[:10] == HEADS
    assert first[:2] == ["905321234567", "Şükrü"]
    assert first[4][:2] == "20"
    assert first[7:9] == ["FTR-1", "'=Merhaba\nAyşe"]
    assert first[11].startswith("DENEME-")
    assert second[:4] == ["abc", "", "Failed", "Invalid phone number"]
    assert third[2:4] == ["Failed", "Repeated recipient"]
    assert (await cells(client, batch, "tr"))[0][:3] == ["Telefon", "Ad", "Durum"]


async def test_no_cell_becomes_a_formula(client: httpx2.AsyncClient) -> None:
    people = [{"telefon": f"+90532123456{place}", "isim": name} for place, name in enumerate(NASTY)]
    batch = await batch_of(client, *people)
    names = [row[1] for row in (await cells(client, batch))[1:]]
    assert names == [f"'{name}" if name[0] in "=+-@" else name for name in NASTY]

    answer = await client.get(f"{batch}/rapor.xlsx")
    assert answer.status_code == 200
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    column = [row[1] for row in list(sheet.iter_rows())[1:]]
    assert [(cell.value, cell.data_type, cell.number_format) for cell in column] == [(name, "s", "@") for name in NASTY]
    phones = [row[0].value for row in list(sheet.iter_rows())[1:]]
    assert phones == [f"90532123456{place}" for place in range(len(NASTY))]


@pytest.mark.usefixtures("paused")
async def test_what_waits_says_why(client: httpx2.AsyncClient) -> None:
    answer = await client.post(
        f"{BASE}/toplu-gonder", json={"alicilar": [{"telefon": ALI}], "mesaj": "a"}, headers={"Prefer": "wait=0"}
    )
    batch = answer.headers["Location"]
    await client.post(f"{batch}/duraklat")
    assert (await cells(client, batch))[1][2:4] == ["Queued", "Its bulk is paused until you resume it"]


@pytest.mark.usefixtures("paused")
async def test_a_long_report_is_whole_and_in_the_list_s_order(client: httpx2.AsyncClient) -> None:
    people = [{"telefon": 905321000000 + each} for each in range(1_201)]
    answer = await client.post(
        f"{BASE}/toplu-gonder", json={"alicilar": people, "mesaj": "a"}, headers={"Prefer": "wait=0"}
    )
    told = [row[0] for row in (await cells(client, answer.headers["Location"]))[1:]]
    assert told == [str(each["telefon"]) for each in people]


async def test_a_foreign_report_is_not_there(server: Server, client: httpx2.AsyncClient, connect: Connect) -> None:
    batch = await batch_of(client, {"telefon": ALI})
    async with connect(await server.token(account_ids=frozenset({999}))) as other:
        for form in ("csv", "xlsx"):
            assert (await other.get(f"{batch}/rapor.{form}")).status_code == 404

"""Customer lists as people really have them: nasty files, exact verdicts."""

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guvercin.core.phone import PhoneFault
from guvercin.core.recipients import Columns, Person, guess_columns, read_person
from guvercin.gateway.sheets import MOST_ROWS, SheetFault, UnreadableSheet, read_sheet

AYSE, BORA, CEM = "+905321234567", "+905331234567", "+905341234567"


def excel(*rows: list[Any], change: Callable[[Any], None] = lambda _: None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def people(raw: bytes) -> list[Person]:
    sheet = read_sheet(raw)
    columns = guess_columns(sheet.lines[0].cells, [line.cells for line in sheet.lines[1:]])
    assert columns is not None
    seen: dict[str, int] = {}
    body = sheet.lines[1:] if columns.has_heads else sheet.lines
    return [read_person(line.number, line.cells, columns, seen) for line in body]


def verdict(person: Person) -> object:
    """A number, a fault, or the line of the first that has it."""
    if person.fault is not None:
        return person.fault.value
    assert person.phone is not None
    return person.repeats or person.phone.e164


def archive(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name.replace("__", "/"), content)
    return out.getvalue()


GOOD = {
    "Excel's own CSV: ; and windows-1254": "Cari Adı;Cep Tel;Bakiye\r\nŞükrü Işık;0532 123 45 67;1.250,00\r\n".encode(
        "cp1254"
    ),
    "UTF-8 with a mark": "\ufeffAd Soyad;Telefon\nAyşe Yılmaz;05321234567\n".encode(),
    "UTF-16, as «Unicode text»": "Ad Soyad\tTelefon\r\nAyşe\t0532 123 45 67\r\n".encode("utf-16"),
    "commas and quotes": b'name,phone\n"Yilmaz, Ayse",+90 532 123 45 67\n',
    "bars": b"gsm|isim\n5321234567|Ayse\n",
    "no heads at all": b"05321234567;Ayse\n05331234567;Bora\n",
    "no heads, the number last": b"Ayse;150;05321234567\nBora;200;05331234567\n",
    "heads nobody knows": "Kişi;İletişim\nAyşe;0532 123 45 67\nBora;0533 123 45 67\n".encode(),
    "a row of counting before": b"No;Ad;Tel\n1;Ayse;0532 123 45 67\n",
    "surname apart": "Adı;Soyadı;Telefon\nAyşe;Yılmaz;0532 123 45 67\n".encode(),
    "empty lines all over": b"\n;;\ntelefon;isim\n\n05321234567;Ayse\n;;\n\n",
    "a line break inside quotes": b'telefon;adres\n05321234567;"Sokak 1\nIzmir"\n',
    "old Mac line ends": b"telefon;isim\r05321234567;Ayse\r",
    "a formula around the number": b'telefon;isim\n"=""05321234567""";Ayse\n',
    "an apostrophe before it": b"telefon;isim\n'05321234567;Ayse\n",
    "floats of another program": b"telefon,isim\n905321234567.0,Ayse\n",
    "non-breaking spaces": "telefon;isim\n0532\u00a0123\u00a045\u00a067;Ayşe\n".encode(),
    "full-width digits": "telefon\n\uff10\uff15\uff13\uff12\uff11\uff12\uff13\uff14\uff15\uff16\uff17\n".encode(),
    "Excel: the number as a number": excel(["Telefon", "İsim"], [905321234567, "Ayşe"]),
    "Excel: the leading 0 is gone": excel(["Telefon", "İsim"], [5321234567, "Ayşe"]),
    "Excel: as a float": excel(["Telefon", "İsim"], [5321234567.0, "Ayşe"]),
    "Excel: as text": excel(["Cep", "Unvan"], ["0 (532) 123 45 67", "Ayşe Ltd. Şti."]),
    "Excel: empty rows and columns": excel([], [None, "Telefon", None, "İsim"], [], [None, "05321234567", None, "A"]),
    "Excel: only the first sheet": excel(
        ["Telefon"], ["05321234567"], change=lambda book: book.create_sheet("Eski").append(["05339999999"])
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_list_that_can_be_read(name: str) -> None:
    found = people(GOOD[name])
    assert verdict(found[0]) == AYSE
    assert all(person.is_good for person in found)


BAD: dict[str, tuple[bytes, SheetFault]] = {
    "nothing": (b"", SheetFault.EMPTY),
    "only separators": (b";;;\n;;\n", SheetFault.EMPTY),
    "an Excel of the nineties": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), SheetFault.OLD_EXCEL),
    "a password": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(64) + "EncryptedPackage".encode("utf-16-le"),
        SheetFault.LOCKED,
    ),
    "LibreOffice's own form": (
        archive(mimetype=b"application/vnd.oasis.opendocument.spreadsheet", content=b"<x/>"),
        SheetFault.OTHER_OFFICE,
    ),
    "a Word file": (archive(word__document=b"<x/>"), SheetFault.OTHER_OFFICE),
    "a zip bomb": (archive(xl__workbook=b"0" * 60_000_000), SheetFault.BOMB),
    "a small bomb": (archive(**{"xl__workbook.xml": b"<x/>", "big": b"0" * 9_000_000}), SheetFault.BOMB),
    "half a file": (excel(["Telefon"], ["05321234567"])[:400], SheetFault.BROKEN),
    "an Excel with nonsense in it": (archive(**{"xl__workbook.xml": b"nonsense"}), SheetFault.BROKEN),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), SheetFault.BINARY),
    "a program": (b"MZ" + bytes(2_000), SheetFault.BINARY),
    "too large": (b"05321234567\n" * 900_000, SheetFault.TOO_LARGE),
    "too many rows": (b"05321234567\n" * (MOST_ROWS + 2), SheetFault.TOO_MANY_ROWS),
    "one quote that never ends": (b'telefon;isim\n"' + b"x" * 1_200_000, SheetFault.BROKEN),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_none_says_what_it_is(name: str) -> None:
    raw, fault = BAD[name]
    with pytest.raises(UnreadableSheet) as unreadable:
        read_sheet(raw)
    assert unreadable.value.fault is fault


def test_every_row_has_its_verdict() -> None:
    rows = [
        "Telefon;İsim",
        "0532 123 45 67;Ayşe",
        "+905321234567;Ayşe yine",
        "9,05321E+11;Excel",
        "0532 123;kısa",
        "0532 123 45 67 89;uzun",
        "yok;harf",
        ";boş",
        "0212 123 45 67 / 0533 123 45 67;iki",
        "0533 123 45 67;ikinin ikincisi",
        "444 0 333;servis",
        "0534 123 45 67 ; ;fazla",
        "+49 151 23456789;Almanya",
    ]
    found = people("\n".join(rows).encode())
    assert [verdict(person) for person in found] == [
        AYSE,
        2,
        "bilimsel_gosterim",
        "eksik_hane",
        "fazla_hane",
        "harf_var",
        "bos",
        BORA,
        9,
        "servis_numarasi",
        CEM,
        "+4915123456789",
    ]
    assert [person.is_first_of_several for person in found if person.phone and person.phone.e164 == BORA] == [
        True,
        False,
    ]
    assert [person.line for person in found] == list(range(2, 14))


def test_every_other_column_fills_places() -> None:
    raw = excel(
        ["Cari Adı", "GSM", "Borç (TL)", "Vade", "Fatura No"],
        ["Ayşe", 5321234567, 1250.5, date(2026, 2, 23), "FTR-001"],
        ["Bora", 5331234567, 900, datetime(2026, 2, 23, 14, 30), None],  # noqa: DTZ001 -- as Excel has it
    )
    ayse, bora = people(raw)
    assert (ayse.name, ayse.reference) == ("Ayşe", "FTR-001")
    assert ayse.variables == {
        "cari adi": "Ayşe",
        "gsm": "5321234567",
        "borc tl": "1250,5",
        "vade": "23.02.2026",
        "fatura no": "FTR-001",
    }
    assert (bora.variables["borc tl"], bora.variables["vade"]) == ("900", "23.02.2026 14:30")


def test_the_surname_joins_the_name_and_still_fills_its_own_place() -> None:
    (person,) = people("Adı;Soyadı;Telefon\nAyşe;Yılmaz;05321234567\n".encode())
    assert (person.name, person.variables["soyadi"]) == ("Ayşe Yılmaz", "Yılmaz")


def test_letters_that_were_broken_before_are_noticed() -> None:
    assert read_sheet("isim;telefon\nÞükrü Iþýk;05321234567\n".encode()).is_scarred
    assert not read_sheet("isim;telefon\nŞükrü Işık;05321234567\n".encode()).is_scarred


@pytest.mark.parametrize("raw", [b"isim;sehir\nAyse;Izmir\nBora;Ankara\n", b"1;2\n3;4\n"])
def test_a_list_without_numbers_is_not_guessed_at(raw: bytes) -> None:
    sheet = read_sheet(raw)
    assert guess_columns(sheet.lines[0].cells, [line.cells for line in sheet.lines[1:]]) is None


@given(st.binary(max_size=400))
def test_any_bytes_are_a_sheet_or_a_reason(raw: bytes) -> None:
    try:
        sheet = read_sheet(raw)
    except UnreadableSheet:
        return
    assert sheet.lines


@given(st.lists(st.lists(st.text(max_size=20), min_size=1, max_size=4), min_size=1, max_size=8))
def test_any_rows_give_each_one_verdict(rows: list[list[str]]) -> None:
    columns = guess_columns(rows[0], rows[1:]) or Columns(phone=0)
    seen: dict[str, int] = {}
    found = [read_person(number, row, columns, seen) for number, row in enumerate(rows, start=1)]
    for person in found:
        assert (person.phone is None) == (person.fault is not None)
        assert person.fault is None or isinstance(person.fault, PhoneFault)
    assert len({person.phone.e164 for person in found if person.phone}) == sum(person.is_good for person in found)

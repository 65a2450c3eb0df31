import pytest
from hypothesis import given
from hypothesis import strategies as st

from guvercin.cli.recipients import Row, UnreadableList, read_rows

AYSE = Row(line=2, phone="0532 123 45 67", name="Ayşe")
ISIK = Row(line=3, phone="05321234568", name="Işık")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1254"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("heads", ["telefon{}isim", "TELEFON{}İSİM", "Cep Telefonu{}Adı Soyadı", "GSM{}Müşteri"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_list_as_shops_save_it(encoding: str, delimiter: str, heads: str, end: str) -> None:
    rows = [heads.format(delimiter), f"0532 123 45 67{delimiter}Ayşe", f"05321234568{delimiter}Işık", ""]
    assert read_rows(end.join(rows).encode(encoding)) == [AYSE, ISIK]


def test_columns_may_stand_anywhere() -> None:
    text = "No;Ad Soyad;Borç;Tel\n1;Ayşe;1.250,00;0532 123 45 67\n"
    assert read_rows(text.encode()) == [Row(line=2, phone="0532 123 45 67", name="Ayşe")]


def test_without_heads_the_first_column_is_the_number() -> None:
    assert read_rows(b"05321234567\n05321234568;Ali\n") == [
        Row(line=1, phone="05321234567", name=None),
        Row(line=2, phone="05321234568", name="Ali"),
    ]


def test_quotes_and_empty_lines() -> None:
    text = 'telefon;isim\n\n"0532 123 45 67";"Yılmaz; Ayşe"\n;;\n'
    assert read_rows(text.encode()) == [Row(line=3, phone="0532 123 45 67", name="Yılmaz; Ayşe")]


def test_a_row_without_a_number_stays_to_be_counted() -> None:
    assert read_rows("telefon;isim\n;Ayşe\n".encode()) == [Row(line=2, phone="", name="Ayşe")]


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"", "empty"),
        (b"\n;\n", "empty"),
        (b"PK\x03\x04rest of a spreadsheet", "spreadsheet"),
        ("ad;soyad\nAyşe;Yılmaz\n".encode(), "no_phones"),
        (b'telefon;isim\n"' + b"x" * 200_000, "broken"),
    ],
)
def test_what_is_no_list_says_why(raw: bytes, what: str) -> None:
    with pytest.raises(UnreadableList) as error:
        read_rows(raw)
    assert error.value.what == what


@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_a_reason(raw: bytes) -> None:
    try:
        rows = read_rows(raw)
    except UnreadableList:
        return
    assert all(row.line >= 1 for row in rows)

"""Read a list of customers as shops have it: a CSV in whatever encoding it was saved, or an Excel file.

Laws
1. Bytes from outside are measured before they are opened: a small file must not become a large one in memory.
2. A cell is read as its owner sees it: whole numbers without «.0», dates as 23.02.2026, decimals with a comma.
3. What can't be read says which file it is and what to do; nothing is guessed from half a file.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

LARGEST_FILE = 10_000_000
MOST_ROWS = 20_000
MOST_COLUMNS = 100
LONGEST_CELL = 4_096
_LARGEST_INSIDE = 50_000_000
_LARGEST_RATIO = 200
_MOST_LINES = 200_000
"""Empty ones among them: a spreadsheet may go on for a million rows in which nothing stands."""

_SNIFFED = 20
"""Lines that tell which sign stands between the cells."""

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_DELIMITERS = ";,\t|"
_LATIN_1_SCARS = frozenset("þýðÞÝÐ")
"""What windows-1254 becomes when somebody reads it as Latin-1: Þükrü, Iþýk."""


class SheetFault(StrEnum):
    """Why a file is no list."""

    EMPTY = "bos_liste"
    TOO_LARGE = "buyuk"
    TOO_MANY_ROWS = "cok_satir"
    OLD_EXCEL = "eski_excel"
    LOCKED = "sifreli"
    OTHER_OFFICE = "baska_tablo"
    BOMB = "supheli_arsiv"
    BROKEN = "bozuk"
    BINARY = "metin_degil"


class UnreadableSheet(Exception):  # noqa: N818 -- what the file is
    """A file that is no list of rows. Nothing of it was taken."""

    def __init__(self, fault: SheetFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row that holds anything. `number` counts from 1, as the spreadsheet or the editor shows it."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A file that was read. `is_scarred`: its letters look as if Turkish had been saved in a wrong encoding."""

    lines: Sequence[Line]
    form: str
    is_scarred: bool = False


def read_sheet(raw: bytes) -> Sheet:
    """Answer the rows of a CSV or Excel file; rows that hold nothing are left out. Raises UnreadableSheet."""
    if len(raw) > LARGEST_FILE:
        raise UnreadableSheet(SheetFault.TOO_LARGE)
    if raw.startswith(_OLE):
        raise UnreadableSheet(SheetFault.LOCKED if _ENCRYPTED in raw else SheetFault.OLD_EXCEL)
    sheet = _read_excel(raw) if raw.startswith(_ZIP) else _read_csv(raw)
    if not sheet.lines:
        raise UnreadableSheet(SheetFault.EMPTY)
    return sheet


def _kept(rows: Iterator[tuple[int, Sequence[str]]]) -> list[Line]:
    lines: list[Line] = []
    for number, row in rows:
        if number > _MOST_LINES:
            raise UnreadableSheet(SheetFault.TOO_MANY_ROWS)
        cells = tuple(cell.strip()[:LONGEST_CELL] for cell in row[:MOST_COLUMNS])
        if not any(cells):
            continue
        if len(lines) > MOST_ROWS:  # one more than rows: the heads
            raise UnreadableSheet(SheetFault.TOO_MANY_ROWS)
        lines.append(Line(number=number, cells=cells))
    return lines


# -- CSV


def _read_csv(raw: bytes) -> Sheet:
    text, form = _decoded(raw)
    if "\x00" in text:
        raise UnreadableSheet(SheetFault.BINARY)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    csv.field_size_limit(1_000_000)
    try:
        lines = _kept((reader.line_num, row) for row in reader)
    except csv.Error as error:
        raise UnreadableSheet(SheetFault.BROKEN) from error
    return Sheet(lines=lines, form=f"csv, {form}", is_scarred=bool(_LATIN_1_SCARS & set(text)))


def _decoded(raw: bytes) -> tuple[str, str]:
    """Decode by the mark in front, as UTF-8, or as windows-1254, which is what a Turkish Excel writes."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return raw.decode("utf-16"), "utf-16"
        except UnicodeDecodeError as error:
            raise UnreadableSheet(SheetFault.BINARY) from error
    try:
        return raw.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        return raw.decode("cp1254", errors="replace"), "windows-1254"


def _delimiter(text: str) -> str:
    """Choose the sign that stands between the cells of most lines, and of several the first line's favourite."""
    lines = [line for line in text.splitlines()[:_SNIFFED] if line.strip()]

    def weight(sign: str) -> tuple[int, int]:
        counts = [line.count(sign) for line in lines]
        return (sum(count > 0 for count in counts), counts[0]) if counts else (0, 0)

    heads = [sign for sign in _DELIMITERS if lines and sign in lines[0]]
    return max(heads or list(_DELIMITERS), key=weight)


# -- Excel


def _read_excel(raw: bytes) -> Sheet:
    _measure(raw)
    import openpyxl  # noqa: PLC0415 -- heavy, and most servers never see a spreadsheet

    try:
        book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)
        try:
            rows = enumerate(book.worksheets[0].iter_rows(values_only=True), start=1)
            lines = _kept((number, [_seen(cell) for cell in row[:MOST_COLUMNS]]) for number, row in rows)
        finally:
            book.close()
    except UnreadableSheet:
        raise
    except Exception as error:  # whatever a broken file makes the library raise
        raise UnreadableSheet(SheetFault.BROKEN) from error
    return Sheet(lines=lines, form="xlsx")


def _measure(raw: bytes) -> None:
    """Refuse an archive that is no Excel file, or that would grow out of proportion."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            inside = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UnreadableSheet(SheetFault.BROKEN) from error
    grown = sum(each.file_size for each in inside)
    if grown > _LARGEST_INSIDE or grown > _LARGEST_RATIO * max(len(raw), 1):
        raise UnreadableSheet(SheetFault.BOMB)
    names = {each.filename for each in inside}
    if "xl/workbook.xml" not in names:
        raise UnreadableSheet(SheetFault.OTHER_OFFICE)


def _seen(value: Any) -> str:  # noqa: PLR0911 -- one answer for each kind of cell
    """Answer a cell as its owner sees it."""
    match value:
        case None:
            return ""
        case bool():
            return "evet" if value else "hayır"
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value!r}".replace(".", ",")
        case datetime():
            is_day = value.time() == time()
            return f"{value:%d.%m.%Y}" if is_day else f"{value:%d.%m.%Y %H:%M}"
        case date():
            return f"{value:%d.%m.%Y}"
        case time():
            return f"{value:%H:%M}"
        case _:
            return str(value)

"""Read a list of recipients as shops have it: a CSV from a spreadsheet, in whatever encoding it was saved.

What is read: UTF-8 (with or without a mark) and windows-1254; `;` or `,` or a tab between the cells; with a line of
heads (telefon, isim and their kin) or without one (then the first column is the number, the second the name).
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from guvercin.core.folding import fold

PHONE_HEADS = ("telefon", "cep telefonu", "telefon no", "cep", "gsm", "tel", "phone", "numara", "no")
NAME_HEADS = ("isim", "ad soyad", "adi soyadi", "ad", "adi", "musteri", "unvan", "name")
"""As folded, the surest first: beside «telefon», «no» only counts the rows."""

_SPREADSHEET = b"PK\x03\x04"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One recipient as written. `line` counts from 1, as an editor shows it."""

    line: int
    phone: str
    name: str | None


class UnreadableList(Exception):  # noqa: N818 -- what is the matter, in one word
    """A file that is no list of recipients. `what` says why: one of «spreadsheet», «empty», «no_phones», «broken»."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def read_rows(raw: bytes) -> Sequence[Row]:
    """Answer the recipients of a list, in order. Rows that hold nothing are left out. Raises UnreadableList."""
    if raw.startswith(_SPREADSHEET):
        raise UnreadableList("spreadsheet")
    text = _decoded(raw)
    cells = _cells(text)
    if not cells:
        raise UnreadableList("empty")
    heads = [fold(cell) for cell in cells[0][1]]
    phone_at = _column(heads, PHONE_HEADS)
    name_at = _column(heads, NAME_HEADS)
    if phone_at is None:
        if not any(letter.isdigit() for cell in cells[0][1] for letter in cell):
            raise UnreadableList("no_phones")
        phone_at, name_at, body = 0, 1, cells
    else:
        body = cells[1:]
    return [Row(line=line, phone=_cell(row, phone_at), name=_cell(row, name_at) or None) for line, row in body]


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1254", errors="replace")


def _cells(text: str) -> list[tuple[int, list[str]]]:
    """Answer the rows that hold anything, each with its line number."""
    first = text.partition("\n")[0]
    delimiter = max(";,\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UnreadableList("broken") from error


def _column(heads: Sequence[str], known: Sequence[str]) -> int | None:
    return next((heads.index(name) for name in known if name in heads), None)


def _cell(row: Sequence[str], column: int | None) -> str:
    return row[column].strip() if column is not None and column < len(row) else ""

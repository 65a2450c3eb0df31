"""A bulk request as a spreadsheet: one line for each recipient, as CSV and as Excel.

Laws
1. No cell becomes a formula, whatever a customer's name begins with.
2. What a spreadsheet would round or turn into a date goes out as text; a phone number stands without its plus sign.
3. Rows are read and written some hundreds at a time; what takes the processor long runs in a thread.
"""

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime, tzinfo
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO, Any, TypeAlias

from guvercin.core.message import Message, Status, WaitsFor
from guvercin.locale import Translator, sentence
from guvercin.locale.codes import WORDS
from guvercin.locale.terms import STATUSES, WAITS

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_IN_MEMORY = 1_000_000
_PIECE = 64 * 1024
_E164 = re.compile(r"\+[0-9]+")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TEXT = "@"  # Excel's number format of a cell that holds text, whatever is in it

_HEADS = (
    sentence("Phone"),
    sentence("Name"),
    sentence("Status"),
    sentence("Reason"),
    sentence("Sent at"),
    sentence("Delivered at"),
    sentence("Read at"),
    sentence("Reference"),
    sentence("Text"),
    sentence("File"),
    "log_id",
    "message_id",
)

Pages: TypeAlias = AsyncIterator[list[list[str]]]
"""Rows of cells, some hundreds at a time."""


def _as_it_is(number: str) -> str:
    return number


def heads(say: Translator) -> list[str]:
    """Answer the first line of a report."""
    return [say(head) for head in _HEADS]


async def told(
    pages: AsyncIterator[Sequence[Message]],
    say: Translator,
    zone: tzinfo,
    *,
    number: Callable[[str], str] = _as_it_is,
) -> Pages:
    """Answer the lines of a report. `number` says how a reader may see a phone number (E.164)."""
    row = partial(_row, say=say, zone=zone, number=number)
    async for page in pages:
        yield [row(message) for message in page]


def _row(message: Message, *, say: Translator, zone: tzinfo, number: Callable[[str], str]) -> list[str]:
    """Answer the cells of one recipient."""

    def clock(at: datetime | None) -> str:
        return "" if at is None else at.astimezone(zone).replace(tzinfo=None).isoformat(" ", "seconds")

    is_number = _E164.fullmatch(message.recipient) is not None
    file = message.content.file
    is_scheduled = message.status is Status.QUEUED and message.waits_for is WaitsFor.TIME
    status = "scheduled" if is_scheduled else message.status.value
    return [
        number(message.recipient).removeprefix("+") if is_number else number(message.recipient),
        message.recipient_name or "",
        say(STATUSES[status]),
        _reason(message, say),
        clock(message.sent_at),
        clock(message.delivered_at),
        clock(message.read_at),
        message.reference or "",
        message.content.text or "",
        "" if file is None else file.name,
        str(message.id),
        message.remote_id or "",
    ]


def _reason(message: Message, say: Translator) -> str:
    if message.waits_for is not None:
        return say(WAITS[message.waits_for])
    return say(WORDS[message.reason].title) if message.reason is not None else ""


async def write_csv(first: list[str], pages: Pages) -> AsyncIterator[bytes]:
    """Write CSV as Excel in Turkish regional settings opens it by a double click: with a BOM, semicolons, CRLF."""
    yield b"\xef\xbb\xbf" + _lines([first])
    async for page in pages:
        yield _lines([[_safe(cell) for cell in row] for row in page])


def csv_of(first: list[str], rows: Sequence[Sequence[str]]) -> bytes:
    """Answer a short table as `write_csv` writes it."""
    return b"\xef\xbb\xbf" + _lines([first, *([_safe(cell) for cell in row] for row in rows)])


def _lines(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _safe(cell: str) -> str:
    """Answer a cell that no spreadsheet reads as a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


async def write_xlsx(first: list[str], pages: Pages) -> IO[bytes]:
    """Write a workbook into a file; the caller closes it."""
    from openpyxl import Workbook  # noqa: PLC0415 -- heavy, and most servers never see a spreadsheet

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Guvercin")
    await asyncio.to_thread(_append, sheet, [first])
    async for page in pages:
        await asyncio.to_thread(_append, sheet, page)
    file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 -- it lives as long as the answer
    await asyncio.to_thread(book.save, file)
    file.seek(0)
    return file


def _append(sheet: Any, rows: list[list[str]]) -> None:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 -- as above
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415 -- as above

    for row in rows:
        cells = []
        for text in row:
            cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", text))
            cell.data_type = "s"  # also where it begins with «=»
            cell.number_format = _TEXT
            cells.append(cell)
        sheet.append(cells)


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Read a file in pieces, and close it."""
    with file:
        yield from iter(partial(file.read, _PIECE), b"")

"""Reports of a batch for a spreadsheet: one line for each recipient, as CSV and as Excel.

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
from datetime import tzinfo
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from guvercin.api import problems, render
from guvercin.api.auth import Reader
from guvercin.api.batches import BatchId
from guvercin.api.documented import RECORDS, SIGNED_IN, Declared, operation_id
from guvercin.api.reception import reception_of, visit_of
from guvercin.core.errors import Code
from guvercin.core.message import Message
from guvercin.core.token import Token
from guvercin.locale import Translator, choose_language, sentence, translator
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

router = APIRouter(prefix=render.PREFIX, tags=RECORDS, generate_unique_id_function=operation_id)


def _declared(media_type: str, schema: dict[str, str]) -> Declared:
    done = {"description": sentence("Done."), "content": {media_type: {"schema": schema}}}
    return {200: done, **problems.responses(*SIGNED_IN, Code.NOT_FOUND, Code.INVALID_FIELD)}


@router.get(
    "/toplu/{batch_id:int}/rapor.csv",
    summary=sentence("Report as CSV"),
    description=sentence("One line for each recipient, in the list's order, as spreadsheets in Turkey read it."),
    response_class=Response,
    responses=_declared(CSV, {"type": "string"}),
)
async def report_csv(request: Request, reader: Reader, batch_id: BatchId) -> Response:
    """Write a batch's report as CSV."""
    heads, pages = await _report(request, reader, batch_id)
    headers = _attached(f"guvercin-toplu-{batch_id}.csv")
    return StreamingResponse(_csv(heads, pages), headers=headers, media_type=f"{CSV}; charset=utf-8")


@router.get(
    "/toplu/{batch_id:int}/rapor.xlsx",
    summary=sentence("Report as an Excel workbook"),
    description=sentence("One line for each recipient, in the list's order; every cell is text."),
    response_class=Response,
    responses=_declared(XLSX, {"type": "string", "format": "binary"}),
)
async def report_xlsx(request: Request, reader: Reader, batch_id: BatchId) -> Response:
    """Write a batch's report as an Excel workbook."""
    heads, pages = await _report(request, reader, batch_id)
    file = await _xlsx(heads, pages)
    return StreamingResponse(_pieces(file), headers=_attached(f"guvercin-toplu-{batch_id}.xlsx"), media_type=XLSX)


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Vary": "Accept-Language"}


Pages = AsyncIterator[list[list[str]]]


async def _report(request: Request, reader: Token, batch_id: int) -> tuple[list[str], Pages]:
    """Answer the heads of a report and its rows, page by page, in the caller's language. NOT_FOUND."""
    reception = reception_of(request)
    view = await reception.gateway.batches.one(reader, batch_id)
    visit_of(request).headers |= render.marks(is_sandbox=view.is_sandbox)
    say = translator(choose_language(request.headers.get("accept-language")))
    told = partial(_row, say=say, zone=reception.zone)
    return [say(head) for head in _HEADS], _told(reception.gateway.batches.rows(batch_id), told)


async def _told(pages: AsyncIterator[Sequence[Message]], told: Callable[[Message], list[str]]) -> Pages:
    async for page in pages:
        yield [told(message) for message in page]


def _row(message: Message, *, say: Translator, zone: tzinfo) -> list[str]:
    """Answer the cells of one recipient."""
    status = render.message_status(message, zone, is_sandbox=False).data
    is_number = _E164.fullmatch(message.recipient) is not None
    file = message.content.file
    return [
        message.recipient.removeprefix("+") if is_number else message.recipient,
        message.recipient_name or "",
        say(STATUSES[status.status]),
        _reason(message, say),
        status.sent_at or "",
        status.delivered_at or "",
        status.read_at or "",
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


async def _csv(heads: list[str], pages: Pages) -> AsyncIterator[bytes]:
    """Write CSV as Excel in Turkish regional settings opens it by a double click: with a BOM, semicolons, CRLF."""
    yield b"\xef\xbb\xbf" + _lines([heads])
    async for page in pages:
        yield _lines([[_safe(cell) for cell in row] for row in page])


def _lines(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _safe(cell: str) -> str:
    """Answer a cell that no spreadsheet reads as a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


async def _xlsx(heads: list[str], pages: Pages) -> IO[bytes]:
    """Write a workbook into a file; the caller closes it."""
    from openpyxl import Workbook  # noqa: PLC0415 -- heavy, and most servers never see a spreadsheet

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Guvercin")
    await asyncio.to_thread(_append, sheet, [heads])
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


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        yield from iter(partial(file.read, _PIECE), b"")

"""Reports of a batch for a spreadsheet: one line for each recipient, as CSV and as Excel."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from guvercin.api import problems
from guvercin.api.auth import Reader
from guvercin.api.batches import BatchId
from guvercin.api.documented import RECORDS, SIGNED_IN, Declared, operation_id
from guvercin.api.reception import reception_of, visit_of
from guvercin.api.render.ground import PREFIX, marks
from guvercin.core.errors import Code
from guvercin.core.token import Token
from guvercin.gateway import reports
from guvercin.gateway.reports import CSV, XLSX
from guvercin.locale import choose_language, sentence, translator

router = APIRouter(prefix=PREFIX, tags=RECORDS, generate_unique_id_function=operation_id)


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
    return StreamingResponse(reports.write_csv(heads, pages), headers=headers, media_type=f"{CSV}; charset=utf-8")


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
    file = await reports.write_xlsx(heads, pages)
    headers = _attached(f"guvercin-toplu-{batch_id}.xlsx")
    return StreamingResponse(reports.pieces(file), headers=headers, media_type=XLSX)


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Vary": "Accept-Language"}


async def _report(request: Request, reader: Token, batch_id: int) -> tuple[list[str], reports.Pages]:
    """Answer the heads of a report and its rows, page by page, in the caller's language. NOT_FOUND."""
    reception = reception_of(request)
    view = await reception.gateway.batches.one(reader, batch_id)
    visit_of(request).headers |= marks(is_sandbox=view.is_sandbox)
    say = translator(choose_language(request.headers.get("accept-language")))
    rows = reception.gateway.batches.rows(batch_id)
    return reports.heads(say), reports.told(rows, say, reception.zone)

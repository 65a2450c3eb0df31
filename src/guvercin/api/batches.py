"""Batches after they were accepted: how far they are, and what their owner decides about them."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from guvercin.api import examples
from guvercin.api.answers.batches import BatchAnswer, BatchPage
from guvercin.api.asking import cursor, read_cursor
from guvercin.api.auth import BulkSender, Reader
from guvercin.api.documented import CHANGES, RECORDS, operation_id, tells
from guvercin.api.reception import reception_of, visit_of
from guvercin.api.records import next_url
from guvercin.api.render.batches import batch_answer, batch_page
from guvercin.api.render.ground import PREFIX, marks, reply
from guvercin.api.wire.batches import ListBatches
from guvercin.api.wire.ground import LARGEST_INTEGER
from guvercin.core.errors import Code
from guvercin.gateway.requests import BatchView
from guvercin.locale import sentence

router = APIRouter(prefix=PREFIX, tags=RECORDS, generate_unique_id_function=operation_id)

BatchId = Annotated[int, Path(ge=1, le=LARGEST_INTEGER)]


@router.get(
    "/toplu",
    summary=sentence("Bulk requests"),
    description=sentence("The bulk requests, newest first. Give «sonraki» back as sonra to get the next page."),
    responses=tells(BatchPage, Code.INVALID_FIELD),
)
async def batches(request: Request, reader: Reader, query: Annotated[ListBatches, Query()]) -> Response:
    """List batches, newest first."""
    reception = reception_of(request)
    views, next_id = await reception.gateway.batches.page(
        reader,
        account_id=query.account_id,
        limit=query.limit,
        below=None if query.after is None else read_cursor(query.after),
    )
    told = [(view, await reception.gateway.batches.why_it_waits(view)) for view in views]
    after = None if next_id is None else cursor(next_id)
    headers = {} if after is None else {"Link": f'<{next_url(request, after)}>; rel="next"'}
    return reply(batch_page(told, after, reception.zone), headers=headers)


@router.get(
    "/toplu/{batch_id:int}",
    summary=sentence("Status of a bulk request"),
    description=sentence("The counts of a bulk request; the groups in dagilim sum to total."),
    responses=tells(BatchAnswer, Code.NOT_FOUND, Code.INVALID_FIELD, example=examples.BATCH),
)
async def batch(request: Request, reader: Reader, batch_id: BatchId) -> Response:
    """Tell how far a batch is."""
    return await _told(request, await reception_of(request).gateway.batches.one(reader, batch_id))


@router.post(
    "/toplu/{batch_id:int}/duraklat",
    summary=sentence("Pause a bulk request"),
    description=sentence("Nothing more of it leaves until you resume it; a message in hand finishes."),
    responses=tells(BatchAnswer, *CHANGES, example=examples.BATCH),
)
async def pause_batch(request: Request, sender: BulkSender, batch_id: BatchId) -> Response:
    """Stop a batch."""
    return await _told(request, await reception_of(request).gateway.batches.pause(sender, batch_id))


@router.post(
    "/toplu/{batch_id:int}/devam",
    summary=sentence("Resume a bulk request"),
    description=sentence("A paused bulk request goes on where it stopped. One that was cancelled stays so."),
    responses=tells(BatchAnswer, *CHANGES, example=examples.BATCH),
)
async def resume_batch(request: Request, sender: BulkSender, batch_id: BatchId) -> Response:
    """Let a paused batch go on."""
    return await _told(request, await reception_of(request).gateway.batches.resume(sender, batch_id))


@router.post(
    "/toplu/{batch_id:int}/iptal",
    summary=sentence("Cancel a bulk request"),
    description=sentence("Withdraws everything of it that has not left. Asking twice does no harm."),
    responses=tells(BatchAnswer, *CHANGES, example=examples.BATCH),
)
async def cancel_batch(request: Request, sender: BulkSender, batch_id: BatchId) -> Response:
    """Withdraw the rest of a batch."""
    return await _told(request, await reception_of(request).gateway.batches.cancel(sender, batch_id))


async def _told(request: Request, view: BatchView) -> Response:
    reception = reception_of(request)
    visit_of(request).headers |= marks(is_sandbox=view.is_sandbox)
    reason = await reception.gateway.batches.why_it_waits(view)
    return reply(batch_answer(view, reception.zone, reason=reason))

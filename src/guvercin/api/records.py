"""What became of messages: the log, what can still be done to a row, batches, files and categories."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from guvercin.api import examples
from guvercin.api.answers.files import UploadAnswer
from guvercin.api.answers.messages import Cancelled, MessageHistoryAnswer, MessagePage, MessageSent, MessageStanding
from guvercin.api.asking import bad, cursor, message_filter, read_cursor
from guvercin.api.auth import FileSender, Reader, Sender
from guvercin.api.bodies import read_json, to_model
from guvercin.api.documented import (
    BODY,
    CHANGES,
    RECORDS,
    SENDS,
    accepts,
    asks,
    leads_to_message,
    operation_id,
    tells,
)
from guvercin.api.preferences import idempotency_key, preference
from guvercin.api.reception import reception_of, visit_of
from guvercin.api.render.files import upload_answer
from guvercin.api.render.ground import PREFIX, marks, reply
from guvercin.api.render.messages import message_history, message_page, message_standing
from guvercin.api.whatsapp import LOG_ID, MESSAGE_WAIT, answer_sent
from guvercin.api.wire.files import UploadForm
from guvercin.api.wire.ground import LARGEST_INTEGER
from guvercin.api.wire.messages import CancelReference, ListMessages
from guvercin.core.errors import Code, GuvercinError
from guvercin.gateway.requests import Sent
from guvercin.locale import sentence

router = APIRouter(prefix=PREFIX, tags=RECORDS, generate_unique_id_function=operation_id)

LogId = Annotated[int, Path(ge=1, le=LARGEST_INTEGER, description=LOG_ID)]


@router.get(
    "/gonderimler",
    summary=sentence("Messages"),
    description=sentence("The records, newest first. Give «sonraki» back as sonra to get the next page."),
    responses=tells(MessagePage, Code.INVALID_FIELD, Code.INVALID_PHONE, Code.INVALID_CATEGORY),
)
async def messages(request: Request, reader: Reader, query: Annotated[ListMessages, Query()]) -> Response:
    """List messages, newest first."""
    reception = reception_of(request)
    page = await reception.gateway.messages.page(
        reader,
        message_filter(query, reception.zone),
        limit=query.limit,
        below=None if query.after is None else read_cursor(query.after),
    )
    accounts = {message.account_id for message in page.messages}
    sandboxes = {account for account in accounts if await reception.gateway.accounts.is_sandbox(account)}
    rows = ((message, message.account_id in sandboxes) for message in page.messages)
    after = None if page.next_id is None else cursor(page.next_id)
    headers = {} if after is None else {"Link": f'<{next_url(request, after)}>; rel="next"'}
    return reply(message_page(rows, after, reception.zone), headers=headers)


@router.get(
    "/gonderimler/{log_id}",
    summary=sentence("One message"),
    description=sentence("One record with its tries and events."),
    responses=tells(MessageHistoryAnswer, Code.NOT_FOUND, Code.INVALID_FIELD),
)
async def message(request: Request, reader: Reader, log_id: LogId) -> Response:
    """Tell everything about one message."""
    reception = reception_of(request)
    history = await reception.gateway.messages.history(reader, log_id)
    visit_of(request).headers |= marks(is_sandbox=history.is_sandbox)
    return reply(message_history(history, reception.zone))


@router.post(
    "/gonderimler/{log_id}/iptal",
    summary=sentence("Cancel a message"),
    description=sentence("Withdraws a message that has not left. Asking twice does no harm."),
    responses=tells(MessageStanding, *CHANGES, Code.NOT_CANCELLABLE),
)
async def cancel(request: Request, sender: Sender, log_id: LogId) -> Response:
    """Withdraw a message that has not left."""
    return _standing(request, await reception_of(request).gateway.messages.cancel(sender, log_id))


@router.post(
    "/gonderimler/{log_id}/birak",
    summary=sentence("Release a held message"),
    description=sentence("Puts a message that came back with a backup in line again. Asking twice does no harm."),
    responses=tells(MessageStanding, *CHANGES),
)
async def release(request: Request, sender: Sender, log_id: LogId) -> Response:
    """Put a held message back in line."""
    return _standing(request, await reception_of(request).gateway.messages.release(sender, log_id))


@router.post(
    "/gonderimler/{log_id}/yeniden-gonder",
    summary=sentence("Send again"),
    description=sentence("Sends the message again as a new record; one that is in doubt is closed by it."),
    openapi_extra=asks(makes_rows=True),
    responses=leads_to_message(
        tells(
            MessageSent | MessageStanding,
            *SENDS,
            Code.MESSAGES_WAITING,
            Code.CONTENT_GONE,
            Code.FILE_NOT_OPENED,
            example=examples.SENT,
        )
        | accepts(MessageStanding, example=examples.STANDING)
    ),
)
async def resend(request: Request, sender: Sender, log_id: LogId) -> Response:
    """Send a message again, as a new row."""
    wanted = preference(request, usual_wait=MESSAGE_WAIT)
    key = idempotency_key(request, {})
    sent = await reception_of(request).gateway.singles.resend(sender, log_id, wait=wanted.wait, key=key)
    return answer_sent(request, sent, wanted)


@router.post(
    "/iptal",
    summary=sentence("Cancel by reference"),
    description=sentence("Withdraws every queued and scheduled message of this reference. Asking twice does no harm."),
    openapi_extra=asks(CancelReference, example=examples.CANCEL_REFERENCE),
    responses=tells(Cancelled, *BODY, example=examples.CANCELLED),
)
async def cancel_reference(request: Request, sender: Sender) -> Response:
    """Withdraw everything of a reference that has not left."""
    asked = to_model(CancelReference, await read_json(request))
    count = await reception_of(request).gateway.messages.cancel_reference(sender, asked.reference)
    return reply(Cancelled(ok=True, count=count))


@router.post(
    "/dosyalar",
    summary=sentence("Upload a file"),
    description=sentence("Keeps the PDF or image in the field dosya; its dosya_id stands for a path in dosya-gonder."),
    openapi_extra=asks(UploadForm, content_type="multipart/form-data"),
    responses=tells(
        UploadAnswer,
        Code.INVALID_FIELD,
        Code.WRONG_CONTENT_TYPE,
        Code.BODY_TOO_LARGE,
        Code.FILE_TYPE,
        Code.FILE_TOO_LARGE,
        Code.QUEUE_FULL,
        example=examples.UPLOADED,
    ),
)
async def upload(request: Request, sender: FileSender) -> Response:
    """Keep an uploaded file for messages to come."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise GuvercinError(Code.WRONG_CONTENT_TYPE)
    try:
        async with request.form(max_files=1, max_fields=10) as form:
            file = form.get("dosya")
            if not isinstance(file, UploadFile):
                raise bad("file", "zorunlu")
            stored = await reception_of(request).gateway.uploads.keep(sender, file.file, file.filename or "")
    except HTTPException:  # the form can't be read
        raise bad("file", "gecersiz") from None
    return reply(upload_answer(stored))


def next_url(request: Request, after: str) -> str:
    """Answer where the next page of a list is."""
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "sonra"]
    return f"{request.url.path}?{urlencode([*query, ('sonra', after)])}"


def _standing(request: Request, sent: Sent) -> Response:
    visit_of(request).headers |= marks(is_sandbox=sent.is_sandbox)
    return reply(message_standing(sent, reception_of(request).zone))

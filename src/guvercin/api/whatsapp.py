"""The seed's own operations: the three that send, and `durum` (`hesaplar` is with the accounts).

A handler changes names and nothing else: what a request means the gateway decides.
"""

from collections.abc import Callable
from datetime import timedelta, tzinfo
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from guvercin.api import examples
from guvercin.api.answers.batches import BatchSent, BatchStanding
from guvercin.api.answers.messages import MessageSent, MessageStanding, MessageStatusAnswer
from guvercin.api.asking import ask, ask_batch, ask_file
from guvercin.api.auth import BulkSender, FileSender, Reader, Sender, check_permission
from guvercin.api.bodies import read_json, read_utf8, to_json, to_model
from guvercin.api.documented import (
    MESSAGES,
    SENDS,
    accepts,
    asks,
    leads_to_batch,
    leads_to_message,
    operation_id,
    tells,
)
from guvercin.api.preferences import Preference, idempotency_key, preference
from guvercin.api.reception import reception_of, visit_of
from guvercin.api.render.batches import batch_accepted, batch_sent, batch_url
from guvercin.api.render.ground import PREFIX, marks, reply
from guvercin.api.render.messages import message_sent, message_standing, message_status, message_url
from guvercin.api.wire.batches import SendBatch
from guvercin.api.wire.ground import LARGEST_INTEGER
from guvercin.api.wire.messages import SendFile, SendText
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import WITH_WHATSAPP, Status
from guvercin.core.token import Permission, Token
from guvercin.gateway.requests import AskBatch, IdempotencyKey, Sent
from guvercin.locale import sentence

MESSAGE_WAIT = timedelta(seconds=10)
BATCH_WAIT = timedelta(seconds=24)
"""A second less than the 25 that clients are promised: taking a list and counting it take time too."""

router = APIRouter(prefix=PREFIX, tags=MESSAGES, generate_unique_id_function=operation_id)

LOG_ID = sentence("The ID of the log record")
LogId = Annotated[int, Path(alias="logId", ge=1, le=LARGEST_INTEGER, description=LOG_ID)]


@router.post(
    "/gonder",
    summary=sentence("Send a message"),
    description=sentence(
        "Sends a WhatsApp message to the number. It needs its country code; Turkish ones are read without it too."
    ),
    openapi_extra=asks(SendText, example=examples.SEND_TEXT, makes_rows=True),
    responses=leads_to_message(
        tells(MessageSent | MessageStanding, *SENDS, example=examples.SENT)
        | accepts(MessageStanding, example=examples.STANDING)
    ),
)
async def send(request: Request, sender: Sender) -> Response:
    """Send a text to one number, and wait a little for WhatsApp."""
    body = await read_json(request)
    asked = to_model(SendText, body)
    reception = reception_of(request)
    wanted = preference(request, usual_wait=MESSAGE_WAIT)
    sent = await reception.gateway.singles.send(
        sender,
        ask(asked, reception.zone),
        wait=wanted.wait,
        key=idempotency_key(request, body),
    )
    return answer_sent(request, sent, wanted)


@router.post(
    "/toplu-gonder",
    summary=sentence("Send to many"),
    description=sentence(
        "Sends a WhatsApp message to several numbers, with spaces between the sends. WhatsApp forbids unofficial and "
        "bulk use of a linked phone and closes numbers for it; no space between sends protects against that. A number "
        "that your business can't do without belongs on Meta's Cloud API."
    ),
    openapi_extra=asks(SendBatch, example=examples.SEND_BATCH, makes_rows=True),
    responses=leads_to_batch(
        tells(
            BatchSent | BatchStanding,
            *SENDS,
            Code.DECLARATION_NEEDED,
            Code.TOO_MANY_RECIPIENTS,
            Code.INVALID_TEMPLATE,
            Code.NO_FILE_ROOT,
            example=examples.BATCH_SENT,
        )
        | accepts(BatchSent | BatchStanding, example=examples.BATCH_STANDING)
    ),
)
async def send_batch(request: Request, sender: BulkSender) -> Response:
    """Accept a list, and wait until it is finished or the patience of clients is."""
    return await answer_batch(request, sender, await read_utf8(request), key_of=partial(idempotency_key, request))


async def answer_batch(
    request: Request,
    sender: Token,
    raw: bytes,
    *,
    key_of: Callable[[Any], IdempotencyKey | None],
    model: type[SendBatch] = SendBatch,
) -> Response:
    """Send a bulk request as it came, and answer it. `key_of`: the key of a decoded one."""
    reception = reception_of(request)
    wanted = preference(request, usual_wait=BATCH_WAIT)
    ask, key = await reception.gateway.lists.aside(partial(_read_batch, sender, raw, model, reception.zone, key_of))
    counts_accepted = sender.rules.counts_accepted
    asking = reception.gateway.bulk.send(sender, ask, wait=timedelta(0) if counts_accepted else wanted.wait, key=key)
    del ask, raw  # thousands of lines are not kept while their sender waits
    view = await asking
    visit_of(request).headers |= marks(
        is_sandbox=view.is_sandbox,
        is_replayed=view.replayed,
        is_repeated=view.repeated,
    )
    answer = batch_accepted(view) if counts_accepted else batch_sent(view, reception.zone)
    is_accepted = wanted.answers_accepted(is_open=isinstance(answer, BatchStanding))
    headers = {"Location": batch_url(view.batch.id), **wanted.headers()}
    return reply(answer, status=202 if is_accepted else 200, headers=headers)


def _read_batch(
    sender: Token,
    raw: bytes,
    model: type[SendBatch],
    zone: tzinfo,
    key_of: Callable[[Any], IdempotencyKey | None],
) -> tuple[AskBatch, IdempotencyKey | None]:
    """Answer what a bulk request asks, and its key."""
    body = to_json(raw)
    asked = to_model(model, body)
    if asked.has_files:
        check_permission(sender, Permission.FILE)
    return ask_batch(asked, zone, body), key_of(body)


@router.post(
    "/dosya-gonder",
    summary=sentence("Send a file"),
    description=sentence("Sends a PDF or an image over WhatsApp."),
    openapi_extra=asks(SendFile, example=examples.SEND_FILE, makes_rows=True),
    responses=leads_to_message(
        tells(
            MessageSent | MessageStanding,
            *SENDS,
            Code.FILE_NOT_OPENED,
            Code.FILE_TYPE,
            Code.FILE_TOO_LARGE,
            Code.NO_FILE_ROOT,
            example=examples.FILE_SENT,
        )
        | accepts(MessageStanding, example=examples.STANDING)
    ),
)
async def send_file(request: Request, sender: FileSender) -> Response:
    """Send a file that lies on the server or was uploaded before."""
    body = await read_json(request)
    asked = to_model(SendFile, body)
    reception = reception_of(request)
    wanted = preference(request, usual_wait=MESSAGE_WAIT)
    sent = await reception.gateway.singles.send(
        sender,
        ask_file(asked, reception.zone),
        wait=wanted.wait,
        key=idempotency_key(request, body),
    )
    return answer_sent(request, sent, wanted)


@router.get(
    "/durum/{logId}",  # noqa: FAST003 -- it is an alias of log_id
    summary=sentence("Status of a message"),
    description=sentence("Asks where the message of this log record stands."),
    responses=tells(MessageStatusAnswer, Code.NOT_FOUND, Code.INVALID_FIELD, example=examples.STATUS),
)
async def status(request: Request, reader: Reader, log_id: LogId) -> Response:
    """Tell where one message stands."""
    reception = reception_of(request)
    message, is_sandbox = await reception.gateway.messages.one(reader, log_id)
    visit_of(request).headers |= marks(is_sandbox=is_sandbox)
    return reply(message_status(message, reception.zone, is_sandbox=is_sandbox))


def answer_sent(request: Request, sent: Sent, wanted: Preference) -> Response:
    """Answer a send. A refusal within the wait is told as an error, with the row that it left."""
    visit_of(request).headers |= marks(
        is_sandbox=sent.is_sandbox,
        is_replayed=sent.replayed,
        is_repeated=sent.repeated,
    )
    standing = sent.standing
    if standing.status is Status.FAILED:
        raise GuvercinError(standing.reason or Code.WHATSAPP_REFUSED, log_id=standing.id)
    if wanted.answers_accepted(is_open=standing.status not in WITH_WHATSAPP):
        headers = {"Location": message_url(standing.id), **wanted.headers()}
        return reply(message_standing(sent, reception_of(request).zone), status=202, headers=headers)
    return reply(message_sent(sent, reception_of(request).zone), headers=wanted.headers())

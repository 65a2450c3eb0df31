"""What people wrote to us: the inbox, and what was read of it."""

from datetime import date, datetime, time, tzinfo
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from guvercin.api import examples
from guvercin.api.answers.inbox import InboxAnswer, InboxPage
from guvercin.api.answers.messages import Cancelled
from guvercin.api.asking import aware, cursor, read_cursor
from guvercin.api.auth import Reader, Sender
from guvercin.api.bodies import read_json, to_model
from guvercin.api.documented import BODY, CHANGES, INBOX, asks, operation_id, tells
from guvercin.api.reception import reception_of
from guvercin.api.records import next_url
from guvercin.api.render.ground import PREFIX, reply
from guvercin.api.render.inbox import inbox_record
from guvercin.api.wire.ground import LARGEST_INTEGER
from guvercin.api.wire.inbox import ListInbox, ReadInbox
from guvercin.core.errors import Code
from guvercin.core.inbound import InboxFilter
from guvercin.core.phone import InvalidPhone, parse_phone
from guvercin.locale import sentence

router = APIRouter(prefix=PREFIX, tags=INBOX, generate_unique_id_function=operation_id)

InboundId = Annotated[int, Path(ge=1, le=LARGEST_INTEGER)]


@router.get(
    "/gelen",
    summary=sentence("What people wrote"),
    description=sentence(
        "The messages that people wrote to your numbers, newest first. dosya_url of a picture or a file fetches it."
    ),
    responses=tells(InboxPage, Code.INVALID_FIELD, example=examples.INBOX),
)
async def inbox(request: Request, reader: Reader, query: Annotated[ListInbox, Query()]) -> Response:
    """List what people wrote."""
    reception = reception_of(request)
    found = await reception.gateway.inbox.page(
        reader,
        InboxFilter(
            account_id=query.account_id,
            sender=None if query.sender is None else sender_of(query.sender),
            since=None if query.since is None else _from(query.since, reception.zone),
            is_unread=None if query.is_read is None else not query.is_read,
        ),
        limit=query.limit,
        below=None if query.after is None else read_cursor(query.after),
    )
    after = None if found.next_id is None else cursor(found.next_id)
    page = InboxPage(
        ok=True,
        data=[inbox_record(each, reception.zone) for each in found.messages],
        unread=await reception.gateway.inbox.unread(reader),
        next=after,
    )
    headers = {} if after is None else {"Link": f'<{next_url(request, after)}>; rel="next"'}
    return reply(page, headers=headers)


@router.post(
    "/gelen/okundu",
    summary=sentence("Mark all as read"),
    description=sentence("Marks everything up to son_id as read, of one account or one person if named; how many."),
    openapi_extra=asks(ReadInbox, example=examples.READ_INBOX),
    responses=tells(Cancelled, *BODY, example=examples.ENDED),
)
async def read_all(request: Request, sender: Sender) -> Response:
    """Mark messages as read."""
    asked = to_model(ReadInbox, await read_json(request))
    wanted = InboxFilter(account_id=asked.account_id, sender=None if asked.sender is None else sender_of(asked.sender))
    count = await reception_of(request).gateway.inbox.mark_all_read(sender, wanted, asked.upto)
    return reply(Cancelled(ok=True, count=count))


@router.get(
    "/gelen/{inbound_id:int}",
    summary=sentence("One message that came in"),
    description=sentence("One message, with its whole text."),
    responses=tells(InboxAnswer, Code.NOT_FOUND, Code.INVALID_FIELD, example=examples.RECEIVED),
)
async def received(request: Request, reader: Reader, inbound_id: InboundId) -> Response:
    """Tell about one message."""
    reception = reception_of(request)
    found = await reception.gateway.inbox.one(reader, inbound_id)
    return reply(InboxAnswer(ok=True, data=inbox_record(found, reception.zone)))


@router.post(
    "/gelen/{inbound_id:int}/okundu",
    summary=sentence("Mark one as read"),
    description=sentence("Marks a message as read here; the person who wrote it is told nothing. Twice does no harm."),
    responses=tells(InboxAnswer, *CHANGES, example=examples.RECEIVED_AND_READ),
)
async def read_one(request: Request, sender: Sender, inbound_id: InboundId) -> Response:
    """Mark one message as read."""
    reception = reception_of(request)
    found = await reception.gateway.inbox.mark_read(sender, inbound_id)
    return reply(InboxAnswer(ok=True, data=inbox_record(found, reception.zone)))


def sender_of(written: str) -> str:
    """Answer who is meant: a number however it is written, or the network's own word for somebody without one."""
    try:
        return parse_phone(written).e164
    except InvalidPhone:
        return written


def _from(asked: date | datetime, zone: tzinfo) -> datetime:
    if isinstance(asked, datetime):
        return aware(asked, zone)
    return datetime.combine(asked, time(), zone)

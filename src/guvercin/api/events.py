"""The event feed: what webhooks tell, for a consumer that was down or that no address leads to."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from guvercin.api import examples, notices
from guvercin.api.answers.hooks import EventFeed, ToldEvent
from guvercin.api.asking import bad, cursor, read_cursor
from guvercin.api.auth import Reader
from guvercin.api.documented import WEBHOOKS, operation_id, tells
from guvercin.api.preferences import preference
from guvercin.api.reception import reception_of, visit_of
from guvercin.api.render.ground import PREFIX, reply
from guvercin.api.wire.hooks import ListEvents
from guvercin.core.errors import Code
from guvercin.core.hook import HookEvent, notice_id
from guvercin.locale import sentence

NOW = "son"
"""The place after everything that has happened."""

router = APIRouter(prefix=PREFIX, tags=WEBHOOKS, generate_unique_id_function=operation_id)


@router.get(
    "/olaylar",
    summary=sentence("What happened"),
    description=sentence(
        "The same events as webhooks tell, oldest first. Give «sonraki» back as sonra to go on; sonra=son begins now. "
        "With Prefer: wait=n it waits up to n seconds (120) for something to happen."
    ),
    responses=tells(EventFeed, Code.INVALID_FIELD, example=examples.EVENT_FEED),
)
async def events(request: Request, reader: Reader, query: Annotated[ListEvents, Query()]) -> Response:
    """Tell what happened after a place in the feed."""
    reception = reception_of(request)
    wanted = preference(request, usual_wait=timedelta(0))
    hooks = reception.gateway.hooks
    if query.after == NOW:
        after = await hooks.newest()
    else:
        after = 0 if query.after is None else read_cursor(query.after)
    found, upto = await hooks.feed(reader, after, _kinds(query.events), limit=query.limit, wait=wanted.wait)
    visit_of(request).headers |= wanted.headers()
    told = [ToldEvent(id=notice_id(notice.id), **notices.document(notice, reception.zone)) for notice in found]
    return reply(EventFeed(ok=True, data=told, next=cursor(max(1, upto))))


def _kinds(written: str | None) -> frozenset[HookEvent]:
    words = [word.strip() for word in (written or "").split(",") if word.strip()]
    if not set(words) <= set(HookEvent):
        raise bad("events", "gecersiz")
    return frozenset(map(HookEvent, words)) or frozenset(HookEvent)

"""Gelenler: what people wrote to us, and an answer to them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import Event, EventKind
from guvercin.core.inbound import InboundKind, InboxFilter, Received
from guvercin.core.log import MessageFilter
from guvercin.core.message import Message
from guvercin.core.phone import InvalidPhone, parse_phone
from guvercin.gateway.attachments import to_save
from guvercin.gateway.reports import pieces
from guvercin.gateway.requests import Ask
from guvercin.locale.codes import WORDS
from guvercin.locale.terms import INBOUND_KINDS
from guvercin.panel.desk import desk_of, form_of, typed, viewer_of
from guvercin.panel.live import View
from guvercin.panel.pills import Pill, is_down, message_pill
from guvercin.panel.sending import DEFAULT_ID, LONGEST_TEXT, key_of
from guvercin.panel.shell import back, errors_of, moving, show

INBOX = "/panel/gelenler"
_ROWS = 50
_LINES = 20
"""Messages of each direction that a conversation shows."""

_ICONS: Mapping[InboundKind, str] = {InboundKind.LOCATION: "external-link", InboundKind.CONTACT: "user"}
WITHOUT_A_FILE: Mapping[Code, int] = {
    Code.INBOUND_FILE_GONE: 410,
    Code.INBOUND_FILE_LARGE: 422,
    Code.INBOUND_FILE_AWAY: 503,
    Code.ELSEWHERE: 503,
}
"""Why a file can't be had: said on the page of its message, which is answered with this status."""

_OF_INBOX = frozenset({EventKind.MESSAGE_RECEIVED, EventKind.INBOX_READ})


async def show_inbox(request: Request) -> Response:
    """Show a page of what came in."""
    asked = _asked(request)
    found = await gather(request)
    accounts = await desk_of(request).gateway.accounts.seen(viewer_of(request).token)
    return await show(
        request,
        "gelenler.html",
        live={"sayfa": "gelenler", **asked} if "sonra" not in asked else None,
        accounts=accounts,
        asked=asked,
        **found,
    )


def _asked(request: Request) -> dict[str, str]:
    known = ("ara", "hesap", "yeni", "sonra")
    return {name: request.query_params[name] for name in known if request.query_params.get(name)}


def _wanted(asked: Mapping[str, str]) -> InboxFilter:
    sender = asked.get("ara", "").strip() or None
    if sender is not None:
        with suppress(InvalidPhone):
            sender = parse_phone(sender).e164
    return InboxFilter(
        sender=sender,
        account_id=_number(asked.get("hesap", "")),
        is_unread=True if "yeni" in asked else None,
    )


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 16 else None


async def gather(request: Request) -> dict[str, Any]:
    """Answer the rows of a page and how to go on."""
    desk, viewer, asked = desk_of(request), viewer_of(request), _asked(request)
    filters = {name: value for name, value in asked.items() if name != "sonra"}
    inbox = desk.gateway.inbox
    found = await inbox.page(viewer.token, _wanted(asked), limit=_ROWS, below=_number(asked.get("sonra", "")))
    names = {account.id: account.name for account in await desk.gateway.accounts.seen(viewer.token)}
    return {
        "rows": [(each, words_of(each), names.get(each.account_id, "")) for each in found.messages],
        "unread": await inbox.unread(viewer.token),
        "older": _address({**filters, "sonra": str(found.next_id)}) if found.next_id else "",
        "first": _address(filters),
        "every": _address({name: value for name, value in filters.items() if name != "yeni"}),
        "new_alone": _address({**filters, "yeni": "1"}),
        "is_new_alone": "yeni" in asked,
        "is_filtered": bool(filters),
        "is_first": "sonra" not in asked,
        "mark": f"{INBOX}/okundu" + (f"?{urlencode(filters)}" if filters else ""),
    }


def _address(filters: Mapping[str, str]) -> str:
    return f"{INBOX}?{urlencode(filters)}" if filters else INBOX


def words_of(message: Received) -> tuple[str, str]:
    """Answer what a message is as a sentence of the catalogue, and its icon; both empty for a plain text."""
    if message.kind is InboundKind.TEXT:
        return "", ""
    return INBOUND_KINDS[message.kind], _ICONS.get(message.kind, "file")


async def view(request: Request) -> View:
    """Answer the live part of the list."""
    return moving(
        request, "gelenler-canli.html", lambda: gather(request), concerns=lambda event: event.kind in _OF_INBOX
    )


async def mark_all(request: Request) -> Response:
    """Mark everything that the list held as read, as it was narrowed."""
    filters = _asked(request)
    upto = _number(typed(form_of(request), "son"))
    if upto is not None:
        await desk_of(request).gateway.inbox.mark_all_read(viewer_of(request).token, _wanted(filters), upto)
    return back(_address(filters))


# -- one person


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message of a conversation: theirs or ours, never both."""

    at: datetime
    theirs: Received | None = None
    words: tuple[str, str] = ("", "")
    ours: Message | None = None
    pill: Pill | None = None


async def show_message(request: Request) -> Response:
    """Show a message among what was written before and after it, and ask for an answer."""
    return await _page(request)


async def _page(
    request: Request,
    *,
    status: int = 200,
    given: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    without: tuple[str, str] | None = None,
) -> Response:
    desk, viewer = desk_of(request), viewer_of(request)
    message_id = request.path_params["message_id"]
    found = await gather_one(request, message_id)
    message: Received = found["message"]
    accounts = await desk.gateway.accounts.seen(viewer.token)
    account = next((each for each in accounts if each.id == message.account_id), None)
    return await show(
        request,
        "gelen.html",
        status=status,
        live={"sayfa": "gelen", "no": str(message_id)},
        account=account,
        has_number=message.sender.startswith("+"),
        is_down=account is not None and is_down(account, desk.now()),
        longest=LONGEST_TEXT,
        given=given or {},
        errors=errors or {},
        without=without,
        key=(given or {}).get("_tek") or desk.rng.randbytes(16).hex(),
        **found,
    )


async def gather_one(request: Request, message_id: int) -> dict[str, Any]:
    """Answer a message and the conversation around it: the newest of both sides."""
    desk, viewer = desk_of(request), viewer_of(request)
    message = await desk.gateway.inbox.one(viewer.token, message_id)
    theirs = await desk.gateway.inbox.page(
        viewer.token,
        InboxFilter(account_id=message.account_id, sender=message.sender),
        limit=_LINES,
        below=None,
    )
    ours = await desk.gateway.messages.page(
        viewer.token,
        MessageFilter(account_id=message.account_id, recipient=message.sender),
        limit=_LINES,
        below=None,
    )
    heard = list(theirs.messages)
    if all(each.id != message.id for each in heard):  # it is older than what is shown
        heard.append(message)
    return {
        "message": message,
        "lines": _lines(heard, ours.messages),
        "has_more": theirs.next_id is not None or ours.next_id is not None,
        "unread": any(each.read_at is None for each in heard),
        "newest": max(each.id for each in heard),
        "name": next((each.sender_name for each in heard if each.sender_name), None),
    }


def _lines(theirs: Sequence[Received], ours: Sequence[Message]) -> Sequence[Line]:
    lines = [Line(at=each.received_at, theirs=each, words=words_of(each)) for each in theirs]
    lines += [Line(at=each.created_at, ours=each, pill=message_pill(each)) for each in ours]
    return sorted(lines, key=lambda line: line.at)


async def save_file(request: Request) -> Response:
    """Answer the file of a message, fetched now if it has to be; or say on the page why it can't be had."""
    message_id = request.path_params["message_id"]
    try:
        file = await desk_of(request).gateway.attachments.open(viewer_of(request).token, message_id)
    except GuvercinError as refusal:
        if refusal.code not in WITHOUT_A_FILE:
            raise
        words = WORDS[refusal.code]
        return await _page(request, status=WITHOUT_A_FILE[refusal.code], without=(words.detail, words.todo))
    return StreamingResponse(pieces(file.content), media_type=file.media_type, headers=to_save(file))


async def message_view(request: Request) -> View:
    """Answer the live part of a conversation."""
    message_id = _number(request.query_params.get("no", "")) or 0
    message = await desk_of(request).gateway.inbox.one(viewer_of(request).token, message_id)

    def concerns(event: Event) -> bool:
        is_news = event.kind in _OF_INBOX or event.message_id is not None
        return is_news and event.account_id == message.account_id

    return moving(request, "gelen-canli.html", lambda: gather_one(request, message_id), concerns=concerns)


async def mark_one(request: Request) -> Response:
    """Mark what a person wrote as read, up to what the page showed."""
    message_id = request.path_params["message_id"]
    await _mark(request, message_id, _number(typed(form_of(request), "son")) or message_id)
    after = typed(form_of(request), "sonra")
    return back(INBOX if after == INBOX else f"{INBOX}/{message_id}")


async def _mark(request: Request, message_id: int, upto: int) -> None:
    inbox, token = desk_of(request).gateway.inbox, viewer_of(request).token
    message = await inbox.one(token, message_id)
    wanted = InboxFilter(account_id=message.account_id, sender=message.sender)
    await inbox.mark_all_read(token, wanted, upto)


async def answer(request: Request) -> Response:
    """Send an answer as a single message, and mark what it answers as read."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    message_id = request.path_params["message_id"]
    found = await gather_one(request, message_id)
    message: Received = found["message"]
    given = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    ask = Ask(
        phone=message.sender,
        text=typed(form, "mesaj") or None,
        name=found["name"],
        category=DEFAULT_ID,
        account_id=message.account_id,
    )
    path = f"{INBOX}/{message_id}/yanit"
    try:
        await desk.gateway.singles.send(
            viewer.token, ask, wait=timedelta(0), key=key_of(typed(form, "_tek"), path, given)
        )
    except GuvercinError as refusal:
        if refusal.code in {Code.NOT_FOUND, Code.CLOSING, Code.STORE_UNAVAILABLE}:
            raise
        return await _page(request, status=422, given=given, errors=errors_of(viewer.say, refusal, text="mesaj"))
    await _mark(request, message_id, _number(typed(form, "son")) or message_id)
    return back(f"{INBOX}/{message_id}")


routes = [
    Route(INBOX, show_inbox),
    Route(f"{INBOX}/okundu", mark_all, methods=["POST"]),
    Route(f"{INBOX}/{{message_id:int}}", show_message),
    Route(f"{INBOX}/{{message_id:int}}/dosya", save_file),
    Route(f"{INBOX}/{{message_id:int}}/okundu", mark_one, methods=["POST"]),
    Route(f"{INBOX}/{{message_id:int}}/yanit", answer, methods=["POST"]),
]

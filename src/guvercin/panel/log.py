"""Mesajlar: the log with its filters, and the whole way of one message."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import Event
from guvercin.core.log import Askers, MessageFilter
from guvercin.core.message import Message, Status
from guvercin.core.phone import InvalidPhone, parse_phone
from guvercin.gateway import reports
from guvercin.locale import sentence
from guvercin.locale.codes import WORDS
from guvercin.locale.terms import STATUSES
from guvercin.panel import steps
from guvercin.panel.desk import desk_of, form_of, typed, viewer_of
from guvercin.panel.live import View
from guvercin.panel.pills import message_pill, waits_words
from guvercin.panel.sending import key_of
from guvercin.panel.shell import back, kinds, moving, show
from guvercin.store.combing import WINDOW, is_combed

LOG = "/panel/mesajlar"
_ROWS = 50
_EXPORTED_AT_ONCE = 500
_LONGEST_SEARCH = 100
_SHORTEST_PHONE = 9
_SPANS = {"bugun": 0, "7": 6, "30": 29}
RANGE = "aralik"
SPANS: Mapping[str, str] = {
    "": sentence("Any time"),
    "bugun": sentence("Today"),
    "7": sentence("Last 7 days"),
    "30": sentence("Last 30 days"),
    RANGE: sentence("From … to …"),
}
PANEL, API, BULK = "panel", "api", "toplu"
SOURCES: Mapping[str, str] = {
    PANEL: sentence("The panel"),
    API: sentence("A program (API)"),
    BULK: sentence("Bulk"),
}
"""Where a message came from."""

_PATIENT = timedelta(hours=24)
"""After this long without a second tick, the page says what that may mean."""

_WITHDRAWABLE = frozenset({Status.QUEUED})
_AGAIN = frozenset({Status.FAILED, Status.CANCELLED, Status.UNKNOWN, Status.SENT, Status.DELIVERED, Status.READ})


async def show_log(request: Request) -> Response:
    """Show a page of the log."""
    desk, viewer = desk_of(request), viewer_of(request)
    asked = {name: value for name, value in request.query_params.items() if value}
    wanted, log_id = await wanted_of(request, asked)
    if log_id is not None:
        return back(f"{LOG}/{log_id}")
    below = asked.get("sonra", "")
    accounts = await desk.gateway.accounts.seen(viewer.token)
    found = await desk.gateway.messages.page(
        viewer.token, wanted, limit=_ROWS, below=int(below) if below.isdecimal() and len(below) < 16 else None
    )
    names = {account.id: account.name for account in accounts}
    is_first = not below
    newest = found.messages[0].id if found.messages else 0
    filters = {name: value for name, value in asked.items() if name != "sonra"}
    return await show(
        request,
        "mesajlar.html",
        live={"sayfa": "mesajlar", "ustu": str(newest), **filters} if is_first and not is_combed(wanted) else None,
        rows=[(each, message_pill(each), names.get(each.account_id, "")) for each in found.messages],
        asked=asked,
        is_filtered=bool(filters),
        sources=SOURCES,
        spans=SPANS,
        csv=f"{LOG}.csv?{urlencode(filters)}" if filters else f"{LOG}.csv",
        is_partial=found.next_id is not None and len(found.messages) < _ROWS,
        window=WINDOW,
        accounts=accounts,
        statuses=[(word, STATUSES[word]) for word in STATUSES],
        categories=(await kinds(request)).items(),
        older=f"{LOG}?{urlencode({**filters, 'sonra': str(found.next_id)})}" if found.next_id else "",
        first=f"{LOG}?{urlencode(filters)}" if filters else LOG,
        is_first=is_first,
        fresh=0,
    )


async def wanted_of(request: Request, asked: Mapping[str, str]) -> tuple[MessageFilter, int | None]:
    """Answer the filter of an address, and a record's number if that was searched."""
    wanted = replace(
        _of_state(asked),
        account_id=_number(asked, "hesap"),
        category=_number(asked, "tur"),
        batch_id=_number(asked, "toplu"),
    )
    since, until = _span(request, asked)
    wanted = replace(wanted, since=since, until=until)
    if (source := asked.get("kaynak", "")) in SOURCES:
        wanted = await _from(request, wanted, source)
    return await _searched(request, wanted, asked.get("ara", "").strip()[:_LONGEST_SEARCH])


def _of_state(asked: Mapping[str, str]) -> MessageFilter:
    status = asked.get("durum", "")
    if status == "scheduled":
        return MessageFilter(statuses=frozenset({Status.QUEUED}), scheduled=True)
    if status in set(Status):
        scheduled = False if status == Status.QUEUED.value else None
        return MessageFilter(statuses=frozenset({Status(status)}), scheduled=scheduled)
    return MessageFilter()


def _span(request: Request, asked: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    """Answer from when and until when: some days back, or from one day to another, both of them in it."""
    desk = desk_of(request)
    span = asked.get("tarih", "")
    if (days := _SPANS.get(span)) is not None:
        today = desk.now().astimezone(desk.zone).date()
        return datetime.combine(today - timedelta(days=days), time.min, desk.zone), None
    if span != RANGE:
        return None, None
    first, last = _day(asked.get("bas", "")), _day(asked.get("bit", ""))
    since = None if first is None else datetime.combine(first, time.min, desk.zone)
    until = None if last is None else datetime.combine(last + timedelta(days=1), time.min, desk.zone)
    return since, until


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


async def _from(request: Request, wanted: MessageFilter, source: str) -> MessageFilter:
    """Narrow a filter to what came in bulk, from a person in the panel, or from a program."""
    if source == BULK:
        return replace(wanted, is_of_batch=True)
    people = frozenset(person.token.id for person in await desk_of(request).people.every())
    return replace(wanted, is_of_batch=False, askers=Askers(token_ids=people, is_one_of_them=source == PANEL))


async def _searched(request: Request, wanted: MessageFilter, searched: str) -> tuple[MessageFilter, int | None]:
    """Narrow a filter to what was searched: a record's number, a telephone number, a reference, or words."""
    if not searched:
        return wanted, None
    if searched.isdecimal() and len(searched) < _SHORTEST_PHONE:
        return wanted, int(searched)
    with suppress(InvalidPhone):
        return replace(wanted, recipient=parse_phone(searched).e164), None
    of_reference = replace(wanted, reference=searched)
    found = await desk_of(request).gateway.messages.page(viewer_of(request).token, of_reference, limit=1, below=None)
    return (of_reference if found.messages else replace(wanted, text=searched)), None


def _number(asked: Mapping[str, str], name: str) -> int | None:
    value = asked.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 16 else None


async def log_view(request: Request) -> View:
    """Answer the live part of the log: how many messages came since the page was drawn."""
    asked = {name: value for name, value in request.query_params.items() if value}
    top = asked.pop("ustu", "0")
    wanted, _ = await wanted_of(request, asked)
    desk, viewer = desk_of(request), viewer_of(request)
    filters = {name: value for name, value in asked.items() if name != "sayfa"}

    async def gather() -> Mapping[str, Any]:
        found = await desk.gateway.messages.page(viewer.token, wanted, limit=_ROWS, below=None)
        fresh = sum(each.id > int(top) for each in found.messages) if top.isdecimal() else 0
        return {"fresh": fresh, "first": f"{LOG}?{urlencode(filters)}" if filters else LOG}

    return moving(request, "mesajlar-canli.html", gather, concerns=lambda event: event.message_id is not None)


async def export(request: Request) -> Response:
    """Answer what the filters find as a spreadsheet, newest first, numbers as the reader may see them."""
    desk, viewer = desk_of(request), viewer_of(request)
    asked = {name: value for name, value in request.query_params.items() if value}
    wanted, log_id = await wanted_of(request, asked)
    if log_id is not None:
        raise GuvercinError(Code.NOT_FOUND)
    rows = reports.told(_pages(request, wanted), viewer.say, desk.zone, number=viewer.number_of)
    headers = {"Content-Disposition": 'attachment; filename="guvercin-mesajlar.csv"'}
    lines = reports.write_csv(reports.heads(viewer.say), rows)
    return StreamingResponse(lines, media_type=f"{reports.CSV}; charset=utf-8", headers=headers)


async def _pages(request: Request, wanted: MessageFilter) -> AsyncIterator[Sequence[Message]]:
    """Answer all that a filter finds, page by page: a long log is never held in memory."""
    gateway, token = desk_of(request).gateway, viewer_of(request).token
    below: int | None = None
    while True:
        page = await gateway.messages.page(token, wanted, limit=_EXPORTED_AT_ONCE, below=below)
        yield page.messages
        below = page.next_id
        if below is None:
            return


# -- one message


async def show_message(request: Request) -> Response:
    """Show the whole way of one message."""
    log_id = request.path_params["log_id"]
    return await show(
        request, "mesaj.html", live={"sayfa": "mesaj", "kayit": str(log_id)}, **await gather(request, log_id)
    )


async def gather(request: Request, log_id: int) -> Mapping[str, Any]:
    """Answer everything about a message."""
    desk, viewer = desk_of(request), viewer_of(request)
    found = await desk.gateway.messages.history(viewer.token, log_id)
    message, now = found.message, desk.now()
    account = await desk.gateway.accounts.any(message.account_id)
    people = {person.token.id: person.name for person in await desk.people.every()}
    keys = {key.id: key.rules.name for key in await desk.access.keys()}
    asker = await desk.gateway.messages.asker(message.id)
    is_held = message.waits_for is not None and message_pill(message).kind == "wait"
    reason = WORDS.get(message.reason) if message.reason is not None else None
    return {
        "message": message,
        "pill": message_pill(message),
        "steps": steps.of(found),
        "happenings": steps.happenings(found),
        "account": account,
        "by": people.get(asker) or keys.get(asker, ""),
        "is_by_person": asker in people,
        "category": (await kinds(request)).get(message.category, str(message.category)),
        "reason": reason,
        "waits": waits_words(message),
        "is_held": is_held,
        "may_cancel": message.status in _WITHDRAWABLE,
        "may_resend": message.status in _AGAIN,
        "is_late": message.status is Status.SENT and message.sent_at is not None and now - message.sent_at > _PATIENT,
        "is_doubtful": message.status is Status.UNKNOWN,
        "detail": _detail(message),
        "is_sandbox": found.is_sandbox,
        "key": desk.rng.randbytes(16).hex(),
    }


def _detail(message: Message) -> Mapping[str, str]:
    shown = {
        "log_id": str(message.id),
        "message_id": message.remote_id or "–",
        "durum": message.status.value,
        "neden": message.reason.value if message.reason else "–",
        "tur_id": str(message.category),
        "toplu_id": str(message.batch_id or "–"),
        "referans": message.reference or "–",
        "deneme_sayisi": str(message.attempts),
    }
    return shown if message.resend_of is None else {**shown, "yeniden_gonderilen": str(message.resend_of)}


async def message_view(request: Request) -> View:
    """Answer the live part of a message's page."""
    asked = request.query_params.get("kayit", "0")

    def concerns(event: Event) -> bool:
        return str(event.message_id) == asked

    log_id = int(asked) if asked.isdecimal() else 0
    return moving(request, "mesaj-canli.html", lambda: gather(request, log_id), concerns=concerns)


async def cancel(request: Request) -> Response:
    """Withdraw a message that has not left."""
    log_id = request.path_params["log_id"]
    try:
        await desk_of(request).gateway.messages.cancel(viewer_of(request).token, log_id)
    except GuvercinError as refusal:
        if refusal.code is not Code.NOT_CANCELLABLE:
            raise
        return back(f"{LOG}/{log_id}", gec="1")
    return back(f"{LOG}/{log_id}")


async def give_up(request: Request) -> Response:
    """Call a message in doubt failed."""
    log_id = request.path_params["log_id"]
    try:
        await desk_of(request).gateway.messages.give_up(viewer_of(request).token, log_id)
    except GuvercinError as refusal:
        if refusal.code is not Code.NOT_CANCELLABLE:  # it was settled meanwhile: the page shows how
            raise
    return back(f"{LOG}/{log_id}")


async def release(request: Request) -> Response:
    """Let a held message go on."""
    log_id = request.path_params["log_id"]
    await desk_of(request).gateway.messages.release(viewer_of(request).token, log_id)
    return back(f"{LOG}/{log_id}")


async def resend(request: Request) -> Response:
    """Send a message again as a new one."""
    desk, form, log_id = desk_of(request), form_of(request), request.path_params["log_id"]
    path = f"{LOG}/{log_id}/yeniden"
    sent = await desk.gateway.singles.resend(
        viewer_of(request).token, log_id, wait=timedelta(0), key=key_of(typed(form, "_tek"), path, {})
    )
    return back(f"{LOG}/{sent.standing.id}")


routes = [
    Route(LOG, show_log),
    Route(f"{LOG}/{{log_id:int}}", show_message),
    Route(f"{LOG}/{{log_id:int}}/iptal", cancel, methods=["POST"]),
    Route(f"{LOG}.csv", export),
    Route(f"{LOG}/{{log_id:int}}/vazgec", give_up, methods=["POST"]),
    Route(f"{LOG}/{{log_id:int}}/birak", release, methods=["POST"]),
    Route(f"{LOG}/{{log_id:int}}/yeniden", resend, methods=["POST"]),
]

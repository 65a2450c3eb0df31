"""Toplu gönderim: what was started, how far it is, and what its owner decides about it."""

import csv
import io
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from guvercin.core.errors import Code
from guvercin.core.event import Event
from guvercin.core.log import MessageFilter
from guvercin.core.message import FINISHED, Message, Status, WaitsFor
from guvercin.gateway.requests import BatchView
from guvercin.locale import sentence
from guvercin.locale.codes import WORDS
from guvercin.locale.terms import STATUSES
from guvercin.panel.desk import desk_of, viewer_of
from guvercin.panel.live import View
from guvercin.panel.pills import Pill, message_pill
from guvercin.panel.shell import back, moving, show
from guvercin.panel.viewer import Viewer

BULK = "/panel/toplu"
_ROWS = 25
_LATEST = 20
_MOST_GROUPED = 500

_FINISHED = Pill("ok", sentence("Finished"), "check")
_CANCELLED = Pill("none", sentence("Cancelled"), "ban")
_PAUSED = Pill("wait", sentence("Paused"), "player-pause")
_RUNNING = Pill("info", sentence("Being sent"), "send")


@dataclass(frozen=True, slots=True)
class Part:
    """One group of a bulk's rows. The groups sum to all of them; `start` and `share` are percents of the bar."""

    kind: str
    word: str
    n: int
    start: float
    share: float


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a bulk is."""

    view: BatchView
    parts: Sequence[Part]
    pill: Pill

    @property
    def total(self) -> int:
        """Answer all rows."""
        return self.view.counts.total

    @property
    def done(self) -> int:
        """Answer how many are out of our hands."""
        return self.total - self.view.counts.of(Status.QUEUED, Status.SENDING)


_GROUPS: Sequence[tuple[str, str, frozenset[Status]]] = (
    ("read", sentence("Read"), frozenset({Status.READ})),
    ("ok", sentence("Delivered"), frozenset({Status.DELIVERED})),
    ("way", sentence("On the way"), frozenset({Status.SENT, Status.SENDING})),
    ("doubt", sentence("In doubt"), frozenset({Status.UNKNOWN})),
    ("bad", sentence("Failed"), frozenset({Status.FAILED})),
    ("none", sentence("Cancelled"), frozenset({Status.CANCELLED})),
    ("rest", sentence("Queued"), frozenset({Status.QUEUED})),
)
_ONLY_IF_ANY = frozenset({"doubt", "none"})


def progress(view: BatchView) -> Progress:
    """Answer how far a bulk is, in groups that add up."""
    counts, total, start = view.counts, max(1, view.counts.total), 0.0
    parts = []
    for kind, word, statuses in _GROUPS:
        n = counts.of(*statuses)
        if n or kind not in _ONLY_IF_ANY:
            share = 100 * n / total
            parts.append(Part(kind, word, n, round(start, 3), round(share, 3)))
            start += share
    return Progress(view, parts, _pill(view))


def _pill(view: BatchView) -> Pill:
    if view.batch.cancelled_at is not None:
        return _CANCELLED
    if view.counts.is_finished:
        return _FINISHED
    return _PAUSED if view.batch.paused_at is not None else _RUNNING


# -- the list


async def show_list(request: Request) -> Response:
    """List the bulk requests, newest first."""
    below = request.query_params.get("sonra", "")
    asked = {"sayfa": "toplu-liste", "sonra": below}
    return await show(request, "toplu.html", live=asked, is_first=not below, **await gather_list(request))


async def gather_list(request: Request) -> Mapping[str, Any]:
    """Answer a page of bulk requests."""
    desk, viewer = desk_of(request), viewer_of(request)
    below = request.query_params.get("sonra", "")
    views, next_id = await desk.gateway.batches.page(
        viewer.token, account_id=None, limit=_ROWS, below=int(below) if below.isdecimal() else None
    )
    names = {account.id: account.name for account in await desk.gateway.accounts.seen(viewer.token)}
    askers = await _askers(request)
    rows = [
        (progress(view), names.get(view.batch.account_id, ""), askers.get(view.batch.token_id, "")) for view in views
    ]
    return {"rows": rows, "older": f"{BULK}?sonra={next_id}" if next_id else ""}


async def _askers(request: Request) -> Mapping[int, str]:
    """Answer the names of everybody and everything that asks for messages, by token."""
    desk = desk_of(request)
    people = {person.token.id: person.name for person in await desk.people.every()}
    return {key.id: key.rules.name for key in await desk.access.keys()} | people


async def list_view(request: Request) -> View:
    """Answer the live part of the list."""
    return moving(
        request, "toplu-liste-canli.html", lambda: gather_list(request), concerns=lambda each: each.batch_id is not None
    )


# -- one


async def show_one(request: Request) -> Response:
    """Show one bulk request as it goes."""
    batch_id = request.path_params["batch_id"]
    live = {"sayfa": "toplu", "toplu": str(batch_id)}
    return await show(request, "toplu-bir.html", live=live, **await gather(request, batch_id))


async def gather(request: Request, batch_id: int) -> dict[str, Any]:
    """Answer everything about one bulk request."""
    desk, viewer = desk_of(request), viewer_of(request)
    view = await desk.gateway.batches.one(viewer.token, batch_id)
    account = await desk.gateway.accounts.any(view.batch.account_id)
    wanted = MessageFilter(batch_id=batch_id, statuses=FINISHED)
    found = await desk.gateway.messages(viewer.token, wanted, limit=_LATEST, below=None)
    failed = await desk.gateway.messages(
        viewer.token,
        MessageFilter(batch_id=batch_id, statuses=frozenset({Status.FAILED})),
        limit=_MOST_GROUPED,
        below=None,
    )
    reasons = Counter(each.reason for each in failed.messages if each.reason is not None)
    ended = max((at for each in found.messages if (at := each.sent_at) is not None), default=None)
    return {
        "progress": progress(view),
        "batch": view.batch,
        "account": account,
        "by": (await _askers(request)).get(view.batch.token_id, ""),
        "why": await _why(request, view),
        "needs_link": account is not None and not account.line.is_connected(desk.now()),
        "left": None if view.finish_at is None else view.finish_at - desk.now(),
        "finish_at": view.finish_at,
        "latest": [(each, message_pill(each)) for each in found.messages],
        "reasons": [(code.value, WORDS[code], n) for code, n in reasons.most_common()],
        "has_more_reasons": failed.next_id is not None,
        "took": None if ended is None else ended - view.batch.created_at,
        "may_pause": not view.counts.is_finished and view.batch.paused_at is None,
        "may_resume": not view.counts.is_finished
        and view.batch.paused_at is not None
        and view.batch.cancelled_at is None,
        "may_cancel": view.counts.of(Status.QUEUED) > 0 and view.batch.cancelled_at is None,
    }


async def _why(request: Request, view: BatchView) -> str:
    """Answer what stands in a bulk's way as a sentence of the catalogue; empty: nothing."""
    desk, viewer = desk_of(request), viewer_of(request)
    if view.counts.is_finished or view.batch.paused_at is not None:
        return ""
    if view.counts.scheduled and view.counts.scheduled == view.counts.of(Status.QUEUED):
        return sentence("It waits for its time.")
    line = (await desk.gateway.accounts.one(viewer.token, view.batch.account_id)).line
    if line.is_connected(desk.now()):
        return ""
    return WORDS[line.code or Code.LINE_DOWN].detail


async def view(request: Request) -> View:
    """Answer the live part of one bulk's page."""
    asked = request.query_params.get("toplu", "0")
    batch_id = int(asked) if asked.isdecimal() else 0

    def concerns(event: Event) -> bool:
        return event.batch_id == batch_id or event.message_id is None

    return moving(request, "toplu-canli.html", lambda: gather(request, batch_id), concerns=concerns, every=5.0)


async def act(request: Request) -> Response:
    """Pause a bulk, let it go on, or withdraw the rest of it."""
    batches, token = desk_of(request).gateway.batches, viewer_of(request).token
    batch_id, deed = request.path_params["batch_id"], request.path_params["deed"]
    deeds = {"duraklat": batches.pause, "devam": batches.resume, "iptal": batches.cancel}
    if deed not in deeds:
        raise HTTPException(404)
    await deeds[deed](token, batch_id)
    return back(f"{BULK}/{batch_id}")


# -- the report


async def download(request: Request) -> Response:
    """Answer a line for each recipient, as a Turkish Excel opens it."""
    desk, viewer, batch_id = desk_of(request), viewer_of(request), request.path_params["batch_id"]
    await desk.gateway.batches.one(viewer.token, batch_id)
    return as_csv(f"toplu-{batch_id}.csv", rows_of(viewer, desk.gateway.batches.rows(batch_id)))


def as_csv(name: str, rows: AsyncIterator[Sequence[Sequence[str]]]) -> Response:
    """Answer rows as a file: semicolons, UTF-8 with its mark, and no cell that a spreadsheet takes for a formula."""

    async def written() -> AsyncIterator[bytes]:
        yield "\ufeff".encode()
        async for some in rows:
            place = io.StringIO()
            csv.writer(place, delimiter=";", lineterminator="\r\n").writerows(map(_harmless, some))
            yield place.getvalue().encode()

    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(written(), media_type="text/csv; charset=utf-8", headers=headers)


_FORMULA = re.compile(r"[=+\-@\t\r](?![0-9* ]+\Z)")
"""How a formula begins. A number of our own has a plus before it, and is a number all the same."""


def _harmless(row: Sequence[str]) -> Sequence[str]:
    return [f"'{cell}" if _FORMULA.match(cell) else cell for cell in row]


async def rows_of(viewer: Viewer, found: AsyncIterator[Sequence[Message]]) -> AsyncIterator[Sequence[Sequence[str]]]:
    """Answer messages as lines of a spreadsheet, heads first."""
    say = viewer.say
    heads = ("Record", "Recipient", "Name", "State", "Reason", "Accepted", "Sent", "Delivered", "Read")
    yield [[say(_HEADS[head]) for head in heads]]
    async for messages in found:
        yield [_row(viewer, each) for each in messages]


_HEADS = {
    "Record": sentence("Record"),
    "Recipient": sentence("Recipient"),
    "Name": sentence("Name"),
    "State": sentence("State"),
    "Reason": sentence("Reason"),
    "Accepted": sentence("Accepted"),
    "Sent": sentence("Sent"),
    "Delivered": sentence("Delivered"),
    "Read": sentence("Read"),
}


def _row(viewer: Viewer, message: Message) -> Sequence[str]:
    say = viewer.say
    status = "scheduled" if message.waits_for is WaitsFor.TIME else message.status.value
    reason = say(WORDS[message.reason].detail) if message.reason is not None else ""

    def at(moment: datetime | None) -> str:
        return "" if moment is None else viewer.local(moment).strftime("%d.%m.%Y %H:%M:%S")

    return [
        str(message.id),
        viewer.phone(message.recipient),
        message.recipient_name or "",
        say(STATUSES[status]),
        reason,
        at(message.created_at),
        at(message.sent_at),
        at(message.delivered_at),
        at(message.read_at),
    ]


_ONE = f"{BULK}/{{batch_id:int}}"

routes = [
    Route(BULK, show_list),
    Route(_ONE, show_one),
    Route(f"{_ONE}/rapor.csv", download),
    Route(f"{_ONE}/{{deed}}", act, methods=["POST"]),
]

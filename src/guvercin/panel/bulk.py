"""Toplu gönderim: every bulk, and one of them while it runs.

Laws
1. Whatever is shown is counted from the rows. The groups of the bar exclude each other and sum to the total.
2. A cancel is asked for on a page of its own that says what it means, in numbers that are true when it is shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import Event
from guvercin.core.log import MessageFilter
from guvercin.core.message import FINISHED, Status, WaitsFor
from guvercin.gateway import reports
from guvercin.gateway.requests import BatchView
from guvercin.locale import sentence
from guvercin.locale.codes import WORDS
from guvercin.locale.terms import STATUSES, WAITS
from guvercin.locale.words import Words
from guvercin.panel.desk import desk_of, viewer_of
from guvercin.panel.live import View
from guvercin.panel.pills import Pill, message_pill
from guvercin.panel.shell import back, moving, show
from guvercin.panel.wizard import BULK

_ROWS = 20
_LOOKED_AT = 60
"""Bulks that one page looks at, of which a filter may show few."""

_LATEST = 20
_MOVED = FINISHED - {Status.CANCELLED} | {Status.SENDING}


@dataclass(frozen=True, slots=True)
class Part:
    """One group of a bulk's rows. The groups sum to all of them; `start` and `share` are percents of the bar.

    `status` leads to the group in the log.
    """

    kind: str
    word: str
    n: int
    start: float
    share: float
    status: str


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


_GROUPS: Sequence[tuple[str, str, frozenset[Status], Status]] = (
    ("read", STATUSES["read"], frozenset({Status.READ}), Status.READ),
    ("ok", STATUSES["delivered"], frozenset({Status.DELIVERED}), Status.DELIVERED),
    ("way", sentence("On the way"), frozenset({Status.SENT, Status.SENDING}), Status.SENT),
    ("doubt", STATUSES["unknown"], frozenset({Status.UNKNOWN}), Status.UNKNOWN),
    ("bad", STATUSES["failed"], frozenset({Status.FAILED}), Status.FAILED),
    ("none", STATUSES["cancelled"], frozenset({Status.CANCELLED}), Status.CANCELLED),
    ("rest", STATUSES["queued"], frozenset({Status.QUEUED}), Status.QUEUED),
)
_ONLY_IF_ANY = frozenset({"doubt", "none"})


def progress(view: BatchView, waits: WaitsFor | Code | None = None) -> Progress:
    """Answer how far a bulk is, in groups that add up. `waits`: what stands in its way, if that was asked."""
    counts, total, start = view.counts, max(1, view.counts.total), 0.0
    parts = []
    for kind, word, statuses, status in _GROUPS:
        n = counts.of(*statuses)
        if n or kind not in _ONLY_IF_ANY:
            share = 100 * n / total
            parts.append(Part(kind, word, n, round(start, 3), round(share, 3), status.value))
            start += share
    return Progress(view, parts, _pill(view, waits))


_RUNNING = Pill("ok", sentence("Being sent"), "send")
_PAUSED = Pill("wait", sentence("Paused"), "player-pause")
_WAITING = Pill("wait", sentence("Waiting"), "clock")
_DONE = Pill("ok", sentence("Finished"), "check")
_CANCELLED = Pill("none", sentence("Cancelled"), "ban")

STATES: Mapping[str, str] = {
    "": sentence("All"),
    "suren": sentence("Running"),
    "duraklatildi": sentence("Paused"),
    "bitti": sentence("Finished"),
}


def _state(view: BatchView) -> str:
    if view.batch.cancelled_at is not None or view.counts.is_finished:
        return "bitti"
    return "suren" if view.batch.paused_at is None else "duraklatildi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """A bulk as it is shown. `why`: a sentence about what stands in its way, with what to do; empty: nothing."""

    progress: Progress
    text: str
    by: str
    account: str
    why: str
    todo: str
    is_line: bool

    @property
    def view(self) -> BatchView:
        """Answer its counts and its forecast."""
        return self.progress.view

    @property
    def id(self) -> int:
        """Answer its number."""
        return self.view.batch.id

    @property
    def left(self) -> int:
        """Answer how many rows have not left."""
        return self.view.counts.of(Status.QUEUED)

    @property
    def arrived(self) -> int:
        """Answer how many rows reached a phone."""
        return self.view.counts.of(Status.DELIVERED, Status.READ)

    @property
    def stop(self) -> Words | None:
        """Answer why it was paused by itself; null: it wasn't."""
        code = self.view.batch.paused_code
        return None if code is None else WORDS[code]

    @property
    def may_pause(self) -> bool:
        """Say whether it runs."""
        return not self.is_over and self.view.batch.paused_at is None

    @property
    def may_resume(self) -> bool:
        """Say whether somebody paused it."""
        return not self.is_over and self.view.batch.paused_at is not None

    @property
    def is_over(self) -> bool:
        """Say whether nothing more of it leaves."""
        return self.view.batch.cancelled_at is not None or self.view.counts.is_finished


async def _told(request: Request, view: BatchView) -> Bulk:
    desk, viewer = desk_of(request), viewer_of(request)
    first = await desk.gateway.messages.page(viewer.token, MessageFilter(batch_id=view.batch.id), limit=1, below=None)
    account = await desk.gateway.accounts.any(view.batch.account_id)
    people = {person.token.id: person.name for person in await desk.people.every()}
    keys = {key.id: key.rules.name for key in await desk.access.keys()}
    waits = await desk.gateway.batches.why_it_waits(view)
    why, todo = _words(waits)
    return Bulk(
        progress=progress(view, waits),
        text=(first.messages[0].content.text or "") if first.messages else "",
        by=people.get(view.batch.token_id) or keys.get(view.batch.token_id, ""),
        account=account.name if account is not None else "",
        why=why,
        todo=todo,
        is_line=waits is not None and not isinstance(waits, WaitsFor),
    )


def _pill(view: BatchView, waits: WaitsFor | Code | None) -> Pill:
    if view.batch.cancelled_at is not None:
        return _CANCELLED
    if view.counts.is_finished:
        return _DONE
    if view.batch.paused_at is not None:
        return _PAUSED
    return _RUNNING if waits is None else _WAITING


def _words(waits: WaitsFor | Code | None) -> tuple[str, str]:
    match waits:
        case None | WaitsFor.PAUSED:
            return "", ""
        case WaitsFor():
            return WAITS[waits], ""
        case Code():
            return WORDS[waits].detail, WORDS[waits].todo


# -- all of them


async def show_all(request: Request) -> Response:
    """Show the bulks, newest first."""
    asked = request.query_params.get("durum", "")
    state = asked if asked in STATES else ""
    live = {"sayfa": "toplular", "durum": state, "sonra": request.query_params.get("sonra", "")}
    return await show(request, "toplular.html", live=live, **await _gather_all(request, state))


async def _gather_all(request: Request, state: str) -> Mapping[str, Any]:
    desk, viewer = desk_of(request), viewer_of(request)
    after = request.query_params.get("sonra", "")
    below = int(after) if after.isdecimal() and len(after) < 16 else None
    found: list[BatchView] = []
    looked_at = 0
    while len(found) < _ROWS and looked_at < _LOOKED_AT:
        views, below = await desk.gateway.batches.page(viewer.token, account_id=None, limit=_ROWS, below=below)
        looked_at += len(views)
        for view in views:
            if not state or _state(view) == state:
                found.append(view)
                if len(found) == _ROWS:
                    below = view.batch.id if view is not views[-1] else below
                    break
        if below is None:
            break
    more = {"durum": state} if state else {}
    return {
        "bulks": [await _told(request, view) for view in found],
        "states": STATES,
        "state": state,
        "older": f"{BULK}?{urlencode({**more, 'sonra': str(below)})}" if below is not None else "",
        "is_first": not after,
    }


async def all_view(request: Request) -> View:
    """Answer the live part of the list."""
    state = request.query_params.get("durum", "")
    return moving(request, "toplular-canli.html", lambda: _gather_all(request, state), concerns=_is_bulk, every=5.0)


def _is_bulk(event: Event) -> bool:
    return event.batch_id is not None or event.message_id is not None


# -- one of them


async def show_one(request: Request) -> Response:
    """Show how far a bulk is."""
    batch_id = request.path_params["batch_id"]
    told = await _gather(request, batch_id)
    return await show(request, "toplu.html", live={"sayfa": "toplu", "toplu": str(batch_id)}, **told)


async def _gather(request: Request, batch_id: int) -> Mapping[str, Any]:
    desk, viewer = desk_of(request), viewer_of(request)
    view = await desk.gateway.batches.one(viewer.token, batch_id)
    wanted = MessageFilter(batch_id=batch_id, statuses=frozenset(_MOVED))
    latest = (await desk.gateway.messages.page(viewer.token, wanted, limit=_LATEST, below=None)).messages
    reasons = await desk.gateway.batches.reasons(batch_id)
    return {
        "bulk": await _told(request, view),
        "latest": [(each, message_pill(each)) for each in latest],
        "reasons": [(code, WORDS[code], n) for code, n in reasons.items()],
        "is_by_person": any(person.token.id == view.batch.token_id for person in await desk.people.every()),
    }


async def one_view(request: Request) -> View:
    """Answer the live part of a bulk's page."""
    asked = request.query_params.get("toplu", "")
    batch_id = int(asked) if asked.isdecimal() and len(asked) < 16 else 0
    return moving(request, "toplu-canli.html", lambda: _gather(request, batch_id), concerns=_is_bulk, every=5.0)


async def pause(request: Request) -> Response:
    """Stop a bulk."""
    batch_id = request.path_params["batch_id"]
    await desk_of(request).gateway.batches.pause(viewer_of(request).token, batch_id)
    return back(f"{BULK}/{batch_id}")


async def resume(request: Request) -> Response:
    """Let a paused bulk go on."""
    batch_id = request.path_params["batch_id"]
    await desk_of(request).gateway.batches.resume(viewer_of(request).token, batch_id)
    return back(f"{BULK}/{batch_id}")


async def ask_cancel(request: Request) -> Response:
    """Say what a cancel means, and ask for it."""
    viewer, batch_id = viewer_of(request), request.path_params["batch_id"]
    if not viewer.may_change:
        raise GuvercinError(Code.NOT_ALLOWED)
    view = await desk_of(request).gateway.batches.one(viewer.token, batch_id)
    bulk = await _told(request, view)
    return back(f"{BULK}/{batch_id}") if bulk.is_over else await show(request, "toplu-iptal.html", bulk=bulk)


async def cancel(request: Request) -> Response:
    """Withdraw the rest of a bulk."""
    batch_id = request.path_params["batch_id"]
    await desk_of(request).gateway.batches.cancel(viewer_of(request).token, batch_id)
    return back(f"{BULK}/{batch_id}")


# -- reports


async def report(request: Request) -> Response:
    """Answer a bulk as a spreadsheet, numbers as the reader may see them."""
    desk, viewer, batch_id = desk_of(request), viewer_of(request), request.path_params["batch_id"]
    await desk.gateway.batches.one(viewer.token, batch_id)
    lines = reports.told(desk.gateway.batches.rows(batch_id), viewer.say, desk.zone, number=viewer.number_of)
    heads, form = reports.heads(viewer.say), request.path_params["form"]
    headers = {"Content-Disposition": f'attachment; filename="guvercin-toplu-{batch_id}.{form}"'}
    if form == "csv":
        media_type = f"{reports.CSV}; charset=utf-8"
        return StreamingResponse(reports.write_csv(heads, lines), media_type=media_type, headers=headers)
    if form != "xlsx":
        raise GuvercinError(Code.NOT_FOUND)
    file = await reports.write_xlsx(heads, lines)
    return StreamingResponse(reports.pieces(file), media_type=reports.XLSX, headers=headers)


async def sample_list(request: Request) -> Response:
    """Answer a list to begin with, as a workbook."""
    say = viewer_of(request).say

    async def rows() -> reports.Pages:
        yield [["0532 123 45 67", "Ayşe Yılmaz", "1.250,00"], ["0533 987 65 43", "Mehmet Öz", "480,50"]]

    file = await reports.write_xlsx([say("Phone"), say("Name"), say("Amount due")], rows())
    headers = {"Content-Disposition": 'attachment; filename="guvercin-ornek.xlsx"'}
    return StreamingResponse(reports.pieces(file), media_type=reports.XLSX, headers=headers)


routes = [
    Route(BULK, show_all),
    Route(f"{BULK}/ornek.xlsx", sample_list),
    Route(f"{BULK}/{{batch_id:int}}", show_one),
    Route(f"{BULK}/{{batch_id:int}}/duraklat", pause, methods=["POST"]),
    Route(f"{BULK}/{{batch_id:int}}/devam", resume, methods=["POST"]),
    Route(f"{BULK}/{{batch_id:int}}/iptal", ask_cancel),
    Route(f"{BULK}/{{batch_id:int}}/iptal", cancel, methods=["POST"]),
    Route(f"{BULK}/{{batch_id:int}}/rapor.{{form}}", report),
]

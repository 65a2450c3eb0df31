"""Hesaplar: the accounts, how their lines are, and what can be done about them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from guvercin.core.account import Account, Kind, LineState, OnUnknown
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import Event, EventKind
from guvercin.core.message import Status
from guvercin.gateway.requests import AccountChange, MannersChange, NewAccount
from guvercin.locale import sentence
from guvercin.locale.codes import WORDS
from guvercin.panel.desk import desk_of, form_of, typed, viewer_of
from guvercin.panel.live import View
from guvercin.panel.overview import Day
from guvercin.panel.pills import line_words
from guvercin.panel.shell import back, errors_of, moving, show
from guvercin.transports.base import Link, LinkState

ACCOUNTS = "/panel/hesaplar"
_WEEK = timedelta(days=6)
_HOUR = timedelta(hours=1)
_LONGEST_HOURS = 5
"""Digits."""

KIND_NAMES: Mapping[Kind, str] = {
    Kind.SANDBOX: sentence("Sandbox"),
    Kind.WEB: sentence("Linked phone"),
    Kind.CLOUD: sentence("Meta's Cloud API"),
}
DOUBTS: Mapping[OnUnknown, str] = {
    OnUnknown.HOLD: sentence("Hold them until I decide"),
    OnUnknown.GIVE_UP: sentence("Give them up after an hour"),
    OnUnknown.RESEND: sentence("Send them again after an hour (somebody may get one twice)"),
}


async def show_accounts(request: Request) -> Response:
    """List the accounts."""
    return await show(request, "hesaplar.html", live={"sayfa": "hesaplar"}, **await gather(request))


async def gather(request: Request) -> Mapping[str, Any]:
    """Answer the accounts, their lines and what they sent today."""
    desk, viewer = desk_of(request), viewer_of(request)
    now = desk.now()
    accounts = await desk.gateway.accounts.seen(viewer.token)
    today = desk.tally.day_of(now)
    counts = await desk.tally.between(today, today)
    days = {account.id: Day([each for each in counts if each.account_id == account.id]) for account in accounts}
    rows = [(account, line_words(account, now), days[account.id]) for account in accounts]
    return {"rows": rows, "has_phone": any(account.kind is not Kind.SANDBOX for account in accounts)}


def _lines_alone(event: Event) -> bool:
    return event.kind in {EventKind.LINE_CHANGED, EventKind.ACCOUNT_CHANGED, EventKind.MESSAGE_SENT}


async def view(request: Request) -> View:
    """Answer the live part of the list."""
    return moving(request, "hesaplar-canli.html", lambda: gather(request), concerns=_lines_alone)


# -- adding


async def show_new(request: Request) -> Response:
    """Ask for the name of a new account."""
    return await show(request, "hesap-yeni.html", given={"isim": ""}, errors={})


async def add(request: Request) -> Response:
    """Add an account for a phone, and lead to its linking."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    if not typed(form, "anladim"):
        errors = {"anladim": viewer.say("Read this first, and say that you have understood it.")}
        given = {"isim": typed(form, "isim")}
        return await show(request, "hesap-yeni.html", status=422, given=given, errors=errors)
    try:
        made = await desk.gateway.accounts.add(viewer.token, NewAccount(name=typed(form, "isim"), kind=Kind.WEB))
    except GuvercinError as refusal:
        errors = errors_of(viewer.say, refusal, name="isim")
        given = {"isim": typed(form, "isim")}
        return await show(request, "hesap-yeni.html", status=422, given=given, errors=errors)
    return back(f"{ACCOUNTS}/{made.id}/bagla")


# -- one account


async def show_account(request: Request) -> Response:
    """Show one account, its health and its switches."""
    return await _account_page(request)


async def _account_page(
    request: Request, *, errors: Mapping[str, str] | None = None, given: Mapping[str, str] | None = None
) -> Response:
    account_id = request.path_params["account_id"]
    found = await gather_one(request, account_id)
    return await show(
        request,
        "hesap.html",
        status=422 if errors else 200,
        live={"sayfa": "hesap", "hesap": str(account_id)},
        errors=errors or {},
        given=given or _given(found["account"]),
        doubts=DOUBTS,
        saved="kaydedildi" in request.query_params,
        refused=request.query_params.get("olmadi", ""),
        refusals={code.value: WORDS[code] for code in (Code.MESSAGES_WAITING, Code.NOT_CONNECTED)},
        **found,
    )


def _given(account: Account) -> Mapping[str, str]:
    manners = account.manners
    return {
        "isim": account.name,
        "unvan": manners.sender_title or "",
        "mukerrer": "" if manners.repeat_guard is None else str(manners.repeat_guard // _HOUR),
        "belirsiz": account.on_unknown.value,
    }


async def gather_one(request: Request, account_id: int) -> dict[str, Any]:
    """Answer everything about one account."""
    desk, viewer = desk_of(request), viewer_of(request)
    now = desk.now()
    account = await desk.gateway.accounts.one(viewer.token, account_id)
    today = desk.tally.day_of(now)
    counts = [each for each in await desk.tally.between(today - _WEEK, today) if each.account_id == account_id]
    depth = next((each for each in await desk.gateway.depths() if each.account_id == account_id), None)
    waiting = depth.by_status if depth is not None else {}
    why = WORDS.get(account.line.code) if account.line.code is not None else None
    return {
        "account": account,
        "words": line_words(account, now),
        "kind": KIND_NAMES[account.kind],
        "today": Day([each for each in counts if each.day == today]),
        "week": Day(counts),
        "queued": waiting.get(Status.QUEUED, 0) + waiting.get(Status.SENDING, 0),
        "doubtful": waiting.get(Status.UNKNOWN, 0),
        "why": why if account.line.state is not LineState.CONNECTED else None,
        "may_unlink": account.kind is Kind.WEB and account.phone is not None,
        "may_link": account.kind is Kind.WEB and account.line.state is not LineState.CONNECTED,
        "may_resend": account.kind is not Kind.CLOUD,
    }


async def account_view(request: Request) -> View:
    """Answer the live part of an account's page."""
    asked = request.query_params.get("hesap", "0")
    account_id = int(asked) if asked.isdecimal() else 0
    await desk_of(request).gateway.accounts.one(viewer_of(request).token, account_id)
    return moving(
        request,
        "hesap-canli.html",
        lambda: gather_one(request, account_id),
        concerns=lambda event: event.account_id == account_id,
    )


async def change(request: Request) -> Response:
    """Rename an account, or change what becomes of its messages in doubt."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    account_id = request.path_params["account_id"]
    given = {name: typed(form, name).strip() for name in ("isim", "unvan", "mukerrer", "belirsiz")}
    hours = given["mukerrer"] or "0"
    if not hours.isdecimal() or len(hours) > _LONGEST_HOURS:
        errors = {"mukerrer": viewer.say("Write whole hours, or leave it empty.")}
        return await _account_page(request, errors=errors, given=given)
    wanted = AccountChange(
        name=given["isim"],
        on_unknown=OnUnknown(given["belirsiz"]) if given["belirsiz"] in set(OnUnknown) else None,
        manners=MannersChange(sender_title=given["unvan"], repeat_guard=int(hours) * _HOUR),
    )
    try:
        await desk.gateway.accounts.change(viewer.token, account_id, wanted)
    except GuvercinError as refusal:
        if not refusal.faults:
            raise
        names = {"name": "isim", "sender_title": "unvan", "repeat_guard_hours": "mukerrer"}
        return await _account_page(request, errors=errors_of(viewer.say, refusal, **names), given=given)
    return back(f"{ACCOUNTS}/{account_id}", kaydedildi="1")


async def act(request: Request) -> Response:
    """Do the one thing that a button of an account says."""
    desk, viewer = desk_of(request), viewer_of(request)
    account_id, deed = request.path_params["account_id"], request.path_params["deed"]
    accounts = desk.gateway.accounts
    try:
        match deed:
            case "varsayilan":
                await accounts.make_default(viewer.token, account_id)
            case "duraklat":
                await accounts.pause(viewer.token, account_id)
            case "devam":
                await accounts.resume(viewer.token, account_id)
            case "ayir":
                await desk.gateway.lines.unlink(viewer.token, account_id)
            case _:
                raise HTTPException(404)
    except GuvercinError as refusal:
        if refusal.code is not Code.NOT_CONNECTED:
            raise
        return back(f"{ACCOUNTS}/{account_id}", olmadi=refusal.code.value)
    return back(ACCOUNTS if typed(form_of(request), "sonra") == ACCOUNTS else f"{ACCOUNTS}/{account_id}")


async def remove(request: Request) -> Response:
    """Remove an account, if its name was typed."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    account_id = request.path_params["account_id"]
    account = await desk.gateway.accounts.one(viewer.token, account_id)
    if typed(form, "onay").strip() != account.name:
        errors = {"onay": viewer.say("This isn't the account's name.")}
        return await _account_page(request, errors=errors)
    try:
        await desk.gateway.accounts.remove(viewer.token, account_id)
    except GuvercinError as refusal:
        if refusal.code is not Code.MESSAGES_WAITING:
            raise
        return back(f"{ACCOUNTS}/{account_id}", olmadi=refusal.code.value)
    return back(ACCOUNTS)


# -- linking


async def show_link(request: Request) -> Response:
    """Show the page on which a phone is linked."""
    account_id = request.path_params["account_id"]
    by_code = request.query_params.get("ile") == "kod"
    found = await gather_link(request, account_id)
    return await show(
        request,
        "bagla.html",
        live={"sayfa": "bagla", "hesap": str(account_id)},
        errors={},
        by_code=by_code,
        number="",
        **found,
    )


async def gather_link(request: Request, account_id: int) -> dict[str, Any]:
    """Answer how linking stands: the present code and no other, and none whose time is over."""
    desk, viewer = desk_of(request), viewer_of(request)
    found = await desk.gateway.lines.linking(viewer.token, account_id)
    account, link, now = found.account, found.link, desk.now()
    code = account.line.code
    return {
        "account": account,
        "state": _link_state(account, link),
        "qr": _drawn(link.qr) if link.qr is not None else None,
        "code": link.code,
        "left": max(0, int((link.valid_until - now).total_seconds())) if link.valid_until is not None else 0,
        "why": WORDS.get(code) if code is not None and link.state is LinkState.FAILED else None,
        "is_default": account.is_default,
        **_spoken(_link_state(account, link), link, now),
    }


_SPOKEN: Mapping[str, str] = {
    "starting": sentence("Preparing…"),
    "taken": sentence("Read. Connecting…"),
    "over": sentence("The code expired. Nothing broke."),
    "linked": sentence("Linked"),
}
_SPOKEN_QR = sentence("A QR code is on the screen. It renews itself.")
_SPOKEN_CODE = sentence("A code is on the screen. It is good for about {n} seconds.")
_SPOKEN_EVERY = 30
"""Seconds: whoever listens to the page hears of the time that is left no more often."""


def _spoken(state: str, link: Link, now: datetime) -> Mapping[str, Any]:
    """Answer what the page says aloud: each state once, and the time of a code in large steps."""
    if state != "showing":
        return {"spoken": _SPOKEN.get(state, ""), "spoken_left": 0}
    if link.qr is not None or link.valid_until is None:
        return {"spoken": _SPOKEN_QR, "spoken_left": 0}
    left = max(0.0, (link.valid_until - now).total_seconds())
    return {"spoken": _SPOKEN_CODE, "spoken_left": max(1, ceil(left / _SPOKEN_EVERY)) * _SPOKEN_EVERY}


_LINK_STATES: Mapping[LinkState, str] = {
    LinkState.NONE: "ready",
    LinkState.STARTING: "starting",
    LinkState.SHOWING: "showing",
    LinkState.LINKED: "taken",
    LinkState.TIMED_OUT: "over",
    LinkState.FAILED: "failed",
    LinkState.PASSKEY: "failed",
}
"""How far linking has come, as the page calls it."""


def _link_state(account: Account, link: Link) -> str:
    if account.line.state is LineState.CONNECTED and account.phone is not None:
        return "linked"
    if link.state is LinkState.NONE and account.line.state is LineState.CONNECTING and account.phone is not None:
        return "taken"
    return _LINK_STATES[link.state]


def _drawn(payload: str) -> Any:
    """Draw a code that a camera can read: dark on white, in every theme."""
    import segno  # noqa: PLC0415 -- loaded when a phone is linked
    from markupsafe import Markup  # noqa: PLC0415 -- as the templates

    drawing = segno.make(payload, error="m").svg_inline(omitsize=True, svgclass="qr", lineclass="qr-line", border=3)
    return Markup(drawing)  # noqa: S704 -- segno's own drawing; the payload is in its shape alone


async def link_view(request: Request) -> View:
    """Answer the live part of the linking page: looked at each second, so that no code outlives its time."""
    asked = request.query_params.get("hesap", "0")
    account_id = int(asked) if asked.isdecimal() else 0
    return moving(
        request,
        "bagla-canli.html",
        lambda: gather_link(request, account_id),
        concerns=lambda event: event.account_id == account_id,
        every=1.0,
    )


async def begin_link(request: Request) -> Response:
    """Begin to link a phone: by QR codes, or by a code for the number that was typed."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    account_id = request.path_params["account_id"]
    phone = typed(form, "telefon") if typed(form, "ile") == "kod" else None
    address = f"{ACCOUNTS}/{account_id}/bagla"
    try:
        await desk.gateway.lines.link(viewer.token, account_id, phone)
    except GuvercinError as refusal:
        if refusal.code is Code.ALREADY_LINKED:
            return back(address)
        if not refusal.faults:
            raise
        errors = errors_of(viewer.say, refusal, phone="telefon")
        return await show(
            request,
            "bagla.html",
            status=422,
            errors=errors,
            by_code=True,
            number=phone or "",
            **await gather_link(request, account_id),
        )
    return back(address, ile="kod") if phone is not None else back(address)


_ONE = f"{ACCOUNTS}/{{account_id:int}}"

routes = [
    Route(ACCOUNTS, show_accounts),
    Route(f"{ACCOUNTS}/yeni", show_new),
    Route(f"{ACCOUNTS}/yeni", add, methods=["POST"]),
    Route(_ONE, show_account),
    Route(_ONE, change, methods=["POST"]),
    Route(f"{_ONE}/bagla", show_link),
    Route(f"{_ONE}/bagla", begin_link, methods=["POST"]),
    Route(f"{_ONE}/sil", remove, methods=["POST"]),
    Route(f"{_ONE}/{{deed}}", act, methods=["POST"]),
]

"""Webhook: the addresses that hear what happened, what they have heard, and what came back.

A secret is shown once, on the page that answers the form which made it; that page stands at no address.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from guvercin.core.call import CallTrouble
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import Event, EventKind
from guvercin.core.hook import Delivery, DeliveryState, Heard, Hook, HookEvent, HookState, notice_id
from guvercin.gateway.drafting import Faults
from guvercin.gateway.hooks import Trial
from guvercin.gateway.requests import HookAsk
from guvercin.locale import sentence
from guvercin.locale.terms import CALLS, CLOSINGS, DELIVERIES, HOOK_EVENTS, HOOKS
from guvercin.panel.desk import desk_of, form_of, typed, viewer_of
from guvercin.panel.live import View
from guvercin.panel.pills import Pill
from guvercin.panel.shell import back, errors_of, moving, show

HOOKS_PAGE = "/panel/webhook"
_ROWS = 30
_EVERY = 5.0
"""Seconds: a try that went wrong is no event, so the page looks by itself."""

_STATES: Mapping[HookState, Pill] = {
    HookState.ACTIVE: Pill("ok", HOOKS[HookState.ACTIVE], "check"),
    HookState.FAILING: Pill("bad", HOOKS[HookState.FAILING], "alert-triangle"),
    HookState.CLOSED: Pill("none", HOOKS[HookState.CLOSED], "player-pause"),
}
_DELIVERIES: Mapping[DeliveryState, Pill] = {
    DeliveryState.QUEUED: Pill("none", DELIVERIES[DeliveryState.QUEUED], "clock"),
    DeliveryState.WAITING: Pill("wait", DELIVERIES[DeliveryState.WAITING], "refresh"),
    DeliveryState.DONE: Pill("ok", DELIVERIES[DeliveryState.DONE], "check"),
    DeliveryState.GIVEN_UP: Pill("bad", DELIVERIES[DeliveryState.GIVEN_UP], "circle-x"),
}
_EVENT_WORDS = frozenset(event.value for event in HookEvent)


async def show_hooks(request: Request) -> Response:
    """List the addresses, and ask for a new one."""
    return await _list(request)


async def _list(
    request: Request,
    *,
    status: int = 200,
    given: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    return await show(
        request,
        "webhooklar.html",
        status=status,
        live={"sayfa": "webhooklar"},
        given={"url": "", "olay": {event.value for event in HookEvent}, "hesap": "", **(given or {})},
        errors=errors or {},
        events=HOOK_EVENTS,
        accounts=await desk_of(request).gateway.accounts.seen(viewer_of(request).token),
        **await gather(request),
    )


async def gather(request: Request) -> dict[str, Any]:
    """Answer the addresses and how each is."""
    desk, viewer = desk_of(request), viewer_of(request)
    tries = await desk.gateway.hooks.tries()
    rows = [
        (hook, _STATES[hook.state], *tries.get(hook.id, (0, 0))) for hook in await desk.gateway.hooks.seen(viewer.token)
    ]
    return {"rows": rows, "closings": CLOSINGS, "shown": {row[0].id: _shown(request, row[0]) for row in rows}}


def _shown(request: Request, hook: Hook) -> str:
    """Answer an address as this person may see it: its path may be a secret, so who only looks sees where it leads."""
    if viewer_of(request).may_change:
        return hook.url
    parts = urlsplit(hook.url)
    return f"{parts.scheme}://{parts.netloc}/…"


def _of_hooks(event: Event) -> bool:
    return event.kind is EventKind.HOOK_CLOSED


async def hooks_view(request: Request) -> View:
    """Answer the live part of the list."""
    return moving(request, "webhooklar-canli.html", lambda: gather(request), concerns=_of_hooks, every=_EVERY)


async def add(request: Request) -> Response:
    """Add an address and show its secret, once."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    chosen = {str(value) for value in form.getlist("olay")} & _EVENT_WORDS
    given: dict[str, Any] = {"url": typed(form, "url").strip(), "olay": chosen, "hesap": typed(form, "hesap")}
    try:
        ask = HookAsk(url=given["url"], events=_events(chosen), account_ids=_accounts(given["hesap"]))
        seen = await desk.gateway.accounts.seen(viewer.token)
        hook, secret = await desk.gateway.hooks.add(viewer.token, ask, seen)
    except GuvercinError as refusal:
        if refusal.code not in {Code.INVALID_FIELD, Code.TOO_MANY_HOOKS}:
            raise
        errors = errors_of(viewer.say, refusal, url="url", events="olay")
        return await _list(request, status=422, given=given, errors=errors)
    return await _secret_page(request, hook, secret, is_new=True)


def _events(chosen: set[str]) -> Sequence[HookEvent]:
    """Answer what was ticked. INVALID_FIELD: nothing was."""
    faults = Faults()
    if not chosen:
        faults.add(Code.INVALID_FIELD, "events", "zorunlu")
    faults.check()
    return [event for event in HookEvent if event.value in chosen]


def _accounts(written: str) -> Sequence[int] | None:
    return [int(written)] if written.isdecimal() and len(written) < 10 else None


async def _secret_page(request: Request, hook: Hook, secret: str, *, is_new: bool) -> Response:
    return await show(request, "webhook-sir.html", hook=hook, secret=secret, is_new=is_new)


# -- one address


async def show_hook(request: Request) -> Response:
    """Show one address, what it hears and what it has heard."""
    return await _page(request)


async def _page(
    request: Request,
    *,
    status: int = 200,
    given: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    trial: Trial | None = None,
) -> Response:
    hook_id = request.path_params["hook_id"]
    found = await gather_one(request, hook_id)
    hook: Hook = found["hook"]
    below = request.query_params.get("sonra", "")
    kept = {"url": hook.url, "olay": {event.value for event in hook.events}, "an": ""}
    return await show(
        request,
        "webhook.html",
        status=status,
        live={"sayfa": "webhook", "no": str(hook_id), **({"sonra": below} if below else {})},
        given={**kept, **(given or {})},
        errors=errors or {},
        trial=None if trial is None else _trial(trial),
        saved=request.query_params.get("tamam", ""),
        **found,
    )


async def gather_one(request: Request, hook_id: int) -> dict[str, Any]:
    """Answer one address and a page of its deliveries."""
    desk, viewer = desk_of(request), viewer_of(request)
    hook = await desk.gateway.hooks.one(viewer.token, hook_id)
    below = request.query_params.get("sonra", "")
    deliveries, after = await desk.gateway.hooks.deliveries(
        viewer.token, hook_id, below=int(below) if below.isdecimal() and len(below) < 16 else None, limit=_ROWS
    )
    names = {account.id: account.name for account in await desk.gateway.accounts.seen(viewer.token)}
    return {
        "hook": hook,
        "state": _STATES[hook.state],
        "why": CLOSINGS[hook.closed_for] if hook.closed_for is not None else "",
        "shown": _shown(request, hook),
        "events": HOOK_EVENTS,
        "account_names": None
        if hook.account_ids is None
        else [names.get(each, str(each)) for each in hook.account_ids],
        "deliveries": [
            _row(each, desk.gateway.hooks.tally.heard.get(hook_id, {}).get(each.notice.id)) for each in deliveries
        ],
        "older": f"{HOOKS_PAGE}/{hook_id}?sonra={after}" if after else "",
        "is_first": not below,
    }


def _row(delivery: Delivery, heard: Heard | None) -> dict[str, Any]:
    """Answer a delivery as the table shows it. What was simply done left no row: of it the answers in memory tell."""
    status = delivery.status or (heard and heard.status)
    took_ms = delivery.took_ms if delivery.took_ms is not None or heard is None else heard.took_ms
    return {
        "each": delivery,
        "mark": _DELIVERIES[delivery.state],
        "trouble": _why(delivery.trouble, delivery.status),
        "code": str(status) if status else "2xx" if delivery.state is DeliveryState.DONE else "–",
        "ms": took_ms,
        "tried_at": delivery.tried_at or (heard and heard.at),
    }


_STATUSES: Mapping[int, str] = {
    401: sentence("The address wants a sign-in (401): it must take what comes with our signature alone."),
    403: sentence("The address refuses us (403): a firewall or a rule of the site may be in the way."),
    404: sentence("Nothing is there (404): the address may be wrong."),
    405: sentence("The address takes no POST (405): it may be wrong."),
    410: sentence("The address said that it is gone (410), and was switched off."),
    413: sentence("The body is too large for it (413)."),
    429: sentence("It is asked too often (429): it is left alone for as long as it wants."),
}
_BROKEN = sentence("The program at the address broke ({status}): look into its log.")


def _why(trouble: str | None, status: int | None) -> tuple[str, str]:
    """Answer what went wrong, as a sentence of the catalogue, and the status that stands in it."""
    if trouble not in set(CallTrouble):
        return "", ""
    if trouble == CallTrouble.REFUSED.value and status:
        return _BROKEN if status >= _FAULT_OF_THEIRS else _STATUSES.get(status, CALLS[CallTrouble.REFUSED]), str(status)
    return CALLS[CallTrouble(trouble)], ""


_FAULT_OF_THEIRS = 500


async def show_delivery(request: Request) -> Response:
    """Show one delivery: what went, and what came back."""
    desk, viewer = desk_of(request), viewer_of(request)
    hook_id, event_id = request.path_params["hook_id"], request.path_params["event_id"]
    hook = await desk.gateway.hooks.one(viewer.token, hook_id)
    found = await desk.gateway.hooks.delivery(viewer.token, hook_id, event_id)
    return await show(
        request,
        "bildirim.html",
        hook=hook,
        shown=_shown(request, hook),
        name=notice_id(event_id),
        events=HOOK_EVENTS,
        row=_row(found.delivery, found.heard),
        body=found.body.decode() if viewer.may_change else "",
        answer=found.heard.shown if found.heard is not None and viewer.may_change else None,
    )


def _trial(trial: Trial) -> dict[str, Any]:
    called = trial.called
    return {
        "url": trial.url,
        "headers": trial.headers,
        "body": trial.body.decode(),
        "trouble": _why(called.trouble and called.trouble.value, called.status),
        "status": called.status,
        "ms": round(called.took.total_seconds() * 1_000),
        "shown": called.shown,
    }


async def hook_view(request: Request) -> View:
    """Answer the live part of an address's page."""
    asked = request.query_params.get("no", "")
    hook_id = int(asked) if asked.isdecimal() and len(asked) < 16 else 0

    def concerns(event: Event) -> bool:
        return _of_hooks(event) or event.kind.value in _EVENT_WORDS

    return moving(request, "webhook-canli.html", lambda: gather_one(request, hook_id), concerns=concerns, every=_EVERY)


async def change(request: Request) -> Response:
    """Change where an address leads, or what it hears."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    hook_id = request.path_params["hook_id"]
    chosen = {str(value) for value in form.getlist("olay")} & _EVENT_WORDS
    given: dict[str, Any] = {"url": typed(form, "url").strip(), "olay": chosen}
    try:
        ask = HookAsk(url=given["url"], events=_events(chosen))
        await desk.gateway.hooks.change(viewer.token, hook_id, ask, await desk.gateway.accounts.seen(viewer.token))
    except GuvercinError as refusal:
        if refusal.code is not Code.INVALID_FIELD:
            raise
        return await _page(
            request, status=422, given=given, errors=errors_of(viewer.say, refusal, url="url", events="olay")
        )
    return back(f"{HOOKS_PAGE}/{hook_id}", tamam="degisti")


async def switch(request: Request) -> Response:
    """Switch an address on or off."""
    desk, viewer, hook_id = desk_of(request), viewer_of(request), request.path_params["hook_id"]
    await desk.gateway.hooks.change(
        viewer.token, hook_id, HookAsk(is_open=typed(form_of(request), "durum") == "aktif"), ()
    )
    return back(f"{HOOKS_PAGE}/{hook_id}")


async def try_out(request: Request) -> Response:
    """Post a trial now, and show what came back: the page is the answer to the form."""
    hook_id = request.path_params["hook_id"]
    try:
        trial = await desk_of(request).gateway.hooks.try_out(viewer_of(request).token, hook_id)
    except GuvercinError as refusal:
        if refusal.code is not Code.SECRET_UNREADABLE:
            raise
        return await _page(request, status=422, errors=errors_of(viewer_of(request).say, refusal))
    return await _page(request, trial=trial)


async def renew(request: Request) -> Response:
    """Give an address a new secret and show it, once."""
    hook_id = request.path_params["hook_id"]
    hook, secret = await desk_of(request).gateway.hooks.renew_secret(viewer_of(request).token, hook_id, None)
    return await _secret_page(request, hook, secret, is_new=False)


async def remove(request: Request) -> Response:
    """Remove an address."""
    await desk_of(request).gateway.hooks.remove(viewer_of(request).token, request.path_params["hook_id"])
    return back(HOOKS_PAGE)


async def replay(request: Request) -> Response:
    """Deliver one event once more."""
    hook_id = request.path_params["hook_id"]
    await desk_of(request).gateway.hooks.replay(viewer_of(request).token, hook_id, request.path_params["event_id"])
    return back(f"{HOOKS_PAGE}/{hook_id}", tamam="yeniden")


async def replay_since(request: Request) -> Response:
    """Deliver everything since a moment once more."""
    desk, viewer, hook_id = desk_of(request), viewer_of(request), request.path_params["hook_id"]
    written = typed(form_of(request), "an").strip()
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        errors = {"an": viewer.say("Write a day and an hour, like this: 2026-02-23 14:30")}
        return await _page(request, status=422, given={"an": written}, errors=errors)
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=desk.zone)
    await desk.gateway.hooks.replay_since(viewer.token, hook_id, moment)
    return back(f"{HOOKS_PAGE}/{hook_id}", tamam="yeniden")


_ONE = f"{HOOKS_PAGE}/{{hook_id:int}}"

routes = [
    Route(HOOKS_PAGE, show_hooks),
    Route(HOOKS_PAGE, add, methods=["POST"]),
    Route(_ONE, show_hook),
    Route(_ONE, change, methods=["POST"]),
    Route(f"{_ONE}/durum", switch, methods=["POST"]),
    Route(f"{_ONE}/dene", try_out, methods=["POST"]),
    Route(f"{_ONE}/sir", renew, methods=["POST"]),
    Route(f"{_ONE}/sil", remove, methods=["POST"]),
    Route(f"{_ONE}/yeniden", replay_since, methods=["POST"]),
    Route(f"{_ONE}/bildirimler/{{event_id:int}}", show_delivery),
    Route(f"{_ONE}/bildirimler/{{event_id:int}}/yeniden", replay, methods=["POST"]),
]

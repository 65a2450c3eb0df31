"""Özet: how things stand at a glance, and the first steps of somebody who is new."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from guvercin.core.account import Kind
from guvercin.core.event import Event, EventKind
from guvercin.core.hook import CloseReason
from guvercin.core.log import MessageFilter
from guvercin.core.message import WITH_WHATSAPP, Status
from guvercin.core.tally import DayCount
from guvercin.gateway.accounts import SANDBOX_PHONE
from guvercin.locale.terms import CLOSINGS
from guvercin.panel import steps
from guvercin.panel.bulk import progress
from guvercin.panel.desk import desk_of, viewer_of
from guvercin.panel.live import View
from guvercin.panel.pills import is_down, line_words, message_pill
from guvercin.panel.shell import back, moving, show

TRY_PHONE = "+905000000001"
_LATEST = 5
_RUNNING = 3
_LOOKED_AT = 20
_WEEK = 7


async def overview(request: Request) -> Response:
    """Show how things stand."""
    asked = {"sayfa": "ozet", "kayit": request.query_params.get("kayit", "")}
    return await show(
        request,
        "ozet.html",
        live=asked,
        wants_steps=await desk_of(request).choices.wants_first_steps(),
        try_phone=TRY_PHONE,
        key=desk_of(request).rng.randbytes(16).hex(),
        **await gather(request),
    )


async def view(request: Request) -> View:
    """Answer the live part of the page."""
    return moving(request, "ozet-canli.html", lambda: gather(request), concerns=_concerns, every=4.0)


def _concerns(event: Event) -> bool:
    return event.account_id is not None or event.batch_id is not None or event.kind is EventKind.HOOK_CLOSED


async def gather(request: Request) -> Mapping[str, Any]:
    """Answer everything that the page shows."""
    desk, viewer = desk_of(request), viewer_of(request)
    gateway, token, now = desk.gateway, viewer.token, desk.now()
    accounts = await gateway.accounts.seen(token)
    names = {account.id: account.name for account in accounts}
    latest = (await gateway.messages.page(token, MessageFilter(), limit=_LATEST, below=None)).messages
    batches, _ = await gateway.batches.page(token, account_id=None, limit=_LOOKED_AT, below=None)
    running = [each for each in batches if not each.counts.is_finished][:_RUNNING]
    today = desk.tally.day_of(now)
    counts = await desk.tally.between(today - timedelta(days=_WEEK - 1), today)
    keys = [key for key in await desk.access.keys() if key.rules.name != "terminal"]
    asked = request.query_params.get("kayit", "")
    tried = await gateway.messages.history(token, int(asked)) if asked.isdecimal() else None
    closed = [hook for hook in await gateway.hooks.seen(token) if hook.closed_for not in {None, CloseReason.OWNER}]
    sandbox = next((account for account in accounts if account.phone == SANDBOX_PHONE), None)
    return {
        "closed": [(hook.id, CLOSINGS[hook.closed_for]) for hook in closed if hook.closed_for is not None],
        "accounts": [(account, line_words(account, now)) for account in accounts],
        "down": [account for account in accounts if is_down(account, now)],
        "latest": [(each, message_pill(each), names.get(each.account_id, "")) for each in latest],
        "running": running,
        "running_shown": [progress(each) for each in running],
        "day": Day([each for each in counts if each.day == today]),
        "week": [
            (today - timedelta(days=ago), Day([each for each in counts if (today - each.day).days == ago]))
            for ago in reversed(range(_WEEK))
        ],
        "steps": steps.of(tried) if tried is not None else None,
        "tried": tried,
        "sandbox_id": sandbox.id if sandbox is not None else None,
        "has_sent": bool(latest),
        "has_phone": any(account.kind is not Kind.SANDBOX and account.phone for account in accounts),
        "has_key": any(key.last_used_at is not None for key in keys),
    }


class Day:
    """A day's messages in words that add up."""

    def __init__(self, counts: Sequence[DayCount]) -> None:
        of = Counter[Status]()
        for each in counts:
            of[each.status] += each.n
        self.total = of.total()
        self.sent = sum(of[status] for status in WITH_WHATSAPP)
        self.arrived = of[Status.DELIVERED] + of[Status.READ]
        self.read = of[Status.READ]
        self.failed = of[Status.FAILED]
        self.doubtful = of[Status.UNKNOWN]


async def hide_steps(request: Request) -> Response:
    """Show the list of first steps no more."""
    await desk_of(request).choices.hide_first_steps()
    return back("/panel")


routes = [
    Route("/panel", overview),
    Route("/panel/ilk-adimlar", hide_steps, methods=["POST"]),
]

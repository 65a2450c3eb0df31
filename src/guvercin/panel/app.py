"""The panel as one wing of the application: its addresses, and the porch before them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Match, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from guvercin.panel import (
    accounts,
    assets,
    audit,
    bulk,
    cloud,
    consents,
    copies,
    dossiers,
    entrance,
    inbox,
    keys,
    log,
    overview,
    pace,
    reports,
    sending,
    settings,
    webhooks,
    wishes,
    wizard,
)
from guvercin.panel.desk import Desk, desk_of
from guvercin.panel.live import View
from guvercin.panel.porch import Porch, cookie_name
from guvercin.panel.shell import LIVE

_ADDRESSES = ("/panel", "/giris", "/kurulum")

LIMITS: Mapping[str, int] = MappingProxyType(
    {
        sending.SEND: sending.LIMIT,
        wizard.NEW: wizard.LIMIT,
        wishes.IMPORT: wishes.LIMIT,
        consents.CONSENTS: consents.LIMIT,
    },
)
"""The largest bodies, in bytes, of the addresses that take more than the usual."""

_VIEWS: Mapping[str, Callable[[Request], Awaitable[View]]] = MappingProxyType(
    {
        "ozet": overview.view,
        "gonder": sending.view,
        "toplular": bulk.all_view,
        "toplu": bulk.one_view,
        "mesajlar": log.log_view,
        "mesaj": log.message_view,
        "gelenler": inbox.view,
        "gelen": inbox.message_view,
        "webhooklar": webhooks.hooks_view,
        "webhook": webhooks.hook_view,
        "hesaplar": accounts.view,
        "hesap": accounts.account_view,
        "bagla": accounts.link_view,
    },
)


async def live(request: Request) -> Response:
    """Answer the stream of one page."""
    look = _VIEWS.get(request.query_params.get("sayfa", ""))
    if look is None:
        raise HTTPException(404)
    desk, secret = desk_of(request), request.cookies.get(cookie_name(request), "")

    async def is_welcome() -> bool:
        return await desk.people.session(secret) is not None

    stream = desk.live.stream(await look(request), is_welcome)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


ROUTES: Sequence[Route] = (
    Route(f"{assets.PREFIX}/{{name}}", assets.show),
    Route(LIVE, live),
    *entrance.routes,
    *overview.routes,
    *cloud.routes,
    *pace.routes,
    *accounts.routes,
    *sending.routes,
    *copies.routes,
    *bulk.routes,
    *wizard.routes,
    *log.routes,
    *inbox.routes,
    *keys.routes,
    *webhooks.routes,
    *reports.routes,
    *wishes.routes,
    *consents.routes,
    *dossiers.routes,
    *audit.routes,
    *settings.routes,
)
"""Every address of the panel, room by room."""


class Wing(BaseRoute):
    """Leads every request below some addresses to one app, which sees the whole address."""

    def __init__(self, app: ASGIApp, addresses: tuple[str, ...]) -> None:
        self._app = app
        self._addresses = addresses

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether a request is for this wing."""
        if scope["type"] != "http":
            return Match.NONE, {}
        path: str = scope["path"]
        is_ours = any(path == address or path.startswith(f"{address}/") for address in self._addresses)
        return (Match.FULL if is_ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._app(scope, receive, send)


def create_panel(desk: Desk) -> BaseRoute:
    """Make the wing of the panel."""
    rooms = Router(routes=ROUTES, redirect_slashes=False)
    return Wing(Porch(rooms, desk), _ADDRESSES)

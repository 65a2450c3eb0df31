"""The panel as one wing of the application: its addresses, and the porch before them."""

from collections.abc import Mapping
from types import MappingProxyType

from starlette.routing import BaseRoute, Match, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from guvercin.panel import assets, entrance, overview
from guvercin.panel.desk import Desk
from guvercin.panel.porch import Porch

_ADDRESSES = ("/panel", "/giris", "/kurulum")

LIMITS: Mapping[str, int] = MappingProxyType({})
"""The largest bodies, in bytes, of the addresses that take more than the usual."""


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
    rooms = Router(
        routes=[
            Route(f"{assets.PREFIX}/{{name}}", assets.show),
            *entrance.routes,
            *overview.routes,
        ],
        redirect_slashes=False,
    )
    return Wing(Porch(rooms, desk), _ADDRESSES)

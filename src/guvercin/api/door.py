"""The one middleware: every request passes here first, and every answer last.

It names the request (X-Request-Id), bounds its body by real bytes, counts it, leads what nobody expected to the error
door, and keeps browsers and caches from making something else of an answer. What Meta calls to tell goes from here
straight to its route: there are three such calls for each message, and what the framework puts between was a sixth of
what one costs. Pure ASGI: it costs microseconds, and the framework's own middleware classes don't.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from starlette.requests import Request
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from guvercin.api.metrics import Metrics
from guvercin.api.reception import TURNED_AWAY, VISIT, Visit
from guvercin.core.errors import Code, GuvercinError
from guvercin.logs import REQUEST_ID

MEGABYTE = 1_000_000
"""Also the largest body of a path that has no limit of its own."""

_TURNED_AWAY_FOR = timedelta(seconds=5)
_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,100}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_USUAL = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
"""What every answer carries that doesn't say otherwise: it is what it says it is, and nobody keeps a copy."""

_WRONG_METHOD = 405
_SERVER_ERROR = 500


class Door:
    """An ASGI app around another. `limits` are the largest bodies, in bytes, of the paths that don't have the usual.

    A path there that ends with a slash stands for all right below it. `hot` are plain routes of the app that end with
    their only place: their requests go straight to them.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hot: Sequence[Route],
        limits: Mapping[str, int],
        metrics: Metrics,
        make_id: Callable[[], str],
        monotonic: Callable[[], float],
    ) -> None:
        self._app = app
        self._hot = {(method, route.path.partition("{")[0]): route for route in hot for method in route.methods or ()}
        self._limits: Mapping[str, int] = MappingProxyType(dict(limits))
        self._metrics = metrics
        self._make_id = make_id
        self._monotonic = monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._monotonic()
        request_id = self._request_id(scope)
        visit = scope[VISIT] = Visit(request_id=request_id)
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _mark(message, visit)
                if status == _WRONG_METHOD:
                    _allow(message, scope)
                seconds = self._monotonic() - began
                method = scope["method"] if scope["method"] in _METHODS else "-"
                self._metrics.count(route=_pattern(scope), method=method, status=status, seconds=seconds)
            await send(message)

        context = REQUEST_ID.set(request_id)
        try:
            app = _turn_away if TURNED_AWAY in scope.get("state", ()) else self._straight(scope) or self._app
            await app(scope, self._bounded(scope, receive), send_marked)
        except Exception as raised:
            if status:
                raise  # half an answer is out; the server can only cut the line
            request = Request(scope, receive)
            response = await scope["app"].exception_handlers[Exception](request, raised)
            await response(scope, receive, send_marked)
        finally:
            REQUEST_ID.reset(context)

    def _straight(self, scope: Scope) -> ASGIApp | None:
        """Answer the app of a hot route; null for every other request."""
        above, _, last = scope["path"].rpartition("/")
        route = self._hot.get((scope["method"], f"{above}/"))
        if route is None or not last:
            return None
        (place,) = route.param_convertors
        scope["path_params"] = {place: last}
        scope["route"] = route
        endpoint = route.endpoint

        async def straight(scope: Scope, receive: Receive, send: Send) -> None:
            response = await endpoint(Request(scope, receive, send))
            await response(scope, receive, send)

        return straight

    def _request_id(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _SANE_ID.fullmatch(value):
                return value.decode("ascii")  # type: ignore[no-any-return]
        return self._make_id()

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """Answer a `receive` that refuses to pass on more than the path's limit, whatever Content-Length says."""
        path: str = scope["path"]
        limit = self._limits.get(path) or self._limits.get(path[: path.rfind("/") + 1], MEGABYTE)
        seen = 0

        async def receive_bounded() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise GuvercinError(Code.BODY_TOO_LARGE, params={"limit": f"{limit // MEGABYTE} MB"})
            return message

        return receive_bounded


async def _turn_away(scope: Scope, _receive: Receive, _send: Send) -> None:
    scope[VISIT].headers["Connection"] = "close"
    raise GuvercinError(Code.QUEUE_FULL, retry_after=_TURNED_AWAY_FOR)


def _mark(message: Message, visit: Visit) -> None:
    headers = list(message.get("headers", ()))  # a copy: an answer may be a constant
    if message["status"] >= _SERVER_ERROR:
        headers = [(name, value) for name, value in headers if name != b"x-request-id"]
    headers.append((b"x-request-id", visit.request_id.encode("ascii")))
    named = {name for name, _ in headers}
    headers += [(name, value) for name, value in _USUAL if name not in named]
    for name, value in visit.headers.items():
        headers.append((name.lower().encode("ascii"), value.encode("ascii")))
    message["headers"] = headers


def _allow(message: Message, scope: Scope) -> None:
    """Name every method of an address: each of its routes knows only its own."""
    matching = (
        route for route in scope["app"].routes if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE
    )
    methods = sorted({method for route in matching for method in route.methods or ()})
    message["headers"] = [(name, value) for name, value in message["headers"] if name != b"allow"]
    message["headers"].append((b"allow", ", ".join(methods).encode("ascii")))


def _pattern(scope: Scope) -> str:
    """Answer the pattern of the route that was taken, never an address that a client made up.

    The framework names the routes that it documents, and we the hot ones; of other plain ones only those without places
    are told.
    """
    route = scope.get("route")
    if route is not None:
        return str(route.path_format)
    return str(scope["path"]) if "endpoint" in scope and not scope["path_params"] else "-"

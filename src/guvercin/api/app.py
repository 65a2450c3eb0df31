"""The HTTP application: routes, the door around them, and the document about them."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from functools import cache, partial
from random import Random  # noqa: TID251 -- the type alone: chance comes in as an argument
from types import MappingProxyType
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from guvercin.api import (
    attachments,
    batches,
    categories,
    checking,
    events,
    hooks,
    inbox,
    lines,
    manage,
    meta_hook,
    pages,
    problems,
    records,
    reports,
    rights,
    signing,
    whatsapp,
    wishes,
)
from guvercin.api.documented import openapi, said
from guvercin.api.door import MEGABYTE, Door
from guvercin.api.metrics import Metrics
from guvercin.api.reception import Reception, visit_of
from guvercin.api.render.ground import PREFIX
from guvercin.api.throttle import Throttle
from guvercin.api.wire.names import FIELD_NAMES
from guvercin.gateway.clock import Clock
from guvercin.gateway.files import MAX_FILE_SIZE
from guvercin.gateway.gateway import Gateway
from guvercin.gateway.sheets import LARGEST_FILE
from guvercin.locale import Language, choose_language, translator

_FORM_ROOM = 64 * 1024
"""What multipart/form-data may add to a file: boundaries and headers."""


_ROUTES = [
    *whatsapp.router.routes,
    *manage.accounts.routes,
    *lines.accounts.routes,
    *lines.numbers.routes,
    *records.router.routes,
    *reports.router.routes,
    *checking.router.routes,
    *batches.router.routes,
    *categories.router.routes,
    *inbox.router.routes,
    *attachments.router.routes,
    *hooks.router.routes,
    *events.router.routes,
    *signing.router.routes,
    *wishes.router.routes,
    *rights.router.routes,
    *manage.operations.routes,
]


@cache
def document() -> dict[str, Any]:
    """Answer the OpenAPI document. It is made when it is first asked for: a start doesn't wait for it."""
    return openapi([*_ROUTES, *meta_hook.documented.routes])


@cache
def _written(language: Language) -> bytes:
    return orjson.dumps(said(document(), translator(language)))


async def _openapi_json(request: Request) -> Response:
    language = choose_language(request.headers.get("accept-language"))
    headers = {"Content-Language": language, "Vary": "Accept-Language"}
    return Response(_written(language), headers=headers, media_type="application/json")


class Application(FastAPI):
    """FastAPI with our door around it, in the place of the framework's outer layers: it does what they would do."""

    door: Callable[[ASGIApp], Door]

    def build_middleware_stack(self) -> ASGIApp:
        """Put what stands between the door and the routes: what they raise by name, and the ends of their files."""
        handlers = {kind: answer for kind, answer in self.exception_handlers.items() if kind is not Exception}
        return self.door(ExceptionMiddleware(AsyncExitStackMiddleware(self.router), handlers))


_NO_LIMITS: Mapping[str, int] = MappingProxyType({})


def create_app(
    gateway: Gateway,
    *,
    timezone: tzinfo,
    clock: Clock,
    rng: Random,
    max_upload: int = MAX_FILE_SIZE,
    wing: BaseRoute | None = None,
    wing_limits: Mapping[str, int] = _NO_LIMITS,
) -> Application:
    """Make the application that speaks for a gateway.

    `timezone` is the wall clock of bare times; `rng` names requests that bring no name of their own; `max_upload` is in
    bytes. `wing` leads to pages that another room draws, with bodies as large as `wing_limits` says.
    `app.state.metrics.heard` wants to be told of commits.
    """
    metrics = Metrics()
    app = Application(
        title="Güvercin",
        openapi_url=None,
        redirect_slashes=False,
        routes=[
            *meta_hook.HOT,
            *_ROUTES,
            Route("/openapi.json", _openapi_json),
            Route("/", manage.root),
            *pages.routes(document),
            *([wing] if wing else ()),
        ],
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    app.state.metrics = metrics
    app.state.reception = Reception(
        gateway=gateway,
        zone=timezone,
        now=clock.now,
        throttle=Throttle(clock.monotonic),
        metrics=metrics,
    )
    problems.install(app, field_names=FIELD_NAMES, request_id=lambda request: visit_of(request).request_id)
    app.door = partial(
        Door,
        hot=meta_hook.HOT,
        limits={
            f"{PREFIX}/toplu-gonder": 8 * MEGABYTE,
            f"{PREFIX}/toplu/on-kontrol": 8 * MEGABYTE,
            f"{PREFIX}/toplu/dosya": LARGEST_FILE + _FORM_ROOM,
            f"{PREFIX}/dosyalar": max_upload + _FORM_ROOM,
            meta_hook.PREFIX: 4 * MEGABYTE,
            **wing_limits,
        },
        metrics=metrics,
        make_id=lambda: rng.randbytes(8).hex(),
        monotonic=clock.monotonic,
    )
    return app

"""What every route needs of its app, and what is known of a request while it is here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import cast

from starlette.requests import Request

from guvercin.api.metrics import Metrics
from guvercin.api.throttle import Throttle
from guvercin.gateway.gateway import Gateway


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """What the routes share. `zone` is the wall clock of the wire's times."""

    gateway: Gateway
    zone: tzinfo
    now: Callable[[], datetime]
    throttle: Throttle
    metrics: Metrics


@dataclass(slots=True, kw_only=True)
class Visit:
    """One request: its id, and the headers that its answer carries whether it is a good one or a refusal."""

    request_id: str
    headers: dict[str, str] = field(default_factory=dict)


TURNED_AWAY = "guvercin.turned_away"
"""In the state of a scope: there are too many connections, and this one hears so."""

VISIT = "guvercin.visit"
"""Where a request's scope holds its Visit."""


def reception_of(request: Request) -> Reception:
    """Answer what the app's routes share."""
    return cast("Reception", request.app.state.reception)


def visit_of(request: Request) -> Visit:
    """Answer what is known of a request."""
    return cast("Visit", request.scope[VISIT])

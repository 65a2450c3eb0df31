"""What every page needs of the house, and what is known of a request while it is here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from random import Random  # noqa: TID251 -- the type alone: chance comes in as an argument
from typing import cast

from starlette.datastructures import FormData
from starlette.requests import Request

from guvercin.core.rights import Dossier
from guvercin.gateway.access import Access
from guvercin.gateway.choices import Choices
from guvercin.gateway.gateway import Gateway
from guvercin.gateway.people import People
from guvercin.gateway.tally import Tally
from guvercin.panel.live import Live
from guvercin.panel.viewer import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was decided where the server is started, and when that was."""

    data_dir: str
    file_roots: tuple[str, ...]
    timezone: str
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the pages share. `zone` is the business's wall clock.

    `write_dossier`: how everything that is held of a person becomes a file; the accounts are those that are sandboxes.
    """

    gateway: Gateway
    people: People
    choices: Choices
    access: Access
    live: Live
    tally: Tally
    zone: tzinfo
    now: Callable[[], datetime]
    rng: Random
    facts: Facts
    write_dossier: Callable[[Dossier, frozenset[int]], bytes]


@dataclass(slots=True, kw_only=True)
class Guest:
    """One request: who looks, and the form that they sent."""

    desk: Desk
    viewer: Viewer
    form: FormData


GUEST = "guvercin.guest"
"""Where a request's scope holds its Guest."""


def desk_of(request: Request) -> Desk:
    """Answer what the pages share."""
    return cast("Guest", request.scope[GUEST]).desk


def viewer_of(request: Request) -> Viewer:
    """Answer who looks."""
    return cast("Guest", request.scope[GUEST]).viewer


def form_of(request: Request) -> FormData:
    """Answer the form that was sent; empty if none was."""
    return cast("Guest", request.scope[GUEST]).form


def typed(form: FormData, name: str) -> str:
    """Answer what was typed into a field, lines ended as Unix does; empty if it isn't there, or is a file."""
    value = form.get(name)
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""

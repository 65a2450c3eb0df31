"""Kim ne yaptı: every decision with who made it, and whether anybody has touched the list."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from guvercin.core.audit import Act, Entry, Sought, Way
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind
from guvercin.core.rights import HIDDEN
from guvercin.locale import sentence
from guvercin.panel.desk import desk_of, viewer_of
from guvercin.panel.settings import SETTINGS
from guvercin.panel.shell import show

AUDIT = f"{SETTINGS}/kim-ne-yapti"
_ROWS = 50
_AT_SIGHT = 5_000
"""Entries that are gone through each time the page is opened; a longer chain is looked at when somebody asks."""

NOBODY = "sistem"

ACTS: Mapping[str, str] = {
    Act.SIGNED_IN: sentence("Signed in"),
    Act.TOKEN_MADE: sentence("Made an API key"),
    Act.TOKEN_REVOKED: sentence("Revoked an API key"),
    Act.PERSON_ADDED: sentence("Let a person sign in"),
    Act.PERSON_CHANGED: sentence("Changed a person"),
    Act.PERSON_REMOVED: sentence("Removed a person"),
    Act.LINE_ORDERED: sentence("Switched an account on or off"),
    Act.HOOK_ADDED: sentence("Added a webhook"),
    Act.HOOK_CHANGED: sentence("Changed a webhook"),
    Act.HOOK_REOPENED: sentence("Switched a webhook on"),
    Act.HOOK_REMOVED: sentence("Removed a webhook"),
    Act.WORDS_CHANGED: sentence("Changed the words that refuse"),
    Act.EXPORTED: sentence("Looked at what is held of a person"),
    Act.ERASED: sentence("Destroyed a person's data"),
    Act.HELD: sentence("Held a person's data for the law"),
    Act.HOLD_ENDED: sentence("Ended a legal hold"),
    Act.SHORTENED: sentence("Dropped entries whose time was over"),
    EventKind.MESSAGE_CANCELLED: sentence("Withdrew a message"),
    EventKind.MESSAGE_RELEASED: sentence("Let a message go on"),
    EventKind.BATCH_PAUSED: sentence("Paused a bulk"),
    EventKind.BATCH_RESUMED: sentence("Resumed a bulk"),
    EventKind.BATCH_CANCELLED: sentence("Cancelled a bulk"),
    EventKind.BATCH_DECLARED: sentence("Declared what a bulk is"),
    EventKind.ACCOUNT_CHANGED: sentence("Changed an account"),
    EventKind.OPTED_OUT: sentence("Added an opt-out"),
    EventKind.OPTED_IN: sentence("Took an opt-out off the list"),
    EventKind.CONSENTED: sentence("Recorded a consent"),
    EventKind.CATEGORY_CHANGED: sentence("Changed a kind of message"),
    EventKind.HOOK_CLOSED: sentence("Switched a webhook off"),
}
"""By the word of an entry: the deeds, and the events that are somebody's decision."""

WAYS: Mapping[Way, str] = {
    Way.API: sentence("by a program"),
    Way.PANEL: sentence("in the panel"),
    Way.TERMINAL: sentence("in the terminal"),
    Way.ITSELF: sentence("Güvercin by itself"),
}

_ABOUT: Mapping[str, tuple[str, str]] = {
    "kayit": (sentence("Record no. {id}"), "/panel/mesajlar/{id}"),
    "toplu": (sentence("Bulk no. {id}"), "/panel/toplu/{id}"),
    "hesap": (sentence("Account no. {id}"), "/panel/hesaplar/{id}"),
    "webhook": (sentence("Webhook {id}"), "/panel/webhook/{id}"),
    "anahtar": (sentence("Key no. {id}"), ""),
    "kisi": (sentence("A person, as {id}"), ""),
    "kullanici": (sentence("Person no. {id}"), ""),
}


async def show_audit(request: Request) -> Response:
    """Show a page of who did what."""
    desk, viewer = desk_of(request), viewer_of(request)
    if not viewer.may_change:
        raise GuvercinError(Code.NOT_ALLOWED)
    asked = {name: value for name, value in request.query_params.items() if value}
    below = asked.get("sonra", "")
    rights = desk.gateway.rights
    found = await rights.audit(
        viewer.token,
        limit=_ROWS,
        below=int(below) if below.isdecimal() and len(below) < 16 else None,
        sought=_sought(request, asked),
    )
    filters: dict[str, str] = {name: asked[name] for name in ("kim", "bas", "bit") if name in asked}
    return await show(
        request,
        "denetim.html",
        asked=asked,
        rows=[_row(request, each) for each in found],
        actors=await rights.actors(viewer.token),
        nobody=NOBODY,
        chain=await rights.chain(viewer.token, at_most=None if "zincir" in asked else _AT_SIGHT),
        is_filtered=bool(filters),
        is_first=not below,
        first=f"{AUDIT}?{urlencode(filters)}" if filters else AUDIT,
        older=f"{AUDIT}?{urlencode({**filters, 'sonra': str(found[-1].id)})}" if len(found) == _ROWS else "",
    )


def _sought(request: Request, asked: Mapping[str, str]) -> Sought:
    zone = desk_of(request).zone
    who, first, last = asked.get("kim", ""), _day(asked.get("bas", "")), _day(asked.get("bit", ""))
    return Sought(
        token_id=int(who) if who.isdecimal() and len(who) < 16 else None,
        is_nobodys=who == NOBODY,
        since=None if first is None else datetime.combine(first, time.min, zone),
        until=None if last is None else datetime.combine(last, time.min, zone) + timedelta(days=1),
    )


def _day(written: str) -> date | None:
    """Answer a day that a clock can show; what isn't one narrows nothing."""
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return None
    return day if _FIRST_YEAR <= day.year <= _LAST_YEAR else None


_LONGEST_MARK = 8
_FIRST_YEAR, _LAST_YEAR = 1970, 9_000


def _row(request: Request, entry: Entry) -> dict[str, Any]:
    say = viewer_of(request).say
    kind, _, about_id = (entry.about or "").partition(":")
    words, address = _ABOUT.get(kind, ("", ""))
    if kind == "kisi":  # a keyed hash, of which the beginning is enough to tell one from another
        about_id = about_id.removeprefix(HIDDEN)[:_LONGEST_MARK]
    return {
        "entry": entry,
        "what": say(ACTS[entry.what]) if entry.what in ACTS else entry.what,
        "about": say(words, id=about_id) if words else entry.about or "",
        "address": address.format(id=about_id),
        "way": say(WAYS[entry.way]),
        "detail": ", ".join(f"{name}: {_plain(value)}" for name, value in entry.detail.items()),
    }


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


routes = [Route(AUDIT, show_audit)]

"""Mesaj gönder: one message or one file, and what becomes of it."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from guvercin.core.account import Account
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import Event
from guvercin.core.phone import InvalidPhone, PhoneKind, parse_phone
from guvercin.gateway.files import MAX_FILE_SIZE
from guvercin.gateway.requests import Ask, IdempotencyKey, UploadedFile
from guvercin.locale.faults import PHONE
from guvercin.panel import steps
from guvercin.panel.desk import desk_of, form_of, typed, viewer_of
from guvercin.panel.drawing import page
from guvercin.panel.live import View
from guvercin.panel.pills import is_down, message_pill
from guvercin.panel.shell import back, errors_of, kinds, moving, show

SEND = "/panel/gonder"
DEFAULT_ID = 10
"""The category of whoever says nothing."""

LONGEST_TEXT = 4_096
_FORM_ROOM = 1_000_000
LIMIT = MAX_FILE_SIZE + _FORM_ROOM
_NAMES = {
    "phone": "telefon",
    "text": "mesaj",
    "name": "isim",
    "category": "tur",
    "account_id": "hesap",
    "file": "dosya",
    "file_id": "dosya",
    "reference": "form",
}
_OF_THE_FILE = frozenset({Code.FILE_TYPE, Code.FILE_TOO_LARGE, Code.FILE_NOT_OPENED})
_AT_ONCE = timedelta(0)


async def show_form(request: Request) -> Response:
    """Show an empty form, or the message that was just sent."""
    asked = request.query_params.get("kayit", "")
    given = {name: request.query_params.get(name, "") for name in ("telefon", "mesaj", "hesap")}
    live = {"sayfa": "gonder", "kayit": asked} if asked else None
    return await show(request, "gonder.html", live=live, **await _form(request, given), **await gather(request))


async def _form(request: Request, given: Mapping[str, str], errors: Mapping[str, str] | None = None) -> dict[str, Any]:
    desk, viewer = desk_of(request), viewer_of(request)
    accounts = await desk.gateway.accounts.seen(viewer.token)
    chosen = _chosen(accounts, given.get("hesap", ""))
    return {
        "accounts": accounts,
        "chosen": chosen,
        "is_down": chosen is not None and is_down(chosen, desk.now()),
        "given": given,
        "errors": errors or {},
        "categories": (await kinds(request)).items(),
        "default_category": DEFAULT_ID,
        "longest": LONGEST_TEXT,
        "largest": MAX_FILE_SIZE,
        "key": given.get("_tek") or desk.rng.randbytes(16).hex(),
        "address": str(request.base_url).rstrip("/"),
        "body": _body(given),
    }


def _chosen(accounts: Any, named: str) -> Account | None:
    for account in accounts:
        if (named and str(account.id) == named) or (not named and account.is_default):
            return account  # type: ignore[no-any-return]
    return accounts[0] if len(accounts) == 1 else None


def _body(given: Mapping[str, str]) -> str:
    """Answer the body with which a program would ask for the same."""
    said = {"telefon": given.get("telefon") or "+905000000001", "mesaj": given.get("mesaj") or "Merhaba"}
    return orjson.dumps(said).decode().replace("'", "\\u0027")


async def gather(request: Request) -> Mapping[str, Any]:
    """Answer the message whose way the page shows."""
    asked = request.query_params.get("kayit", "")
    if not asked.isdecimal():
        return {"sent": None, "steps": [], "state": None}
    found = await desk_of(request).gateway.messages.history(viewer_of(request).token, int(asked))
    return {"sent": found.message, "steps": steps.of(found), "state": message_pill(found.message)}


async def view(request: Request) -> View:
    """Answer the live part of the page."""
    asked = request.query_params.get("kayit", "")

    def concerns(event: Event) -> bool:
        return str(event.message_id) == asked

    return moving(request, "gonder-canli.html", lambda: gather(request), concerns=concerns)


async def send(request: Request) -> Response:
    """Send what the form asks for."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    given = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    try:
        upload_id = await _upload(request)
        if upload_id:
            given["dosya_id"], given["dosya_adi"] = upload_id
        ask = Ask(
            phone=typed(form, "telefon"),
            text=typed(form, "mesaj") or None,
            name=typed(form, "isim") or None,
            category=_number(typed(form, "tur"), DEFAULT_ID),
            account_id=_number(typed(form, "hesap"), 0) or None,
            file=UploadedFile(id=given["dosya_id"]) if given.get("dosya_id") else None,
        )
        sent = await desk.gateway.singles.send(
            viewer.token, ask, wait=_AT_ONCE, key=key_of(typed(form, "_tek"), SEND, given)
        )
    except GuvercinError as refusal:
        if refusal.code in {Code.NOT_FOUND, Code.CLOSING, Code.STORE_UNAVAILABLE}:
            raise
        errors = errors_of(viewer.say, refusal, **_NAMES)
        if refusal.code in _OF_THE_FILE and "form" in errors:
            errors["dosya"] = errors.pop("form")
        return await show(
            request,
            "gonder.html",
            status=422,
            **await _form(request, given, errors),
            sent=None,
            steps=[],
            state=None,
        )
    after = typed(form, "sonra")
    return back("/panel" if after == "/panel" else SEND, kayit=str(sent.standing.id))


async def _upload(request: Request) -> tuple[str, str] | None:
    """Keep the file that came with a form; it outlives a refusal of the rest."""
    desk, file = desk_of(request), form_of(request).get("dosya")
    if not isinstance(file, UploadFile) or not file.filename:
        return None
    kept = await desk.gateway.uploads.keep(viewer_of(request).token, file.file, file.filename)
    return kept.id, kept.name


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else otherwise


def key_of(key: str, path: str, given: Mapping[str, str]) -> IdempotencyKey | None:
    """Answer the key of a form: sent twice, by a double press or a second tab, it is one request."""
    if not key:
        return None
    kept = sorted((name, value) for name, value in given.items() if not name.startswith(("_", "sonra")))
    body_hash = hashlib.sha256(orjson.dumps(kept)).digest()
    return IdempotencyKey(method="POST", path=path, key=key[:64], body_hash=body_hash)


async def look_at_number(request: Request) -> Response:
    """Say what there is to say about a number, while it is being typed."""
    viewer, number = viewer_of(request), request.query_params.get("telefon", "")
    told, kind = "", ""
    if number.strip():
        try:
            phone = parse_phone(number)
        except InvalidPhone as invalid:
            told, kind = viewer.say(PHONE[invalid.fault.value].plain), "bad"
        else:
            told, kind = viewer.phone(phone.e164), "ok"
            if phone.kind is not PhoneKind.MOBILE and phone.e164.startswith("+90"):
                told = viewer.say("{number}: this may be a landline. It can be tried all the same.", number=told)
                kind = "wait"
    return page("numara.html", viewer, told=told, kind=kind)


routes = [
    Route(SEND, show_form),
    Route(SEND, send, methods=["POST"]),
    Route(f"{SEND}/numara", look_at_number),
]

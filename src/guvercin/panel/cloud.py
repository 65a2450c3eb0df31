"""Meta's line in the panel: add a number of the Cloud API, tell Meta where to call, and map templates to kinds.

Law: secrets go in and never come out. A field of one stands empty, and left empty it changes nothing.
"""

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from guvercin.core.account import Kind
from guvercin.core.errors import Code, GuvercinError
from guvercin.gateway.requests import AccountChange, CloudAsk, NewAccount
from guvercin.panel.accounts import ACCOUNTS
from guvercin.panel.desk import desk_of, form_of, typed, viewer_of
from guvercin.panel.shell import back, errors_of, kinds, show
from guvercin.transports.cloud.setup import Template

NEW = f"{ACCOUNTS}/yeni-bulut"
ONE = f"{ACCOUNTS}/{{account_id:int}}/bulut"

_FIELDS: Mapping[str, str] = {
    "name": "isim",
    "number_id": "numara_id",
    "business_id": "isletme_id",
    "access_token": "erisim_anahtari",
    "app_secret": "uygulama_sirri",
    "verify_token": "dogrulama_sozu",
}
_SECRETS = ("erisim_anahtari", "uygulama_sirri", "dogrulama_sozu")
_WORD = 12
_LONGEST = 512


async def show_new(request: Request) -> Response:
    """Ask for what Meta gave: ids, a token, a secret; and offer a word for Meta's form."""
    desk = desk_of(request)
    return await _form(request, {"dogrulama_sozu": desk.rng.randbytes(_WORD).hex()}, {})


async def _form(request: Request, given: Mapping[str, str], errors: Mapping[str, str]) -> Response:
    if not viewer_of(request).may_change:
        raise GuvercinError(Code.NOT_ALLOWED)
    return await show(request, "bulut-yeni.html", status=422 if errors else 200, given=given, errors=errors)


async def add(request: Request) -> Response:
    """Add a number, if Meta knows what was given."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    given = {name: typed(form, name).strip()[:_LONGEST] for name in _FIELDS.values()}
    try:
        new = NewAccount(name=given["isim"], kind=Kind.CLOUD, cloud=_ask(given))
        made = await desk.gateway.accounts.add(viewer.token, new)
    except GuvercinError as refusal:
        if refusal.code in {Code.CLOSING, Code.STORE_UNAVAILABLE}:
            raise
        shown = {name: value for name, value in given.items() if name not in {"erisim_anahtari", "uygulama_sirri"}}
        return await _form(request, shown, errors_of(viewer.say, refusal, **_FIELDS))
    return back(ONE.replace("{account_id:int}", str(made.id)), yeni="1")


def _ask(given: Mapping[str, str], templates: Mapping[int, Template] | None = None) -> CloudAsk:
    return CloudAsk(
        number_id=given.get("numara_id") or None,
        business_id=given.get("isletme_id") or None,
        access_token=given.get("erisim_anahtari") or None,
        app_secret=given.get("uygulama_sirri") or None,
        verify_token=given.get("dogrulama_sozu") or None,
        templates=templates,
    )


# -- one of them


async def show_one(request: Request) -> Response:
    """Show how a number on Meta's line is set up, where Meta calls, and what it is granted."""
    return await _page(request)


async def _page(
    request: Request, *, errors: Mapping[str, str] | None = None, given: Mapping[str, Any] | None = None
) -> Response:
    desk, viewer = desk_of(request), viewer_of(request)
    account = await desk.gateway.accounts.one(viewer.token, request.path_params["account_id"])
    if account.kind is not Kind.CLOUD:
        raise GuvercinError(Code.NOT_FOUND)
    told = desk.gateway.meta.told(account.id)
    return await show(
        request,
        "bulut.html",
        status=422 if errors else 200,
        account=account,
        told=told,
        grant=desk.gateway.meta.granted(account.id),
        webhook=f"{str(request.base_url).rstrip('/')}/meta/webhook/{account.id}",
        is_public=request.url.scheme == "https",
        is_new="yeni" in request.query_params,
        saved=request.query_params.get("kaydedildi", ""),
        kinds=(await kinds(request)).items(),
        rows=(given or {}).get("rows") or _rows(told.templates if told else {}),
        word=desk.rng.randbytes(_WORD).hex(),
        given=given or {},
        errors=errors or {},
    )


def _rows(templates: Mapping[int, Template]) -> Mapping[str, Mapping[str, Any]]:
    return {
        str(category): {"ad": each.name, "dil": each.language, "yer": ", ".join(each.places)}
        for category, each in templates.items()
    }


async def change_keys(request: Request) -> Response:
    """Change ids and secrets; what is left empty stays as it is."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    account_id = request.path_params["account_id"]
    given = {name: typed(form, name).strip()[:_LONGEST] for name in _FIELDS.values() if name != "isim"}
    try:
        await desk.gateway.accounts.change(viewer.token, account_id, AccountChange(cloud=_ask(given)))
    except GuvercinError as refusal:
        if refusal.code in {Code.NOT_FOUND, Code.CLOSING, Code.STORE_UNAVAILABLE}:
            raise
        shown = {name: value for name, value in given.items() if name not in _SECRETS}
        return await _page(request, errors=errors_of(viewer.say, refusal, **_FIELDS), given=shown)
    return back(ONE.replace("{account_id:int}", str(account_id)), kaydedildi="anahtar")


async def change_templates(request: Request) -> Response:
    """Say which approved template stands for which kind of message."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    account_id = request.path_params["account_id"]
    rows: dict[str, dict[str, Any]] = {
        str(category): {
            "ad": typed(form, f"ad_{category}").strip()[:_LONGEST],
            "dil": typed(form, f"dil_{category}").strip()[:20] or "tr",
            "yer": typed(form, f"yer_{category}")[:_LONGEST],
        }
        for category in await kinds(request)
    }
    told = viewer.say("Lower-case letters, digits and _ alone, as Meta shows it.")
    errors = {f"ad_{category}": told for category, row in rows.items() if not _NAME.fullmatch(row["ad"])}
    if errors:
        return await _page(request, errors=errors, given={"rows": rows})
    templates = {
        int(category): Template(
            name=row["ad"],
            language=row["dil"],
            places=tuple(place for each in row["yer"].split(",") if (place := each.strip())),
        )
        for category, row in rows.items()
        if row["ad"]
    }
    try:
        await desk.gateway.accounts.change(viewer.token, account_id, AccountChange(cloud=_ask({}, templates)))
    except GuvercinError as refusal:
        if refusal.code in {Code.NOT_FOUND, Code.CLOSING, Code.STORE_UNAVAILABLE}:
            raise
        return await _page(request, errors=errors_of(viewer.say, refusal, **_FIELDS), given={"rows": rows})
    return back(ONE.replace("{account_id:int}", str(account_id)), kaydedildi="sablon")


_NAME = re.compile(r"[a-z0-9_]*")


routes = [
    Route(NEW, show_new),
    Route(NEW, add, methods=["POST"]),
    Route(ONE, show_one),
    Route(ONE, change_keys, methods=["POST"]),
    Route(f"{ONE}/sablonlar", change_templates, methods=["POST"]),
]

"""API anahtarları: the keys of programs, and how a program uses one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.token import Permission, TokenRules
from guvercin.gateway.drafting import Faults, check_word
from guvercin.locale import sentence
from guvercin.panel.desk import desk_of, form_of, typed, viewer_of
from guvercin.panel.drawing import draw
from guvercin.panel.shell import back, errors_of, show

KEYS = "/panel/anahtarlar"
_LONGEST_NAME = 60
_LIFETIMES = {"": None, "30": timedelta(days=30), "365": timedelta(days=365)}

PERMISSIONS: Mapping[Permission, str] = {
    Permission.SEND: sentence("Send"),
    Permission.FILE: sentence("Send files"),
    Permission.BULK: sentence("Send in bulk"),
    Permission.READ: sentence("Read the log"),
    Permission.ACCOUNTS: sentence("Manage accounts"),
    Permission.ADMIN: sentence("Everything else"),
}
_USUAL = frozenset({Permission.SEND, Permission.FILE, Permission.BULK, Permission.READ})


@dataclass(frozen=True, slots=True)
class Snippet:
    """One way to use a key. `id` names its template, `name` is what programmers call it."""

    id: str
    name: str


SNIPPETS = (
    Snippet("curl", "cURL"),
    Snippet("python", "Python"),
    Snippet("php", "PHP"),
    Snippet("csharp", "C#"),
    Snippet("javascript", "JavaScript"),
    Snippet("node-red", "Node-RED"),
)


async def show_keys(request: Request) -> Response:
    """List the keys."""
    return await show(request, "anahtarlar.html", **await _list(request), given=_blank(), errors={})


async def _list(request: Request) -> dict[str, Any]:
    desk = desk_of(request)
    now = desk.now()
    keys = [key for key in await desk.access.keys() if key.is_valid(now) and key.rules.name != "terminal"]
    return {"keys": keys[::-1], "permissions": PERMISSIONS}


def _blank() -> dict[str, Any]:
    return {"ad": "", "izin": {permission.value for permission in _USUAL}, "sure": ""}


async def make(request: Request) -> Response:
    """Make a key and show its secret, once: the page is the answer to the form, and stands at no address."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    chosen = {str(value) for value in form.getlist("izin")}
    given: dict[str, Any] = {"ad": typed(form, "ad"), "izin": chosen, "sure": typed(form, "sure")}
    faults = Faults()
    name = check_word(faults, given["ad"], "name", _LONGEST_NAME)
    if name is None:
        faults.add(Code.INVALID_FIELD, "name", "bos")
    permissions = frozenset(permission for permission in Permission if permission.value in chosen)
    if not permissions:
        faults.add(Code.INVALID_FIELD, "permissions", "zorunlu")
    try:
        faults.check()
    except GuvercinError as refusal:
        errors = errors_of(viewer.say, refusal, name="ad", permissions="izin")
        return await show(request, "anahtarlar.html", status=422, **await _list(request), given=given, errors=errors)
    lifetime = _LIFETIMES.get(typed(form, "sure"))
    rules = TokenRules(
        name=name or "",
        permissions=permissions,
        expires_at=None if lifetime is None else desk.now() + lifetime,
    )
    key, secret = await desk.access.make_key(rules, desk.rng.randbytes(32))
    return await show(
        request,
        "anahtar-yeni.html",
        made=key,
        secret=secret,
        snippets=snippets(request, secret),
        address=str(request.base_url).rstrip("/"),
    )


def snippets(request: Request, secret: str) -> Sequence[tuple[Snippet, str]]:
    """Answer how each language sends a message with a key to this server."""
    address = str(request.base_url).rstrip("/")
    viewer = viewer_of(request)
    return [(snippet, draw(f"ornek/{snippet.id}.txt", viewer, address=address, secret=secret)) for snippet in SNIPPETS]


async def revoke(request: Request) -> Response:
    """End a key."""
    await desk_of(request).access.revoke_key(request.path_params["key_id"])
    return back(KEYS)


routes = [
    Route(KEYS, show_keys),
    Route(KEYS, make, methods=["POST"]),
    Route(f"{KEYS}/{{key_id:int}}/iptal", revoke, methods=["POST"]),
]

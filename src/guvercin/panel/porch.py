"""The way into the panel: every request passes here first, and every answer last.

Laws
1. Whoever has not signed in sees the entrance and nothing else; whoever only looks changes nothing. Pages needn't ask.
2. What changes something comes from our own pages: the browser says so (Sec-Fetch-Site, Origin), and so does the
   session's own word in the form.
3. What was typed is never lost to a session that ended or a page that was too old: it comes back, ready to be sent.
4. Every answer, errors among them, carries the same strict policy, and is a page in words.
"""

import hashlib
import hmac
import logging
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from urllib.parse import quote, urlsplit

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from guvercin.core.audit import ACTOR, Actor, Way
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.person import SESSION_LIMIT
from guvercin.locale import Language, choose_language, sentence, translator
from guvercin.locale.codes import WORDS
from guvercin.logs import REQUEST_ID
from guvercin.panel import assets
from guvercin.panel.desk import GUEST, Desk, Guest
from guvercin.panel.drawing import page
from guvercin.panel.viewer import THEMES, Viewer

SIGN_IN, SET_UP, LOOKS, SIGN_OUT = "/giris", "/kurulum", "/giris/gorunum", "/panel/cikis"

_OPEN = frozenset({SIGN_IN, SET_UP, LOOKS})
"""Where people go who have not signed in."""

_OWN = frozenset({SIGN_OUT, LOOKS, SIGN_IN, "/panel/ayarlar/parola", "/panel/ayarlar/oturumlar"})
"""What those may change who only look: what is their own."""

_SAFETY: Mapping[str, str] = MappingProxyType(
    {
        "content-security-policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'; "
            "manifest-src 'self'; worker-src 'none'"
        ),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
        "cross-origin-opener-policy": "same-origin",
        "cache-control": "no-store",
    },
)

_INSIDE = re.compile(r"/panel(?:/[\w.~%/-]*)?(?:\?[\w.~%=&+,:-]*)?", re.ASCII)
"""An address that a sign-in may lead to: one of ours, whatever stands in the link."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_WRONG_METHOD = 405
_SMALL = 1_024
_WORD = 16
"""Bytes of the word in a session's forms."""
_MOST_FIELDS = 400
_LARGEST_FIELD = 1_000_000
_NOT_CARRIED = re.compile(r"_csrf|.*parola.*")

LEAST_SECRET = 64
_COOKIE = "guvercin"
_LANGUAGE, _THEME = "guvercin-dil", "guvercin-tema"

_log = logging.getLogger(__name__)


class Porch:
    """An ASGI app around the panel's routes."""

    def __init__(self, rooms: ASGIApp, desk: Desk) -> None:
        self._rooms = GZipMiddleware(rooms, minimum_size=_SMALL, compresslevel=5)
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        scope["starlette.exception_handlers"] = ({}, {})  # the application's own answer in JSON
        request = Request(scope, receive)
        is_out = False

        async def send_safe(message: Message) -> None:
            nonlocal is_out
            if message["type"] == "http.response.start":
                is_out = True
                _protect(message, is_secure=_is_secure(request))
            await send(message)

        viewer = _stranger(request, self._desk)
        try:
            if not request.url.path.startswith(assets.PREFIX):
                viewer = await self._viewer(request)
                guest = scope[GUEST] = Guest(desk=self._desk, viewer=viewer, form=FormData())
                turned_away = await self._turn_away(request, guest)
                if turned_away is not None:
                    await turned_away(scope, receive, send_safe)
                    return
            await self._rooms(scope, receive, send_safe)
        except Exception as trouble:
            if is_out:
                raise
            answer = _page_of_form(request, trouble) or _told(viewer, trouble)
            await answer(scope, receive, send_safe)
        finally:
            if GUEST in scope:
                await scope[GUEST].form.close()

    async def _viewer(self, request: Request) -> Viewer:
        stranger = _stranger(request, self._desk)
        secret = request.cookies.get(cookie_name(request), "")
        session = await self._desk.people.session(secret) if len(secret) == LEAST_SECRET else None
        if session is None:
            return stranger
        address = request.client.host if request.client else None
        ACTOR.set(Actor(way=Way.PANEL, token_id=session.person.token.id, address=address))
        chosen = request.cookies.get(_LANGUAGE) or session.person.language
        return Viewer(
            say=translator(Language(chosen)) if chosen in set(Language) else stranger.say,
            theme=stranger.theme,
            zone=self._desk.zone,
            session=session,
            csrf=masked(csrf_of(secret), self._desk.rng.randbytes(_WORD)),
            is_secure=_is_secure(request),
        )

    async def _turn_away(self, request: Request, guest: Guest) -> Response | None:
        """Answer a request that goes no further; null for one that may."""
        path, viewer = request.url.path, guest.viewer
        is_change = request.method not in _SAFE_METHODS
        if is_change:
            if not _is_from_us(request):
                raise HTTPException(403)
            guest.form = await _read_form(request)
        if viewer.session is None:
            return None if path in _OPEN else await self._to_entrance(request, guest)
        if is_change and path != SIGN_IN and not _has_word(request, guest):
            if "hx-request" in request.headers:
                return Response(status_code=403, headers={"HX-Refresh": "true"})
            return again(guest, path)
        if is_change and not viewer.may_change and path not in _OWN:
            raise GuvercinError(Code.NOT_ALLOWED)
        return None

    async def _to_entrance(self, request: Request, guest: Guest) -> Response:
        """Lead somebody to the sign-in, and later back to where they wanted to go."""
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        if "hx-request" in request.headers:
            shown = urlsplit(request.headers.get("hx-current-url", ""))
            asked = inside(shown.path + (f"?{shown.query}" if shown.query else ""))
            return Response(status_code=401, headers={"HX-Redirect": f"{SIGN_IN}?sonra={quote(asked)}"})
        if request.method in _SAFE_METHODS:
            return RedirectResponse(f"{SIGN_IN}?sonra={quote(inside(asked))}", status_code=303)
        return sign_in_page(
            guest.viewer,
            names=await names_wanted(self._desk),
            after=request.url.path,
            carried=carried(guest.form),
            note=guest.viewer.say("You were signed out. What you typed is kept: sign in, then send it."),
            status=401,
        )


def _stranger(request: Request, desk: Desk) -> Viewer:
    chosen = request.cookies.get(_LANGUAGE) or ", ".join(request.headers.getlist("accept-language"))
    theme = request.cookies.get(_THEME, "")
    return Viewer(
        say=translator(choose_language(chosen)),
        theme=theme if theme in THEMES else THEMES[0],
        zone=desk.zone,
        session=None,
        csrf="",
        is_secure=_is_secure(request),
    )


# -- cookies and words


def cookie_name(request: Request) -> str:
    """Answer the name of the session's cookie; over TLS the browser itself keeps others from setting it."""
    return f"__Host-{_COOKIE}" if _is_secure(request) else _COOKIE


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def csrf_of(secret: str) -> bytes:
    """Answer the word that stands in a session's forms: known to who holds the session's secret, and to nobody else."""
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).digest()[:_WORD]


def masked(word: bytes, pad: bytes) -> str:
    """Write a word differently every time: in a packed page its length must not tell what it is (BREACH)."""
    return pad.hex() + bytes(a ^ b for a, b in zip(word, pad, strict=True)).hex()


def _unmasked(written: str) -> bytes:
    try:
        raw = bytes.fromhex(written)
    except ValueError:
        return b""
    pad, hidden = raw[:_WORD], raw[_WORD:]
    return bytes(a ^ b for a, b in zip(pad, hidden, strict=True)) if len(hidden) == _WORD else b""


def signed_in(request: Request, secret: str, answer: Response) -> Response:
    """Give a browser the secret of its session."""
    answer.set_cookie(
        cookie_name(request),
        secret,
        max_age=int(SESSION_LIMIT.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=_is_secure(request),
        path="/",
    )
    return answer


def signed_out(request: Request, answer: Response) -> Response:
    """Take a session's secret from its browser."""
    answer.delete_cookie(cookie_name(request), httponly=True, samesite="lax", secure=_is_secure(request), path="/")
    return answer


def looking(request: Request, answer: Response, *, language: str, theme: str) -> Response:
    """Remember in a browser how its reader wants pages to look; what is not known is left as it is."""
    for name, value, known in ((_LANGUAGE, language, tuple(Language)), (_THEME, theme, THEMES)):
        if value in known:
            answer.set_cookie(
                name, value, max_age=31_536_000, samesite="lax", secure=_is_secure(request), path="/", httponly=True
            )
    return answer


def _is_from_us(request: Request) -> bool:
    """Say whether a browser sent this from one of our pages. What is no browser says nothing, and has the word."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.url.netloc


def _has_word(request: Request, guest: Guest) -> bool:
    given = request.headers.get("x-csrf") or str(guest.form.get("_csrf", ""))
    return hmac.compare_digest(_unmasked(given), _unmasked(guest.viewer.csrf))


# -- forms


async def _read_form(request: Request) -> FormData:
    if not request.headers.get("content-type", "").startswith(_FORMS):
        return FormData()
    return await request.form(max_files=1, max_fields=_MOST_FIELDS, max_part_size=_LARGEST_FIELD)


def carried(form: FormData) -> Sequence[tuple[str, str]]:
    """Answer what was typed into a form, passwords left out: it comes back with the next page."""
    return [
        (name, value)
        for name, value in form.multi_items()
        if isinstance(value, str) and not _NOT_CARRIED.fullmatch(name)
    ]


def again(guest: Guest, path: str, viewer: Viewer | None = None) -> Response:
    """Answer a page that holds a form as it was sent, to be sent once more."""
    has_file = any(not isinstance(value, str) for value in guest.form.values())
    return page(
        "tekrar.html", viewer or guest.viewer, status=419, path=path, carried=carried(guest.form), has_file=has_file
    )


def inside(address: str) -> str:
    """Answer an address of the panel as it is, and any other as the panel's first page."""
    return address if _INSIDE.fullmatch(address) else "/panel"


async def names_wanted(desk: Desk) -> bool:
    """Say whether a sign-in has to ask who it is."""
    return len(await desk.people.every()) > 1


def sign_in_page(
    viewer: Viewer,
    *,
    names: bool,
    after: str,
    carried: Sequence[tuple[str, str]] = (),
    note: str = "",
    error: str = "",
    wait: int = 0,
    name: str = "",
    status: int = 200,
) -> Response:
    """Answer the page that asks for a password. `wait`: seconds until another try is taken."""
    return page(
        "giris.html",
        viewer,
        status=status,
        names=names,
        after=after,
        carried=carried,
        note=note,
        error=error,
        wait=wait,
        name=name,
    )


# -- trouble


def _protect(message: Message, *, is_secure: bool) -> None:
    headers = message.setdefault("headers", [])
    named = {name for name, _ in headers}
    safety = {**_SAFETY, **({"strict-transport-security": "max-age=31536000"} if is_secure else {})}
    headers += [(name.encode(), value.encode()) for name, value in safety.items() if name.encode() not in named]


def _page_of_form(request: Request, trouble: Exception) -> Response | None:
    """Lead whoever asks to see what only takes forms (by a reload, or the way back) to the page of the form."""
    if request.method != "GET" or not isinstance(trouble, HTTPException) or trouble.status_code != _WRONG_METHOD:
        return None
    return RedirectResponse(request.url.path.rpartition("/")[0], status_code=303)


_NO_PAGE = (sentence("There is no such page."), sentence("It may have been moved, or the address has a slip in it."))
_FORBIDDEN = (sentence("You may not do this."), sentence("It was asked for by another site, or it isn't yours to do."))
_TOO_LARGE = (
    sentence("What you sent is too large."),
    sentence("A file for a message may have 16 MB, a list 10 MB. Go back in your browser: what you typed is there."),
)
_BROKEN = (
    sentence("Something unexpected happened."),
    sentence("Your messages are safe. If it happens again, tell this code to whoever looks after Güvercin."),
)
_STATUS: Mapping[Code, int] = MappingProxyType(
    {
        Code.NOT_FOUND: 404,
        Code.NOT_ALLOWED: 403,
        Code.QUEUE_FULL: 503,
        Code.STORE_UNAVAILABLE: 503,
        Code.CLOSING: 503,
    },
)


def _told(viewer: Viewer, trouble: Exception) -> Response:
    """Answer the page about what went wrong."""
    say, code = viewer.say, ""
    match trouble:
        case GuvercinError(code=Code.NOT_FOUND) | HTTPException(status_code=404 | 405):
            status, (what, todo) = 404, _NO_PAGE
        case HTTPException(status_code=403):
            status, (what, todo) = 403, _FORBIDDEN
        case GuvercinError(code=Code.BODY_TOO_LARGE):
            status, (what, todo) = 413, _TOO_LARGE
        case GuvercinError():
            words = WORDS[trouble.code]
            status, what, todo = _STATUS.get(trouble.code, 422), words.detail, words.todo
        case HTTPException():
            words = WORDS[Code.INVALID_FIELD]
            status, what, todo = trouble.status_code, words.detail, words.todo
        case _:
            _log.error("panel_failed", exc_info=trouble)
            status, (what, todo) = 500, _BROKEN
            code = REQUEST_ID.get() or ""
    return page("hata.html", viewer, status=status, what=say(what), todo=say(todo), code=code)

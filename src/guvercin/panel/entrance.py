"""The way in: the first person's set-up, the sign-in, and the way out."""

from datetime import timedelta
from math import ceil

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from guvercin.core.errors import Code, GuvercinError
from guvercin.gateway.choices import LONGEST_BUSINESS
from guvercin.gateway.people import MustWait
from guvercin.locale.faults import fault_sentence
from guvercin.panel.desk import GUEST, Guest, desk_of, form_of, typed, viewer_of
from guvercin.panel.drawing import page
from guvercin.panel.porch import (
    LOOKS,
    SET_UP,
    SIGN_IN,
    SIGN_OUT,
    again,
    carried,
    csrf_of,
    inside,
    looking,
    masked,
    names_wanted,
    sign_in_page,
    signed_in,
    signed_out,
)
from guvercin.panel.viewer import Viewer

_CARRY = "tasi."
"""What a form that waits for its sign-in is called inside the form of the sign-in."""


async def show_setup(request: Request) -> Response:
    """Ask the first person for a password, if they come by the link that the terminal printed."""
    desk, viewer = desk_of(request), viewer_of(request)
    await _check_nobody(request)
    code = request.query_params.get("k", "")
    if not code or not await desk.people.try_setup_code(code):
        return page("kurulum-yok.html", viewer, status=403, was_wrong=bool(code))
    return page("kurulum.html", viewer, code=code, business="", error="")


async def set_up(request: Request) -> Response:
    """Add the first person and sign them in."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    await _check_nobody(request)
    code, business = typed(form, "k"), typed(form, "isletme").strip()[:LONGEST_BUSINESS]
    try:
        person = await desk.people.set_up(code, typed(form, "parola"))
    except GuvercinError as refusal:
        if refusal.code is Code.NOT_FOUND:
            return page("kurulum-yok.html", viewer, status=403, was_wrong=True)
        if not refusal.faults:
            raise
        error = fault_sentence(viewer.say, refusal.faults[0])
        return page("kurulum.html", viewer, status=422, code=code, business=business, error=error)
    if business:
        await desk.choices.name_business(business)
    secret = await desk.people.open_session(person, agent=_agent(request), address=_address(request))
    return signed_in(request, secret, RedirectResponse(f"{SIGN_IN}?bak=1&sonra=/panel", status_code=303))


async def show_sign_in(request: Request) -> Response:
    """Ask for a password; whoever has signed in is led on."""
    desk, viewer = desk_of(request), viewer_of(request)
    after = inside(request.query_params.get("sonra", ""))
    if viewer.session is not None:
        return RedirectResponse(after, status_code=303)
    if not await desk.people.every():
        return RedirectResponse(SET_UP, status_code=303)
    error = ""
    if "bak" in request.query_params:  # we gave it a cookie a moment ago
        error = viewer.say("Your browser keeps no cookies for this address: allow them, then sign in again.")
    return sign_in_page(viewer, names=await names_wanted(desk), after=after, error=error)


async def sign_in(request: Request) -> Response:
    """Sign somebody in, or say why not."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    after = inside(typed(form, "sonra"))
    kept = [(name.removeprefix(_CARRY), value) for name, value in carried(form) if name.startswith(_CARRY)]
    names = await names_wanted(desk)
    name = typed(form, "ad") if names else None
    answer = await desk.people.sign_in(name, typed(form, "parola"), agent=_agent(request), address=_address(request))
    if isinstance(answer, str):
        if kept:
            return signed_in(request, answer, await _go_on(request, answer, after, kept))
        return signed_in(request, answer, RedirectResponse(f"{SIGN_IN}?bak=1&sonra={after}", status_code=303))
    error, wait, status = viewer.say("Wrong password."), 0, 401
    if names and answer is None:
        error = viewer.say("Wrong name or password.")
    if isinstance(answer, MustWait):
        wait, status = ceil(answer.pause / timedelta(seconds=1)), 429
        error = viewer.say("Too many tries. Try again in {n} s.", n=str(wait))
    return sign_in_page(
        viewer, names=names, after=after, carried=kept, error=error, wait=wait, name=name or "", status=status
    )


async def _go_on(request: Request, secret: str, path: str, kept: list[tuple[str, str]]) -> Response:
    """Answer the form that waited, for the session that has just begun."""
    desk, before = desk_of(request), viewer_of(request)
    viewer = Viewer(
        say=before.say,
        theme=before.theme,
        zone=before.zone,
        session=await desk.people.session(secret),
        csrf=masked(csrf_of(secret), desk.rng.randbytes(16)),
        is_secure=before.is_secure,
    )
    guest: Guest = request.scope[GUEST]
    guest.form = FormData(list(kept))
    return again(guest, path, viewer)


async def sign_out(request: Request) -> Response:
    """End this browser's session."""
    session = viewer_of(request).session
    if session is not None:
        await desk_of(request).people.end_sessions(session.person.id, session.id)
    return signed_out(request, RedirectResponse(SIGN_IN, status_code=303))


async def change_looks(request: Request) -> Response:
    """Change the language or the theme, and show the same page again."""
    viewer, form = viewer_of(request), form_of(request)
    language = typed(form, "dil")
    back = typed(form, "sonra")
    answer = RedirectResponse(back if back.startswith((SIGN_IN, SET_UP)) else inside(back), status_code=303)
    if viewer.person is not None and language in {"tr", "en"}:
        await desk_of(request).people.set_language(viewer.person.id, language)
    return looking(request, answer, language=language, theme=typed(form, "tema"))


async def _check_nobody(request: Request) -> None:
    if await desk_of(request).people.every():
        raise HTTPException(404)


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "")


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


routes = [
    Route(SET_UP, show_setup),
    Route(SET_UP, set_up, methods=["POST"]),
    Route(SIGN_IN, show_sign_in),
    Route(SIGN_IN, sign_in, methods=["POST"]),
    Route(LOOKS, change_looks, methods=["POST"]),
    Route(SIGN_OUT, sign_out, methods=["POST"]),
]

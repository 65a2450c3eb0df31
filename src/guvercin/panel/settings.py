"""Ayarlar: the business, the people who sign in, one's own password and sessions, and how the house itself is."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from guvercin import __version__
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.person import Role
from guvercin.gateway.backups import last_made, mark, write_backup
from guvercin.locale import sentence
from guvercin.panel.desk import desk_of, form_of, typed, viewer_of
from guvercin.panel.pace import pace_name
from guvercin.panel.porch import signed_in
from guvercin.panel.shell import back, errors_of, show

SETTINGS = "/panel/ayarlar"
_PIECE = 256 * 1024

ROLES: Mapping[Role, str] = {
    Role.ADMIN: sentence("Administrator: may do everything"),
    Role.VIEWER: sentence("Viewer: looks, and sees numbers masked"),
}


async def show_settings(request: Request) -> Response:
    """Show what can be set."""
    return await _page(request)


async def _page(
    request: Request,
    *,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    given: Mapping[str, str] | None = None,
) -> Response:
    desk, viewer = desk_of(request), viewer_of(request)
    person = viewer.person
    return await show(
        request,
        "ayarlar.html",
        status=status,
        errors=errors or {},
        given=given or {"isletme": await desk.choices.business()},
        saved=request.query_params.get("kaydedildi", ""),
        people=await desk.people.every(),
        me=person,
        roles=ROLES,
        sessions=[] if person is None else await desk.people.sessions(person),
        own=viewer.session,
        readiness=await desk.gateway.ready(),
        facts=desk.facts,
        program=__version__,
        paces=[(account, pace_name(account)) for account in await desk.gateway.accounts.seen(viewer.token)],
        last_backup=last_made(Path(desk.facts.data_dir)),
    )


async def name_business(request: Request) -> Response:
    """Name the business."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    try:
        await desk.choices.name_business(typed(form, "isletme"))
    except GuvercinError as refusal:
        errors = errors_of(viewer.say, refusal, business="isletme")
        return await _page(request, status=422, errors=errors, given={"isletme": typed(form, "isletme")})
    return back(SETTINGS, kaydedildi="isletme")


async def change_password(request: Request) -> Response:
    """Change one's own password, end every other session, and stay signed in here."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    session = viewer.session
    if session is None:
        raise HTTPException(403)
    if not await desk.people.is_password(session.person, typed(form, "eski_parola")):
        errors = {"eski_parola": viewer.say("Wrong password.")}
        return await _page(request, status=422, errors=errors)
    try:
        await desk.people.set_password(session.person.id, typed(form, "yeni_parola"))
    except GuvercinError as refusal:
        errors = errors_of(viewer.say, refusal, password="yeni_parola")  # noqa: S106 -- a field's name
        return await _page(request, status=422, errors=errors)
    secret = await desk.people.open_session(session.person, agent=session.agent, address=session.address)
    return signed_in(request, secret, back(SETTINGS, kaydedildi="parola"))


async def end_sessions(request: Request) -> Response:
    """End one other session of one's own, or all others."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    own = viewer.session
    if own is None:
        raise HTTPException(403)
    wanted = typed(form, "oturum")
    for session in await desk.people.sessions(own.person):
        if session.id != own.id and wanted in {"hepsi", str(session.id)}:
            await desk.people.end_sessions(own.person.id, session.id)
    return back(SETTINGS, kaydedildi="oturum")


async def add_person(request: Request) -> Response:
    """Let another person sign in."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    given = {"ad": typed(form, "ad"), "rol": typed(form, "rol"), "isletme": await desk.choices.business()}
    role = Role(given["rol"]) if given["rol"] in set(Role) else Role.VIEWER
    try:
        await desk.people.add(given["ad"], role, typed(form, "parola"))
    except GuvercinError as refusal:
        errors = errors_of(viewer.say, refusal, name="ad", password="parola")  # noqa: S106 -- a field's name
        return await _page(request, status=422, errors=errors, given=given)
    return back(SETTINGS, kaydedildi="kisi")


async def change_person(request: Request) -> Response:
    """Change what a person may do, or let them sign in no more."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    person_id, deed = request.path_params["person_id"], typed(form, "yap")
    try:
        if deed == "sil":
            await desk.people.remove(person_id)
        elif deed in set(Role):
            await desk.people.set_role(person_id, Role(deed))
        else:
            raise HTTPException(404)
    except GuvercinError as refusal:
        if not refusal.faults:
            raise
        errors: dict[str, Any] = {"kisi": errors_of(viewer.say, refusal, role="kisi")["kisi"]}
        return await _page(request, status=422, errors=errors)
    return back(SETTINGS, kaydedildi="kisi")


async def back_up(request: Request) -> Response:
    """Write everything into one file and give it to the browser; nothing of it stays behind."""
    desk = desk_of(request)
    data = Path(desk.facts.data_dir)
    try:
        folder = TemporaryDirectory(prefix=".guvercin-yedek-", dir=data)
        whole = Path(folder.name, "whole.tar")
        await asyncio.to_thread(write_backup, data, whole)
        size = (await asyncio.to_thread(whole.stat)).st_size
    except OSError:
        raise GuvercinError(Code.STORE_UNAVAILABLE) from None
    name = f"guvercin-yedek-{desk.now().astimezone(desk.zone):%Y%m%d-%H%M}.tar"

    async def pieces() -> AsyncIterator[bytes]:
        try:
            with await asyncio.to_thread(whole.open, "rb") as file:
                while piece := await asyncio.to_thread(file.read, _PIECE):
                    yield piece
            mark(data)  # it counts once the browser has all of it
        finally:
            await asyncio.to_thread(folder.cleanup)

    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(size)}
    return StreamingResponse(pieces(), media_type="application/x-tar", headers=headers)


routes = [
    Route(f"{SETTINGS}/yedek", back_up, methods=["POST"]),
    Route(SETTINGS, show_settings),
    Route(f"{SETTINGS}/isletme", name_business, methods=["POST"]),
    Route(f"{SETTINGS}/parola", change_password, methods=["POST"]),
    Route(f"{SETTINGS}/oturumlar", end_sessions, methods=["POST"]),
    Route(f"{SETTINGS}/kisiler", add_person, methods=["POST"]),
    Route(f"{SETTINGS}/kisiler/{{person_id:int}}", change_person, methods=["POST"]),
]

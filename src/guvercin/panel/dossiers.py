"""Bir kişinin verileri: what is held of a number, to hand over, to keep for the law, or to destroy.

Laws
1. Nobody but an administrator asks. A number stands in no address: it comes with a form and goes with it.
2. What is destroyed is named before it goes, and the number is typed once more.
3. Each look stands in the audit, as each export does.
"""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import Status
from guvercin.core.phone import InvalidPhone, parse_phone
from guvercin.core.rights import Dossier
from guvercin.gateway.rights import LONGEST_WHY, Erasure
from guvercin.locale.codes import WORDS
from guvercin.panel.desk import desk_of, form_of, typed, viewer_of
from guvercin.panel.settings import SETTINGS
from guvercin.panel.shell import errors_of, show

DOSSIERS = f"{SETTINGS}/kisinin-verileri"
_REFUSALS = frozenset({Code.IN_HAND, Code.ON_HOLD})


async def ask(request: Request) -> Response:
    """Ask whose data are wanted."""
    if not viewer_of(request).may_change:
        raise GuvercinError(Code.NOT_ALLOWED)
    return await _page(request, given={})


async def look(request: Request) -> Response:
    """Show how much is held of a number, and what can be done with it."""
    return await _found(request)


async def _found(request: Request, *, errors: Mapping[str, str] | None = None, saved: str = "") -> Response:
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    given = {name: typed(form, name) for name in ("telefon", "onay", "neden")}
    try:
        found = await desk.gateway.rights.dossier(viewer.token, given["telefon"])
    except GuvercinError as refusal:
        if not refusal.faults:
            raise
        return await _page(request, errors=errors_of(viewer.say, refusal, phone="telefon"), given=given)
    given["telefon"] = found.phone
    return await _page(request, errors=errors, given=given, found=found, counts=_counts(found), saved=saved)


async def _page(
    request: Request,
    *,
    given: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    found: Dossier | None = None,
    gone: Erasure | None = None,
    **more: Any,
) -> Response:
    return await show(
        request,
        "kisi.html",
        status=422 if errors else 200,
        given=given,
        errors=errors or {},
        found=found,
        gone=gone,
        longest=LONGEST_WHY,
        **more,
    )


def _counts(found: Dossier) -> Mapping[str, int]:
    """Answer how much of what is held, by its name in the template."""
    states = [told.message.status for told in found.messages]
    return {
        "messages": len(states),
        "waiting": states.count(Status.QUEUED),
        "doubted": states.count(Status.UNKNOWN),
        "files": sum(told.message.content.file is not None for told in found.messages),
        "wrote": len(found.wrote),
        "chats": len(found.seen),
        "refusals": len(found.refusals),
        "consents": len(found.consents),
        "checks": len(found.checks),
        "drafts": found.drafts,
    }


async def hand_over(request: Request) -> Response:
    """Answer everything that is held of a number as a file, word for word as the API tells it."""
    desk, viewer, phone = desk_of(request), viewer_of(request), typed(form_of(request), "telefon")
    try:
        found = await desk.gateway.rights.dossier(viewer.token, phone)
    except GuvercinError as refusal:
        if not refusal.faults:
            raise
        return await _page(request, errors=errors_of(viewer.say, refusal, phone="telefon"), given={"telefon": phone})
    accounts = {told.message.account_id for told in found.messages}
    sandboxes = frozenset([each for each in accounts if await desk.gateway.accounts.is_sandbox(each)])
    headers = {"Content-Disposition": f'attachment; filename="kisi-{found.phone.removeprefix("+")}.json"'}
    return Response(desk.write_dossier(found, sandboxes), media_type="application/json", headers=headers)


async def forget(request: Request) -> Response:
    """Destroy everything that is held of a number, if it was typed once more."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    phone = typed(form, "telefon")
    if not _is_same(phone, typed(form, "onay")):
        return await _found(request, errors={"onay": viewer.say("This is another number. Type the one above.")})
    try:
        gone = await desk.gateway.rights.forget(viewer.token, phone)
    except GuvercinError as refusal:
        if refusal.code not in _REFUSALS:
            raise
        words = WORDS[refusal.code]
        return await _found(request, errors={"form": f"{viewer.say(words.detail)} {viewer.say(words.todo)}"})
    return await _page(request, given={}, gone=gone)


def _is_same(phone: str, again: str) -> bool:
    try:
        return parse_phone(phone) == parse_phone(again)
    except InvalidPhone:
        return False


async def hold(request: Request) -> Response:
    """Keep everything of a number whatever else is asked, or let it end as all other does."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    phone = typed(form, "telefon")
    try:
        if typed(form, "yap") == "birak":
            await desk.gateway.rights.let_go(viewer.token, phone)
        else:
            await desk.gateway.rights.hold(viewer.token, phone, typed(form, "neden") or None)
    except GuvercinError as refusal:
        if refusal.faults:
            return await _found(request, errors=errors_of(viewer.say, refusal, reason="neden", phone="telefon"))
        if refusal.code is not Code.NOT_FOUND:  # another window has ended it already
            raise
    return await _found(request, saved="saklama")


routes = [
    Route(DOSSIERS, ask),
    Route(DOSSIERS, look, methods=["POST"]),
    Route(f"{DOSSIERS}/indir", hand_over, methods=["POST"]),
    Route(f"{DOSSIERS}/sil", forget, methods=["POST"]),
    Route(f"{DOSSIERS}/saklama", hold, methods=["POST"]),
]

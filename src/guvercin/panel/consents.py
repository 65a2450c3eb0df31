"""Onaylar: who has agreed to be advertised to, with when, where and to which text; and the file that İYS takes."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from guvercin.core.consent import ConsentSource, RecipientKind
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.phone import InvalidPhone, parse_phone
from guvercin.gateway.files import MAX_FILE_SIZE
from guvercin.gateway.iys import consents_csv
from guvercin.gateway.requests import AskConsent
from guvercin.locale import sentence
from guvercin.locale.faults import PHONE
from guvercin.panel.desk import desk_of, form_of, typed, viewer_of
from guvercin.panel.shell import back, errors_of, show
from guvercin.panel.wishes import REFUSALS, doubts

CONSENTS = f"{REFUSALS}/onaylar"
LIMIT = MAX_FILE_SIZE + 1_000_000
_ROWS = 30

SOURCES: Mapping[ConsentSource, str] = {
    ConsentSource.PAPER: sentence("On paper"),
    ConsentSource.SIGNED: sentence("With a signature"),
    ConsentSource.WEB: sentence("On a web site"),
    ConsentSource.CALL_CENTRE: sentence("By telephone, at a call centre"),
    ConsentSource.SOCIAL_MEDIA: sentence("On social media"),
    ConsentSource.EMAIL: sentence("By e-mail"),
    ConsentSource.MESSAGE: sentence("By a message"),
    ConsentSource.MOBILE: sentence("In a mobile app"),
    ConsentSource.ELECTRONIC: sentence("In another electronic way"),
    ConsentSource.EVENT: sentence("At an event"),
    ConsentSource.BEFORE_2015: sentence("Before 1 May 2015"),
    ConsentSource.ATM: sentence("At a cash machine"),
    ConsentSource.DECISION: sentence("By a decision of law"),
}
KINDS: Mapping[RecipientKind, str] = {
    RecipientKind.PERSON: sentence("A private person"),
    RecipientKind.MERCHANT: sentence("A merchant or tradesman"),
}


async def show_consents(request: Request) -> Response:
    """Show who has agreed, newest first."""
    return await _page(request)


async def _page(
    request: Request, *, errors: Mapping[str, str] | None = None, given: Mapping[str, str] | None = None
) -> Response:
    desk, viewer = desk_of(request), viewer_of(request)
    asked = request.query_params
    phone, slip = None, ""
    if asked.get("ara", "").strip():
        try:
            phone = parse_phone(asked["ara"]).e164
        except InvalidPhone as invalid:
            slip = viewer.say(PHONE[invalid.fault.value].plain)
    below = asked.get("sonra", "")
    found = (
        ()
        if slip
        else await desk.gateway.wishes.consents(
            phone=phone, limit=_ROWS, below=int(below) if below.isdecimal() and len(below) < 16 else None
        )
    )
    search = {"ara": asked["ara"]} if asked.get("ara") else {}
    return await show(
        request,
        "onaylar.html",
        status=422 if errors else 200,
        tab="onay",
        doubts=await doubts(request),
        rows=found,
        sources=SOURCES,
        recipient_kinds=KINDS,
        asked={"ara": asked.get("ara", "")},
        slip=slip,
        older=f"{CONSENTS}?{urlencode({**search, 'sonra': str(found[-1].id)})}" if len(found) == _ROWS else "",
        is_first=not below,
        first=f"{CONSENTS}?{urlencode(search)}" if search else CONSENTS,
        given=given or {"zaman": desk.now().astimezone(desk.zone).strftime("%Y-%m-%dT%H:%M")},
        errors=errors or {},
        saved="eklendi" in asked,
        largest=MAX_FILE_SIZE,
    )


async def add(request: Request) -> Response:
    """Keep a consent."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    given = {name: typed(form, name) for name in ("telefon", "kaynak", "kim", "zaman", "metin")}
    given_at = _moment(request, given["zaman"])
    if given_at is None or given["kaynak"] not in set(ConsentSource):
        errors = {} if given_at else {"zaman": viewer.say("Say when: the day and the time.")}
        if given["kaynak"] not in set(ConsentSource):
            errors["kaynak"] = viewer.say("Say where it was given.")
        return await _page(request, errors=errors, given=given)
    try:
        ask = AskConsent(
            phone=given["telefon"],
            source=ConsentSource(given["kaynak"]),
            given_at=given_at,
            recipient_kind=RecipientKind(given["kim"]) if given["kim"] in set(RecipientKind) else RecipientKind.PERSON,
            text_version=given["metin"] or None,
            proof_id=await _proof(request),
        )
        await desk.gateway.wishes.consent(viewer.token, ask)
    except GuvercinError as refusal:
        if refusal.code in {Code.CLOSING, Code.STORE_UNAVAILABLE}:
            raise
        names = {"phone": "telefon", "given_at": "zaman", "text_version": "metin", "proof_id": "dosya", "file": "dosya"}
        errors = errors_of(viewer.say, refusal, **names)
        if "form" in errors:
            errors["dosya"] = errors.pop("form")
        return await _page(request, errors=errors, given=given)
    return back(CONSENTS, eklendi="1")


def _moment(request: Request, written: str) -> datetime | None:
    """Read a moment of the business's wall clock; null for what is none."""
    try:
        return datetime.fromisoformat(written).replace(tzinfo=desk_of(request).zone)
    except ValueError:
        return None


async def _proof(request: Request) -> str | None:
    file = form_of(request).get("dosya")
    if not isinstance(file, UploadFile) or not file.filename:
        return None
    kept = await desk_of(request).gateway.uploads.keep(viewer_of(request).token, file.file, file.filename)
    return kept.id


async def export(request: Request) -> Response:
    """Answer all consents in İYS's columns. They hold whole numbers: not for who sees them masked."""
    desk, viewer = desk_of(request), viewer_of(request)
    if not viewer.may_change:
        raise GuvercinError(Code.NOT_ALLOWED)
    text = consents_csv(await desk.gateway.wishes.consents_for_iys(), desk.zone)
    headers = {"Content-Disposition": 'attachment; filename="onaylar.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


routes = [
    Route(CONSENTS, show_consents),
    Route(CONSENTS, add, methods=["POST"]),
    Route(f"{CONSENTS}.csv", export),
]

"""Mesaj istemeyenler: who refuses messages, what only sounds like it, and how somebody comes off the list.

Laws
1. Nobody comes off the list without a reason that is kept with it.
2. A list that is taken in adds and never removes, and taking it in twice adds nobody twice.
"""

from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlencode

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.optout import STARTS, STOPS, WRONG_NUMBERS, OptOut, OptOutScope, OptOutSource
from guvercin.core.phone import InvalidPhone, parse_phone
from guvercin.gateway import reports
from guvercin.gateway.requests import AccountChange, AskOptOut, MannersChange
from guvercin.gateway.sheets import LARGEST_FILE
from guvercin.locale import Translator, sentence
from guvercin.locale.faults import PHONE
from guvercin.panel.desk import desk_of, form_of, typed, viewer_of
from guvercin.panel.shell import back, errors_of, show

REFUSALS = "/panel/istemeyenler"
DOUBTED = f"{REFUSALS}/bakilacaklar"
IMPORT = f"{REFUSALS}/dosyadan"
LIMIT = LARGEST_FILE + 1_000_000
"""Bytes of a list with what a form puts around it."""

_ROWS = 30
_AT_ONCE = 500
_MOST_TOLD = 99

SCOPES: Mapping[OptOutScope, str] = {
    OptOutScope.EVERYTHING: sentence("Everything"),
    OptOutScope.COMMERCIAL: sentence("Advertising"),
    OptOutScope.WRONG_NUMBER: sentence("Wrong number"),
    OptOutScope.DOUBTFUL: sentence("To be looked at"),
}
SOURCES: Mapping[OptOutSource, str] = {
    OptOutSource.MESSAGE: sentence("Wrote it"),
    OptOutSource.PANEL: sentence("Entered by hand"),
    OptOutSource.API: sentence("From a program"),
    OptOutSource.IYS: sentence("From İYS"),
}
_WHICH = {"": True, "bitti": False, "hepsi": None}
_BY_HAND = (OptOutScope.EVERYTHING, OptOutScope.COMMERCIAL, OptOutScope.WRONG_NUMBER)

WHYS: Mapping[str, str] = {
    "istedi": sentence("They want messages again"),
    "yanlislik": sentence("It was a slip"),
    "numara": sentence("The number belongs to somebody else now"),
}
"""Why somebody comes off the list; what is kept is the sentence, and what was typed beside it."""

_HEADS = (
    sentence("Number"),
    sentence("Covers"),
    sentence("How it came"),
    sentence("Account"),
    sentence("Since"),
    sentence("Said"),
    sentence("Ended at"),
    sentence("Why it ended"),
)
_LONGEST_NOTE = 120

WRITTEN: Mapping[str, str] = {
    "ret": "RET",
    "dur": "DUR",
    "iptal": "İPTAL",
    "cik": "ÇIK",
    "cikis": "ÇIKIŞ",
    "stop": "STOP",
    "basla": "BAŞLA",
    "yanlis numara": "yanlış numara",
    "numara yanlis": "numara yanlış",
    "bu numara yanlis": "bu numara yanlış",
    "yanlis numara bu": "yanlış numara bu",
}
"""The words of core/optout.py, which are kept folded, as people write them."""


# -- the list


async def show_refusals(request: Request) -> Response:
    """Show who refuses messages, newest first."""
    return await _page(request)


async def _page(
    request: Request, *, errors: Mapping[str, str] | None = None, given: Mapping[str, str] | None = None
) -> Response:
    desk, viewer = desk_of(request), viewer_of(request)
    asked = {name: value for name, value in request.query_params.items() if value}
    phone, slip = _searched(viewer.say, asked.get("ara", ""))
    which = asked.get("hangisi", "") if asked.get("hangisi", "") in _WHICH else ""
    below = asked.get("sonra", "")
    found = (
        ()
        if slip
        else await desk.gateway.wishes.opt_outs(
            viewer.token,
            phone=phone,
            is_doubtful=False,
            is_live=_WHICH[which],
            limit=_ROWS,
            below=int(below) if below.isdecimal() and len(below) < 16 else None,
        )
    )
    filters = {name: value for name, value in asked.items() if name in {"ara", "hangisi"}}
    accounts = await desk.gateway.accounts.seen(viewer.token)
    return await show(
        request,
        "istemeyenler.html",
        status=422 if errors else 200,
        tab="liste",
        doubts=await doubts(request),
        rows=found,
        names={account.id: account.name for account in accounts},
        accounts=accounts,
        scopes=SCOPES,
        sources=SOURCES,
        by_hand=_BY_HAND,
        asked={"ara": asked.get("ara", ""), "hangisi": which},
        slip=slip,
        is_filtered=bool(filters),
        is_first=not below,
        first=f"{REFUSALS}?{urlencode(filters)}" if filters else REFUSALS,
        older=f"{REFUSALS}?{urlencode({**filters, 'sonra': str(found[-1].id)})}" if len(found) == _ROWS else "",
        errors=errors or {},
        given=given or {},
        largest=LARGEST_FILE,
        told=_told(viewer.say, asked),
        own_words=await desk.gateway.wishes.stop_words(),
        stops=_words(STOPS),
        starts=_words(STARTS),
        wrongs=_words(WRONG_NUMBERS),
    )


def _words(folded: frozenset[str]) -> str:
    """Answer words as customers write them; they are read without regard to case, accents and signs."""
    return ", ".join(WRITTEN.get(word, word) for word in sorted(folded))


def _searched(say: Translator, searched: str) -> tuple[str | None, str]:
    """Answer the number that was searched (null: none was), and what is wrong with it."""
    if not searched.strip():
        return None, ""
    try:
        return parse_phone(searched).e164, ""
    except InvalidPhone as invalid:
        return None, say(PHONE[invalid.fault.value].plain)


def _told(say: Translator, asked: Mapping[str, str]) -> str:
    """Answer what was done a moment ago, from the marks of the address."""
    numbers = {name: int(asked.get(name, "")) for name in ("yeni", "eski", "hatali") if asked.get(name, "").isdecimal()}
    if "yeni" in numbers:
        return say(
            "{new} numbers are new on the list; {known} were on it already, {bad} could not be read.",
            new=numbers["yeni"],
            known=numbers.get("eski", 0),
            bad=numbers.get("hatali", 0),
        )
    return {
        "eklendi": say("Added. Nothing that this covers goes to this number from now on."),
        "cikti": say("Taken off the list, and the reason is kept."),
        "kaydedildi": say("Saved"),
    }.get(asked.get("oldu", ""), "")


async def doubts(request: Request) -> str:
    """Answer how many wait for somebody to look; empty: nobody."""
    viewer = viewer_of(request)
    found = await desk_of(request).gateway.wishes.opt_outs(
        viewer.token, is_doubtful=True, is_live=True, limit=_MOST_TOLD + 1, below=None
    )
    return "" if not found else f"{_MOST_TOLD}+" if len(found) > _MOST_TOLD else str(len(found))


async def add(request: Request) -> Response:
    """Put somebody on the list by hand."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    given = {name: typed(form, name) for name in ("telefon", "kapsam", "hesap", "not")}
    scope = OptOutScope(given["kapsam"]) if given["kapsam"] in set(_BY_HAND) else OptOutScope.EVERYTHING
    ask = AskOptOut(
        phone=given["telefon"],
        scope=scope,
        source=OptOutSource.PANEL,
        account_id=int(given["hesap"]) if given["hesap"].isdecimal() else None,
        said=given["not"] or None,
    )
    try:
        await desk.gateway.wishes.refuse(viewer.token, ask)
    except GuvercinError as refusal:
        if not refusal.faults:
            raise
        return await _page(request, errors=errors_of(viewer.say, refusal, phone="telefon", said="not"), given=given)
    return back(REFUSALS, oldu="eklendi")


async def take_in(request: Request) -> Response:
    """Put everybody of a file on the list."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    file, source = form.get("dosya"), OptOutSource.IYS if typed(form, "kaynak") == "iys" else OptOutSource.PANEL
    if not isinstance(file, UploadFile) or not file.filename:
        return await _page(request, errors={"dosya": viewer.say("Choose a file.")})
    try:
        people = (await desk.gateway.lists.read(file.file, {})).people
    except GuvercinError as refusal:
        if refusal.code is not Code.UNREADABLE_LIST:
            raise
        told = errors_of(viewer.say, refusal, file="dosya", columns="dosya")
        return await _page(request, errors={"dosya": told.get("dosya") or told["form"]})
    phones = [person.phone.e164 for person in people if person.phone is not None and person.repeats is None]
    new = await desk.gateway.wishes.refuse_all(viewer.token, phones, source)
    bad = sum(person.phone is None for person in people)
    return back(REFUSALS, yeni=str(new), eski=str(len(phones) - new), hatali=str(bad))


async def export(request: Request) -> Response:
    """Answer the whole list as a spreadsheet, ended refusals among them, numbers as the reader may see them."""
    viewer = viewer_of(request)
    lines = reports.write_csv([viewer.say(head) for head in _HEADS], _lines(request))
    headers = {"Content-Disposition": 'attachment; filename="guvercin-istemeyenler.csv"'}
    return StreamingResponse(lines, media_type=f"{reports.CSV}; charset=utf-8", headers=headers)


async def _lines(request: Request) -> AsyncIterator[list[list[str]]]:
    desk, viewer = desk_of(request), viewer_of(request)
    names = {account.id: account.name for account in await desk.gateway.accounts.seen(viewer.token)}
    below: int | None = None
    while page := await desk.gateway.wishes.opt_outs(viewer.token, is_doubtful=False, limit=_AT_ONCE, below=below):
        below = page[-1].id
        yield [_line(request, each, names) for each in page]


def _line(request: Request, each: OptOut, names: Mapping[int, str]) -> list[str]:
    viewer = viewer_of(request)
    account = viewer.say("all") if each.account_id is None else names.get(each.account_id, str(each.account_id))
    return [
        viewer.number_of(each.phone).removeprefix("+"),
        viewer.say(SCOPES[each.scope]),
        viewer.say(SOURCES[each.source]),
        account,
        viewer.iso(each.created_at),
        each.said or "",
        viewer.iso(each.ended_at) if each.ended_at else "",
        each.ended_why or "",
    ]


# -- off the list


async def ask_removal(request: Request) -> Response:
    """Ask why somebody comes off the list."""
    return await _removal(request, {})


async def _removal(request: Request, errors: Mapping[str, str]) -> Response:
    desk, viewer = desk_of(request), viewer_of(request)
    if not viewer.may_change:
        raise GuvercinError(Code.NOT_ALLOWED)
    refusal = await desk.gateway.wishes.opt_out(viewer.token, request.path_params["refusal_id"])
    if refusal.ended_at is not None:
        return back(REFUSALS)
    form = form_of(request)
    return await show(
        request,
        "istemeyen-cikar.html",
        status=422 if errors else 200,
        refusal=refusal,
        scopes=SCOPES,
        sources=SOURCES,
        whys=WHYS,
        given={"neden": typed(form, "neden"), "not": typed(form, "not")},
        errors=errors,
        longest=_LONGEST_NOTE,
    )


async def remove(request: Request) -> Response:
    """Take somebody off the list, for the reason that was given."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    refusal = await desk.gateway.wishes.opt_out(viewer.token, request.path_params["refusal_id"])
    why, note = WHYS.get(typed(form, "neden"), ""), typed(form, "not").strip()
    if not why:
        return await _removal(request, {"neden": viewer.say("Say why: it is kept with the refusal.")})
    try:
        await desk.gateway.wishes.allow(
            viewer.token,
            refusal.phone,
            account_id=refusal.account_id,
            scope=refusal.scope,
            by=OptOutSource.PANEL,
            why=viewer.say(why) + (f": {note}" if note else ""),
        )
    except GuvercinError as slip:
        if not slip.faults:
            raise
        return await _removal(request, errors_of(viewer.say, slip, reason="not"))
    return back(REFUSALS, oldu="cikti")


# -- what only sounds like a refusal


async def show_doubted(request: Request) -> Response:
    """Show what people wrote that may be a refusal."""
    desk, viewer = desk_of(request), viewer_of(request)
    below = request.query_params.get("sonra", "")
    found = await desk.gateway.wishes.opt_outs(
        viewer.token,
        is_doubtful=True,
        is_live=True,
        limit=_ROWS,
        below=int(below) if below.isdecimal() and len(below) < 16 else None,
    )
    accounts = await desk.gateway.accounts.seen(viewer.token)
    return await show(
        request,
        "bakilacaklar.html",
        tab="bak",
        doubts=await doubts(request),
        rows=found,
        names={account.id: account.name for account in accounts},
        older=f"{DOUBTED}?{urlencode({'sonra': str(found[-1].id)})}" if len(found) == _ROWS else "",
    )


_MEANINGS: Mapping[str, OptOutScope | None] = {
    "ret": OptOutScope.EVERYTHING,
    "yanlis_numara": OptOutScope.WRONG_NUMBER,
    "devam": None,
}


async def decide(request: Request) -> Response:
    """Decide what somebody meant; deciding what was decided already changes nothing."""
    meaning = typed(form_of(request), "karar")
    if meaning not in _MEANINGS:
        raise HTTPException(404)
    viewer, doubted_id = viewer_of(request), request.path_params["refusal_id"]
    try:
        await desk_of(request).gateway.wishes.decide(viewer.token, doubted_id, _MEANINGS[meaning], OptOutSource.PANEL)
    except GuvercinError as refusal:
        if refusal.code is not Code.NOT_FOUND:
            raise
    return back(DOUBTED)


async def choose_notices(request: Request) -> Response:
    """Choose which accounts let notices go on to who wants nothing else."""
    desk, viewer = desk_of(request), viewer_of(request)
    chosen = {str(value) for value in form_of(request).getlist("bildirim")}
    for account in await desk.gateway.accounts.seen(viewer.token):
        wanted = str(account.id) in chosen
        if wanted is not account.manners.keeps_notices:
            change = AccountChange(manners=MannersChange(keeps_notices=wanted))
            await desk.gateway.accounts.change(viewer.token, account.id, change)
    return back(REFUSALS, oldu="kaydedildi")


async def choose_words(request: Request) -> Response:
    """Choose the words of the shop's own that refuse beside the fixed ones."""
    viewer, written = viewer_of(request), typed(form_of(request), "sozler")
    try:
        await desk_of(request).gateway.wishes.set_stop_words(viewer.token, written)
    except GuvercinError as refusal:
        if not refusal.faults:
            raise
        return await _page(request, errors=errors_of(viewer.say, refusal, words="sozler"), given={"sozler": written})
    return back(REFUSALS, oldu="kaydedildi")


routes = [
    Route(REFUSALS, show_refusals),
    Route(REFUSALS, add, methods=["POST"]),
    Route(IMPORT, take_in, methods=["POST"]),
    Route(f"{REFUSALS}.csv", export),
    Route(f"{REFUSALS}/bildirimler", choose_notices, methods=["POST"]),
    Route(f"{REFUSALS}/sozler", choose_words, methods=["POST"]),
    Route(DOUBTED, show_doubted),
    Route(f"{DOUBTED}/{{refusal_id:int}}", decide, methods=["POST"]),
    Route(f"{REFUSALS}/{{refusal_id:int}}/cikar", ask_removal),
    Route(f"{REFUSALS}/{{refusal_id:int}}/cikar", remove, methods=["POST"]),
]

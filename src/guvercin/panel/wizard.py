"""A new bulk in four steps: the list, its columns, the message with a check of every row, and the start.

Laws
1. Nothing is sent before the last press, and that press sends once: the list's own id is the key.
2. What was decided travels in the form from step to step, so going back loses nothing, and a lost session neither.
3. The check is the one of the request itself. Only rows that it calls good are sent, so its counts are the bulk's.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import orjson
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from guvercin.core.errors import Code, GuvercinError
from guvercin.gateway.batches import LONGEST_NAME
from guvercin.gateway.drafting import MOST_RECIPIENTS
from guvercin.gateway.reports import CSV, csv_of
from guvercin.gateway.requests import Ask, AskBatch, IdempotencyKey
from guvercin.gateway.sheets import LARGEST_FILE
from guvercin.locale import Translator
from guvercin.panel.check import (
    GROUPS,
    ONCE_EACH,
    SENT,
    Check,
    Plan,
    bubble,
    chips,
    first_bubble,
    is_same,
    number,
    read_text,
    recipient,
    row,
    values_of,
    why,
    with_fallback,
)
from guvercin.panel.desk import desk_of, form_of, typed, viewer_of
from guvercin.panel.drawing import page
from guvercin.panel.listing import NAME, PHONE, ROLES, Listing, listing_of, pack, place_name, unpack
from guvercin.panel.sending import DEFAULT_ID, LONGEST_TEXT, key_of
from guvercin.panel.shell import back, errors_of, kinds, show

BULK = "/panel/toplu"
NEW = f"{BULK}/yeni"
_FORM_ROOM = 1_000_000
LIMIT = LARGEST_FILE + _FORM_ROOM
_ROWS_SHOWN = 50
_FIRST_ROWS = 5
_AT_ONCE = timedelta(0)
_PASSING = frozenset({Code.CLOSING, Code.STORE_UNAVAILABLE, Code.QUEUE_FULL})
"""Refusals that have nothing to do with the form."""

_NO_TEXT = "…"
"""Stands for a text that can't be filled yet, so that the numbers are judged all the same."""

_NAMES = {"text": "mesaj", "category": "tur", "account_id": "hesap", "phone": "benim"}


# -- step 1: the list


async def show_list(request: Request) -> Response:
    """Ask for a list."""
    return await _ask_for_list(request, {}, {})


async def _ask_for_list(request: Request, given: Mapping[str, str], errors: Mapping[str, str]) -> Response:
    status = 422 if errors else 200
    return await show(
        request, "toplu-liste.html", status=status, step=1, given=given, errors=errors, largest=LARGEST_FILE
    )


async def read(request: Request) -> Response:
    """Read a file or pasted numbers, and keep them as a draft."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    file, pasted = form.get("dosya"), typed(form, "numaralar")
    has_file = isinstance(file, UploadFile) and bool(file.filename)
    field = "dosya" if has_file or not pasted.strip() else "numaralar"
    try:
        if isinstance(file, UploadFile) and file.filename:
            name, stream = file.filename, file.file
        elif pasted.strip():
            name, stream = "", io.BytesIO(_one_a_line(pasted).encode())
        else:
            error = viewer.say("Choose a file, or paste the numbers.")
            return await _ask_for_list(request, {}, {"dosya": error})
        listing = listing_of(await desk.gateway.lists.open(stream), name[-100:])
        if len(listing.lines) > MOST_RECIPIENTS:
            error = viewer.say(
                "There are {rows} rows; one bulk takes {limit} at most. Divide the list in two.",
                rows=len(listing.lines),
                limit=MOST_RECIPIENTS,
            )
            return await _ask_for_list(request, {"numaralar": pasted}, {field: error})
        draft_id, _ = await desk.gateway.lists.keep(viewer.token, pack(listing))
    except GuvercinError as refusal:
        if refusal.code not in {Code.UNREADABLE_LIST, Code.BODY_TOO_LARGE}:
            raise
        told = errors_of(viewer.say, refusal, file=field)
        return await _ask_for_list(request, {"numaralar": pasted}, {field: told.get(field) or told["form"]})
    return back(f"{NEW}/{draft_id}")


def _one_a_line(pasted: str) -> str:
    """Give each of several numbers that were pasted into one line a line of its own."""
    lines = [line for line in pasted.splitlines() if line.strip()]
    return lines[0].replace(",", "\n").replace(";", "\n") if len(lines) == 1 else "\n".join(lines)


# -- step 2: its columns


async def show_columns(request: Request) -> Response:
    """Show the first rows, and what each column seems to be."""
    listing = await _listing(request)
    return await _ask_for_columns(request, listing, listing.guess(), FormData(), "")


async def _ask_for_columns(
    request: Request, listing: Listing, roles: Sequence[str], form: FormData, error: str
) -> Response:
    return await show(
        request,
        "toplu-sutunlar.html",
        status=422 if error else 200,
        step=2,
        listing=listing,
        shown=listing.lines[:_FIRST_ROWS],
        roles=roles,
        known=ROLES,
        place_name=place_name,
        carried=[(name, typed(form, name)) for name in ("ad", "mesaj", "hesap", "tur", "benim") if typed(form, name)]
        or ([("mesaj", listing.text)] if listing.text else []),
        errors={"sutun": error} if error else {},
    )


async def _listing(request: Request) -> Listing:
    kept = await desk_of(request).gateway.lists.find(viewer_of(request).token, request.path_params["draft"])
    try:
        return unpack(kept)
    except KeyError:  # a program's draft
        raise GuvercinError(Code.NOT_FOUND) from None


def _roles(form: FormData, listing: Listing) -> Sequence[str]:
    return [typed(form, f"s{place}") for place in range(listing.width)]


def _slip(say: Translator, roles: Sequence[str]) -> str:
    """Answer what is wrong with the columns that were chosen."""
    if any(role not in ROLES for role in roles) or PHONE not in roles:
        return say("Which column is the phone?")
    twice = next((role for role in ONCE_EACH if roles.count(role) > 1), None)
    return say("Two columns are «{name}»: choose one.", name=say(ROLES[twice])) if twice else ""


# -- step 3: the message, and the check of every row


async def decide(request: Request) -> Response:
    """Take one press on the way: back to the columns, look again, a sample, the bad rows as a file, or the start."""
    viewer, form = viewer_of(request), form_of(request)
    listing = await _listing(request)
    roles = _roles(form, listing)
    error = _slip(viewer.say, roles)
    if error or typed(form, "adim") == "sutunlar":
        return await _ask_for_columns(request, listing, roles, form, error)
    text = with_fallback(typed(form, "mesaj"), typed(form, "duzelt"), viewer.say)
    is_first = "mesaj" not in form
    if is_first:
        text = viewer.say("Hello {isim},") + " " if NAME in roles else ""
    plan = Plan(listing=listing, roles=roles, text=text)
    try:
        check = await _check(request, plan)
    except GuvercinError as refusal:
        if refusal.code in _PASSING:
            raise
        errors = errors_of(viewer.say, refusal, **_NAMES)
        check = replace(await _check(request, replace(plan, text="")), plan=plan)
        return await _show_message(request, check, errors)
    match typed(form, "adim"):
        case "csv":
            return _left_out(viewer.say, check)
        case "deneme":
            return await _sample(request, check)
        case "baslat":
            return await _start(request, check)
        case _:
            return await _show_message(request, check, {})


async def _check(request: Request, plan: Plan) -> Check:
    """Look a list through. Raises what is wrong with the request as a whole."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    text, people = plan.text, await desk.gateway.lists.aside(lambda: list(plan.listing.people(plan.roles)))
    template, slip = read_text(viewer.say, text, plan.places)
    asked = AskBatch(
        recipients=[recipient(person) for person in people],
        text=_NO_TEXT if slip or not text.strip() else text,
        is_template=True,
        body_hash=hashlib.sha256(orjson.dumps([request.path_params["draft"], plan.roles, text])).digest(),
        category=number(typed(form, "tur"), DEFAULT_ID),
        account_id=number(typed(form, "hesap"), 0) or None,
    )
    several = {place: Code.SEVERAL_NUMBERS for place, person in enumerate(people) if person.is_first_of_several}
    found = await desk.gateway.bulk.rehearse(viewer.token, asked, several)
    verdicts = {verdict.place: verdict for verdict in found.verdicts}
    blanks: dict[str, int] = {}
    if template is not None:
        for place, verdict in verdicts.items():
            if verdict.fault is not None and verdict.fault.fault == "degisken_yok":
                missing = template.missing(values_of(people[place]))
                if missing is not None:
                    blanks[missing.key] = blanks.get(missing.key, 0) + 1
    return Check(
        plan=plan,
        people=people,
        verdicts=verdicts,
        found=found,
        asked=asked,
        template=template,
        slip=slip,
        blanks=blanks,
    )


async def _show_message(
    request: Request, check: Check, errors: Mapping[str, str], sampled: int | None = None
) -> Response:
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    group, named = typed(form, "goster"), check.plan.places
    places = [place for place in range(len(check.people)) if group not in GROUPS or check.group(place) == group]
    if check.slip:
        errors = {"mesaj": check.slip, **errors}
    return await show(
        request,
        "toplu-mesaj.html",
        status=422 if errors and typed(form, "adim") in {"baslat", "deneme"} else 200,
        step=3,
        listing=check.plan.listing,
        roles=check.plan.roles,
        text=check.plan.text,
        longest=LONGEST_TEXT,
        counts=check.counts,
        groups=GROUPS,
        group=group if group in GROUPS else "",
        rows=[row(viewer.say, check, place) for place in places[:_ROWS_SHOWN]],
        untold=max(0, len(places) - _ROWS_SHOWN),
        places=chips(check.plan),
        blanks=[(key, named.get(key, key), n) for key, n in check.blanks.items()],
        is_same=is_same(check),
        preview=_preview(form, check),
        slip="",
        found=check.found,
        good=len(check.good),
        accounts=await desk.gateway.accounts.seen(viewer.token),
        categories=(await kinds(request)).items(),
        default_category=DEFAULT_ID,
        given={
            **{name: typed(form, name) for name in ("tur", "benim", "izin")},
            "ad": typed(form, "ad") if "ad" in form else _name_of(check.plan.listing),
        },
        longest_name=LONGEST_NAME,
        errors=errors,
        sampled=sampled,
        key=desk.rng.randbytes(16).hex(),
    )


def _preview(form: FormData, check: Check) -> Mapping[str, Any] | None:
    if check.template is None or not check.plan.text.strip():
        return None
    return bubble(form, [check.people[place] for place in check.good], check.template)


async def show_preview(request: Request) -> Response:
    """Answer the bubble alone, while the text is being typed."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    listing = await _listing(request)
    plan = Plan(listing=listing, roles=_roles(form, listing), text=typed(form, "mesaj"))
    if _slip(viewer.say, plan.roles):
        raise GuvercinError(Code.NOT_FOUND)
    template, slip = read_text(viewer.say, plan.text, plan.places)
    told = None
    if template is not None and plan.text.strip():
        at = number(typed(form, "kisi"), 0)
        told = await desk.gateway.lists.aside(partial(first_bubble, plan, template, at))
    return page("toplu-balon.html", viewer, now=desk.now(), preview=told, slip=slip)


def _left_out(say: Translator, check: Check) -> Response:
    """Answer the rows that are not sent to as a file, each with its reason."""
    rows = [
        (str(person.line), person.typed, person.name or "", why(say, person, check.verdicts[place]))
        for place, person in enumerate(check.people)
        if check.group(place) != SENT
    ]
    content = csv_of([say("Row"), say("Phone"), say("Name"), say("Reason")], rows)
    headers = {"Content-Disposition": 'attachment; filename="guvercin-atlananlar.csv"'}
    return Response(content, media_type=f"{CSV}; charset=utf-8", headers=headers)


# -- step 4: a sample, and the start


def _ready(say: Translator, check: Check) -> dict[str, str]:
    """Answer what keeps a message from being sent at all."""
    if check.slip:
        return {"mesaj": check.slip}
    if not check.plan.text.strip():
        return {"mesaj": say("Write the message first.")}
    if not check.good:
        return {"mesaj": say("Nobody on the list would get it: look at the rows.")}
    return {}


async def _sample(request: Request, check: Check) -> Response:
    """Send the message of the person that is shown to the owner's own number."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    errors, sampled = _ready(viewer.say, check), None
    if not errors:
        shown = _preview(form, check) or {}
        ask = Ask(
            phone=typed(form, "benim"),
            text=shown["text"],
            category=check.asked.category,
            account_id=check.asked.account_id,
        )
        try:
            key = key_of(
                typed(form, "_tek"), f"{NEW}/deneme", {"telefon": typed(form, "benim"), "mesaj": ask.text or ""}
            )
            sent = await desk.gateway.singles.send(viewer.token, ask, wait=_AT_ONCE, key=key)
            sampled = sent.standing.id
        except GuvercinError as refusal:
            if refusal.code in _PASSING:
                raise
            errors = errors_of(viewer.say, refusal, **_NAMES)
    return await _show_message(request, check, errors, sampled)


async def _start(request: Request, check: Check) -> Response:
    """Accept the good rows of the list as a bulk."""
    desk, viewer, form = desk_of(request), viewer_of(request), form_of(request)
    errors = _ready(viewer.say, check)
    if not typed(form, "izin"):
        errors["izin"] = viewer.say("Say that they agreed to get messages from you.")
    if errors:
        return await _show_message(request, check, errors)
    asked = replace(check.asked, recipients=[check.asked.recipients[place] for place in check.good])
    draft: str = request.path_params["draft"]
    body_hash = hashlib.sha256(
        orjson.dumps([check.plan.roles, check.plan.text, asked.category, asked.account_id])
    ).digest()
    try:
        view = await desk.gateway.bulk.send(
            viewer.token,
            asked,
            wait=_AT_ONCE,
            key=IdempotencyKey(method="POST", path=NEW, key=draft, body_hash=body_hash),
        )
    except GuvercinError as refusal:
        if refusal.code in _PASSING:
            raise
        errors = errors_of(viewer.say, refusal, **_NAMES)
        if refusal.code is Code.KEY_MISMATCH:
            errors = {"form": viewer.say("This list was started already. To send it again, upload it again.")}
        return await _show_message(request, check, errors)
    if view.batch.name is None:
        with suppress(GuvercinError):  # it runs: a name that is none is no reason to say otherwise
            await desk.gateway.batches.rename(viewer.token, view.batch.id, typed(form, "ad")[:LONGEST_NAME])
    return back(f"{BULK}/{view.batch.id}")


def _name_of(listing: Listing) -> str:
    """Answer what a bulk is called if nobody says otherwise: the name of its file."""
    return listing.name.rpartition(".")[0][:LONGEST_NAME] or listing.name[:LONGEST_NAME]


routes = [
    Route(NEW, show_list),
    Route(NEW, read, methods=["POST"]),
    Route(f"{NEW}/{{draft:str}}", show_columns),
    Route(f"{NEW}/{{draft:str}}", decide, methods=["POST"]),
    Route(f"{NEW}/{{draft:str}}/onizleme", show_preview, methods=["POST"]),
]

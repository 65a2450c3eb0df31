"""Bulks that are not there yet: lists that wait for a yes, and copies of bulks that were.

Law: a copy is a list like any other. It goes through the wizard, so that every row is judged anew before it leaves.
"""

import re
from collections.abc import Sequence

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import Message, Status
from guvercin.gateway.lists import LARGEST_DRAFT
from guvercin.gateway.sheets import Line
from guvercin.panel.bulk import STATES
from guvercin.panel.desk import desk_of, form_of, typed, viewer_of
from guvercin.panel.listing import Listing, pack
from guvercin.panel.shell import back, show
from guvercin.panel.wizard import BULK, NEW

DRAFTS = f"{BULK}/taslaklar"
_NAME = re.compile(rb'"dosya":("(?:[^"\\\\]|\\\\.)*")')


async def show_drafts(request: Request) -> Response:
    """Show the lists that this person uploaded and did not start."""
    desk, viewer = desk_of(request), viewer_of(request)
    if not viewer.may_change:
        raise GuvercinError(Code.NOT_ALLOWED)
    kept = await desk.gateway.lists.waiting(viewer.token, NEW)
    drafts = [(each.id, _name_of(each.beginning), each.created_at) for each in kept]
    return await show(request, "taslaklar.html", drafts=drafts, states=STATES)


def _name_of(beginning: bytes) -> str:
    """Read the name of a list off the beginning of its draft, which is all that was read of it."""
    found = _NAME.search(beginning)
    return str(orjson.loads(found[1])) if found else ""


async def copy(request: Request) -> Response:
    """Make a draft of a bulk's rows, or of those that failed, and lead to its columns."""
    desk, viewer, batch_id = desk_of(request), viewer_of(request), request.path_params["batch_id"]
    view = await desk.gateway.batches.one(viewer.token, batch_id)
    is_for_failed = typed(form_of(request), "kim") == "basarisiz"
    found: list[Message] = []
    async for rows in desk.gateway.batches.rows(batch_id):
        found += [row for row in rows if not is_for_failed or row.status is Status.FAILED]
    if not found:
        return back(f"{BULK}/{batch_id}")
    packed = pack(_listing(found, name=view.batch.name or viewer.say("Bulk no. {id}", id=str(batch_id))))
    if len(packed) > LARGEST_DRAFT:
        raise GuvercinError(Code.BODY_TOO_LARGE, params={"limit": f"{LARGEST_DRAFT // 1_000_000} MB"})
    draft_id, _ = await desk.gateway.lists.keep(viewer.token, packed)
    return back(f"{NEW}/{draft_id}")


def _listing(found: Sequence[Message], *, name: str) -> Listing:
    """Answer rows as a list. Texts that differ become a column of their own: each person gets their own again."""
    texts = {row.content.text or "" for row in found}
    is_one = len(texts) == 1
    lines = [
        Line(
            number=number,
            cells=(
                row.recipient,
                row.recipient_name or "",
                row.reference or "",
                *(() if is_one else (row.content.text or "",)),
            ),
        )
        for number, row in enumerate(found, 1)
    ]
    heads = ("Telefon", "İsim", "Referans", *(() if is_one else ("Mesaj",)))
    return Listing(
        name=name, heads=heads, lines=lines, is_scarred=False, text=_meant(texts.pop()) if is_one else "{mesaj}"
    )


def _meant(text: str) -> str:
    """Write a text so that its braces stay braces when places are filled."""
    return text.replace("{", "{{").replace("}", "}}")


async def rename(request: Request) -> Response:
    """Call a bulk something."""
    desk, viewer, batch_id = desk_of(request), viewer_of(request), request.path_params["batch_id"]
    await desk.gateway.batches.rename(viewer.token, batch_id, typed(form_of(request), "ad"))
    return back(f"{BULK}/{batch_id}")


routes = [
    Route(DRAFTS, show_drafts),
    Route(f"{BULK}/{{batch_id:int}}/kopya", copy, methods=["POST"]),
    Route(f"{BULK}/{{batch_id:int}}/ad", rename, methods=["POST"]),
]

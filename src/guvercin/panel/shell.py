"""The frame around every page behind the sign-in, and the part of a page that moves by itself."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from guvercin.core.account import Kind
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import Event
from guvercin.locale import Translator
from guvercin.locale.codes import WORDS
from guvercin.locale.faults import fault_sentence
from guvercin.locale.terms import CATEGORIES
from guvercin.panel.desk import desk_of, viewer_of
from guvercin.panel.drawing import draw, page
from guvercin.panel.live import View

LIVE = "/panel/canli"


async def show(
    request: Request, template: str, *, status: int = 200, live: Mapping[str, str] | None = None, **values: Any
) -> Response:
    """Answer a page inside the frame. `live`: what its stream asks for, if a part of it moves by itself.

    Templates know `now`, `here` and `is_trial`: nothing can reach anybody yet.
    """
    desk, viewer = desk_of(request), viewer_of(request)
    accounts = await desk.gateway.accounts.seen(viewer.token)
    values |= {name: _Blank(values[name]) for name in ("errors", "given", "asked") if name in values}
    return page(
        template,
        viewer,
        status=status,
        now=desk.now(),
        business=await desk.choices.business(),
        here=request.url.path,
        stream=f"{LIVE}?{urlencode(live)}" if live else "",
        is_trial=all(account.kind is Kind.SANDBOX for account in accounts),
        **values,
    )


class _Blank(dict[str, Any]):
    """What was typed, or what is wrong with it: a field that isn't there is empty."""

    def __missing__(self, name: str) -> str:
        return ""


async def kinds(request: Request) -> Mapping[int, str]:
    """Answer the categories by id, as the viewer reads them: a preset by its word, the owner's own by its name."""
    say, known = viewer_of(request).say, await desk_of(request).gateway.categories.known()
    return {id_: say(CATEGORIES[id_]) if id_ in CATEGORIES else each.name for id_, each in known.items()}


def moving(
    request: Request,
    template: str,
    gather: Callable[[], Awaitable[Mapping[str, Any]]],
    *,
    concerns: Callable[[Event], bool],
    every: float = 30.0,
) -> View:
    """Answer the live part of a page: a template of its own, filled by `gather` whenever something has changed."""
    desk, viewer = desk_of(request), replace(viewer_of(request), csrf="")

    async def drawn() -> str:
        return draw(template, viewer, now=desk.now(), **await gather())

    asked = tuple(sorted(request.query_params.multi_items()))
    return View(key=(asked, viewer.language, viewer.may_change), draw=drawn, concerns=concerns, every=every)


def back(address: str, **marks: str) -> Response:
    """Lead on after a form was taken, so that a reload sends nothing again."""
    return RedirectResponse(f"{address}?{urlencode(marks)}" if marks else address, status_code=303)


def errors_of(say: Translator, refusal: GuvercinError, **fields: str) -> dict[str, str]:
    """Answer the sentences about a refused form by its fields; `fields` leads from our names to the form's.

    What is about no field of the form stands under `form`.
    """
    told = {
        fields.get(fault.where.rpartition(".")[2], fields.get(fault.where, "form")): fault_sentence(say, fault)
        for fault in reversed(refusal.faults)
    }
    if refusal.code is Code.FILE_TOO_LARGE:
        return {"form": say("The file is too large: at most 16 MB.")}
    words = WORDS[refusal.code]
    return told or {"form": f"{say(words.detail)} {say(words.todo)}"}

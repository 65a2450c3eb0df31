"""The categories of messages: what each of them is, and how it is sent."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from guvercin.api import examples
from guvercin.api.answers.categories import CategoryAnswer, CategoryList
from guvercin.api.answers.ground import Done
from guvercin.api.asking import minutes
from guvercin.api.auth import Owner, Reader
from guvercin.api.bodies import read_json, to_model
from guvercin.api.documented import BODY, CHANGES, RECORDS, asks, operation_id, tells
from guvercin.api.reception import reception_of
from guvercin.api.render.categories import category_answer, category_list
from guvercin.api.render.ground import PREFIX, reply
from guvercin.api.wire.categories import LEVELS, ChangeCategory
from guvercin.core.category import LARGEST_ID
from guvercin.core.errors import Code
from guvercin.gateway.requests import CategoryChange
from guvercin.locale import sentence

router = APIRouter(prefix=f"{PREFIX}/turler", tags=RECORDS, generate_unique_id_function=operation_id)

CategoryId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


@router.get(
    "",
    summary=sentence("Categories"),
    description=sentence(
        "The defined categories. An undefined tur_id is accepted too and follows the rules of 10 (general)."
    ),
    responses=tells(CategoryList, example=examples.CATEGORIES),
)
async def categories(request: Request, _reader: Reader) -> Response:
    """List the categories."""
    known = await reception_of(request).gateway.categories.known()
    return reply(category_list(known.values()))


@router.put(
    "/{category_id}",
    summary=sentence("Change a category"),
    description=sentence(
        "Defines a category of your own (11 to 99), or changes quiet hours, lifetime or urgency of one from 1 to 10. "
        "What isn't given stays as it is."
    ),
    openapi_extra=asks(ChangeCategory, example=examples.CHANGE_CATEGORY),
    responses=tells(CategoryAnswer, *BODY, Code.INVALID_CATEGORY, Code.INVALID_TIME, example=examples.CATEGORY),
)
async def change_category(request: Request, owner: Owner, category_id: CategoryId) -> Response:
    """Define a category, or change one."""
    asked = to_model(ChangeCategory, await read_json(request))
    change = CategoryChange(
        code=asked.code,
        name=asked.label,
        is_commercial=asked.is_commercial,
        keeps_quiet_hours=asked.keeps_quiet_hours,
        lifetime=minutes(asked.lifetime),
        level=None if asked.level is None else LEVELS[asked.level],
    )
    changed = await reception_of(request).gateway.categories.change(owner, category_id, change)
    return reply(category_answer(changed))


@router.delete(
    "/{category_id}",
    summary=sentence("Drop a category"),
    description=sentence(
        "Forgets a category of your own, or what you changed of one from 1 to 10. Sent messages keep their tur_id."
    ),
    responses=tells(Done, *CHANGES, example=examples.DONE),
)
async def drop_category(request: Request, owner: Owner, category_id: CategoryId) -> Response:
    """Forget a category of the owner's own."""
    await reception_of(request).gateway.categories.drop(owner, category_id)
    return reply(Done(ok=True))

"""Webhooks: the addresses that hear what happened, in the envelope of the vendor's own page (`success`)."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from guvercin.api import examples
from guvercin.api.answers.ground import SucceededWith
from guvercin.api.answers.hooks import DeliveryPage, HookAnswer, HookList, NewHookAnswer, TrialAnswer
from guvercin.api.asking import cursor, read_cursor
from guvercin.api.auth import Owner
from guvercin.api.bodies import read_json, to_model
from guvercin.api.documented import BODY, CHANGES, WEBHOOKS, asks, operation_id, tells
from guvercin.api.reception import reception_of
from guvercin.api.render.ground import reply
from guvercin.api.render.hooks import delivery_page, hook_list, hook_record, new_hook, trial_answer
from guvercin.api.wire.ground import LARGEST_INTEGER
from guvercin.api.wire.hooks import AddWebhook, ChangeWebhook, ListDeliveries, RenewSecret, ReplaySince, WebhookOpen
from guvercin.core.errors import Code
from guvercin.core.hook import Hook
from guvercin.gateway.requests import HookAsk
from guvercin.locale import Translator, choose_language, sentence, translator

PREFIX = "/api/v1/webhooks"

router = APIRouter(prefix=PREFIX, tags=WEBHOOKS, generate_unique_id_function=operation_id)

HookId = Annotated[int, Path(ge=1, le=LARGEST_INTEGER)]
EventId = Annotated[int, Path(ge=1, le=LARGEST_INTEGER)]

_NEVER_KEPT = {"Cache-Control": "no-store"}
"""The secret is in these answers, and in no others."""

_NAMED = (Code.NOT_FOUND, Code.INVALID_FIELD)


def _translator(request: Request) -> Translator:
    return translator(choose_language(request.headers.get("accept-language")))


@router.post(
    "",
    summary=sentence("Add a webhook"),
    description=sentence(
        "From now on every event of olaylar is posted to url, signed as Standard Webhooks says. "
        "The secret is shown once."
    ),
    status_code=201,
    openapi_extra=asks(AddWebhook, example=examples.ADD_WEBHOOK),
    responses=tells(
        NewHookAnswer,
        *BODY,
        Code.NOT_FOUND,
        Code.TOO_MANY_HOOKS,
        example=examples.NEW_WEBHOOK,
        status=201,
    ),
)
async def add_webhook(request: Request, owner: Owner) -> Response:
    """Add a webhook."""
    asked = to_model(AddWebhook, await read_json(request))
    gateway = reception_of(request).gateway
    ask = HookAsk(url=asked.url, events=asked.events, account_ids=asked.accounts, secret=asked.secret)
    hook, secret = await gateway.hooks.add(owner, ask, await gateway.accounts.seen(owner))
    say = _translator(request)
    return reply(
        new_hook(hook, secret, say("Webhook saved.")),
        status=201,
        headers={"Location": f"{PREFIX}/{hook.id}", **_NEVER_KEPT},
    )


@router.get(
    "",
    summary=sentence("Webhooks"),
    description=sentence("The webhooks that the token sees, without their secrets."),
    responses=tells(HookList, example=examples.WEBHOOKS),
)
async def webhooks(request: Request, owner: Owner) -> Response:
    """List the webhooks."""
    reception = reception_of(request)
    return reply(hook_list(await reception.gateway.hooks.seen(owner), reception.zone))


@router.get(
    "/{hook_id}",
    summary=sentence("One webhook"),
    description=sentence("One webhook, without its secret."),
    responses=tells(HookAnswer, *_NAMED, example=examples.WEBHOOK),
)
async def webhook(request: Request, owner: Owner, hook_id: HookId) -> Response:
    """Tell about one webhook."""
    return _hook(request, await reception_of(request).gateway.hooks.one(owner, hook_id))


@router.patch(
    "/{hook_id}",
    summary=sentence("Change a webhook"),
    description=sentence(
        "Changes what is given. One that was switched off goes on where it stopped, when durum is aktif again."
    ),
    openapi_extra=asks(ChangeWebhook, example=examples.CHANGE_WEBHOOK),
    responses=tells(HookAnswer, *BODY, Code.NOT_FOUND, example=examples.WEBHOOK),
)
async def change_webhook(request: Request, owner: Owner, hook_id: HookId) -> Response:
    """Change a webhook."""
    asked = to_model(ChangeWebhook, await read_json(request))
    gateway = reception_of(request).gateway
    is_open = None if asked.status is None else asked.status is WebhookOpen.ACTIVE
    ask = HookAsk(url=asked.url, events=asked.events, account_ids=asked.accounts, is_open=is_open)
    return _hook(request, await gateway.hooks.change(owner, hook_id, ask, await gateway.accounts.seen(owner)))


@router.delete(
    "/{hook_id}",
    summary=sentence("Remove a webhook"),
    description=sentence("Nothing more is delivered to it; its secret and its deliveries are forgotten."),
    responses=tells(SucceededWith, *CHANGES, example=examples.WEBHOOK_GONE),
)
async def remove_webhook(request: Request, owner: Owner, hook_id: HookId) -> Response:
    """Remove a webhook."""
    await reception_of(request).gateway.hooks.remove(owner, hook_id)
    say = _translator(request)
    return reply(SucceededWith(success=True, message=say("Webhook removed.")))


@router.post(
    "/{hook_id}/dene",
    summary=sentence("Try a webhook out"),
    description=sentence("Posts a signed body that tells of nothing, once and now, and answers what came back."),
    responses=tells(TrialAnswer, *_NAMED, Code.SECRET_UNREADABLE, example=examples.TRIAL),
)
async def try_webhook(request: Request, owner: Owner, hook_id: HookId) -> Response:
    """Try a webhook out."""
    trial = await reception_of(request).gateway.hooks.try_out(owner, hook_id)
    return reply(trial_answer(trial, _translator(request)))


@router.post(
    "/{hook_id}/secret",
    summary=sentence("Renew a secret"),
    description=sentence("Makes a new secret and shows it, once. For a day the one before signs too."),
    openapi_extra=asks(RenewSecret, example=examples.RENEW_SECRET),
    responses=tells(NewHookAnswer, *BODY, Code.NOT_FOUND, example=examples.NEW_WEBHOOK),
)
async def renew_secret(request: Request, owner: Owner, hook_id: HookId) -> Response:
    """Give a webhook a new secret."""
    asked = to_model(RenewSecret, await read_json(request))
    hook, secret = await reception_of(request).gateway.hooks.renew_secret(owner, hook_id, asked.secret)
    say = _translator(request)
    told = say("New secret saved; for a day the one before signs too.")
    return reply(new_hook(hook, secret, told), headers=_NEVER_KEPT)


@router.get(
    "/{hook_id}/bildirimler",
    summary=sentence("Deliveries"),
    description=sentence(
        "What a webhook has heard and has still to hear, newest first. A page may be short: "
        "give «sonraki» back as sonra."
    ),
    responses=tells(DeliveryPage, *_NAMED, example=examples.DELIVERIES),
)
async def deliveries(
    request: Request, owner: Owner, hook_id: HookId, query: Annotated[ListDeliveries, Query()]
) -> Response:
    """List the deliveries of a webhook."""
    reception = reception_of(request)
    found, below = await reception.gateway.hooks.deliveries(
        owner, hook_id, below=None if query.after is None else read_cursor(query.after), limit=query.limit
    )
    return reply(delivery_page(found, cursor(below) if below else None, reception.zone))


@router.post(
    "/{hook_id}/bildirimler/{event_id}/yeniden",
    summary=sentence("Deliver once more"),
    description=sentence(
        "Delivers one event once more, under its name, whatever became of it. Asking twice does no harm."
    ),
    responses=tells(SucceededWith, *CHANGES, example=examples.REPLAYED),
)
async def replay(request: Request, owner: Owner, hook_id: HookId, event_id: EventId) -> Response:
    """Deliver one event once more."""
    await reception_of(request).gateway.hooks.replay(owner, hook_id, event_id)
    return _replayed(request)


@router.post(
    "/{hook_id}/yeniden",
    summary=sentence("Deliver everything once more"),
    description=sentence(
        "Delivers everything since a moment once more, for a receiver that has lost it. "
        "Nothing from before the webhook."
    ),
    openapi_extra=asks(ReplaySince, example=examples.REPLAY_SINCE),
    responses=tells(SucceededWith, *BODY, Code.NOT_FOUND, Code.INVALID_TIME, example=examples.REPLAYED),
)
async def replay_since(request: Request, owner: Owner, hook_id: HookId) -> Response:
    """Deliver everything since a moment once more."""
    asked = to_model(ReplaySince, await read_json(request))
    reception = reception_of(request)
    since = asked.since if asked.since.tzinfo is not None else asked.since.replace(tzinfo=reception.zone)
    await reception.gateway.hooks.replay_since(owner, hook_id, since)
    return _replayed(request)


def _hook(request: Request, hook: Hook) -> Response:
    return reply(hook_record(hook, reception_of(request).zone))


def _replayed(request: Request) -> Response:
    say = _translator(request)
    return reply(SucceededWith(success=True, message=say("It is delivered once more.")))

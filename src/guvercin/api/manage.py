"""Accounts, and what those who run the server ask of it."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from guvercin import __version__
from guvercin.api import examples, problems
from guvercin.api.answers.access import Alive
from guvercin.api.answers.accounts import AccountAnswer, AccountList, AccountRemoved
from guvercin.api.answers.ground import Done
from guvercin.api.asking import bad, unsupported
from guvercin.api.auth import AccountOwner, Reader, is_loopback, sign_in
from guvercin.api.bodies import read_json, to_model
from guvercin.api.documented import ACCOUNTS, BODY, CHANGES, OPERATIONS, asks, operation_id, succeeds, tells
from guvercin.api.metrics import CONTENT_TYPE
from guvercin.api.reception import reception_of
from guvercin.api.render.accounts import account_list, account_record
from guvercin.api.render.ground import PREFIX, reply
from guvercin.api.wire.accounts import LANES, AddAccount, CapsAsked, ChangeAccount, CloudSetup, LimitsAsked, WireLane
from guvercin.api.wire.ground import LARGEST_INTEGER
from guvercin.core.account import Account, Kind
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.pacing import Gap
from guvercin.core.token import Permission
from guvercin.gateway.requests import AccountChange, CapsChange, CloudAsk, MannersChange, NewAccount
from guvercin.locale import sentence
from guvercin.transports.cloud.setup import Template

accounts = APIRouter(prefix=f"{PREFIX}/hesaplar", tags=ACCOUNTS, generate_unique_id_function=operation_id)
operations = APIRouter(tags=OPERATIONS, generate_unique_id_function=operation_id)

AccountId = Annotated[int, Path(ge=1, le=LARGEST_INTEGER)]
_CHANGED = tells(AccountAnswer, *CHANGES, Code.ELSEWHERE, example=examples.ACCOUNT)


@accounts.get(
    "",
    summary=sentence("Accounts"),
    description=sentence("Lists the WhatsApp accounts and the state of their connections."),
    responses=tells(AccountList, example=examples.ACCOUNTS),
)
async def list_accounts(request: Request, reader: Reader) -> Response:
    """List the accounts that the token sees."""
    reception = reception_of(request)
    found = await reception.gateway.accounts.seen(reader)
    return reply(account_list(found, reception.zone, reception.now()))


@accounts.post(
    "",
    summary=sentence("Add an account"),
    description=sentence("Adds an account. The default account stays what it was. Asking twice adds two."),
    status_code=201,
    openapi_extra=asks(AddAccount, example=examples.ADD_ACCOUNT),
    responses=tells(
        AccountAnswer,
        *BODY,
        Code.UNSUPPORTED,
        Code.META_UNREACHABLE,
        example=examples.ACCOUNT,
        status=201,
    ),
)
async def add_account(request: Request, owner: AccountOwner) -> Response:
    """Add an account."""
    asked = to_model(AddAccount, await read_json(request))
    try:
        kind = Kind(asked.kind.value)
    except ValueError:
        raise unsupported("kind") from None
    added = await reception_of(request).gateway.accounts.add(
        owner, NewAccount(name=asked.name, kind=kind, cloud=_cloud(asked.cloud))
    )
    return _account(request, added, status=201, headers={"Location": f"{accounts.prefix}/{added.id}"})


@accounts.get(
    "/{account_id}",
    summary=sentence("One account"),
    description=sentence("One account with its pace and settings."),
    responses=tells(AccountAnswer, Code.NOT_FOUND, Code.INVALID_FIELD, example=examples.ACCOUNT),
)
async def account(request: Request, reader: Reader, account_id: AccountId) -> Response:
    """Tell about one account."""
    return _account(request, await reception_of(request).gateway.accounts.one(reader, account_id))


@accounts.patch(
    "/{account_id}",
    summary=sentence("Change an account"),
    description=sentence("Changes the fields that are given and leaves the rest alone."),
    openapi_extra=asks(ChangeAccount, example=examples.CHANGE_ACCOUNT),
    responses=tells(
        AccountAnswer,
        *BODY,
        Code.NOT_FOUND,
        Code.UNSUPPORTED,
        Code.META_UNREACHABLE,
        Code.ELSEWHERE,
        example=examples.ACCOUNT,
    ),
)
async def change_account(request: Request, owner: AccountOwner, account_id: AccountId) -> Response:
    """Rename an account, change its pace or its policy."""
    asked = to_model(ChangeAccount, await read_json(request))
    gaps = {}
    for lane, gap in (asked.gaps or {}).items():
        if gap.least > gap.most:
            raise bad(f"gaps.{lane.value}.most", "gecersiz")
        gaps[lane] = Gap(least=timedelta(seconds=gap.least), most=timedelta(seconds=gap.most))
    limits = asked.limits or LimitsAsked()
    change = AccountChange(
        name=asked.name,
        gaps={LANES[lane]: gap for lane, gap in gaps.items() if lane in LANES},
        known_gap=gaps.get(WireLane.KNOWN),
        new_gap=gaps.get(WireLane.NEW),
        preset=asked.preset,
        hourly=_caps(limits.hourly),
        daily=_caps(limits.daily),
        monthly_new=limits.monthly_new,
        keeps_quiet=asked.keeps_quiet_hours,
        on_unknown=asked.on_unknown,
        cloud=_cloud(asked.cloud),
        manners=_manners(asked),
    )
    return _account(request, await reception_of(request).gateway.accounts.change(owner, account_id, change))


def _caps(asked: CapsAsked | None) -> CapsChange:
    return CapsChange() if asked is None else CapsChange(all=asked.all, existing=asked.existing, new=asked.new)


@accounts.delete(
    "/{account_id}",
    summary=sentence("Remove an account"),
    description=sentence(
        "Removes an account that has no unfinished messages; its records stay. A linked phone is unlinked and its "
        "session deleted; uyari is telefonda_kaldi if the phone could not be told."
    ),
    responses=tells(AccountRemoved, *CHANGES, Code.MESSAGES_WAITING, Code.ELSEWHERE, example=examples.REMOVED),
)
async def remove_account(request: Request, owner: AccountOwner, account_id: AccountId) -> Response:
    """Remove an account that has nothing left to do."""
    warning = await reception_of(request).gateway.accounts.remove(owner, account_id)
    return reply(AccountRemoved(ok=True, warning=warning))


@accounts.post(
    "/{account_id}/varsayilan",
    summary=sentence("Make it the default"),
    description=sentence("Messages without hesap_id leave from this account. Asking twice does no harm."),
    responses=_CHANGED,
)
async def make_default(request: Request, owner: AccountOwner, account_id: AccountId) -> Response:
    """Choose the default account."""
    return _account(request, await reception_of(request).gateway.accounts.make_default(owner, account_id))


@accounts.post(
    "/{account_id}/duraklat",
    summary=sentence("Pause the line"),
    description=sentence("Messages are still accepted, and wait. Asking twice does no harm."),
    responses=_CHANGED,
)
async def pause_account(request: Request, owner: AccountOwner, account_id: AccountId) -> Response:
    """Stop an account's line."""
    return _account(request, await reception_of(request).gateway.accounts.pause(owner, account_id))


@accounts.post(
    "/{account_id}/devam",
    summary=sentence("Resume the line"),
    description=sentence("Starts a paused line again. Asking twice does no harm."),
    responses=_CHANGED,
)
async def resume_account(request: Request, owner: AccountOwner, account_id: AccountId) -> Response:
    """Start an account's line again."""
    return _account(request, await reception_of(request).gateway.accounts.resume(owner, account_id))


@operations.get(
    "/saglik",
    summary=sentence("Is it alive"),
    description=sentence("200 while the server runs."),
    responses=succeeds(Alive) | problems.responses(Code.INTERNAL),
)
async def alive() -> Response:
    """Say that the process lives."""
    return reply(Alive(ok=True, version=__version__))


@operations.get(
    "/hazir",
    summary=sentence("Is it ready"),
    description=sentence("200 if messages can be accepted, else 503 with the reason."),
    responses=succeeds(Done) | problems.responses(Code.STORE_UNAVAILABLE, Code.CLOSING, Code.INTERNAL),
)
async def ready(request: Request) -> Response:
    """Say whether messages can be accepted now."""
    readiness = await reception_of(request).gateway.ready()
    if not readiness.is_ready:
        raise GuvercinError(Code(readiness.troubles[0]) if readiness.troubles else Code.STORE_UNAVAILABLE)
    return reply(Done(ok=True))


@operations.get(
    "/metrics",
    summary=sentence("Metrics"),
    description=sentence(
        "In Prometheus' format. From the same machine without a token; else with oku or yonet, for all accounts."
    ),
    responses={
        200: {"description": sentence("Prometheus' text."), "content": {"text/plain": {"schema": {"type": "string"}}}},
        **problems.responses(
            Code.NO_TOKEN,
            Code.INVALID_TOKEN,
            Code.NOT_ALLOWED,
            Code.TOO_MANY_REQUESTS,
            Code.STORE_UNAVAILABLE,
            Code.INTERNAL,
        ),
    },
)
async def metrics(request: Request) -> Response:
    """Tell Prometheus how things stand."""
    if not is_loopback(request):
        token = await sign_in(request)
        # The figures are of every account: whoever may not see them all may not see these.
        if not (token.may(Permission.READ) or token.may(Permission.ADMIN)) or token.rules.account_ids is not None:
            raise GuvercinError(Code.NOT_ALLOWED, params={"permission": Permission.READ.value})
    reception = reception_of(request)
    text = reception.metrics.text(
        accounts=await reception.gateway.accounts.live(),
        depths=await reception.gateway.depths(),
        figures=await reception.gateway.figures(),
        now=reception.now(),
    )
    return Response(text, headers={"Content-Type": CONTENT_TYPE})


async def root(_request: Request) -> Response:
    """Lead whoever opens the bare address to the panel."""
    return RedirectResponse("/panel", status_code=302)


def _cloud(asked: CloudSetup | None) -> CloudAsk | None:
    if asked is None:
        return None
    templates = None
    if asked.templates is not None:
        templates = {
            int(category): Template(name=each.template, language=each.language, places=tuple(each.places))
            for category, each in asked.templates.items()
        }
    return CloudAsk(
        number_id=asked.number_id,
        business_id=asked.business_id,
        access_token=asked.access_token,
        app_secret=asked.app_secret,
        verify_token=asked.verify_token,
        templates=templates,
    )


def _manners(asked: ChangeAccount) -> MannersChange | None:
    hours = asked.repeat_guard_hours
    given = MannersChange(
        keeps_notices=asked.keeps_notices,
        sender_title=asked.sender_title,
        repeat_guard=None if hours is None else timedelta(hours=hours),
    )
    return None if given == MannersChange() else given


def _account(request: Request, found: Account, **answered: Any) -> Response:
    reception = reception_of(request)
    return reply(account_record(found, reception.zone, reception.now()), **answered)

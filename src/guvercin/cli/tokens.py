"""`anahtar uret|liste|iptal`: API tokens, made directly in the database, beside a live server or without one."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, time
from secrets import token_bytes
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guvercin.cli.options import Json
from guvercin.cli.reach import database, settings
from guvercin.cli.terminal import TURKISH_TIME, ExitCode, Terminal, Trouble
from guvercin.core.token import PASS_NAME, Permission, Token, TokenRules
from guvercin.locale import Translator, sentence

if TYPE_CHECKING:  # heavy: loaded when a command runs
    from guvercin.config import Config
    from guvercin.store.store import Store

USUAL = (Permission.SEND, Permission.BULK, Permission.FILE, Permission.READ)
"""What a program gets when nothing is said: it sends and looks, and changes no accounts."""


def create(
    context: typer.Context,
    *,
    name: Annotated[
        str, typer.Option("--ad", metavar="X", help=sentence("The name of the program that will use it."))
    ] = "program",
    permissions: Annotated[
        str,
        typer.Option("--yetki", metavar="A,B", help=sentence("What it may do: `gonder,toplu,dosya,oku,hesap,yonet`")),
    ] = ",".join(USUAL),
    accounts: Annotated[
        str,
        typer.Option("--hesap", metavar="1,2", help=sentence("The accounts that it sees; all of them if not given.")),
    ] = "",
    until: Annotated[
        str, typer.Option("--bitis", metavar="2027-12-31", help=sentence("Its last day; it never ends if not given."))
    ] = "",
    per_minute: Annotated[
        str, typer.Option("--sinir", metavar="60/dk", help=sentence("The most requests in a minute."))
    ] = "",
    per_day: Annotated[
        int | None, typer.Option("--gunluk", metavar="N", help=sentence("The most messages in a day."))
    ] = None,
    guards_retries: Annotated[
        bool,
        typer.Option(
            "--tekrar-korumasi/--tekrar-korumasi-yok",
            help=sentence("The same message to the same number within 5 minutes counts as one (on by default)."),
        ),
    ] = True,
    strict_categories: Annotated[
        bool, typer.Option("--kati-tur", help=sentence("Refuse a tur_id that is not known."))
    ] = False,
    batch_answer: Annotated[
        str,
        typer.Option(
            "--toplu-yanit",
            metavar="kabul",
            help=sentence("kabul: a bulk answers at once and counts everything accepted as sent."),
        ),
    ] = "",
    as_pair: Annotated[
        bool,
        typer.Option(
            "--cift", help=sentence("A pair (api_key, api_secret) for software that signs in at /api/v1/auth/token.")
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a token and show its secret, once."""
    terminal = Terminal.of(context, as_json=as_json)
    config = settings(terminal)
    say = terminal.say
    rules = TokenRules(
        name=name,
        permissions=_permissions(say, permissions),
        account_ids=_accounts(say, accounts),
        expires_at=_last_moment(say, until, config),
        per_minute=_per_minute(say, per_minute),
        per_day=_positive(say, "--gunluk", per_day),
        guards_retries=guards_retries,
        strict_categories=strict_categories,
        counts_accepted=_counts_accepted(say, batch_answer),
    )
    if as_pair:
        token, api_key, api_secret = asyncio.run(_create_pair(terminal, config, rules))
        terminal.show({"api_key": api_key, "api_secret": api_secret, **as_wire(token)})
        terminal.tell(f"api_key     {api_key}\napi_secret  {api_secret}")
    else:
        token, secret = asyncio.run(_create(terminal, config, rules))
        terminal.show({"anahtar": secret, **as_wire(token)})
        terminal.tell(secret)
    if not as_json:
        terminal.note(
            say("Copy it now: it is not shown again. Number {id}, name «{name}».", id=str(token.id), name=name)
        )


def list_all(
    context: typer.Context,
    *,
    every: Annotated[
        bool, typer.Option("--hepsi", help=sentence("Show revoked ones too, and those of the terminal itself."))
    ] = False,
    as_json: Json = False,
) -> None:
    """List the tokens; their secrets are stored nowhere."""
    terminal = Terminal.of(context, as_json=as_json)
    config = settings(terminal)
    say = terminal.say
    tokens, now = asyncio.run(_read(terminal, config))
    shown = [token for token in tokens if every or (token.revoked_at is None and token.rules.name != PASS_NAME)]
    terminal.show({"ok": True, "data": [as_wire(token) for token in shown]})
    if not shown:
        terminal.tell(say("There is no token yet. Make one: guvercin anahtar uret --ad muhasebe"))
        return
    heads = (say("No"), say("Name"), say("Begins with"), say("May"), say("State"), say("Last used"))
    terminal.table(heads, [_row(say, token, now, config) for token in shown])


def revoke(
    context: typer.Context,
    *,
    token_id: Annotated[int, typer.Argument(metavar="NO", help=sentence("The number of the token (anahtar liste)."))],
    as_json: Json = False,
) -> None:
    """Revoke a token: the program that uses it can't send any more."""
    terminal = Terminal.of(context, as_json=as_json)
    token = asyncio.run(end(terminal, settings(terminal), token_id))
    terminal.show({"ok": True, "data": as_wire(token)})
    terminal.tell(terminal.say("Revoked: «{name}». It stops working within a second.", name=token.rules.name))


def as_wire(token: Token) -> dict[str, Any]:
    """Answer a token as JSON, without its secret."""
    rules = token.rules
    return {
        "id": token.id,
        "ad": rules.name,
        "ipucu": token.hint,
        "yetki": sorted(rules.permissions),
        "hesap": None if rules.account_ids is None else sorted(rules.account_ids),
        "bitis": _iso(rules.expires_at),
        "dakikada": rules.per_minute,
        "gunluk": rules.per_day,
        "tekrar_korumasi": rules.guards_retries,
        "kati_tur": rules.strict_categories,
        "toplu_yanit_kabul": rules.counts_accepted,
        "olusturuldu": _iso(token.created_at),
        "son_kullanim": _iso(token.last_used_at),
        "iptal": _iso(token.revoked_at),
    }


async def _create(terminal: Terminal, config: "Config", rules: TokenRules) -> tuple[Token, str]:
    async with database(terminal, config) as store:
        return await make(store, rules)


async def _create_pair(terminal: Terminal, config: "Config", rules: TokenRules) -> tuple[Token, str, str]:
    from guvercin.gateway.access import create_pair
    from guvercin.gateway.clock import SystemClock

    async with database(terminal, config) as store:
        return await create_pair(store, rules, token_bytes(32), now=SystemClock().now())


async def make(store: "Store", rules: TokenRules) -> tuple[Token, str]:
    """Make a token; answers it and its secret."""
    from guvercin.gateway.access import create_token
    from guvercin.gateway.clock import SystemClock

    return await create_token(store, rules, token_bytes(32), now=SystemClock().now())


async def _read(terminal: Terminal, config: "Config") -> tuple[Sequence[Token], datetime]:
    from guvercin.gateway.clock import SystemClock

    async with database(terminal, config) as store:
        return [token for token in await store.tokens() if token.is_key], SystemClock().now()


async def end(terminal: Terminal, config: "Config", token_id: int) -> Token:
    """Revoke a token. NOT_FOUND."""
    from guvercin.gateway.clock import SystemClock

    async with database(terminal, config) as store:
        return await store.revoke_token(token_id, now=SystemClock().now())


def _row(say: Translator, token: Token, now: datetime, config: "Config") -> tuple[str, ...]:
    used = token.last_used_at
    return (
        str(token.id),
        token.rules.name,
        token.hint,
        ",".join(sorted(token.rules.permissions)),
        _state(say, token, now),
        used.astimezone(config.timezone).strftime(TURKISH_TIME) if used else say("Never"),
    )


def _state(say: Translator, token: Token, now: datetime) -> str:
    if token.revoked_at is not None:
        return say("Revoked")
    return say("Works") if token.is_valid(now) else say("Ended")


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _permissions(say: Translator, written: str) -> frozenset[Permission]:
    words = [word.strip() for word in written.split(",") if word.strip()]
    if not words or not set(words) <= set(Permission):
        raise _misread(
            say, "--yetki", written, say("Write some of these, with commas: {names}", names=",".join(Permission))
        )
    return frozenset(map(Permission, words))


def _accounts(say: Translator, written: str) -> frozenset[int] | None:
    try:
        return frozenset(int(part) for part in written.split(",")) if written else None
    except ValueError:
        raise _misread(say, "--hesap", written, say("Write numbers of accounts, with commas: 1,2")) from None


def _last_moment(say: Translator, written: str, config: "Config") -> datetime | None:
    """Answer the end of a day in the configured zone, or the moment itself if one is written."""
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise _misread(say, "--bitis", written, say("Write a day such as 2027-12-31.")) from None
    if len(written) == len("2027-12-31"):
        moment = datetime.combine(moment, time.max)
    return moment if moment.tzinfo else moment.replace(tzinfo=config.timezone)


def _per_minute(say: Translator, written: str) -> int | None:
    number, slash, unit = written.partition("/")
    if not written:
        return None
    if not number.isdecimal() or int(number) < 1 or (slash and unit not in {"dk", "min"}):
        raise _misread(say, "--sinir", written, say("Write a number for a minute: 60/dk"))
    return int(number)


def _positive(say: Translator, option: str, number: int | None) -> int | None:
    if number is not None and number < 1:
        raise _misread(say, option, str(number), say("Write a number from 1 up."))
    return number


def _counts_accepted(say: Translator, written: str) -> bool:
    if written not in {"", "kabul"}:
        raise _misread(say, "--toplu-yanit", written, say("The only answer to choose here is: kabul"))
    return written == "kabul"


def _misread(say: Translator, option: str, value: str, remedy: str) -> Trouble:
    return Trouble(say("{option} can't be «{value}».", option=option, value=value), remedy, code=ExitCode.USAGE)

"""`hesap …`: the accounts that messages leave from."""

import asyncio
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

import typer

from guvercin.cli.options import Json
from guvercin.cli.reach import gateway, settings
from guvercin.cli.terminal import ExitCode, Terminal, Trouble, clock_time
from guvercin.core.account import OnUnknown
from guvercin.core.token import Permission
from guvercin.locale import Translator, sentence

AccountId = Annotated[int, typer.Argument(metavar="NO", help=sentence("The number of the account (hesap liste)."))]

Templates = Annotated[
    list[str] | None,
    typer.Option(
        "--sablon",
        metavar="X",
        help=sentence(
            "cloud: the template of a category, and what fills it: 1=fatura_hazir:tr:isim,mesaj. Repeatable."
        ),
    ),
]

STATES: Mapping[str, str] = MappingProxyType(
    {
        "connected": sentence("Connected"),
        "connecting": sentence("Connecting"),
        "pairing": sentence("Waiting for the phone"),
        "banned": sentence("Restricted"),
        "disconnected": sentence("Not connected"),
    },
)
ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "bekle": sentence("nothing to do but wait"),
        "bagla": sentence("guvercin hesap bagla {id}"),
        "devam": sentence("guvercin hesap devam {id}"),
        "telefona_bak": sentence("look at WhatsApp on the phone"),
        "guncelle": sentence("update Güvercin"),
        "metaya_bak": sentence("look at the account at Meta, then: guvercin hesap devam {id}"),
    },
)


def list_all(context: typer.Context, *, as_json: Json = False) -> None:
    """List the accounts."""
    terminal = Terminal.of(context, as_json=as_json)
    answer = _ask(terminal, "GET", "/hesaplar")
    terminal.show(answer)
    show_accounts(terminal, answer["data"])


def add(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Argument(metavar="ISIM", help=sentence("What you call it: shop, accounting …"))],
    kind: Annotated[
        str, typer.Option("--tur", metavar="X", help=sentence("Its kind: web (a linked phone), cloud (Meta), sandbox"))
    ] = "sandbox",
    number_id: Annotated[
        str | None, typer.Option("--numara-id", metavar="X", help=sentence("cloud: the number's id at Meta."))
    ] = None,
    business_id: Annotated[
        str | None,
        typer.Option("--isletme-id", metavar="X", help=sentence("cloud: the business account's id at Meta.")),
    ] = None,
    templates: Templates = None,
    as_json: Json = False,
) -> None:
    """Add an account. It becomes the default only if you say so.

    Meta's secrets are asked for without showing them, or read from GUVERCIN_META_*.
    """
    terminal = Terminal.of(context, as_json=as_json)
    asked: dict[str, Any] = {"isim": name, "tur": kind}
    if kind == "cloud":
        asked["bulut"] = {
            "numara_id": number_id,
            "isletme_id": business_id,
            **_secrets(terminal),
            "sablonlar": _templates(terminal.say, templates),
        }
    answer = _ask(terminal, "POST", "/hesaplar", body=asked)
    terminal.show(answer)
    account = answer["data"]
    say = terminal.say
    terminal.tell(say("Added: account {id}, «{name}».", id=str(account["id"]), name=account["isim"]))
    if kind == "web":
        terminal.tell(say("Link its phone: {command}", command=terminal.command(f"hesap bagla {account['id']}")))
    if kind == "cloud":
        path = f"/meta/webhook/{account['id']}"
        terminal.tell(say("Meta's webhook address of this account: https://YOUR-HOST{path}", path=path))


def change(
    context: typer.Context,
    *,
    account_id: AccountId,
    name: Annotated[str | None, typer.Option("--isim", metavar="X", help=sentence("A new name."))] = None,
    single: Annotated[
        str | None, typer.Option("--aralik", metavar="SN-SN", help=sentence("Seconds between single messages: 2-5"))
    ] = None,
    bulk: Annotated[
        str | None,
        typer.Option("--toplu-aralik", metavar="SN-SN", help=sentence("Seconds between bulk messages: 8-16")),
    ] = None,
    on_unknown: Annotated[
        str | None,
        typer.Option(
            "--belirsiz",
            metavar="X",
            help=sentence("What to do with a message in doubt: bekle, vazgec, yeniden_gonder"),
        ),
    ] = None,
    keeps_notices: Annotated[
        bool | None,
        typer.Option(
            "--islem-bildirimleri/--islem-bildirimi-yok",
            help=sentence("Whether who refuses messages still gets single notices of their own orders and payments."),
        ),
    ] = None,
    title: Annotated[
        str | None,
        typer.Option("--unvan", metavar="X", help=sentence("The title or name below commercial messages.")),
    ] = None,
    guard: Annotated[
        int | None,
        typer.Option(
            "--mukerrer",
            metavar="SAAT",
            help=sentence("Hours in which a bulk sends nobody the same text again; 0: it does."),
        ),
    ] = None,
    templates: Templates = None,
    renews: Annotated[
        bool, typer.Option("--yeni-anahtar", help=sentence("cloud: give Meta's secrets anew; they are asked for."))
    ] = False,
    as_json: Json = False,
) -> None:
    """Change an account's name, pace or policy, or what Meta gave for it."""
    terminal = Terminal.of(context, as_json=as_json)
    say = terminal.say
    if on_unknown is not None and on_unknown not in set(OnUnknown):
        raise Trouble(
            say("{option} can't be «{value}».", option="--belirsiz", value=on_unknown),
            say("Write one of these: {names}", names=", ".join(OnUnknown)),
            code=ExitCode.USAGE,
        )
    gaps = {
        lane: _gap(say, option, written)
        for lane, option, written in (
            ("tekli", "--aralik", single),
            ("toplu", "--toplu-aralik", bulk),
        )
        if written is not None
    }
    cloud: dict[str, Any] = {"sablonlar": _templates(say, templates)} if templates else {}
    cloud |= _secrets(terminal) if renews else {}
    asked = {
        "isim": name,
        "araliklar": gaps or None,
        "belirsiz": on_unknown,
        "bulut": cloud or None,
        "islem_bildirimleri": keeps_notices,
        "gonderen_unvani": title,
        "mukerrer_saat": guard,
    }
    body = {key: value for key, value in asked.items() if value is not None}
    if not body:
        raise Trouble(
            say("Nothing to change was named."),
            say("See how it is written: {command}", command="guvercin hesap degistir --help"),
            code=ExitCode.USAGE,
        )
    answer = _ask(terminal, "PATCH", f"/hesaplar/{account_id}", body=body)
    terminal.show(answer)
    terminal.tell(say("Changed: «{name}».", name=answer["data"]["isim"]))


_GAP_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "tekli": sentence("single messages"),
        "tanidik": sentence("bulk to people who have written"),
        "toplu": sentence("bulk to your customers"),
        "yeni": sentence("new people"),
    }
)
_CAP_TITLES: Mapping[str, str] = MappingProxyType({"saatlik": sentence("in an hour"), "gunluk": sentence("in a day")})


def pace(
    context: typer.Context,
    *,
    account_id: AccountId,
    preset: Annotated[
        str | None,
        typer.Argument(metavar="HIZ", help=sentence("dikkatli, normal or hizli; nothing: show the pace it has.")),
    ] = None,
    hourly: Annotated[
        str | None,
        typer.Option("--saatlik", metavar="N,N,N", help=sentence("Most in an hour: all, your customers, new people.")),
    ] = None,
    daily: Annotated[
        str | None,
        typer.Option("--gunluk", metavar="N,N,N", help=sentence("Most in a day: all, your customers, new people.")),
    ] = None,
    monthly_new: Annotated[
        int | None, typer.Option("--aylik-yeni", metavar="N", help=sentence("Most new people in 30 days."))
    ] = None,
    as_json: Json = False,
) -> None:
    """Show or choose how fast an account sends.

    No pace protects a number: who is written to matters more than any gap.
    """
    terminal = Terminal.of(context, as_json=as_json)
    say = terminal.say
    windows = {"saatlik": _caps(say, "--saatlik", hourly), "gunluk": _caps(say, "--gunluk", daily)}
    limits: dict[str, Any] = {name: caps for name, caps in windows.items() if caps}
    if monthly_new is not None:
        limits["aylik_yeni"] = monthly_new
    body = {name: value for name, value in (("hiz", preset), ("sinirlar", limits or None)) if value is not None}
    answer = _ask(terminal, "PATCH" if body else "GET", f"/hesaplar/{account_id}", body=body or None)
    terminal.show(answer)
    account = answer["data"]
    terminal.tell(say("Pace of «{name}»: {pace}", name=account["isim"], pace=account["hiz"] or say("your own")))
    gaps = account["araliklar"]
    for name, title in _GAP_TITLES.items():
        if name in gaps:
            span = f"{gaps[name]['en_az']:g}–{gaps[name]['en_cok']:g}"
            terminal.tell(say("  {title}: {span} s apart", title=say(title), span=span))
    for name, title in _CAP_TITLES.items():
        if account["sinirlar"] and account["sinirlar"][name]:
            caps = account["sinirlar"][name]
            terminal.tell(
                say(
                    "  {title}: {all} in all, {existing} customers, {new} new",
                    title=say(title),
                    all=caps["hepsi"],
                    existing=caps["mevcut"],
                    new=caps["yeni"],
                )
            )


def _caps(say: Translator, option: str, written: str | None) -> dict[str, int] | None:
    """Read «150,80,5»: all, customers, new people."""
    if written is None:
        return None
    parts = written.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() for part in parts):
        raise Trouble(
            say("{option} can't be «{value}».", option=option, value=written),
            say("Write three numbers: {example}", example=f"{option} 150,80,5"),
            code=ExitCode.USAGE,
        )
    return dict(zip(("hepsi", "mevcut", "yeni"), map(int, parts), strict=True))


def remove(
    context: typer.Context,
    *,
    account_id: AccountId,
    is_sure: Annotated[bool, typer.Option("--evet", help=sentence("Don't ask."))] = False,
    as_json: Json = False,
) -> None:
    """Remove an account; its log stays."""
    from guvercin.core.errors import Code
    from guvercin.locale.codes import WORDS

    terminal = Terminal.of(context, as_json=as_json)
    say = terminal.say
    if not is_sure:
        terminal.ask_first(say("Remove account {id}? Its log stays.", id=str(account_id)))
    answer = _ask(terminal, "DELETE", f"/hesaplar/{account_id}")
    terminal.show(answer)
    terminal.tell(say("Removed: account {id}.", id=str(account_id)))
    if answer["uyari"]:
        words = WORDS[Code(answer["uyari"])]
        terminal.note(say(words.detail))
        terminal.note(say(words.todo))


def make_default(context: typer.Context, *, account_id: AccountId, as_json: Json = False) -> None:
    """Make an account the one that sends when none is named."""
    terminal = Terminal.of(context, as_json=as_json)
    answer = _ask(terminal, "POST", f"/hesaplar/{account_id}/varsayilan")
    terminal.show(answer)
    terminal.tell(terminal.say("The default account is now «{name}».", name=answer["data"]["isim"]))


def pause(context: typer.Context, *, account_id: AccountId, as_json: Json = False) -> None:
    """Stop an account's line; its messages wait."""
    terminal = Terminal.of(context, as_json=as_json)
    answer = _ask(terminal, "POST", f"/hesaplar/{account_id}/duraklat")
    terminal.show(answer)
    say = terminal.say
    terminal.tell(
        say(
            "Paused: «{name}». Its messages wait. Go on with: guvercin hesap devam {id}",
            name=answer["data"]["isim"],
            id=str(account_id),
        )
    )


def resume(context: typer.Context, *, account_id: AccountId, as_json: Json = False) -> None:
    """Start a paused account's line again."""
    terminal = Terminal.of(context, as_json=as_json)
    answer = _ask(terminal, "POST", f"/hesaplar/{account_id}/devam")
    terminal.show(answer)
    terminal.tell(terminal.say("«{name}» goes on.", name=answer["data"]["isim"]))


def show_accounts(terminal: Terminal, accounts: list[dict[str, Any]]) -> None:
    """Show accounts as a table."""
    say = terminal.say
    heads = (say("No"), say("Name"), say("Number"), say("Kind"), say("State"), say("Default"), say("Last connected"))
    rows = [
        (
            str(account["id"]),
            account["isim"],
            account["telefon"] or "–",
            account["tur"],
            state(say, account),
            say("yes") if account["varsayilan"] else "",
            clock_time(account["son_baglanti"]),
        )
        for account in accounts
    ]
    terminal.table(heads, rows)


def state(say: Translator, account: Mapping[str, Any]) -> str:
    """Answer an account's state in words, with what a person has to do."""
    status = account["durum"]
    word = say(STATES[status])
    action = ACTIONS.get(account["eylem"] or "")
    return f"{word}: {say(action, id=str(account['id']))}" if action else word


def _ask(terminal: Terminal, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    async def ask() -> dict[str, Any]:
        async with gateway(terminal, settings(terminal), Permission.ACCOUNTS, Permission.READ) as gate:
            return await gate.ask(method, path, body=body)

    return asyncio.run(ask())


_SECRETS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "erisim_anahtari": ("GUVERCIN_META_TOKEN", sentence("Access token of the system user")),
        "uygulama_sirri": ("GUVERCIN_META_APP_SECRET", sentence("App secret")),
        "dogrulama_sozu": ("GUVERCIN_META_VERIFY_TOKEN", sentence("Your own word for Meta's webhook form")),
    },
)
"""What only its owner knows: never an option, because command lines can be read by others."""


def _secrets(terminal: Terminal) -> dict[str, str]:
    """Read Meta's secrets from the environment, or ask for them without showing what is typed."""
    return {
        name: os.environ.get(variable) or typer.prompt(terminal.say(question), hide_input=True, err=True)
        for name, (variable, question) in _SECRETS.items()
    }


def _templates(say: Translator, written: list[str] | None) -> dict[str, Any] | None:
    """Read `1=fatura_hazir:tr:isim,mesaj`: which template stands for a category, and what fills its places."""
    found: dict[str, Any] = {}
    for each in written or ():
        category, _, rest = each.partition("=")
        name, _, rest = rest.partition(":")
        language, _, places = rest.partition(":")
        if not (category.isdecimal() and name and language):
            raise Trouble(
                say("{option} can't be «{value}».", option="--sablon", value=each),
                say("Write it like this: {example}", example="1=fatura_hazir:tr:isim,mesaj"),
                code=ExitCode.USAGE,
            )
        found[category] = {
            "sablon_adi": name,
            "dil": language,
            "yerler": [place for place in places.split(",") if place],
        }
    return found or None


def _gap(say: Translator, option: str, written: str) -> dict[str, float]:
    least, _, most = written.replace(",", ".").partition("-")
    try:
        return {"en_az": float(least), "en_cok": float(most or least)}
    except ValueError:
        raise Trouble(
            say("{option} can't be «{value}».", option=option, value=written),
            say("Write seconds, the least and the most: 8-16"),
            code=ExitCode.USAGE,
        ) from None

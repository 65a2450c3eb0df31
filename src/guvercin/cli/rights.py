"""`kisi …`, `denetim`, `imha`: what is held of a person, forgetting one, and who did what."""

import asyncio
import json
from typing import Annotated, Any
from urllib.parse import quote

import typer

from guvercin.cli.options import Json
from guvercin.cli.optouts import Phone
from guvercin.cli.reach import gateway, settings
from guvercin.cli.terminal import Terminal, clock_time
from guvercin.core.token import Permission
from guvercin.locale import sentence

Count = Annotated[int, typer.Option("--son", metavar="N", help=sentence("How many at most."))]


def show(context: typer.Context, *, phone: Phone, as_json: Json = False) -> None:
    """Show everything that is held of a person; --json is what you hand over to one who asks."""
    terminal = Terminal.of(context, as_json=as_json)
    answer = _ask(terminal, "GET", f"/kisiler/{quote(phone, safe='')}")
    terminal.show(answer)
    say, held = terminal.say, answer["data"]
    terminal.tell(held["telefon"])
    counts = (
        (say("Messages"), len(held["mesajlar"])),
        (say("Refusals"), len(held["ret"])),
        (say("Consents"), len(held["onaylar"])),
        (say("Chats"), len(held["sohbetler"])),
        (say("Answers about the number"), len(held["numara_kontrol"])),
        (say("Lists that are not sent yet"), held["taslak"]),
    )
    terminal.table((say("What"), say("How many")), [(name, str(count)) for name, count in counts])
    if held["yasal_saklama"] is not None:
        why = held["yasal_saklama"]["neden"] or "–"
        terminal.tell(say("Held for the law since {since}: {why}", since=held["yasal_saklama"]["baslangic"], why=why))
    terminal.tell(say("Everything, word for word: {command}", command=terminal.command("kisi goster TELEFON --json")))


def erase(
    context: typer.Context,
    *,
    phone: Phone,
    is_sure: Annotated[bool, typer.Option("--evet", help=sentence("Don't ask; for scripts."))] = False,
    as_json: Json = False,
) -> None:
    """Forget a person: texts, name and number, wherever they are held. It can't be undone."""
    terminal = Terminal.of(context, as_json=as_json)
    say = terminal.say
    if not is_sure:
        terminal.ask_first(say("Destroy everything that is held of {phone}? It can't be undone.", phone=phone))
    answer = _ask(terminal, "DELETE", f"/kisiler/{quote(phone, safe='')}")
    terminal.show(answer)
    gone = answer["data"]
    terminal.tell(
        say(
            "Forgotten. Messages: {messages} · files: {files} · other rows: {others}",
            messages=gone["mesaj"],
            files=gone["dosya"],
            others=gone["diger"],
        )
    )
    if gone["ret"]:
        terminal.tell(say("Their refusal goes on holding: a hash of the number is kept for that, and nothing else."))
    if gone["kalinti"]:
        terminal.tell(say("Unused space of the database may still show traces; the night's work takes them out."))
    if gone["kopyalar"]:
        terminal.tell(
            say("Older copies still hold the person; delete them: {files}", files=", ".join(gone["kopyalar"]))
        )
    terminal.tell(say("Not reached: your backups, the WhatsApp on your phone, and Meta. See docs/PEOPLE.md."))


def hold(
    context: typer.Context,
    *,
    phone: Phone,
    why: Annotated[
        str | None, typer.Option("--neden", metavar="X", help=sentence("Who wants it, for the record: a file number."))
    ] = None,
    as_json: Json = False,
) -> None:
    """Keep a person's data whatever else is asked, because the law wants it."""
    terminal = Terminal.of(context, as_json=as_json)
    body = {} if why is None else {"neden": why}
    terminal.show(_ask(terminal, "POST", f"/kisiler/{quote(phone, safe='')}/saklama", body=body))
    terminal.tell(terminal.say("Held: nothing of this person is destroyed until you end it."))


def release(context: typer.Context, *, phone: Phone, as_json: Json = False) -> None:
    """End a hold: the person's data end as all other does."""
    terminal = Terminal.of(context, as_json=as_json)
    terminal.show(_ask(terminal, "DELETE", f"/kisiler/{quote(phone, safe='')}/saklama"))
    terminal.tell(terminal.say("The hold is over."))


def audit(context: typer.Context, *, count: Count = 50, as_json: Json = False) -> None:
    """List who did what, newest first."""
    terminal = Terminal.of(context, as_json=as_json)
    say = terminal.say
    answer = _ask(terminal, "GET", "/denetim", query={"limit": min(max(count, 1), 200)})
    terminal.show(answer)
    heads = (say("No"), say("When"), say("What"), say("About"), say("Who"), say("From where"), say("Details"))
    rows = [
        (
            str(each["id"]),
            clock_time(each["zaman_iso"]),
            each["ne"],
            each["konu"] or "–",
            each["kim"] or "–",
            " ".join(filter(None, (each["yol"], each["adres"]))),
            json.dumps(each["ayrinti"], ensure_ascii=False) if each["ayrinti"] else "–",
        )
        for each in answer["data"]
    ]
    terminal.table(heads, rows)


def destructions(context: typer.Context, *, count: Count = 50, as_json: Json = False) -> None:
    """List what was destroyed, newest first."""
    terminal = Terminal.of(context, as_json=as_json)
    say = terminal.say
    answer = _ask(terminal, "GET", "/imha", query={"limit": min(max(count, 1), 200)})
    terminal.show(answer)
    causes = {
        "sure_doldu": say("its time was over"),
        "kisi_istedi": say("a person asked"),
        "dosya_suresi_doldu": say("files whose time was over"),
    }
    heads = (say("No"), say("When"), say("Why"), say("Texts"), say("Records"), say("Files"), say("Other rows"))
    rows = [
        (
            str(each["id"]),
            each["baslangic"],
            causes[each["neden"]],
            *(str(each[name]) for name in ("metin", "kayit", "dosya", "diger")),
        )
        for each in answer["data"]
    ]
    terminal.table(heads, rows)


def _ask(terminal: Terminal, method: str, path: str, **sent: Any) -> dict[str, Any]:
    async def ask() -> dict[str, Any]:
        async with gateway(terminal, settings(terminal), Permission.ADMIN) as gate:
            return await gate.ask(method, path, **sent)

    return asyncio.run(ask())

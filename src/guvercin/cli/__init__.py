"""The terminal: `guvercin`, with Turkish words and their English names beside them.

Every command is here, under its names; what it does stands in the module of its noun. Nothing heavy is imported before
a command runs, so that every one of them, and the help, starts at once.
"""

from pathlib import Path
from typing import Annotated

import typer

from guvercin import __version__
from guvercin.cli import (
    accounts,
    alerts,
    backup,
    bulk,
    categories,
    consents,
    doctor,
    engine,
    field,
    graph,
    inbox,
    link,
    messages,
    move,
    optouts,
    people,
    reports,
    rights,
    send,
    start,
    tokens,
    webhooks,
    whatsapp,
)
from guvercin.cli.grammar import Command, Group, Program
from guvercin.cli.terminal import Terminal
from guvercin.locale import sentence

app = typer.Typer(
    cls=Program,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)
account = typer.Typer(rich_markup_mode=None)
token = typer.Typer(rich_markup_mode=None)
record = typer.Typer(rich_markup_mode=None)
received = typer.Typer(rich_markup_mode=None)
category = typer.Typer(rich_markup_mode=None)
optout = typer.Typer(rich_markup_mode=None)
consent = typer.Typer(rich_markup_mode=None)
person = typer.Typer(rich_markup_mode=None)
known = typer.Typer(rich_markup_mode=None)
motor = typer.Typer(rich_markup_mode=None)
webhook = typer.Typer(rich_markup_mode=None)
alert = typer.Typer(rich_markup_mode=None)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback(help=sentence("A WhatsApp messaging gateway on your own machine. Turkish letters are welcome: gönder."))
def everywhere(
    context: typer.Context,
    *,
    data_dir: Annotated[
        Path | None,
        typer.Option("--veri", metavar="KLASÖR", help=sentence("The data folder. May stand anywhere on the line.")),
    ] = None,
    details: Annotated[
        bool, typer.Option("--ayrinti", help=sentence("Show the whole traceback of an error. Anywhere on the line."))
    ] = False,
    version: Annotated[
        bool, typer.Option("--surum", is_eager=True, callback=_show_version, help=sentence("Show the version."))
    ] = False,
) -> None:
    """Take the options that every command has."""
    del version
    terminal = Terminal.of(context)
    terminal.data_dir = data_dir
    terminal.details = details


def _add(group: typer.Typer, names: str, run: object, about: str) -> None:
    group.command(names, cls=Command, help=about)(run)  # type: ignore[type-var]  # every one is a function


_add(app, "baslat, serve", start.start, sentence("Start the server."))
_add(app, "gonder, send", send.send, sentence("Send one message."))
_add(app, "dosya, file", send.send_file, sentence("Send one file."))
_add(app, "toplu, bulk", bulk.bulk, sentence("Send a text to a list of people, from Excel or CSV."))
_add(app, "toplu-duraklat, bulk-pause", bulk.pause, sentence("Stop a bulk until it is resumed."))
_add(app, "toplu-devam, bulk-resume", bulk.resume, sentence("Let a paused bulk go on."))
_add(app, "toplu-iptal, bulk-cancel", bulk.cancel, sentence("Withdraw the rest of a bulk."))
_add(app, "toplu-rapor, bulk-report", reports.report, sentence("Write a bulk's report as Excel or CSV."))
_add(app, "durum, status", messages.status, sentence("Show one message, or everything at a glance."))
app.add_typer(
    received,
    name="gelen, inbox",
    cls=Group,
    callback=inbox.listing,
    invoke_without_command=True,
    help=sentence("List what people wrote to you, newest first; save what they sent."),
)
app.add_typer(
    record,
    name="kayit, log",
    cls=Group,
    callback=messages.listing,
    invoke_without_command=True,
    help=sentence("List the log, newest first; release or cancel records."),
)
app.add_typer(account, name="hesap, account", cls=Group, no_args_is_help=True, help=sentence("The accounts that send."))
app.add_typer(category, name="tur, category", cls=Group, no_args_is_help=True, help=sentence("The kinds of messages."))
app.add_typer(
    optout, name="ret, optout", cls=Group, no_args_is_help=True, help=sentence("The people who want no messages.")
)
app.add_typer(
    consent, name="onay, consent", cls=Group, no_args_is_help=True, help=sentence("Who has agreed to be advertised to.")
)
app.add_typer(
    known,
    name="kisi, person",
    cls=Group,
    no_args_is_help=True,
    help=sentence("What is held of a person you write to, and forgetting one."),
)
app.add_typer(token, name="anahtar, token", cls=Group, no_args_is_help=True, help=sentence("The keys of programs."))
app.add_typer(
    person, name="kullanici, user", cls=Group, no_args_is_help=True, help=sentence("Those who sign in to the panel.")
)
_add(
    app,
    "kurulum-linki, setup-link",
    people.setup_link,
    sentence("Print the one-time link by which the panel is set up."),
)
_add(app, "parola-sifirla, reset-password", people.reset_password, sentence("Set a new password for the panel."))
app.add_typer(
    webhook,
    name="webhook, hook",
    cls=Group,
    no_args_is_help=True,
    help=sentence("The addresses that hear what happened."),
)
app.add_typer(
    alert,
    name="uyari, alert",
    cls=Group,
    callback=alerts.listing,
    invoke_without_command=True,
    help=sentence("Show what is the matter now; try the channels of alerts out."),
)
_add(alert, "dene, test", alerts.try_out, sentence("Send a trial over every channel of alerts."))
_add(
    app, "doktor, doctor", doctor.doctor, sentence("Look whether everything is well, and say how to mend what is not.")
)
_add(app, "denetim, audit", rights.audit, sentence("List who did what, newest first."))
_add(app, "imha, destructions", rights.destructions, sentence("List what was destroyed, newest first."))
app.add_typer(
    motor,
    name="motor, engine",
    cls=Group,
    callback=engine.show,
    invoke_without_command=True,
    help=sentence("Show the engine of linked phones, and how old it is; raise it or take it back."),
)
_add(app, "saha-testi, field-test", field.field, sentence("Try a linked phone for real, with a second phone of yours."))
_add(app, "deneme-graph, test-graph", graph.run, sentence("Run a fake of Meta's server, to try a cloud account."))
_add(app, "yedek, backup", backup.back_up, sentence("Write everything into one file, while the server runs."))
_add(app, "tasi, move", move.move, sentence("Move the data folder's database into a PostgreSQL."))
_add(app, "geri-yukle, restore", backup.restore, sentence("Put a backup back, while no server runs."))
_add(
    app,
    "deneme-sunucusu, test-server",
    whatsapp.run,
    sentence("Run a WhatsApp on this machine, and a phone in this terminal."),
)

_add(received, "dosya, file", inbox.save, sentence("Fetch the file that came with a message, and save it."))

_add(record, "birak, release", messages.release, sentence("Let records go out that a restored backup holds back."))
_add(record, "iptal, cancel", messages.cancel, sentence("Withdraw records that have not left."))

_add(account, "liste, list", accounts.list_all, sentence("List the accounts."))
_add(account, "ekle, add", accounts.add, sentence("Add an account."))
_add(account, "bagla, link", link.link, sentence("Link a phone to an account."))
_add(account, "baglantiyi-kes, unlink", link.unlink, sentence("Unlink the phone from an account; its messages wait."))
_add(account, "saglik, health", link.health, sentence("Look at an account's line this moment."))
_add(account, "okundu, read", link.mark_read, sentence("Let a customer see that their message was read."))
_add(account, "anlasilmayan, unclear", link.unclear, sentence("Show what was told and nobody understood."))
_add(account, "degistir, edit", accounts.change, sentence("Change an account's name, pace or policy."))
_add(account, "sil, remove", accounts.remove, sentence("Remove an account; its log stays."))
_add(account, "varsayilan, default", accounts.make_default, sentence("Make an account the default one."))
_add(account, "hiz, pace", accounts.pace, sentence("Show or choose how fast an account sends."))
_add(account, "duraklat, pause", accounts.pause, sentence("Stop an account's line; its messages wait."))
_add(account, "devam, resume", accounts.resume, sentence("Start a paused account's line again."))

_add(category, "liste, list", categories.list_all, sentence("List the kinds of messages and how each is sent."))
_add(category, "degistir, edit", categories.change, sentence("Define a kind of your own, or change how one is sent."))
_add(category, "sil, remove", categories.drop, sentence("Forget a kind of your own, or what you changed of another."))

_add(optout, "liste, list", optouts.list_all, sentence("List the people who want no messages."))
_add(optout, "ekle, add", optouts.add, sentence("Put somebody on the list of those who want no messages."))
_add(optout, "kaldir, remove", optouts.remove, sentence("End somebody's refusal: a slip, or they want messages again."))
_add(optout, "bakilacak, pending", optouts.list_doubtful, sentence("List messages that sound like a refusal."))
_add(optout, "karar, decide", optouts.decide, sentence("Say what somebody meant whose bulk messages wait."))

_add(consent, "liste, list", consents.list_all, sentence("List the consents, newest first."))
_add(consent, "ekle, add", consents.add, sentence("Record that somebody has agreed to be advertised to."))
_add(consent, "disa-aktar, export", consents.export, sentence("Write all consents as CSV, in İYS's columns."))

_add(known, "goster, show", rights.show, sentence("Show everything that is held of a person."))
_add(known, "sil, erase", rights.erase, sentence("Forget a person: texts, name and number. It can't be undone."))
_add(known, "sakla, hold", rights.hold, sentence("Keep a person's data, because the law wants it."))
_add(known, "birak, release", rights.release, sentence("End a hold."))

_add(person, "liste, list", people.list_all, sentence("List those who sign in to the panel."))
_add(person, "ekle, add", people.add, sentence("Add a person and ask for their password."))
_add(person, "rol, role", people.change_role, sentence("Change what a person may do."))
_add(person, "sil, remove", people.remove, sentence("Let a person sign in no more."))

_add(token, "uret, create", tokens.create, sentence("Make a key for a program and show it, once."))
_add(token, "liste, list", tokens.list_all, sentence("List the keys, without their secrets."))
_add(token, "iptal, revoke", tokens.revoke, sentence("Revoke a key: its program can't send any more."))

_add(motor, "yukselt, raise", engine.raise_it, sentence("Raise the engine alone, within the range that works."))
_add(motor, "geri-al, roll-back", engine.go_back, sentence("Use the engine that Güvercin came with."))
_add(webhook, "ekle, add", webhooks.add, sentence("Add an address and show its secret, once."))
_add(webhook, "liste, list", webhooks.list_all, sentence("List the addresses, without their secrets."))
_add(webhook, "degistir, edit", webhooks.change, sentence("Change an address or what it hears."))
_add(webhook, "dene, test", webhooks.try_out, sentence("Post a trial to an address and show what came back."))
_add(webhook, "bildirimler, deliveries", webhooks.deliveries, sentence("List what an address has heard, newest first."))
_add(
    webhook, "yeniden, replay", webhooks.replay, sentence("Deliver one event once more, or everything since a moment.")
)
_add(webhook, "secret-yenile, renew-secret", webhooks.renew, sentence("Renew an address's secret and show it, once."))
_add(webhook, "kapat, close", webhooks.close, sentence("Deliver nothing more to an address."))
_add(webhook, "ac, open", webhooks.reopen, sentence("Let an address go on where it stopped."))
_add(webhook, "sil, remove", webhooks.remove, sentence("Remove an address."))

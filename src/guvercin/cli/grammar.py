"""How a command line is read and how its help is written: typer's grammar in our two languages.

Laws
1. A command is registered once, under all its names («baslat, serve»); Turkish letters and capitals are forgiven.
2. Help texts are sentences of the catalogue, told when they are shown. Option names are the same in both languages.
3. `--veri` and `--ayrinti` may stand anywhere on the line.
4. No trouble leaves as a traceback unless --ayrinti asks for it.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from typer._click import Context, HelpFormatter, Parameter
from typer._click.core import Command as ClickCommand
from typer._click.exceptions import (
    BadOptionUsage,
    BadParameter,
    MissingParameter,
    NoArgsIsHelpError,
    NoSuchOption,
    UsageError,
)
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from guvercin.cli.terminal import ExitCode, Terminal, Trouble, language
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.folding import fold
from guvercin.locale import CatalogueMissing, Language, Translator, translator
from guvercin.store.lock import DatabaseHeld, DatabaseOwned, ServerTooOld

_NAMES = ", "


class Command(TyperCommand):
    """A command whose help is told in the reader's language."""

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the help of one command."""
        _write_help(self, ctx, formatter)


class Group(TyperGroup):
    """Commands under one word, each under all its names."""

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the help of a group, with a line for each of its commands."""
        _write_help(self, ctx, formatter)
        say = _say(ctx)
        rows = [(names, _about(say, command.help)) for names, command in self.commands.items() if not command.hidden]
        with formatter.section(say("Commands")):
            formatter.write_dl(rows)

    def get_command(self, ctx: Context, cmd_name: str) -> ClickCommand | None:
        """Find a command by any of its names, as people type them: «gönder» is «gonder»."""
        del ctx
        asked = fold(cmd_name)
        found = (command for names, command in self.commands.items() if asked in map(fold, names.split(_NAMES)))
        return next(found, None)

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, ClickCommand | None, list[str]]:
        """Find the command that a line names, or say which ones there are."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            say = _say(ctx)
            own = 0 if say.language is Language.TR else -1
            names = _NAMES.join(names.split(_NAMES)[own] for names in self.commands)
            raise Trouble(
                say("There is no command «{name}».", name=args[0]),
                say("Commands: {names}", names=names),
                code=ExitCode.USAGE,
            )
        return super().resolve_command(ctx, args)


class Program(Group):
    """The whole program: reads the line, runs the command, and tells of trouble."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run one command line and leave with its exit code."""
        del prog_name, standalone_mode
        try:
            terminal = Terminal(say=translator(language(os.environ)))
        except CatalogueMissing as missing:
            print(missing, file=sys.stderr)
            sys.exit(ExitCode.FAILED)
        line = hoist(sys.argv[1:] if args is None else args)
        before = os.umask(0o077)  # what we make holds messages and numbers: it is for its owner alone
        try:
            done = super().main(line, "guvercin", complete_var, False, windows_expand_args, obj=terminal, **extra)
        except NoArgsIsHelpError as error:
            print(error.ctx.get_help())
            done = ExitCode.USAGE
        except Exception as error:  # noqa: BLE001 -- whatever it is, its reader gets words
            if terminal.details:
                traceback.print_exception(error)
            trouble = in_words(terminal.say, error)
            terminal.complain(trouble)
            done = trouble.code
        finally:
            os.umask(before)
        sys.exit(done if isinstance(done, int) else ExitCode.OK)


def hoist(line: Sequence[str]) -> list[str]:
    """Bring the options that may stand anywhere before the command. What follows «--» stays where it is."""
    end = line.index("--") if "--" in line else len(line)
    first: list[str] = []
    rest: list[str] = []
    words = iter(line[:end])
    for word in words:
        if word == "--veri":
            folder = next(words, None)
            if folder is None:
                return [word]  # the parser says what is missing
            first += [word, folder]
        elif word == "--ayrinti" or word.startswith("--veri="):
            first.append(word)
        else:
            rest.append(word)
    return [*first, *rest, *line[end:]]


def in_words(say: Translator, error: Exception) -> Trouble:
    """Answer what a reader is told of an error."""
    match error:
        case Trouble():
            return error
        case UsageError():
            return _misused(say, error)
        case GuvercinError(code=Code.STORE_UNAVAILABLE):
            return _unusable(say, error.__cause__)
        case GuvercinError():
            return _refused(say, error)
        case DatabaseOwned():
            what = say("Another gateway runs on this database, and this one can't join it.")
            remedy = say(
                "Give all of them the same GUVERCIN_SHARED_DIR and the same version, or stop the other one first."
            )
        case DatabaseHeld():
            what = say(
                "The database could not be brought up to date beside the gateways that run. Nothing was changed."
            )
            remedy = say(
                "Start again when nobody reads it for long (a backup, a report), or stop all gateways first and start "
                "this one."
            )
        case ServerTooOld():
            what = say("This PostgreSQL is too old.")
            remedy = say("Use PostgreSQL 15 or newer.")
        case _ if _is_of_the_database(error):
            return _unusable(say, error)
        case PermissionError():
            what = say("This user may not open {file}.", file=str(error.filename))
            remedy = say("Run the command as the user that runs the server, or give that user the folder.")
        case _:
            what = say("Something unexpected happened: {trouble}", trouble=f"{type(error).__name__}: {error}")
            remedy = say("Run the command again with --ayrinti and read the last lines, or ask guvercin doktor.")
    return Trouble(what, remedy)


def _misused(say: Translator, error: UsageError) -> Trouble:
    match error:
        case NoSuchOption():
            what = say("There is no option {name} here.", name=error.option_name)
        case MissingParameter(param=parameter) if parameter is not None:
            what = say("{name} is missing.", name=_written(parameter))
        case BadOptionUsage():
            what = say("The value of {name} can't be read.", name=error.option_name)
        case BadParameter(param=parameter) if parameter is not None:
            what = say("The value of {name} can't be read.", name=_written(parameter))
        case _:
            what = say("The command line can't be understood: {trouble}", trouble=error.format_message())
    path = error.ctx.command_path if error.ctx else "guvercin"
    return Trouble(what, say("See how it is written: {command}", command=f"{path} --help"), code=ExitCode.USAGE)


def _refused(say: Translator, error: GuvercinError) -> Trouble:
    from guvercin.locale.codes import WORDS

    words = WORDS[error.code]
    code = ExitCode.NOT_LINKED if error.code is Code.NO_ACCOUNT else ExitCode.FAILED
    return Trouble(say(words.detail), say(words.todo), code=code)


def _is_of_the_database(error: Exception) -> bool:
    from guvercin.store.sqlite import is_unavailable

    return is_unavailable(error) or _is_of_a_server(error)


def _is_of_a_server(error: BaseException | None) -> bool:
    """Say whether it is PostgreSQL that can't be used. Whoever has no PostgreSQL doesn't load its driver for this."""
    if "psycopg" not in sys.modules or not isinstance(error, Exception):
        return False
    from guvercin.store.postgres import is_unavailable

    return is_unavailable(error)


def _unusable(say: Translator, trouble: BaseException | None) -> Trouble:
    """Answer what is told when the database can't be read or written, in the words of whoever found out."""
    what = say("The database can't be used: {trouble}", trouble=str(getattr(trouble, "orig", trouble)))
    if _is_of_a_server(trouble):
        return Trouble(what, say("Does the server run, and does it let this user in? Look: guvercin doktor"))
    return Trouble(
        what,
        say("Is there room on the disk, is the folder this user's own, is the file whole? Look: guvercin doktor"),
    )


def _written(parameter: Parameter) -> str:
    """Answer how a parameter stands on the line."""
    return str(parameter.metavar or parameter.name) if isinstance(parameter, TyperArgument) else parameter.opts[0]


def _option(option: TyperOption) -> str:
    names = _NAMES.join(option.opts + option.secondary_opts)
    return f"{names} {option.metavar}" if option.metavar else names


def _about(say: Translator, text: str | None) -> str:
    return say(text) if text else ""


def _say(ctx: Context) -> Translator:
    terminal = ctx.find_object(Terminal)
    return terminal.say if terminal else translator(language(os.environ))


def _write_help(command: ClickCommand, ctx: Context, formatter: HelpFormatter) -> None:
    say = _say(ctx)
    shown = {"[OPTIONS]": say("[options]"), "COMMAND [ARGS]...": say("command")}
    pieces = [shown.get(piece, piece.strip("{}")) for piece in command.collect_usage_pieces(ctx)]
    formatter.write_usage(ctx.command_path, " ".join(pieces), prefix=say("Usage: "))
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(_about(say, command.help))
    arguments = [(_written(it), it) for it in command.params if isinstance(it, TyperArgument)]
    options = [(_option(it), it) for it in command.params if isinstance(it, TyperOption)]
    if arguments:
        with formatter.section(say("Arguments")):
            formatter.write_dl([(name, _about(say, it.help)) for name, it in arguments])
    with formatter.section(say("Options")):
        formatter.write_dl(
            [*((name, _about(say, it.help)) for name, it in options), ("--help", say("Show this help."))]
        )

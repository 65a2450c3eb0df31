"""What every command shares: the language, the two streams, and how trouble is told.

Laws
1. Answers go to stdout, everything else to stderr. With --json stdout holds one JSON object and nothing more.
2. Trouble is told in two lines: what happened, and what to do.
3. Plain lines wherever nobody watches: not a terminal, NO_COLOR, TERM=dumb.
"""

import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Any, Self

import typer

from guvercin.locale import Language, Translator

TURKISH_TIME = "%d.%m.%Y %H:%M"


class ExitCode(IntEnum):
    """What a script learns from a command."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_LINKED = 3
    PARTLY = 4
    INTERRUPTED = 130


class Trouble(Exception):  # noqa: N818 -- it is what people are told, not an error class of the code
    """A command can't go on. `what` and `remedy` are said already, in the reader's language.

    `body` is the JSON object that stands for it under --json; without one the two sentences are it.
    """

    def __init__(
        self,
        what: str,
        remedy: str = "",
        *,
        code: ExitCode = ExitCode.FAILED,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.code = code
        self.body: Mapping[str, Any] = body or {"ok": False, "hata": what, "cozum": remedy}


@dataclass(slots=True, kw_only=True)
class Terminal:
    """One run of a command: its reader's language, and what was asked of every command alike."""

    say: Translator
    data_dir: Path | None = None
    details: bool = False
    as_json: bool = False

    @classmethod
    def of(cls, context: typer.Context, *, as_json: bool = False) -> Self:
        """Answer the terminal of a command that is starting."""
        terminal = context.find_object(cls)
        if terminal is None:
            raise LookupError("a command runs in a terminal")
        terminal.as_json = as_json
        return terminal

    def tell(self, text: str = "") -> None:
        """Answer a line. Under --json the answer is the object alone, so nothing is written."""
        if not self.as_json:
            print(harmless(text))

    def note(self, text: str) -> None:
        """Write a line beside the answer."""
        print(harmless(text), file=sys.stderr)

    def show(self, answer: Mapping[str, Any]) -> None:
        """Answer one JSON object; only --json asks for it."""
        import json

        if self.as_json:
            written = json.dumps(answer, ensure_ascii=False, indent=2)
            print(_HARMFUL.sub(lambda found: f"\\u{ord(found[0]):04x}", written))

    def command(self, line: str) -> str:
        """Answer a command as this reader has to type it: with the folder that this run was told of."""
        folder = "" if self.data_dir is None else f" --veri {shlex.quote(str(self.data_dir))}"
        return f"guvercin {line}{folder}"

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Answer rows in columns. Longer than the screen is wide, they wrap: a cut word helps nobody."""
        widths = [max(len(line[column]) for line in (heads, *rows)) for column in range(len(heads))]
        for line in (heads, *rows):
            self.tell("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())

    def ask_first(self, question: str) -> None:
        """Ask before something that can't be taken back; only a yes goes on. Nobody there to ask: it stops."""
        say = self.say
        if not sys.stdin.isatty():
            raise Trouble(
                say("There is nobody to ask here: {question}", question=question), say("Say --evet if it is meant.")
            )
        print(question, say("[y/N]"), end=" ", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in {"e", "evet", "y", "yes"}:
            raise Trouble(say("Not done."))

    def complain(self, trouble: Trouble) -> None:
        """Tell of trouble in two lines, and as an object under --json."""
        say = self.say
        self.show(trouble.body)
        self.note(say("Error: {what}", what=trouble.what))
        if trouble.remedy:
            self.note(say("Remedy: {remedy}", remedy=trouble.remedy))


_HARMFUL = re.compile(r"(?!\x1b\[[0-9;]*m)[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters of both sets, and marks that turn the direction of reading. Colours alone may pass."""


def harmless(text: str) -> str:
    """Answer a text that a terminal only shows: what clients wrote must neither command it nor read backwards."""
    return _HARMFUL.sub("\N{REPLACEMENT CHARACTER}", text)


def language(environ: Mapping[str, str]) -> Language:
    """Answer the language of an environment: English where it asks for that, else Turkish (C and POSIX too)."""
    asked = next(filter(None, map(environ.get, ("GUVERCIN_LANG", "LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return Language.EN if asked.lower().replace("-", "_").partition("_")[0] == "en" else Language.TR


def is_watched(environ: Mapping[str, str] = os.environ) -> bool:
    """Say whether somebody watches who can be shown frames, colours and moving lines."""
    return sys.stdout.isatty() and not environ.get("NO_COLOR") and environ.get("TERM", "dumb") != "dumb"


def clock_time(iso: str | None) -> str:
    """Answer a moment of the wire (ISO 8601) as people write it, or a dash."""
    return datetime.fromisoformat(iso).strftime(TURKISH_TIME) if iso else "–"


def size_in_words(say: Translator, count: int) -> str:
    """Answer an amount of bytes in the unit that suits it."""
    amount, unit = float(count), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    written = f"{amount:.0f}" if unit == "B" else f"{amount:.1f}"
    return f"{written.replace('.', ',') if say.language is Language.TR else written} {unit}"

"""Write the parts of the documents that are read off the code and off the lock: `make docs`.

Between `<!-- generated: NAME -->` and `<!-- end: NAME -->` nobody writes by hand. tests/docs/test_docs.py fails when
such a part no longer says what this script would write.

    python docs/generate.py            write
    python docs/generate.py --check    write nothing; fail and name the documents that are out of date
"""

import re
import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import TypeVar

import typer

from guvercin.api.app import document as openapi_document
from guvercin.api.problems import STATUS
from guvercin.cli import app
from guvercin.core.account import LINE_TRANSITIONS, LineOrder, LineState
from guvercin.core.message import TRANSITIONS, Lane, Order, Status
from guvercin.core.pacing import WARM_AFTER, WARM_UP, WEB_BOUNDS, Caps, Gap
from guvercin.core.presets import PRESETS
from guvercin.locale import Language, translator
from guvercin.locale.codes import SECTIONS

State = TypeVar("State", bound=StrEnum)
Cause = TypeVar("Cause", bound=StrEnum)

ROOT = Path(__file__).resolve().parent.parent

PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>.*?))? \\$", re.MULTILINE)
"""One locked package: its name, its version, and where it is installed (absent: everywhere)."""

READ = {
    "aiohappyeyeballs": "PSF-2.0",
    "aiosignal": "Apache-2.0",
    "apsw": "Zlib",
    "babel": "BSD-3-Clause",
    "beautifulsoup4": "MIT",
    "certifi": "MPL-2.0",
    "charset-normalizer": "MIT",
    "colorama": "BSD-3-Clause",
    "editables": "MIT",
    "et-xmlfile": "MIT",
    "frozenlist": "Apache-2.0",
    "grimp": "BSD-2-Clause",
    "h11": "MIT",
    "holidays": "MIT",
    "httpx": "BSD-3-Clause",
    "httpx2-jsfetch": "BSD-3-Clause",
    "import-linter": "BSD-2-Clause",
    "jinja2": "BSD-3-Clause",
    "jsonschema-rs": "MIT",
    "linkpreview": "MIT",
    "markdown-it-py": "MIT",
    "mdurl": "MIT",
    "neonize": "Apache-2.0",
    "openpyxl": "MIT",
    "pathspec": "MPL-2.0",
    "pluggy": "MIT",
    "propcache": "Apache-2.0",
    "psycopg": "LGPL-3.0-only",
    "psycopg-binary": "LGPL-3.0-only",
    "protobuf": "BSD-3-Clause",
    "pysqlite3": "Zlib",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "python-dotenv": "BSD-3-Clause",
    "python-magic": "MIT",
    "python-magic-bin": "MIT",
    "pyyaml": "MIT",
    "requests": "Apache-2.0",
    "rich": "MIT",
    "segno": "BSD-3-Clause",
    "shellingham": "ISC",
    "six": "MIT",
    "sortedcontainers": "Apache-2.0",
    "soupsieve": "MIT",
    "tqdm": "MPL-2.0 AND MIT",
    "trove-classifiers": "Apache-2.0",
    "tzdata": "Apache-2.0",
    "uvloop": "MIT OR Apache-2.0",
    "yarl": "Apache-2.0",
}
"""Licences that a person read in the package's own licence file, because its metadata names none in SPDX words."""

CARRIES = {
    "aiohappyeyeballs": "code of CPython (PSF-2.0)",
    "aiohttp": "llhttp (MIT)",
    "apsw": "SQLite (public domain)",
    "ast-serialize": "Rust crates, named in its `sboms` folder",
    "babel": "Unicode locale data (Unicode-3.0)",
    "certifi": "Mozilla's list of authorities",
    "cffi": "libffi (MIT)",
    "cryptography": "OpenSSL (Apache-2.0), Rust crates, named in its `sboms` folder",
    "grimp": "Rust crates, named in its `sboms` folder",
    "httptools": "llhttp (MIT), http-parser (MIT)",
    "hypothesis": "Rust crates, named in its `sboms` folder",
    "markdown-it-py": "a port of markdown-it (MIT)",
    "mypy": "typeshed (Apache-2.0, MIT)",
    "neonize": "Go modules, listed below",
    "orjson": "Rust crates, named in its `sboms` folder",
    "pillow": "image libraries, named in its licence file",
    "prometheus-client": "decorator (BSD-2-Clause)",
    "psycopg-binary": "libpq (PostgreSQL), OpenSSL (Apache-2.0), Kerberos, OpenLDAP, Cyrus SASL",
    "pydantic-core": "Rust crates, named in its `sboms` folder",
    "pysqlite3": "SQLite (public domain)",
    "python-magic-bin": "libmagic (BSD-2-Clause)",
    "typer": "click (BSD-3-Clause)",
    "ruff": "Rust crates, named in its `sboms` folder",
    "tzdata": "the IANA time zone database (public domain)",
    "uv": "Rust crates, named in its `sboms` folder",
    "uvloop": "libuv (MIT; the wheel holds no text of it)",
}
"""Other people's work inside a package, as its licence files, notices and parts lists say."""

GO_READ = {
    "filippo.io/edwards25519": "BSD-3-Clause",
    "github.com/beeper/argo-go": "not read: its source could not be had",
    "github.com/coder/websocket": "ISC",
    "github.com/elliotchance/orderedmap/v3": "MIT",
    "github.com/google/uuid": "BSD-3-Clause",
    "github.com/lib/pq": "MIT",
    "github.com/mattn/go-colorable": "MIT",
    "github.com/mattn/go-isatty": "MIT",
    "github.com/mattn/go-sqlite3": "MIT; SQLite (public domain)",
    "github.com/petermattis/goid": "Apache-2.0",
    "github.com/rs/zerolog": "MIT",
    "github.com/vektah/gqlparser/v2": "MIT",
    "go.mau.fi/libsignal": "GPL-3.0",
    "go.mau.fi/util": "MPL-2.0",
    "go.mau.fi/whatsmeow": "MPL-2.0",
    "golang.org/x/crypto": "BSD-3-Clause",
    "golang.org/x/exp": "BSD-3-Clause",
    "golang.org/x/net": "BSD-3-Clause",
    "golang.org/x/sync": "BSD-3-Clause",
    "golang.org/x/sys": "BSD-3-Clause",
    "golang.org/x/text": "BSD-3-Clause",
    "google.golang.org/protobuf": "BSD-3-Clause",
}
"""Licences of the Go modules in the engine's library, read in each module's own licence file."""

GO_MARK = b"\xff Go buildinf:"
"""Go writes these bytes before what it built a library of: 32 bytes of header, the Go version, the modules."""


def state_diagram(table: Mapping[State, Mapping[Cause, State]], orders: type[StrEnum], first: State) -> str:
    """Draw a transition table as a mermaid state diagram. Orders (what we decide) are in capitals."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {first}"]
    for state, moves in table.items():
        causes: dict[State, list[str]] = {}
        for cause, after in moves.items():
            causes.setdefault(after, []).append(cause.upper() if isinstance(cause, orders) else str(cause))
        lines += [f"    {state} --> {after}: {', '.join(names)}" for after, names in causes.items()]
    return "\n".join([*lines, "```"])


def licence(name: str) -> str | None:
    """Answer a package's licence in SPDX words; None if neither its metadata nor a person has said it."""
    if name in READ:
        return READ[name]
    try:
        said = metadata.metadata(name).json.get("license_expression")
    except metadata.PackageNotFoundError:
        return None
    return said if isinstance(said, str) else None


def licence_table(*locks: str, without: tuple[str, ...] = ()) -> str:
    """Answer a table of every package in `locks` that no lock in `without` has: licence, what it carries, where."""

    def pins(lock: str) -> dict[str, re.Match[str]]:
        return {pin["name"]: pin for pin in PIN.finditer((ROOT / lock).read_text(encoding="utf-8"))}

    known = {name for lock in without for name in pins(lock)}
    wanted = {name: pin for lock in locks for name, pin in pins(lock).items() if name not in known}
    rows = ["| package | version | licence | carries | only where |", "|---|---|---|---|---|"]
    for name, pin in sorted(wanted.items()):
        spdx = licence(name)
        if spdx is None:
            sys.exit(f"{name} names no licence in SPDX words: read its licence file, then add it to READ in {__file__}")
        marker = f"`{pin['marker']}`" if pin["marker"] else ""
        rows.append(f"| {name} | {pin['version']} | {spdx} | {CARRIES.get(name, '')} | {marker} |")
    return "\n".join(rows)


def operation_table() -> str:
    """Answer a table of every documented operation: what it asks for, and what it does."""
    rows = ["| operation | scope | what it does |", "|---|---|---|"]
    for path, operations in openapi_document()["paths"].items():
        for method, operation in operations.items():
            scopes = [scope for each in operation.get("security", ()) for names in each.values() for scope in names]
            scope = ", ".join(f"`{scope}`" for scope in scopes) or "none"
            rows.append(f"| `{method.upper()} {path}` | {scope} | {_cell(operation['description'])} |")
    return "\n".join(rows)


def code_table() -> str:
    """Answer a table of every code for each section: its HTTP status, and what is said in both languages."""
    turkish, english = translator(Language.TR), translator(Language.EN)
    parts = []
    for section, codes in SECTIONS.items():
        parts += [f"### {section}", "", "| kod | HTTP | Türkçe | English |", "|---|---|---|---|"]
        for code, words in codes.items():
            said = (f"**{_cell(say(words.title))}.** {_cell(say(words.detail))}" for say in (turkish, english))
            parts.append(f"| `{code}` | {STATUS[code] or '–'} | {' | '.join(said)} |")
        parts.append("")
    return "\n".join(parts).rstrip()


def command_table(group: typer.core.TyperGroup | None = None, before: str = "guvercin") -> str:
    """Answer a table of every command under both of its names, groups first by their own line."""
    rows = [] if group else ["| Türkçe | English | what it does |", "|---|---|---|"]
    parent = group or typer.main.get_command(app)
    if not isinstance(parent, typer.core.TyperGroup):
        raise TypeError("the program is a group of commands")
    for names, command in parent.commands.items():
        turkish, _, english = names.partition(", ")
        rows.append(f"| `{before} {turkish}` | `{english}` | {_cell(command.help or '')} |")
        if isinstance(command, typer.core.TyperGroup):
            rows.append(command_table(command, f"{before} {turkish}"))
    return "\n".join(rows)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def engine_table() -> str | None:
    """Answer a table of the Go modules in the installed engine's library; None where there is no engine."""
    try:
        files = metadata.files("neonize") or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.suffix in {".so", ".dylib", ".dll"}:
            return _module_table(Path(str(file.locate())).read_bytes())
    return None


def _module_table(library: bytes) -> str:
    _, at = _go_string(library, library.index(GO_MARK) + 32)
    modules, _ = _go_string(library, at)
    rows = ["| module | version | licence |", "|---|---|---|"]
    for line in modules[16:-16].decode().splitlines():  # 16 bytes on either side mark the place for debuggers
        kind, _, rest = line.partition("\t")
        if kind == "dep":
            name, version, _ = rest.split("\t")
            if name not in GO_READ:
                sys.exit(f"{name} is new in the engine: read its licence file, then add it to GO_READ in {__file__}")
            rows.append(f"| {name} | {version} | {GO_READ[name]} |")
    return "\n".join(rows)


def _go_string(library: bytes, at: int) -> tuple[bytes, int]:
    """Answer a string that begins with its length (a varint), and where it ends."""
    length = shift = 0
    while True:
        byte = library[at]
        length |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return library[at : at + length], at + length


def _span(gap: Gap) -> str:
    return f"{gap.least.total_seconds():g}–{gap.most.total_seconds():g} s"


def _caps(caps: Caps | None) -> str:
    return "–" if caps is None else f"{caps.all} / {caps.existing} / {caps.new}"


def pace_table() -> str:
    """Write the ready paces beside the floors that nobody can go below."""
    paces = [(pace, pace.rules) for pace in PRESETS.values() if pace.rules is not None]
    bounds = WEB_BOUNDS
    least = {name: f"≥ {floor.total_seconds():g} s" for name, floor in (("known", bounds.known), ("new", bounds.new))}
    gaps = {lane: f"≥ {floor.total_seconds():g} s" for lane, floor in bounds.gaps.items()}
    rows = [
        ("gap, single", [_span(pace.gaps[Lane.SINGLE]) for pace, _ in paces], gaps[Lane.SINGLE]),
        ("gap, bulk to *tanıdık*", [_span(rules.known) for _, rules in paces], least["known"]),
        ("gap, bulk to *mevcut*", [_span(pace.gaps[Lane.BULK]) for pace, _ in paces], gaps[Lane.BULK]),
        ("gap between two *yeni*", [_span(rules.new) for _, rules in paces], least["new"]),
        ("an hour: all / mevcut / yeni", [_caps(rules.hourly) for _, rules in paces], f"≤ {_caps(bounds.hourly)}"),
        ("24 hours: all / mevcut / yeni", [_caps(rules.daily) for _, rules in paces], f"≤ {_caps(bounds.daily)}"),
        ("30 days: yeni", [str(rules.monthly_new) for _, rules in paces], f"≤ {bounds.monthly_new}"),
        (
            "pause",
            [f"{_span(rules.breather)} after each {rules.breather_after} bulk messages" for _, rules in paces],
            "–",
        ),
        (
            "one person: unanswered in 24 hours / 30 days",
            [f"{rules.unanswered_daily} / {rules.unanswered_monthly}" for _, rules in paces],
            "–",
        ),
    ]
    head = ["| rule | " + " | ".join(PRESETS) + " | floor or ceiling |", "|---" * (len(PRESETS) + 2) + "|"]
    table = [*head, *(f"| {rule} | {' | '.join(values)} | {bound} |" for rule, values, bound in rows)]
    stages = [f"| from day {stage.from_day} | {_caps(stage.daily)} |" for stage in WARM_UP]
    warm = [
        "",
        "| warm-up, days with traffic both ways | most in 24 hours: all / mevcut / yeni |",
        "|---|---|",
        *stages,
    ]
    return "\n".join([*table, *warm, f"| from day {WARM_AFTER + 1} | the pace's own |"])


PARTS: dict[str, tuple[str, Callable[[], str | None]]] = {
    "message-states": ("docs/ARCHITECTURE.md", lambda: state_diagram(TRANSITIONS, Order, Status.QUEUED)),
    "line-states": ("docs/ARCHITECTURE.md", lambda: state_diagram(LINE_TRANSITIONS, LineOrder, LineState.STOPPED)),
    "operations": ("docs/API.md", operation_table),
    "codes": ("docs/CODES.md", code_table),
    "commands": ("docs/COMMANDS.md", command_table),
    "pace": ("docs/PACING.md", pace_table),
    "shipped": ("THIRD_PARTY.md", lambda: licence_table("requirements.txt")),
    "web": ("THIRD_PARTY.md", lambda: licence_table("requirements-web.txt", without=("requirements.txt",))),
    "engine": ("THIRD_PARTY.md", engine_table),
    "postgres": (
        "THIRD_PARTY.md",
        lambda: licence_table("requirements-postgres.txt", without=("requirements.txt",)),
    ),
    "tools": (
        "THIRD_PARTY.md",
        lambda: licence_table(
            "requirements-build.txt",
            "requirements-dev.txt",
            without=("requirements.txt", "requirements-web.txt", "requirements-postgres.txt"),
        ),
    ),
}
"""Each generated part: the document that it stands in, and what writes it (None: it can't be known on this machine)."""


def renew(text: str, name: str, part: str) -> str:
    """Answer a document's text with one generated part put in its place."""
    opening, closing = f"<!-- generated: {name} -->\n", f"\n<!-- end: {name} -->"
    before, found_opening, rest = text.partition(opening)
    _, found_closing, after = rest.partition(closing)
    if not (found_opening and found_closing):
        sys.exit(f"a document lost its marks {opening.strip()} and {closing.strip()}")
    return f"{before}{opening}{part}{closing}{after}"


def main(*arguments: str) -> int:
    """Write every document whose generated parts have changed, or with --check name them and answer 1."""
    stale = []
    for document in sorted({document for document, _ in PARTS.values()}):
        path = ROOT / document
        text = path.read_text(encoding="utf-8")
        renewed = text
        for name, (home, write) in PARTS.items():
            if home == document and (part := write()) is not None:
                renewed = renew(renewed, name, part)
        if renewed != text:
            stale.append(document)
            if "--check" not in arguments:
                path.write_text(renewed, encoding="utf-8")
    for document in stale:
        print(f"{document} is out of date: make docs" if "--check" in arguments else f"wrote {document}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

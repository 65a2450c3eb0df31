"""Every sentence has its Turkish, every Turkish its sentence, and both have the same places."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po

import guvercin
from guvercin.core.category import CATEGORIES
from guvercin.core.errors import Code
from guvercin.core.phone import PhoneFault
from guvercin.gateway.sheets import SheetFault
from guvercin.locale import Language, translator
from guvercin.locale.alerts import TEXTS, TROUBLES
from guvercin.locale.codes import SECTIONS, WORDS
from guvercin.locale.faults import FAULTS, FaultWords
from guvercin.locale.terms import (
    CALLS,
    CLOSINGS,
    DELIVERIES,
    HOOK_EVENTS,
    HOOKS,
    INBOUND_KINDS,
    LINES,
    STATUSES,
    URGENCIES,
    WAITS,
)
from guvercin.locale.terms import CATEGORIES as CATEGORY_NAMES
from guvercin.locale.words import Words, places

SOURCE = Path(guvercin.__file__).parent
PO = SOURCE / "locale" / "tr" / "LC_MESSAGES" / "guvercin.po"

KEYWORDS = ("say", "voice", "sentence")
"""The names under which sentences are said: `say("…")`, in templates also `voice("…")`, and `sentence("…")`."""


def used_sentences() -> set[str]:
    """Answer every sentence that the package can say."""
    return {*_in_tables(), *_in_code("*.py", "python"), *_in_code("*.html", "jinja2.ext:babel_extract")}


def _in_tables() -> Iterator[str]:
    yield from SECTIONS
    for table in (
        STATUSES,
        WAITS,
        LINES,
        CATEGORY_NAMES,
        URGENCIES,
        CALLS,
        HOOKS,
        CLOSINGS,
        DELIVERIES,
        INBOUND_KINDS,
        HOOK_EVENTS,
    ):
        yield from table.values()
    for words in WORDS.values():
        yield from _sentences_of(words)
    yield from (each for pair in TROUBLES.values() for each in pair)
    yield from TEXTS
    for fault in FAULTS.values():
        yield from _sentences_of(fault)


def _sentences_of(words: Words | FaultWords) -> Iterator[str]:
    yield from (text for each in fields(words) if (text := getattr(words, each.name)) is not None)


def _in_code(pattern: str, method: str) -> Iterator[str]:
    for file in SOURCE.rglob(pattern):
        with file.open("rb") as source:
            for _, text, _, _ in extract(method, source, keywords=dict.fromkeys(KEYWORDS)):
                yield text if isinstance(text, str) else text[0]


def turkish() -> Catalog:
    with PO.open("rb") as source:
        return read_po(source, locale="tr", abort_invalid=True)


def pairs() -> Mapping[str, str]:
    return {str(message.id): str(message.string) for message in turkish() if message.id}


def test_every_sentence_has_its_turkish_and_none_is_left_over() -> None:
    used, written = used_sentences(), pairs()
    missing = sorted(used - {text for text, tr in written.items() if tr})
    unused = sorted(written.keys() - used)
    assert not missing, f"write the Turkish of these in {PO.name}: {missing}"
    assert not unused, f"nobody says these any more, take them out of {PO.name}: {unused}"


def test_no_sentence_is_written_twice() -> None:
    # Of two, the first alone is ever said, whatever the second says.
    written = [block for block in PO.read_text("utf-8").split("\n\n") if "msgid" in block]
    sentences = [block[block.index("msgid") : block.index("msgstr")] for block in written]
    assert sorted({each for each in sentences if sentences.count(each) > 1}) == []


def test_no_turkish_waits_for_a_second_look() -> None:
    assert not [message.id for message in turkish() if message.id and (message.fuzzy or message.pluralizable)]


def test_both_languages_fill_the_same_places() -> None:
    # Braces of a text that is said without params are its own («{isim}»), and stay the same in both languages too.
    assert {text: tr for text, tr in pairs().items() if places(text) != places(tr)} == {}


def test_both_languages_mark_the_same_code_words() -> None:
    def marked(text: str) -> list[str]:
        return sorted(re.findall(r"`[^`]*`", text))

    assert {text: tr for text, tr in pairs().items() if marked(text) != marked(tr)} == {}


def test_the_turkish_is_turkish() -> None:
    # Words that a Turk would only write without a Turkish keyboard.
    bare = re.compile(r"\b(icin|degil|gonder\w*|mesaji|numarasi|gecersiz|yanlis|uzun degil|lutfen|cok|hic|once)\b")
    slips = {
        text: tr for text, tr in pairs().items() if bare.search(re.sub(r"`[^`]*`|\S*[-_/]\S*|guvercin \w+", "", tr))
    }
    assert slips == {}


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    say = translator(Language.TR)
    stale = {text: say(text) for text, tr in pairs().items() if say(text) != tr}
    assert not stale, f"run `make setup`: the catalogue was not compiled anew; it still says {stale}"


@pytest.mark.parametrize("code", Code)
def test_every_code_is_told_in_full(code: Code) -> None:
    words = WORDS[code]
    for language in Language:
        say = translator(language)
        told = [say(text) for text in _sentences_of(words)]
        assert all(told)
        assert len(say(words.title)) <= 40, "a title is a few words"
        assert say(words.detail)[-1] in ".:"
    if code is not Code.INTERNAL:
        assert len({words.title, words.detail, words.happened, words.todo}) == 4


def test_every_code_stands_in_one_section() -> None:
    placed = [code for codes in SECTIONS.values() for code in codes]
    assert len(placed) == len(set(placed))
    assert set(placed) == set(Code)


def test_titles_tell_codes_apart() -> None:
    for language in Language:
        titles = [translator(language)(words.title) for words in WORDS.values()]
        assert len(titles) == len(set(titles))


def test_category_names_are_those_of_the_core() -> None:
    say = translator(Language.TR)
    assert {id_: say(name) for id_, name in CATEGORY_NAMES.items()} == {
        id_: category.name for id_, category in CATEGORIES.items()
    }


def test_no_code_is_unused() -> None:
    raised = _raised()
    unused = sorted(code.name for code in Code if code.name not in raised)
    assert not unused, f"take these out of core/errors.py, or raise them: {unused}"


def test_every_fault_that_is_raised_has_its_sentence() -> None:
    # Faults are named by literals: FieldFault(where, "x"), faults.add(code, where, "x"), a model's own _fault("x").
    at = {"FieldFault": 1, "add": 2, "_fault": 0, "bad": 1, "_unreadable": 1}
    named = {
        given.value
        for tree in map(_parsed, SOURCE.rglob("*.py"))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (name := getattr(node.func, "id", getattr(node.func, "attr", ""))) in at
        and len(node.args) > at[name]
        and isinstance(given := node.args[at[name]], ast.Constant)
        and isinstance(given.value, str)
    }
    assert {"uzun", "gecmis_zaman"} <= named
    assert named <= {*FAULTS, *Code}
    assert {*PhoneFault, *SheetFault} <= set(FAULTS)


def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _raised() -> set[str]:
    """Answer the names of the codes that the package uses: not their list, their words, keys of tables."""
    their_list = SOURCE / "core" / "errors.py"
    files = [file for file in SOURCE.rglob("*.py") if file != their_list and "locale" not in file.parts]
    found: set[str] = set()
    for file in files:
        tree = _parsed(file)
        keys = {id(key) for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys}
        found |= {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "Code"
            and id(node) not in keys
        }
    return found

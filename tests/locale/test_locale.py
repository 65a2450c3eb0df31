"""How a language is chosen, and how a sentence is said in it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guvercin.core.errors import FieldFault
from guvercin.locale import CatalogueMissing, Language, choose_language, read_translator, translator, weights
from guvercin.locale.faults import fault_sentence
from guvercin.locale.words import places, told


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, Language.TR),
        ("", Language.TR),
        ("tr", Language.TR),
        ("en", Language.EN),
        ("EN-us", Language.EN),
        ("tr-TR,tr;q=0.9,en-US;q=0.8,en;q=0.7", Language.TR),
        ("en-US,en;q=0.9,tr;q=0.8", Language.EN),
        ("en;q=0.1, tr;q=0.2", Language.TR),
        ("en, tr", Language.EN),
        ("de, en;q=0.3", Language.EN),
        ("de", Language.TR),
        ("*", Language.TR),
        ("tr;q=0, *", Language.EN),
        ("en;q=0", Language.TR),
        ("de, *;q=0.5", Language.TR),
        ("en;q=lots", Language.TR),
        ("en;q=1.1", Language.TR),
        ("en;q=nan, tr;q=0.1", Language.TR),
        (" en ; q=0.5 , tr ; q=0.4 ", Language.EN),
        ("english", Language.TR),
        (",;,;q=1", Language.TR),
    ],
)
def test_the_reader_s_wish_is_heard(header: str | None, language: Language) -> None:
    assert choose_language(header) is language


@given(st.text(max_size=200))
def test_any_header_chooses_a_language(header: str) -> None:
    assert choose_language(header) in Language
    assert all(0 <= weight <= 1 for weight in weights(header).values())


def test_weights_are_those_of_the_header() -> None:
    assert weights("Text/HTML;level=1;q=0.5, */*;q=0, a;q=2") == {"text/html": 0.5, "*/*": 0.0}


def test_a_sentence_is_said_in_both_languages() -> None:
    text = "The message is too long: the limit is {limit} letters."
    assert translator(Language.EN)(text, limit=4096) == "The message is too long: the limit is 4,096 letters."
    assert translator(Language.TR)(text, limit=4096) == "Mesaj çok uzun: sınır 4.096 harf."
    assert translator(Language.TR)(text, limit="4096") == "Mesaj çok uzun: sınır 4096 harf."


def test_braces_that_belong_to_a_text_stay() -> None:
    assert translator(Language.TR)("Alıcı listesi [{telefon, isim}]") == "Alıcı listesi [{telefon, isim}]"


def test_what_fills_a_place_is_never_read_as_one() -> None:
    assert translator(Language.EN)("{fields}", fields="{id} {0} {x.y}") == "{id} {0} {x.y}"


def test_an_empty_text_stays_empty() -> None:
    assert translator(Language.TR)("") == ""


def test_a_translator_is_made_once() -> None:
    assert translator(Language.TR) is translator(Language.TR)


def test_a_missing_catalogue_says_so_in_both_languages(tmp_path: Path) -> None:
    with pytest.raises(CatalogueMissing) as caught:
        read_translator(Language.TR, tmp_path)
    assert "make setup" in str(caught.value)
    assert "derlenmemiş" in str(caught.value)
    assert "is not compiled" in str(caught.value)
    assert str(tmp_path.parent) not in str(caught.value)
    assert read_translator(Language.EN, tmp_path)("Sent") == "Sent"


def test_the_better_sentence_is_told_when_all_its_places_can_be_filled() -> None:
    say = translator(Language.EN)
    assert told(say, "plain", "{a} of {b}", {"a": 1}) == "plain"
    assert told(say, "plain", "{a} of {b}", {"a": 1, "b": 2, "c": 3}) == "1 of 2"
    assert told(say, "plain", None, {"a": 1}) == "plain"
    assert places("{a} of {b}") == {"a", "b"}


def test_a_fault_may_go_by_a_code_and_an_unknown_one_still_has_words() -> None:
    say = translator(Language.EN)
    assert fault_sentence(say, FieldFault("file_path", "dosya_acilamadi")) == "The file can't be opened."
    assert fault_sentence(say, FieldFault("x", "nobody_knows")) == "The value is not valid."

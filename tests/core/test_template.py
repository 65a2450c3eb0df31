"""One text, many people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guvercin.core.template import BrokenTemplate, known_values, read_template


@pytest.mark.parametrize(
    ("text", "values", "filled"),
    [
        ("Sayın {isim}, borcunuz {tutar} TL.", {"isim": "Ayşe", "tutar": "150"}, "Sayın Ayşe, borcunuz 150 TL."),
        ("Sayın {isim|müşterimiz}", {}, "Sayın müşterimiz"),
        ("Sayın {isim|}!", {}, "Sayın !"),
        ("{ İSİM | dostum }", {"isim": "Ali"}, "Ali"),
        ("{Tutar TL}", {"TUTAR_TL": "1.234,56"}, "1.234,56"),
        ("{ÇIKIŞ}", {"cikis": "14.30"}, "14.30"),
        ("{{isim}} {isim}", {"isim": "Can"}, "{isim} Can"),
        ("{isim}", {"isim": "{tutar}", "tutar": "5"}, "{tutar}"),
        ("{isim|yok}", {"isim": "   "}, "yok"),
        ("düz metin", {}, "düz metin"),
        ("", {}, ""),
    ],
)
def test_fills_every_place(text: str, values: dict[str, str], filled: str) -> None:
    template, known = read_template(text), known_values(values)
    assert template.missing(known) is None
    assert template.fill(known) == filled


@pytest.mark.parametrize(
    ("text", "fault", "at"),
    [
        ("Sayın {isim", "acik_ayrac", 7),
        ("isim}", "acik_ayrac", 5),
        ("a {} b", "adsiz_yer", 3),
        ("{|x}", "adsiz_yer", 1),
    ],
)
def test_says_what_is_broken_and_where(text: str, fault: str, at: int) -> None:
    with pytest.raises(BrokenTemplate) as broken:
        read_template(text)
    assert (broken.value.fault, broken.value.at) == (fault, at)


def test_names_the_place_that_nothing_fills() -> None:
    template = read_template("{isim} {tutar|0} {vade tarihi}")
    missing = template.missing(known_values({"isim": "Ayşe"}))
    assert missing is not None
    assert missing.name == "vade tarihi"


@given(st.text())
def test_braces_written_twice_are_braces(text: str) -> None:
    escaped = text.replace("{", "{{").replace("}", "}}")
    assert read_template(escaped).fill({}) == text


@given(st.text(), st.text(min_size=1).filter(str.strip))
def test_what_fills_a_place_is_not_read_again(before: str, value: str) -> None:
    escaped = before.replace("{", "{{").replace("}", "}}")
    assert read_template(escaped + "{x}").fill(known_values({"x": value})) == before + value.strip()

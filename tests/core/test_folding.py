"""Words that a Turkish reader takes for the same."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from guvercin.core.folding import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("İPTAL", "iptal"),
        ("IPTAL", "iptal"),
        ("iptal", "iptal"),
        ("ıptal", "iptal"),
        ("i\u0307ptal", "iptal"),
        ("I\u0307PTAL", "iptal"),
        ("Dur!", "dur"),
        ("ÇIKIŞ", "cikis"),
        ("çıkış", "cikis"),
        ("c\u0327ıkıs\u0327", "cikis"),
        ("SIPARIS", "siparis"),
        ("sipariş", "siparis"),
        ("SİPARİŞ", "siparis"),
        ("Sipariş durumu", "siparis durumu"),
        ("  Bakiye / borç\thatırlatma… ", "bakiye borc hatirlatma"),
        ("Şükrü Ağa, ÖĞÜTÇÜ", "sukru aga ogutcu"),
        ("LÂLE, hâlâ, KÂĞIT, îmâ, ÎMÂ, sükûn, SÜKÛN", "lale hala kagit ima ima sukun sukun"),
        ("tür 10", "tur 10"),
        ("i\u0307\u0302ma", "ima"),
        ("Émile", "émile"),
        ("Żaba", "żaba"),
        ("Straße", "straße"),
        ("?!…", ""),
        ("", ""),
    ],
)
def test_folds(text: str, folded: str) -> None:
    assert fold(text) == folded


def turkish_upper(text: str) -> str:
    return text.replace("i", "İ").replace("ı", "I").upper()


def turkish_lower(text: str) -> str:
    return text.replace("İ", "i").replace("I", "ı").lower()


turkish = st.text(alphabet="abcçdefgğhıijklmnoöprsştuüvyzâîûABCÇDEFGĞHIİJKLMNOÖPRSŞTUÜVYZÂÎÛ 0123456789.,!-")


@given(st.text())
@example("ΑΣ'Α")
@example("i\u0323\u0307")
def test_the_fold_of_a_fold_is_itself(text: str) -> None:
    once = fold(text)
    assert fold(once) == once
    assert once == " ".join(once.split())


@given(turkish)
def test_case_never_parts_a_turkish_word(text: str) -> None:
    folded = fold(text)
    assert folded.isascii()
    assert fold(turkish_upper(text)) == folded
    assert fold(turkish_lower(text)) == folded
    # and what software without Turkish makes of it
    assert fold(text.upper()) == folded
    assert fold(text.lower()) == folded


@given(st.text() | turkish)
@example("İ")
@example("i\u0307")
@example("ż")
@example("i\u0323\u0307")
def test_composed_and_decomposed_meet(text: str) -> None:
    folded = fold(text)
    assert fold(unicodedata.normalize("NFD", text)) == folded
    assert fold(unicodedata.normalize("NFC", text)) == folded

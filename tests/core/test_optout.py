"""What customers write when they refuse, and what a refusal covers."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guvercin.core.category import CATEGORIES
from guvercin.core.optout import DEBTS, NOTICES, STARTS, STOPS, OptOutScope, Verdict, Wish, verdict, wish_of

STOP_WORDS = ("RET", "DUR", "IPTAL", "İPTAL", "ÇIK", "ÇIKIŞ", "STOP", "mesaj istemiyorum")


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        *((word, Wish.STOP) for word in STOP_WORDS),
        ("Dur!", Wish.STOP),
        (" ret. ", Wish.STOP),
        ("çıkış", Wish.STOP),
        ("Cikis", Wish.STOP),
        ("i\u0307ptal", Wish.STOP),
        ("MESAJ İSTEMİYORUM!!!", Wish.STOP),
        ("\u200eDUR\u200f", Wish.STOP),
        ("D\u200bUR", Wish.STOP),
        ("🛑 DUR 🛑", Wish.STOP),
        ("ＤＵＲ", Wish.STOP),
        ("BAŞLA", Wish.START),
        ("basla.", Wish.START),
        ("YANLIŞ NUMARA", Wish.WRONG_NUMBER),
        ("yanlis numara!", Wish.WRONG_NUMBER),
        ("numara yanlış", Wish.WRONG_NUMBER),
        ("Bir daha mesaj atmayın", Wish.DOUBTFUL),
        ("lütfen artık bana mesaj göndermeyin", Wish.DOUBTFUL),
        ("Mesaj almak istemiyorum artık sizden", Wish.DOUBTFUL),
        ("beni listeden çıkarın", Wish.DOUBTFUL),
        ("Numaramı sistemden silin", Wish.DOUBTFUL),
        ("Rahatsız etmeyin", Wish.DOUBTFUL),
        ("dur artık", Wish.DOUBTFUL),
        ("RED", Wish.DOUBTFUL),
        ("Sanırım yanlış numara yazdınız", Wish.DOUBTFUL),
        ("sizi şikayet edeceğim", Wish.DOUBTFUL),
        ("Randevumu iptal eder misiniz?", None),
        ("siparişi iptal ettim sonra vazgeçtim", None),
        ("Ne durumda acaba?", None),
        ("Durmuş Bey geldi mi", None),
        ("Teşekkürler, aldım", None),
        ("Fatura ulaştı 👍", None),
        ("Mesajınızı aldım, yarın öderim", None),
        ("", None),
        ("?!", None),
        ("DUR " * 400, None),
    ],
)
def test_a_message_is_read_whole_by_its_fold(text: str, wish: Wish | None) -> None:
    assert wish_of(text) is wish


@st.composite
def disguised(draw: st.DrawFn) -> str:
    """Write a word of refusal as people do: in any case, composed or not, among signs."""
    word = draw(st.sampled_from(STOP_WORDS))
    letters = "".join(draw(st.sampled_from([letter, letter.upper(), letter.lower()])) for letter in word)
    signs = st.text(alphabet=" \t\n.,;:!?…-_*\"'()🛑\u200b\u200e\ufeff", max_size=6)
    composed = unicodedata.normalize("NFC", letters)
    return draw(signs) + draw(st.sampled_from([composed, unicodedata.normalize("NFD", composed)])) + draw(signs)


@given(disguised())
def test_a_refusal_is_heard_however_it_is_written(text: str) -> None:
    assert wish_of(text) is Wish.STOP, repr(text)


@given(st.text(max_size=1_200))
def test_no_text_is_too_strange_to_be_read(text: str) -> None:
    assert wish_of(text) in {None, *Wish}


@given(st.text(alphabet="abcçdefgğhıijklmnoöprsştuüvyz ", min_size=30, max_size=200))
def test_a_long_message_is_no_bare_word(text: str) -> None:
    assert wish_of(text) not in {Wish.STOP, Wish.START} or len(text.split()) <= 2


def test_no_word_means_two_things() -> None:
    assert not STOPS & STARTS


# -- what is covered


def covered(scope: OptOutScope, *, is_direct: bool, keeps_notices: bool = False) -> dict[int, Verdict]:
    """Answer what a refusal does to each category."""
    found = {
        id_: verdict(scope, id_, is_commercial=each.is_commercial, is_direct=is_direct, keeps_notices=keeps_notices)
        for id_, each in [*CATEGORIES.items(), (11, CATEGORIES[10]), (12, CATEGORIES[9])]
    }
    return {id_: each for id_, each in found.items() if each is not None}


EVERY = {*CATEGORIES, 11, 12}


@pytest.mark.parametrize("is_direct", [True, False])
def test_who_wants_nothing_gets_nothing(*, is_direct: bool) -> None:
    assert covered(OptOutScope.EVERYTHING, is_direct=is_direct) == dict.fromkeys(EVERY, Verdict.STOPS)


def test_notices_go_on_one_by_one_where_their_owner_wants_it() -> None:
    assert covered(OptOutScope.EVERYTHING, is_direct=True, keeps_notices=True).keys() == EVERY - {1, 3, 4, 6, 8}
    assert covered(OptOutScope.EVERYTHING, is_direct=False, keeps_notices=True).keys() == EVERY
    assert {1, 3, 4, 6, 8} == NOTICES


@pytest.mark.parametrize("is_direct", [True, False])
@pytest.mark.parametrize("keeps_notices", [True, False])
def test_a_smaller_refusal_covers_its_own(*, is_direct: bool, keeps_notices: bool) -> None:
    commercial = covered(OptOutScope.COMMERCIAL, is_direct=is_direct, keeps_notices=keeps_notices)
    assert commercial == {9: Verdict.STOPS, 12: Verdict.STOPS}
    wrong = covered(OptOutScope.WRONG_NUMBER, is_direct=is_direct, keeps_notices=keeps_notices)
    assert wrong == dict.fromkeys(DEBTS, Verdict.STOPS)


def test_a_doubt_holds_bulk_and_nothing_else() -> None:
    assert covered(OptOutScope.DOUBTFUL, is_direct=True) == {}
    assert covered(OptOutScope.DOUBTFUL, is_direct=False) == dict.fromkeys(EVERY, Verdict.HOLDS)

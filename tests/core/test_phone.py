"""Phone numbers as people write them: the table, then what must hold for every text."""

import re
import string
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from guvercin.core.errors import Code
from guvercin.core.phone import (
    InvalidPhone,
    Phone,
    PhoneFault,
    PhoneKind,
    is_sandbox_number,
    mask,
    parse_phone,
)

NUMBER = "+905321234567"
E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def fault_of(typed: Any) -> PhoneFault:
    with pytest.raises(InvalidPhone) as caught:
        parse_phone(typed)
    return caught.value.fault


@pytest.mark.parametrize(
    "typed",
    [
        "+905321234567",
        "905321234567",
        "05321234567",
        "5321234567",
        "0 (532) 123 45 67",
        "(0532) 123 45 67",
        "0090 532 123 45 67",
        "0090 0532 123 45 67",
        "+90 0532 123 45 67",
        "+90 (0) 532 123 45 67",
        "90 0532 123 45 67",
        "0532.123.45.67",
        "0532/1234567",
        "0532/123/45/67",
        "0532-123-45-67",
        "0532 – 123 — 45 ‑ 67",
        "532−1234567",
        "0532\u00a0123\u00a045\u00a067",
        "0532\u202f123\u20094567",
        "\u200e+90 532 123 45 67\u200e",
        "\u202a+905321234567\u202c",
        "\ufeff05321234567",
        "0532\u00ad1234567",
        "０５３２１２３４５６７",
        "＋９０５３２１２３４５６７",
        "٠٥٣٢١٢٣٤٥٦٧",
        "۰۵۳۲ ۱۲۳ ۴۵ ۶۷",
        "tel:+905321234567",
        "TEL: 0532 123 45 67",
        "'05321234567",
        '="05321234567"',
        "  05321234567\t",
        "05321234567\r\n",
        905321234567,
        5321234567,
    ],
)
def test_every_way_to_write_a_mobile_number_reads_the_same(typed: str | int) -> None:
    assert parse_phone(typed) == Phone(e164=NUMBER, kind=PhoneKind.MOBILE, warning=None)


@pytest.mark.parametrize(
    ("typed", "e164", "kind", "warning"),
    [
        ("02121234567", "+902121234567", PhoneKind.LANDLINE, Code.NOT_MOBILE),
        ("+90 (0212) 123 45 67", "+902121234567", PhoneKind.LANDLINE, Code.NOT_MOBILE),
        ("0212 444 03 33", "+902124440333", PhoneKind.LANDLINE, Code.NOT_MOBILE),
        ("902121234567", "+902121234567", PhoneKind.LANDLINE, Code.NOT_MOBILE),
        ("0850 123 45 67", "+908501234567", PhoneKind.VOIP, Code.NOT_MOBILE),
        ("0800 123 45 67", "+908001234567", PhoneKind.LANDLINE, Code.NOT_MOBILE),
        # northern Cyprus lives under +90
        ("0533 812 34 56", "+905338123456", PhoneKind.MOBILE, None),
        ("0392 123 45 67", "+903921234567", PhoneKind.LANDLINE, Code.NOT_MOBILE),
        # prefixes that the library doesn't list
        ("0522 123 45 67", "+905221234567", PhoneKind.MOBILE, Code.UNLISTED_PREFIX),
        ("0561 123 45 67", "+905611234567", PhoneKind.MOBILE, Code.UNLISTED_PREFIX),
        ("0570 123 45 67", "+905701234567", PhoneKind.MOBILE, Code.UNLISTED_PREFIX),
        ("0592 123 45 67", "+905921234567", PhoneKind.MOBILE, Code.UNLISTED_PREFIX),
        # other countries
        ("+49 151 12345678", "+4915112345678", PhoneKind.FOREIGN, None),
        ("+49 (0)151 12345678", "+4915112345678", PhoneKind.FOREIGN, None),
        ("0049 151 12345678", "+4915112345678", PhoneKind.FOREIGN, None),
        ("00994 50 123 45 67", "+994501234567", PhoneKind.FOREIGN, None),
        ("4915112345678", "+4915112345678", PhoneKind.FOREIGN, None),
        (4915112345678, "+4915112345678", PhoneKind.FOREIGN, None),
        ("+39 06 12345678", "+390612345678", PhoneKind.FOREIGN, None),
        ("+505 8123 4567", "+50581234567", PhoneKind.FOREIGN, None),
    ],
)
def test_numbers_that_are_no_listed_turkish_mobile_are_read_for_what_they_are(
    typed: str | int,
    e164: str,
    kind: PhoneKind,
    warning: Code | None,
) -> None:
    assert parse_phone(typed) == Phone(e164=e164, kind=kind, warning=warning)


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("", PhoneFault.EMPTY),
        (" \t\u200e", PhoneFault.EMPTY),
        ('=""', PhoneFault.EMPTY),
        ("-", PhoneFault.EMPTY),
        ("0532 123 45 67 dahili 5", PhoneFault.LETTERS),
        ("O532 123 45 67", PhoneFault.LETTERS),
        ("Tel. 0532 123 45 67", PhoneFault.LETTERS),
        ("yok", PhoneFault.LETTERS),
        ("+905321234567;05331234567", PhoneFault.SEVERAL),
        ("05321234567, 05331234567", PhoneFault.SEVERAL),
        ("05321234567|05331234567", PhoneFault.SEVERAL),
        ("05321234567 / 05331234567", PhoneFault.SEVERAL),
        ("0532/1234567/05331234567", PhoneFault.SEVERAL),
        ("9.05321E+11", PhoneFault.SCIENTIFIC),
        ("9,05321E+11", PhoneFault.SCIENTIFIC),
        ("9e11", PhoneFault.SCIENTIFIC),
        ("444 0 333", PhoneFault.SERVICE_NUMBER),
        ("+90 444 0 333", PhoneFault.SERVICE_NUMBER),
        ("0444 0 333", PhoneFault.SERVICE_NUMBER),
        ("+90532123456", PhoneFault.TOO_SHORT),
        ("+90 0532 123 45 6", PhoneFault.TOO_SHORT),
        ("0532 123 45 6", PhoneFault.TOO_SHORT),
        ("9053212345", PhoneFault.TOO_SHORT),
        ("112", PhoneFault.TOO_SHORT),
        ("0", PhoneFault.TOO_SHORT),
        ("+90 5", PhoneFault.TOO_SHORT),
        ("+90", PhoneFault.TOO_SHORT),
        ("+49 15", PhoneFault.TOO_SHORT),
        ("53212345678", PhoneFault.TOO_LONG),
        ("0532 123 45 678", PhoneFault.TOO_LONG),
        ("+9053212345678", PhoneFault.TOO_LONG),
        ("05321234567 05331234567", PhoneFault.TOO_LONG),
        ("+1 212 555 0100 1", PhoneFault.TOO_LONG),
        ("+90" + "5" * 90, PhoneFault.TOO_LONG),
        ("05321234567" + " " * 90, PhoneFault.TOO_LONG),
        # one digit too many would be a valid number of Nicaragua, a forgotten 0 one of Austria
        ("50581234567", PhoneFault.TOO_LONG),
        ("4322123456", PhoneFault.INVALID),
        # valid in Germany's plan, longer than E.164
        ("+49891642873569599", PhoneFault.TOO_LONG),
        ("0999 123 45 67", PhoneFault.INVALID),
        ("+", PhoneFault.INVALID),
        ("*#06#", PhoneFault.INVALID),
        ("0532 123 45 67 ☎", PhoneFault.INVALID),
        ("+999 123 45 67", PhoneFault.INVALID),
        ("0532 123 45 67\x00", PhoneFault.INVALID),
        # floats: in the last one a digit is missing, and without its dot it would be somebody's number
        ("905321234567.0", PhoneFault.NOT_TEXT),
        ("5321234567.00", PhoneFault.NOT_TEXT),
        ("532123456.0", PhoneFault.NOT_TEXT),
        (905321234567.0, PhoneFault.NOT_TEXT),
        (True, PhoneFault.NOT_TEXT),
        (None, PhoneFault.NOT_TEXT),
        (["05321234567"], PhoneFault.NOT_TEXT),
        (532123456, PhoneFault.TOO_SHORT),
        (0, PhoneFault.TOO_SHORT),
        (10**15, PhoneFault.TOO_LONG),
        (53212345678, PhoneFault.TOO_LONG),
        (-905321234567, PhoneFault.INVALID),
    ],
)
def test_what_is_not_one_number_is_refused_with_its_own_fault(typed: Any, fault: PhoneFault) -> None:
    assert fault_of(typed) is fault


def test_a_huge_integer_is_too_long() -> None:
    assert fault_of(10**5000) is PhoneFault.TOO_LONG


def test_an_error_does_not_repeat_the_number() -> None:
    with pytest.raises(InvalidPhone) as caught:
        parse_phone("0532 123 45 678")
    assert str(caught.value) == "fazla_hane"


def test_magic_numbers_read_without_a_warning() -> None:
    for last in range(100):
        number = f"+9050000000{last:02d}"
        assert parse_phone(number) == Phone(e164=number, kind=PhoneKind.MOBILE)
        assert is_sandbox_number(number)


@pytest.mark.parametrize("text", [NUMBER, "+905000000100", "+90500000000", "+9050000000001", "905000000001", ""])
def test_other_numbers_are_not_magic(text: str) -> None:
    assert not is_sandbox_number(text)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (NUMBER, "+90532***4567"),
        ("+4915112345678", "+49151***5678"),
        ("+4712345678", "+47***78"),
        ("+2901234", "+29***34"),
        ("0532 123 45 67 Ayşe", "***"),
        ("05321234567", "***"),
        ("+905321234567\n", "***"),
        ("", "***"),
    ],
)
def test_masks(text: str, masked: str) -> None:
    assert mask(text) == masked


@given(st.from_regex(E164, fullmatch=True, alphabet=string.digits + "+"))
def test_a_mask_hides_at_least_three_digits(number: str) -> None:
    shown = len(mask(number)) - len("***")
    assert len(number) - shown >= 3


@given(st.text())
def test_a_mask_shows_nothing_of_a_text_that_is_no_number(text: str) -> None:
    assert mask(f"x{text}") == "***"


phone_like = st.text(alphabet=string.digits * 3 + " +()-./,;'=\"Ee\u00a0\u200e٣３")
typed_texts = st.text() | phone_like | st.from_regex(r"(\+|00)?[0-9]{5,16}", fullmatch=True)


@given(typed_texts | st.integers())
@example("+9001234567890123456")
@example("\ud800")
def test_any_text_is_read_or_refused_and_a_read_number_reads_as_itself(typed: str | int) -> None:
    try:
        phone = parse_phone(typed)
    except InvalidPhone:
        return
    assert E164.fullmatch(phone.e164)
    assert parse_phone(phone.e164) == phone


# A country's own shapes: random digits are hardly ever valid, so the country code and the first digits are given.
foreign = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(
            ["+1212", "+4420", "+44790", "+49", "+4366", "+31", "+336", "+390", "+7495", "+79", "+54", "+521"]
        ),
        st.text(alphabet=string.digits, min_size=6, max_size=12),
    ),
)


@given(foreign)
def test_a_foreign_number_reads_as_itself(number: str) -> None:
    try:
        phone = parse_phone(number)
    except InvalidPhone:
        return
    assert phone.kind is PhoneKind.FOREIGN
    assert parse_phone(phone.e164) == phone
    assert parse_phone(f"00{phone.e164[1:]}") == phone


DIGIT_SETS = ["0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "０１２３４５６７８９", "०१२३४५६७८९"]
SEPARATORS = ["", " ", "-", ".", "/", "\u00a0", "\u2009", "–", " - ", "\t"]
INVISIBLE = ["", "\u200e", "\u200f", "\u202a", "\u2069", "\ufeff", "\u00ad"]
WRAPPINGS = ["{}", " {} ", "'{}", '="{}"', "tel:{}", "Tel: {}", "{}\r\n", "\u202a{}\u202c"]


@st.composite
def decorated_mobiles(draw: st.DrawFn) -> tuple[str, str]:
    """A mobile number in E.164, and one of the ways to write it."""
    national = "5" + draw(st.text(alphabet=string.digits, min_size=9, max_size=9))
    code = draw(st.sampled_from(["", "0", "90", "+90", "0090", "900", "+900", "00900"]))
    opening, closing = draw(st.sampled_from([("", ""), ("(", ")")]))
    groups = [f"{opening}{national[:3]}{closing}", national[3:6], national[6:8], national[8:]]
    written = draw(st.sampled_from(SEPARATORS)).join([code, *groups] if code else groups)
    written = written.translate(str.maketrans("0123456789", draw(st.sampled_from(DIGIT_SETS))))
    cut = draw(st.integers(0, len(written)))
    written = written[:cut] + draw(st.sampled_from(INVISIBLE)) + written[cut:]
    return f"+90{national}", draw(st.sampled_from(WRAPPINGS)).format(written)


@given(decorated_mobiles())
def test_every_decoration_of_a_mobile_number_gives_the_same_e164(pair: tuple[str, str]) -> None:
    e164, written = pair
    phone = parse_phone(written)
    assert phone.e164 == e164
    assert phone.kind is PhoneKind.MOBILE
    assert phone.warning in {None, Code.UNLISTED_PREFIX}


@given(decorated_mobiles(), st.sampled_from([";", ",", "|", " / "]), decorated_mobiles())
def test_two_numbers_are_never_read_as_one(first: tuple[str, str], between: str, second: tuple[str, str]) -> None:
    assert fault_of(first[1] + between + second[1]) in {PhoneFault.SEVERAL, PhoneFault.LETTERS, PhoneFault.TOO_LONG}


@given(st.text(alphabet=string.digits, min_size=9, max_size=9), st.text(alphabet=string.digits, min_size=1, max_size=5))
def test_a_digit_too_many_or_too_few_never_reaches_a_stranger(rest: str, extra: str) -> None:
    assert fault_of(f"5{rest}{extra}") is PhoneFault.TOO_LONG
    assert fault_of(f"05{rest}{extra}") is PhoneFault.TOO_LONG
    assert fault_of(f"5{rest[:-1]}") is PhoneFault.TOO_SHORT
    assert fault_of(f"05{rest[:-1]}") is PhoneFault.TOO_SHORT

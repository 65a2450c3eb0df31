"""Read a phone number in every way that people in Turkey write one, and answer it in one form: E.164.

The library (Google's libphonenumber) is lenient: it reads the digits of «dahili 5» as part of the number and takes the
first of two. So our own strict reading comes first, and the library is asked only what it knows better.

Laws
1. Never guess at a stranger: what could be two numbers, a cut one or a foreign one is refused with its own fault.
2. Reading is idempotent: the E.164 of a read number reads as itself.
3. National forms are Turkish. A foreign number carries its country code: with +, with 00, or bare from 11 digits on
   (JSON integers and spreadsheets lose the +), save those that begin like a Turkish mobile.
4. The library's list of mobile prefixes lags behind new ones: `+905` and nine digits is read, with a warning at worst.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult

from guvercin.core.errors import Code

_TURKEY = 90

_LONGEST = 100
"""Letters. No decorated number is longer; it bounds the work on one text, and what the cache can hold."""

_CACHED = 4096
"""Numbers. A shop writes to the same few thousand people; full of typical texts it stays near a megabyte."""


class PhoneFault(StrEnum):
    """What is wrong with a text that should be a phone number: the field's own code on the wire."""

    EMPTY = "bos"
    NOT_TEXT = "yazi_degil"
    """Neither text nor an integer, or the text of a float («5321234567.0»): digits may have been changed."""
    SEVERAL = "birden_cok_numara"
    SCIENTIFIC = "bilimsel_gosterim"
    """A spreadsheet's «9,05321E+11»: its last digits are lost."""
    LETTERS = "harf_var"
    TOO_SHORT = "eksik_hane"
    TOO_LONG = "fazla_hane"
    SERVICE_NUMBER = "servis_numarasi"
    """A 444 number: it answers calls inside Turkey and has no WhatsApp."""
    INVALID = "gecersiz"


class PhoneKind(StrEnum):
    """What a number is. WhatsApp can live on any of them."""

    MOBILE = "mobil"
    LANDLINE = "sabit"
    VOIP = "voip"
    FOREIGN = "yabanci"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A number that was read.

    `warning` is UNLISTED_PREFIX for a mobile prefix that the library doesn't know, NOT_MOBILE for a Turkish number that
    is none, else null.
    """

    e164: str
    kind: PhoneKind
    warning: Code | None = None


class InvalidPhone(ValueError):  # noqa: N818 -- a word of the domain
    """A text that can't be read as one phone number. It carries the fault and, for the logs' sake, not the text."""

    def __init__(self, fault: PhoneFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def parse_phone(typed: str | int) -> Phone:
    """Read one phone number as a person or a program wrote it.

    Integers of 10 to 15 digits are read as their digits: JSON from desktop software often lacks the quotes. Raises
    InvalidPhone for everything else, booleans and floats included; never any other exception.
    """
    if isinstance(typed, str):
        if len(typed) > _LONGEST:
            raise InvalidPhone(PhoneFault.TOO_LONG)
        return _read(typed)
    if type(typed) is not int:
        raise InvalidPhone(PhoneFault.NOT_TEXT)
    if typed < 0:
        raise InvalidPhone(PhoneFault.INVALID)
    if typed < 10**9:
        raise InvalidPhone(PhoneFault.TOO_SHORT)
    if typed >= 10**15:
        raise InvalidPhone(PhoneFault.TOO_LONG)
    return _read(str(typed))


_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SANDBOX = re.compile(r"\+9050000000[0-9]{2}")


def is_sandbox_number(e164: str) -> bool:
    """Say whether a number is one of the sandbox's magic numbers, +9050000000NN: only the simulator may write to it."""
    return _SANDBOX.fullmatch(e164) is not None


def mask(e164: str) -> str:
    """Hide a number for the logs: `+90532***4567`. Shorter ones show less, and text that is no E.164 nothing."""
    if not _E164.fullmatch(e164):
        return "***"
    head, tail = (6, 4) if len(e164) >= len("+905321234567") else (3, 2)
    return f"{e164[:head]}***{e164[-tail:]}"


_AS_FORMULA = re.compile(r'="(.*)"', re.DOTALL)
_SCIENTIFIC = re.compile(r"[0-9]+(?:[.,][0-9]+)?E\+?[0-9]+", re.IGNORECASE)
_FLOAT = re.compile(r"\+?[0-9]{9,}\.0+")
_DECORATION = re.compile(r"[\s()./-]")
_DIGITS = re.compile(r"\+?[0-9]+")
_MOBILE = re.compile(r"(?:0|\+?900?)?(5[0-9]{9})")
_SERVICE = re.compile(r"(?:0|\+?900?)?444[0-9]{4}")
_NATIONAL = re.compile(r"0([2-9][0-9]{9})")


@lru_cache(maxsize=_CACHED)
def _read(typed: str) -> Phone:
    # Cached because a number is read at every door that it passes, and one bulk list is read twice: checked, then sent.
    text = _unwrap(_to_ascii(typed))
    _refuse_what_is_no_number(text)
    text = _DECORATION.sub("", text)
    if text.startswith("00"):
        text = f"+{text[2:]}"
    if not text:
        raise InvalidPhone(PhoneFault.EMPTY)
    if not _DIGITS.fullmatch(text):
        raise InvalidPhone(PhoneFault.INVALID)
    if mobile := _MOBILE.fullmatch(text):
        return _turkish_mobile(mobile[1])
    if _SERVICE.fullmatch(text):
        raise InvalidPhone(PhoneFault.SERVICE_NUMBER)
    return _ask_the_library(_with_country_code(text))


def _to_ascii(typed: str) -> str:
    """Write digits of any script, spaces and dashes of any kind in ASCII; drop what can't be seen."""
    if typed.isascii():
        return typed
    return "".join(map(_ascii_twin, unicodedata.normalize("NFKC", typed)))


def _ascii_twin(letter: str) -> str:
    match unicodedata.category(letter):
        case "Nd":
            return str(unicodedata.decimal(letter))
        case "Cf":
            return ""
        case "Pd":
            return "-"
    if letter == "\N{MINUS SIGN}":
        return "-"
    return " " if letter.isspace() else letter


def _unwrap(text: str) -> str:
    """Drop what spreadsheets and links put around a number: a leading ', ="…", tel:."""
    text = text.strip().removeprefix("'").strip()
    if formula := _AS_FORMULA.fullmatch(text):
        text = formula[1].strip()
    if text[:4].lower() == "tel:":
        text = text[4:].strip()
    return text


def _refuse_what_is_no_number(text: str) -> None:
    # A decimal comma stands in «9,05321E+11» too: that fault is told first, because it says more.
    if _SCIENTIFIC.fullmatch(text):
        raise InvalidPhone(PhoneFault.SCIENTIFIC)
    if any(mark in text for mark in ";,|") or _has_two_numbers_by_slash(text):
        raise InvalidPhone(PhoneFault.SEVERAL)
    if any(letter.isalpha() for letter in text):
        raise InvalidPhone(PhoneFault.LETTERS)
    # Without its dot, «532123456.0» would be somebody else's valid number.
    if _FLOAT.fullmatch(text):
        raise InvalidPhone(PhoneFault.NOT_TEXT)


def _has_two_numbers_by_slash(text: str) -> bool:
    parts = [sum(letter.isdigit() for letter in part) for part in text.split("/")]
    return any(sum(parts[:cut]) >= 10 and sum(parts[cut:]) >= 10 for cut in range(1, len(parts)))


def _turkish_mobile(digits: str) -> Phone:
    is_listed = phonenumbers.is_valid_number(PhoneNumber(country_code=_TURKEY, national_number=int(digits)))
    return Phone(
        e164=f"+{_TURKEY}{digits}",
        kind=PhoneKind.MOBILE,
        warning=None if is_listed else Code.UNLISTED_PREFIX,
    )


def _with_country_code(text: str) -> str:
    """Answer the digits with + and a country code, or refuse what must be a Turkish number with a wrong length.

    Bare digits with 0 or 5 in front, or fewer than 11, were meant as Turkish: with a + put before them, one digit too
    many or a forgotten 0 would reach a stranger in another country.
    """
    if text.startswith("+"):
        return text
    if national := _NATIONAL.fullmatch(text):
        return f"+{_TURKEY}{national[1]}"
    if text[0] in "05" or len(text) < 11:
        raise InvalidPhone(_turkish_fault(text.removeprefix(str(_TURKEY)).removeprefix("0")))
    return f"+{text}"


def _turkish_fault(national: str) -> PhoneFault:
    """Name the fault of a Turkish number, given without country code and leading 0: ten digits are right."""
    if len(national) < 10:
        return PhoneFault.TOO_SHORT
    return PhoneFault.TOO_LONG if len(national) > 10 else PhoneFault.INVALID


_PARSE_FAULTS: Mapping[int, PhoneFault] = MappingProxyType(
    {
        NumberParseException.NOT_A_NUMBER: PhoneFault.TOO_SHORT,  # said of one or two digits
        NumberParseException.TOO_SHORT_AFTER_IDD: PhoneFault.TOO_SHORT,
        NumberParseException.TOO_SHORT_NSN: PhoneFault.TOO_SHORT,
        NumberParseException.TOO_LONG: PhoneFault.TOO_LONG,
    },
)
_LENGTH_FAULTS: Mapping[int, PhoneFault] = MappingProxyType(
    {
        ValidationResult.TOO_SHORT: PhoneFault.TOO_SHORT,
        ValidationResult.IS_POSSIBLE_LOCAL_ONLY: PhoneFault.TOO_SHORT,
        ValidationResult.TOO_LONG: PhoneFault.TOO_LONG,
    },
)


def _ask_the_library(number: str) -> Phone:
    """Read a number with its country code that is no Turkish mobile; it must be valid by the library's metadata."""
    try:
        parsed = phonenumbers.parse(number)
    except NumberParseException as trouble:
        raise InvalidPhone(_PARSE_FAULTS.get(trouble.error_type, PhoneFault.INVALID)) from None
    if not phonenumbers.is_valid_number(parsed):
        raise InvalidPhone(_fault_of(parsed))
    e164 = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    # Some countries' plans (Germany's) hold numbers that are longer than E.164 allows: no phone has one.
    if not _E164.fullmatch(e164):
        raise InvalidPhone(PhoneFault.TOO_LONG)
    if parsed.country_code != _TURKEY:
        return Phone(e164=e164, kind=PhoneKind.FOREIGN)
    is_voip = phonenumbers.number_type(parsed) == PhoneNumberType.VOIP
    return Phone(e164=e164, kind=PhoneKind.VOIP if is_voip else PhoneKind.LANDLINE, warning=Code.NOT_MOBILE)


def _fault_of(parsed: PhoneNumber) -> PhoneFault:
    if parsed.country_code == _TURKEY:
        return _turkish_fault(str(parsed.national_number))
    return _LENGTH_FAULTS.get(phonenumbers.is_possible_number_with_reason(parsed), PhoneFault.INVALID)

"""The finer faults of a field, as `alanlar[].kod` names them: the same small list for every field."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from guvercin.core.errors import FieldFault
from guvercin.locale import Translator
from guvercin.locale.codes import WORDS
from guvercin.locale.words import Words, told


@dataclass(frozen=True, slots=True)
class FaultWords:
    """The sentence of a fault, and its better form when the fault brings every value that it has a place for.

    `remedy`: what to do, where the sentence itself doesn't say it.
    """

    plain: str
    exact: str | None = None
    remedy: str | None = None


ANY_FIELD: Mapping[str, FaultWords] = MappingProxyType(
    {
        "zorunlu": FaultWords("This field is required."),
        "bos": FaultWords("This field is empty."),
        "tip": FaultWords("The value has the wrong type.", "The value has the wrong type: it must be {wanted}."),
        "uzun": FaultWords("This is too long.", "This is too long: the limit is {limit}."),
        "kisa": FaultWords("This is too short.", "This is too short: the least is {limit}."),
        "aralik": FaultWords("The number is out of range.", "The number is out of range: it must be {wanted}."),
        "secenek": FaultWords("This is not one of the allowed values.", "Allowed values: {wanted}."),
        "gecersiz": FaultWords("The value is not valid."),
        "gecersiz_zaman": FaultWords("The time is not valid: write it like 2026-02-23 14:30:00."),
        "gecmis_zaman": FaultWords("The time is already over."),
        "gelecek_zaman": FaultWords("The time is still to come."),
        "uzak_zaman": FaultWords("The time is too far away: plan at most a year ahead."),
        "gecersiz_karakter": FaultWords("There are control characters in the text. Take them out."),
        "tanimsiz": FaultWords("There is no such field."),
        "kullanimda": FaultWords("Something else has this name already. Choose another one."),
        "gecersiz_kod": FaultWords("A code has small letters, digits and _, at most 30, and begins with a letter."),
        "hazir_tur": FaultWords(
            "The code, the name and the legal class of categories 1 to 10 stay as they are. "
            "For another one define a category from 11 to 99."
        ),
        "kisa_parola": FaultWords(
            "The password is too short. A sentence is fine.",
            "The password is too short: at least {limit} characters. A sentence is fine.",
        ),
        "bilinen_parola": FaultWords("This password is among the first that anybody tries. Choose another one."),
        "sabit_soz": FaultWords(
            "One of these words counts already.", "«{name}» counts already: leave it out, it can't be taken away."
        ),
        "baska_soz": FaultWords(
            "One of these words means something else.", "«{name}» means something else already: choose another word."
        ),
        "cok_soz": FaultWords("These are too many words.", "These are too many words: at most {limit}."),
        "yanlis_parola": FaultWords("Wrong password."),
        "ad_alinmis": FaultWords("Somebody has this name already. Choose another one."),
        "son_yonetici": FaultWords("Nobody would be left who may change anything. Name another administrator first."),
    },
)
"""`limit` and `wanted` are the params that these sentences know."""

PHONE: Mapping[str, FaultWords] = MappingProxyType(
    {
        "yazi_degil": FaultWords(
            "Write the number as text, in quotes: as a decimal number its digits may have changed."
        ),
        "birden_cok_numara": FaultWords("There is more than one number here. Give one number for each message."),
        "bilimsel_gosterim": FaultWords(
            "A spreadsheet has rounded the number (9,05321E+11): its last digits are lost. Format the column as text.",
        ),
        "harf_var": FaultWords("There are letters in the number."),
        "eksik_hane": FaultWords("Digits are missing. A Turkish number has 10 digits after the country code."),
        "fazla_hane": FaultWords("There are too many digits. A Turkish number has 10 digits after the country code."),
        "servis_numarasi": FaultWords("Numbers that begin with 444 have no WhatsApp."),
    },
)

TEMPLATE: Mapping[str, FaultWords] = MappingProxyType(
    {
        "acik_ayrac": FaultWords(
            "A brace stands alone. A place to fill has one on each side; for a brace itself write it twice.",
            "The brace at letter {at} stands alone. Write {{isim}}; for a brace itself write it twice.",
        ),
        "adsiz_yer": FaultWords(
            "There is nothing between two braces. Write a name there, like isim.",
            "There is no name in the braces at letter {at}. Write one there, like {{isim}}.",
        ),
        "degisken_yok": FaultWords(
            "Nothing fills a place of the text. Give the value, or write a fallback after a bar.",
            "Nothing fills «{name}» here. Give the value in degiskenler, or a fallback in the text: {{{name}|…}}.",
        ),
    },
)
"""`at` and `name` are the params that these sentences know."""

LIST: Mapping[str, FaultWords] = MappingProxyType(
    {
        "bos_liste": FaultWords("The list is empty.", remedy="Write one recipient a line: telefon;isim"),
        "buyuk": FaultWords("The list is larger than 10 MB.", remedy="Divide it into several lists."),
        "cok_satir": FaultWords("The list has more than 20,000 rows.", remedy="Divide it into several lists."),
        "eski_excel": FaultWords(
            "This is a file of an old Excel (.xls).",
            remedy="Open it and save it as an Excel workbook (.xlsx), then give that file.",
        ),
        "sifreli": FaultWords(
            "The file is locked with a password.",
            remedy="Save it once more without a password, then give that file.",
        ),
        "baska_tablo": FaultWords(
            "This is not an Excel file.",
            remedy="Save the list as an Excel workbook (.xlsx) or as CSV.",
        ),
        "supheli_arsiv": FaultWords(
            "The file would become too large when it is opened.",
            remedy="Copy the list alone into a new workbook and save that.",
        ),
        "bozuk": FaultWords(
            "The list can't be read: the file is damaged.",
            remedy="Open it in the spreadsheet program and save it again.",
        ),
        "metin_degil": FaultWords(
            "This file is no list: it is neither Excel nor text.",
            remedy="Save the list as an Excel workbook (.xlsx) or as CSV.",
        ),
        "telefon_sutunu_yok": FaultWords(
            "No column of the list looks like phone numbers.",
            remedy="Give the columns a first line: telefon;isim",
        ),
        "sutun_yok": FaultWords("There is no such column.", "There is no column «{name}» in the first line."),
    },
)
"""What is the matter with an uploaded list; `name` is the param that these sentences know."""

HOOK: Mapping[str, FaultWords] = MappingProxyType(
    {
        "adres_okunamadi": FaultWords(
            "The address can't be read: write it whole, such as https://shop.example/webhook, without a name or "
            "password in it."
        ),
        "https_gerekli": FaultWords("The address has to begin with https://"),
        "kapi_kapali": FaultWords("Only the ports 443 and 8443 are called."),
        "adres_kapali": FaultWords(
            "This is no public address. The owner of the server may allow it in the settings: webhook_allow"
        ),
        "gecersiz_sir": FaultWords("A secret is whsec_ and 24 to 64 bytes in base64. Leave it out to get one."),
    },
)

SAYS_NOTHING = "gecersiz"
"""The fault that says no more than its error does already."""

FAULTS: Mapping[str, FaultWords] = MappingProxyType({**ANY_FIELD, **PHONE, **TEMPLATE, **LIST, **HOOK})

_BY_WORD: Mapping[str, Words] = MappingProxyType({code.value: words for code, words in WORDS.items()})


def fault_sentence(say: Translator, fault: FieldFault) -> str:
    """Tell what is wrong with a field. A fault may also be a code of the closed list: then it is that code's detail."""
    if words := FAULTS.get(fault.fault):
        sentence = told(say, words.plain, words.exact, fault.params)
        return f"{sentence} {say(words.remedy)}" if words.remedy else sentence
    if code := _BY_WORD.get(fault.fault):
        return told(say, code.detail, code.exact, fault.params)
    return say(FAULTS[SAYS_NOTHING].plain)

"""The closed list of codes with its words, in the order in which the page of codes shows it."""

from collections.abc import Mapping
from types import MappingProxyType

from guvercin.core.errors import Code
from guvercin.locale import reasons, refusals, wishes
from guvercin.locale.words import Words

SECTIONS: Mapping[str, Mapping[Code, Words]] = MappingProxyType(
    {
        "How the request was written": refusals.WRITING,
        "Who asks": refusals.CALLER,
        "The fields": refusals.FIELDS,
        "What people want": wishes.WISHES,
        "The state of things": refusals.STATE,
        "Why a message failed, waits or is in doubt": reasons.MESSAGES,
        "Notes on a record": reasons.NOTES,
        "Why a line is not connected": reasons.LINES,
    },
)

WORDS: Mapping[Code, Words] = MappingProxyType(
    {code: words for section in SECTIONS.values() for code, words in section.items()},
)

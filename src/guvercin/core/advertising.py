"""Words that sound like advertising: a notice that nobody had to agree to must not carry any.

It is a guess, so it warns and asks; it never stops a message by itself.
"""

import re

from guvercin.core.folding import fold

_WORDS = re.compile(
    r"\b(indirim|kampanya|firsat|promosyon|hediye|bedava|cekilis|kupon|tenzilat|outlet)\w*"
    r"|\b(kacirma|sana ozel|size ozel|ilk alisveris|son gun|stoklarla sinirli)\w*"
)
"""In folded text."""

_PERCENT = re.compile(r"(%\s?\d+|\d+\s?%|\byüzde\s\w+)", re.IGNORECASE)
_TAX = re.compile(r"(kdv|vergi|stopaj|faiz|ötv|otv)", re.IGNORECASE)
_NEAR = 12
"""Letters around a percentage among which a tax explains it."""


def sounds_like_advertising(text: str) -> bool:
    """Say whether a text holds words or percentages that campaigns are made of."""
    if _WORDS.search(fold(text)):
        return True
    return any(
        not _TAX.search(text[max(0, found.start() - _NEAR) : found.end() + _NEAR]) for found in _PERCENT.finditer(text)
    )

"""Compare words as a Turkish reader does: without case, accents and punctuation.

Python's `lower` and `casefold` know no Turkish: «İPTAL» becomes six characters, and «IPTAL» never meets «ıptal».
Words that people type (a category's name, «DUR», a search) are compared by their folds and by nothing else.
"""

import unicodedata

_DOT_ABOVE = "\N{COMBINING DOT ABOVE}"
_TO_ASCII = str.maketrans("ıİIçÇğĞöÖşŞüÜâÂîÎûÛ", "iiiccggoossuuaaiiuu")


def fold(text: str) -> str:
    """Answer the words of a text in small ASCII letters where Turkish has them, single spaces between.

    Every sign that is neither letter nor digit ends a word. Letters of other languages keep their accents. The fold of
    a fold is itself; it may be empty.
    """
    # «i̇» is what other software makes of «İ»: no letter of that shape exists, so NFC leaves its dot standing alone.
    # Without it, a circumflex that follows may still compose.
    dotless = unicodedata.normalize("NFC", text).replace(_DOT_ABOVE, "")
    small = unicodedata.normalize("NFC", dotless).translate(_TO_ASCII).lower()
    return " ".join("".join(letter if letter.isalnum() else " " for letter in small).split())

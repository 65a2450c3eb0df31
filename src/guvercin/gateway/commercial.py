"""What a commercial message has to carry (Regulation on Commercial Communication): who sends it, and how to refuse."""

from guvercin.core.account import Account
from guvercin.core.category import Category
from guvercin.core.errors import Code, GuvercinError
from guvercin.locale import Language, sentence, translator

_HOW_TO_REFUSE = sentence("To get no more of these messages, write RET.")


def imprint(account: Account, rules: Category) -> str:
    """Answer what stands below a message of this category; empty for one that isn't commercial. NO_SENDER_TITLE.

    It goes to customers in Turkey, so it is in Turkish.
    """
    if not rules.is_commercial:
        return ""
    title = account.manners.sender_title
    if title is None:
        raise GuvercinError(Code.NO_SENDER_TITLE)
    return f"{title}\n{translator(Language.TR)(_HOW_TO_REFUSE)}"


def signed(text: str | None, below: str) -> str | None:
    """Answer a text with its imprint."""
    if not below:
        return text
    return f"{text}\n\n{below}" if text else below

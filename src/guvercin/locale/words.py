"""What is said about one code, and how a sentence with places is told when some of them can't be filled."""

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

from guvercin.locale import Translator

NOTHING_SENT = "No. Nothing was sent and nothing was stored."
NOT_SENT = "No. The message was not sent. Its record stays in the log."
NOT_YET = "Not yet. The message is stored and goes out by itself."
PERHAPS = "Perhaps. The message may have reached the recipient."
NORMALLY = "Yes, in the ordinary way. This is only a note on the record."


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is said about one code; every field is a sentence of the catalogue.

    `detail` is the one sentence of the answer (`hata`); `exact` is its better form, told when the error brings every
    value that it has a place for. The rest is the page of the code: what happened, was anything sent, what to do.
    """

    title: str
    detail: str
    happened: str
    sent: str
    todo: str
    exact: str | None = None


def places(text: str) -> frozenset[str]:
    """Answer the names of the `{name}` places of a sentence."""
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name)


def told(say: Translator, plain: str, exact: str | None, params: Mapping[str, str | int]) -> str:
    """Tell the exact form of a sentence when `params` fill all its places, else the plain one."""
    if exact is None or not places(exact) <= params.keys():
        return say(plain)
    return say(exact, **{name: params[name] for name in places(exact)})

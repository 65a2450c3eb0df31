"""What becomes of a message by its number alone, told by Meta's codes.

The numbers end as the sandbox's do and are not its own: those no real line may be asked for, and to us this is one.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from guvercin.testing.graph.server import Act, Answering

_FIRST_TIME: Mapping[str, Act] = MappingProxyType(
    {
        "905000000106": Act(error=131056),
        "905000000110": Act(error=131057),
        "905000000113": Act(error=130429),
    },
)
_ALWAYS: Mapping[str, Act] = MappingProxyType(
    {
        "905000000102": Act(error=131026),
        "905000000103": Act(ladder=("sent", "delivered")),
        "905000000105": Act(reply="DUR"),
        "905000000107": Act(answering=Answering.NEVER),
        "905000000108": Act(answering=Answering.NEVER, ladder=()),
        "905000000109": Act(error=131048),
        "905000000114": Act(ladder=("sent", "failed"), failure=131049),
        "905000000115": Act(error=131047),
    },
)


def story_of() -> Callable[[Mapping[str, Any]], Act]:
    """Answer a script: the numbers above have their stories, every other one is sent, delivered and read."""
    met: set[tuple[str, str]] = set()

    def script(body: Mapping[str, Any]) -> Act:
        to = body["to"].removeprefix("+")
        who = (to, str(body.get("biz_opaque_callback_data")))
        if to in _FIRST_TIME and who not in met:
            met.add(who)
            return _FIRST_TIME[to]
        return _ALWAYS.get(to, Act())

    return script

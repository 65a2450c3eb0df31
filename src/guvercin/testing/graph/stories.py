"""What becomes of a message by its number alone: the sandbox's numbers, told by Meta's codes."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from guvercin.testing.graph.server import Act, Answering

_FIRST_TIME: Mapping[str, Act] = MappingProxyType(
    {
        "905000000006": Act(error=131056),
        "905000000010": Act(error=131057),
        "905000000013": Act(error=130429),
    },
)
_ALWAYS: Mapping[str, Act] = MappingProxyType(
    {
        "905000000002": Act(error=131026),
        "905000000003": Act(ladder=("sent", "delivered")),
        "905000000005": Act(reply="DUR"),
        "905000000007": Act(answering=Answering.NEVER),
        "905000000008": Act(answering=Answering.NEVER, ladder=()),
        "905000000009": Act(error=131048),
        "905000000014": Act(ladder=("sent", "failed"), failure=131049),
        "905000000015": Act(error=131047),
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

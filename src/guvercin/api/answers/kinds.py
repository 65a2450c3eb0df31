"""Every answer there is."""

from collections.abc import Iterator

from guvercin.api.answers import (  # noqa: F401 -- each declares its models
    access,
    accounts,
    batches,
    categories,
    files,
    hooks,
    inbox,
    lines,
    messages,
    people,
    rights,
)
from guvercin.api.answers.ground import Answered


def kinds() -> Iterator[type[Answered]]:
    """Answer every model of an answer or of a part of one."""
    return _below(Answered)


def _below(model: type[Answered]) -> Iterator[type[Answered]]:
    for child in model.__subclasses__():
        yield child
        yield from _below(child)

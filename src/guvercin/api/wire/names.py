"""Every request there is, and both names of every field."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from guvercin.api.wire import access, accounts, batches, categories, files, hooks, inbox, messages, people  # noqa: F401 -- each declares its models
from guvercin.api.wire.ground import Asked


def bodies() -> Iterator[type[Asked]]:
    """Answer every request model."""
    return _below(Asked)


def _below(model: type[Asked]) -> Iterator[type[Asked]]:
    for child in model.__subclasses__():
        yield child
        yield from _below(child)


FIELD_NAMES: Mapping[str, str] = MappingProxyType(
    {name: field.alias or name for model in bodies() for name, field in model.model_fields.items()},
)
"""Attribute -> wire name, read from the models themselves."""

ATTRIBUTES: Mapping[str, str] = MappingProxyType({wire: name for name, wire in FIELD_NAMES.items()})
"""Wire name -> attribute."""

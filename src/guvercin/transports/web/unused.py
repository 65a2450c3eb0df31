"""What the engine imports and a worker never uses: empty modules stand in for it.

By itself neonize fetches previews of links and files by their address, guesses kinds of files, and draws progress and
codes on a terminal. A worker does none of that. Loaded all the same, it would take a quarter of a worker's memory and
half of its start, ask for a library of the system's, and be a way to the web that nobody wants.

Laws
1. What stands in has any name, for a module that imports it, and does nothing: RuntimeError for who calls it.
2. It is put there before the engine is imported, in a process that is the engine's alone.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Self

UNUSED = frozenset({"httpx", "linkpreview", "magic", "requests", "segno", "tqdm"})
"""Top-level modules; what lies under one stands in with it."""


def leave_out() -> None:
    """Let empty modules be found in place of those that are not used."""
    sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder, Loader):
    def find_spec(self, name: str, _: Sequence[str] | None = None, __: ModuleType | None = None) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] in UNUSED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Empty(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is in it."""


class _Empty(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (_Unused,), {"__module__": self.__name__})


class _Unused(Exception):  # noqa: N818 -- an exception only so that `except` may name it, as it does some of these
    def __new__(cls, *_: Any, **__: Any) -> Self:
        raise RuntimeError(f"{cls.__module__}.{cls.__name__} is left out of a worker")

"""A copy of the engine that dials loopback: its files by link, its Go library with 62 bytes replaced.

Laws
1. Two things are replaced, in the copy alone: the root key that the client pins, and the address that it dials.
   Each must be there exactly once, or RuntimeError: a new release of the engine wants a look here first.
2. The copy is for one run on this machine. It is never shipped, and never meets a real account.
"""

from pathlib import Path

PINNED_ROOT = bytes.fromhex("142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b")
PINNED_ADDRESS = b"wss://web.whatsapp.com/ws/chat"

_LIBRARIES = (".so", ".dylib")


def library_of(engine: Path) -> Path:
    """Answer the Go library in an engine's folder. FileNotFoundError: there is none for this platform."""
    for path in sorted(engine.iterdir()):
        if path.suffix in _LIBRARIES:
            return path
    raise FileNotFoundError(f"the engine in {engine} brought no library for this platform")


def address_of(port: int) -> bytes:
    """Answer the address of a server on loopback, as long as the one that it replaces: Go keeps lengths apart."""
    address = f"ws://127.0.0.1:{port}/ws/chat".encode()
    return (address + b"?").ljust(len(PINNED_ADDRESS), b"x")[: len(PINNED_ADDRESS)]


def overlay(engine: Path, folder: Path, *, root: bytes | None, port: int | None) -> Path:
    """Make `folder/neonize` out of the installed engine and answer `folder`, which goes first on a client's PYTHONPATH.

    None leaves the pinned root (such a client must refuse this server) or the real address (for a proxy) as it is.
    """
    copy = folder / engine.name
    copy.mkdir(mode=0o700, parents=True)
    library = library_of(engine)
    for path in engine.iterdir():
        if path == library:
            (copy / path.name).write_bytes(_patched(path, root, port))
        elif path.name != "__pycache__":
            (copy / path.name).symlink_to(path)
    return folder


def _patched(library: Path, root: bytes | None, port: int | None) -> bytes:
    image = library.read_bytes()
    edits = [] if root is None else [(PINNED_ROOT, root)]
    if port is not None:
        edits.append((PINNED_ADDRESS, address_of(port)))
    for old, new in edits:
        if image.count(old) != 1 or len(old) != len(new):
            raise RuntimeError(f"{library.name} is another library than the one that the test server knows")
        image = image.replace(old, new)
    return image

"""The panel's own files: style sheets, scripts, icons. All of them are in the package; nothing is fetched.

Laws
1. A page names a file by its content (`app.3f9c1a2b.css`), so a browser may keep it for ever.
2. A file is read, named and packed when it is first asked for, once: a start doesn't wait for it.
"""

import gzip
import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

PREFIX = "/panel/static"

_FOLDER = Path(__file__).parent / "static"
_TYPES = MappingProxyType({".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"})
_SAFE_NAME = re.compile(r"[a-z0-9-]+\.(css|js|svg)")
_NAMED = re.compile(r"(?P<stem>[a-z0-9-]+)\.(?P<digest>[0-9a-f]{8})(?P<suffix>\.[a-z]+)")
_NAMED_BY_ITSELF = re.compile(r"tabler-[0-9a-f]{8}\.svg")
"""Pictures that the style sheet names, by their content already."""

_KEEP = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, as it is and as most browsers take it."""

    content: bytes
    packed: bytes
    media_type: str
    digest: str


@cache
def read(name: str) -> Asset:
    """Read a file of the folder. FileNotFoundError."""
    if not _SAFE_NAME.fullmatch(name):
        raise FileNotFoundError(name)
    content = (_FOLDER / name).read_bytes()
    return Asset(
        content=content,
        packed=gzip.compress(content, 9, mtime=0),
        media_type=_TYPES[Path(name).suffix],
        digest=sha256(content).hexdigest()[:8],
    )


@cache
def address(name: str) -> str:
    """Answer where a page finds a file."""
    stem, _, suffix = name.rpartition(".")
    return f"{PREFIX}/{stem}.{read(name).digest}.{suffix}"


async def show(request: Request) -> Response:
    """Answer a file. Only under its own name may it be kept for ever; an older page gets the present one."""
    asked = request.path_params["name"]
    named = _NAMED.fullmatch(asked)
    name = f"{named['stem']}{named['suffix']}" if named else asked
    try:
        asset = read(name)
    except FileNotFoundError:
        raise HTTPException(404) from None
    is_current = named["digest"] == asset.digest if named else bool(_NAMED_BY_ITSELF.fullmatch(name))
    headers = {"Cache-Control": _KEEP if is_current else "no-cache", "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(asset.content, media_type=asset.media_type, headers=headers)
    return Response(asset.packed, media_type=asset.media_type, headers={**headers, "Content-Encoding": "gzip"})

"""What a file is, by its first bytes: for files that somebody else sent, whose own word for it is not believed."""

from collections.abc import Mapping
from types import MappingProxyType

HEAD = 16
"""Bytes that are looked at."""

UNKNOWN = "application/octet-stream"

EXTENSIONS: Mapping[str, str] = MappingProxyType(
    {
        "application/pdf": ".pdf",
        "image/jpeg": ".jpg",
        "image/png": ".png",
        "image/gif": ".gif",
        "image/webp": ".webp",
        "video/mp4": ".mp4",
        "video/3gpp": ".3gp",
        "video/quicktime": ".mov",
        "audio/mp4": ".m4a",
        "audio/ogg": ".ogg",
        "audio/mpeg": ".mp3",
        "audio/aac": ".aac",
        "audio/amr": ".amr",
        "application/zip": ".zip",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    },
)
"""Every type that `sniff` answers, and how a file of it is named; UNKNOWN has no extension."""

_OPENINGS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf1", "audio/aac"),
    (b"\xff\xf9", "audio/aac"),
    (b"#!AMR", "audio/amr"),
)

_BRANDS: Mapping[bytes, str] = MappingProxyType(
    {
        b"M4A ": "audio/mp4",
        b"M4B ": "audio/mp4",
        b"3gp4": "video/3gpp",
        b"3gp5": "video/3gpp",
        b"qt  ": "video/quicktime",
    },
)
"""What an ISO media file is whose brand says more than that (ISO/IEC 14496-12, `ftyp`)."""

_OFFICE = "application/vnd.openxmlformats-officedocument."


def sniff(head: bytes, told: str | None) -> str:
    """Answer a content's media type by its first HEAD bytes, or UNKNOWN: then it is nothing that a program opens.

    `told`, its sender's word, is believed in one case alone: which of the office's documents a ZIP file is.
    """
    for opening, kind in _OPENINGS:
        if head.startswith(opening):
            return kind
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head.startswith(b"PK\x03\x04"):
        is_office = told is not None and told.startswith(_OFFICE) and told in EXTENSIONS
        return told if is_office and told is not None else "application/zip"
    return UNKNOWN

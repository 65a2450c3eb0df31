"""What a file is by its first bytes: its sender's word decides nothing."""

import pytest

from guvercin.core.sniffing import EXTENSIONS, UNKNOWN, sniff

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x10\x00\x00\x00WEBP", "image/webp"),
        (b"RIFF\x10\x00\x00\x00WAVE", UNKNOWN),
        (b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
        (b"\x00\x00\x00\x18ftyp3gp4", "video/3gpp"),
        (b"\x00\x00\x00\x18ftypM4A ", "audio/mp4"),
        (b"OggS\x00", "audio/ogg"),
        (b"ID3\x04", "audio/mpeg"),
        (b"#!AMR\n", "audio/amr"),
        (b"PK\x03\x04", "application/zip"),
        (b"<html>", UNKNOWN),
        (b"<svg xmlns=", UNKNOWN),
        (b"MZ\x90", UNKNOWN),
        (b"", UNKNOWN),
    ],
)
def test_the_content_says_what_it_is(head: bytes, kind: str) -> None:
    for told in (None, "image/png", "text/html"):
        assert sniff(head, told) == kind
    assert kind in EXTENSIONS or kind == UNKNOWN


def test_a_zip_is_the_office_document_that_its_sender_says_and_nothing_else() -> None:
    assert sniff(b"PK\x03\x04", DOCX) == DOCX
    assert sniff(b"PK\x03\x04", DOCX + ".x") == "application/zip"
    assert sniff(b"%PDF-", DOCX) == "application/pdf"

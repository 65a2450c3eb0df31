import re
from pathlib import Path

from guvercin.cli import sample
from guvercin.gateway.files import media_type


def test_the_sample_is_a_pdf_whose_table_points_at_its_objects() -> None:
    content = sample.pdf()

    assert media_type(content[:12]) == "application/pdf"
    assert content.endswith(b"%%EOF\n")
    start = int(re.findall(rb"startxref\n(\d+)\n", content)[0])
    assert content[start:].startswith(b"xref\n")
    offsets = [int(row) for row in re.findall(rb"(\d{10}) 00000 n ", content)]
    assert offsets
    for number, offset in enumerate(offsets, start=1):
        assert content[offset:].startswith(b"%d 0 obj\n" % number)
    length = int(re.findall(rb"/Length (\d+)", content)[0])
    assert len(re.findall(rb"stream\n(.*?)\nendstream", content, re.DOTALL)[0]) == length


def test_it_is_made_once(tmp_path: Path) -> None:
    root = sample.make(tmp_path)
    invoice = root / sample.NAME
    invoice.write_bytes(b"%PDF- mine now")

    assert sample.make(tmp_path) == root
    assert invoice.read_bytes() == b"%PDF- mine now"

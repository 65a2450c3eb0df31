"""Samples to send: the file root of `baslat --ornek` with one small invoice, and the files of `saha-testi`."""

from io import BytesIO
from pathlib import Path

NAME = "faturalar/FTR-001.pdf"

_LINES = (
    (20, 770, "Fatura FTR-001"),
    (11, 735, "Güvercin örnek belgesi: bir deneme için üretildi."),
    (11, 717, "Ürün: 1 adet deneme      Tutar: 1.250,00 TL"),
)
"""Size in points, height on the page, text. The letters are those of WinAnsi: no font has to be shipped for them."""


def make(folder: Path) -> Path:
    """Make the sample below `folder` if it isn't there; answer the file root."""
    root = folder / "dosyalar"
    invoice = root / NAME
    if not invoice.exists():
        invoice.parent.mkdir(parents=True, exist_ok=True)
        invoice.write_bytes(pdf())
    return root


def pdf() -> bytes:
    """Answer a PDF of one page (ISO 32000-1: objects, cross-reference table, trailer)."""
    drawn = "".join(f"/F {size} Tf 1 0 0 1 60 {height} Tm ({text}) Tj\n" for size, height, text in _LINES)
    content = b"BT\n" + drawn.encode("cp1252") + b"ET"
    bodies = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Font << /F 5 0 R >> >>",
    )
    written = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    places = []
    for number, body in enumerate(bodies, start=1):
        places.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(bodies) + 1
    table = b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, rows)
    return written + table + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(written))


def png() -> bytes:
    """Answer a small picture: a QR code that says who made it."""
    import segno

    drawn = BytesIO()
    segno.make("Güvercin", micro=False).save(drawn, kind="png", scale=8)
    return drawn.getvalue()

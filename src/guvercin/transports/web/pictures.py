"""A picture as WhatsApp wants it: a format that every phone shows, its size, and a small preview."""

from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

PREVIEW = 100
"""The longer side of the preview, in pixels."""

_KEPT = frozenset({"JPEG", "PNG"})
_MOST_PIXELS = 80_000_000
"""More than any phone's camera makes: a small file can unfold to a picture that fills the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What is sent of a picture. `preview` is a JPEG."""

    content: bytes
    media_type: str
    width: int
    height: int
    preview: bytes


def read_picture(content: bytes) -> Picture | None:
    """Measure a picture and draw its preview; one in a format that some phones don't show becomes a JPEG.

    Null for what can't be read as a picture: it is still a file, and can be sent as one.
    """
    try:
        with Image.open(BytesIO(content)) as image:
            if image.width * image.height > _MOST_PIXELS:
                return None
            kind = image.format or ""
            upright = ImageOps.exif_transpose(image)
            if kind not in _KEPT:
                content, kind = _as_jpeg(upright, quality=90), "JPEG"
            width, height = upright.size
            upright.thumbnail((PREVIEW, PREVIEW))
            return Picture(
                content=content,
                media_type=f"image/{kind.lower()}",
                width=width,
                height=height,
                preview=_as_jpeg(upright, quality=70),
            )
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _as_jpeg(image: Image.Image, *, quality: int) -> bytes:
    """Draw an image on white: JPEG knows no transparency."""
    flat = Image.new("RGB", image.size, "white")
    drawn = image.convert("RGBA")
    flat.paste(drawn, mask=drawn.getchannel("A"))
    written = BytesIO()
    flat.save(written, "JPEG", quality=quality)
    return written.getvalue()

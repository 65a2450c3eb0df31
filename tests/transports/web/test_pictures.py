"""Pictures as phones show them: measured, with a preview, in a format that all of them know."""

from io import BytesIO

import pytest
from PIL import Image

from guvercin.transports.web.pictures import PREVIEW, read_picture


def drawn(kind: str, size: tuple[int, int] = (640, 480), mode: str = "RGB") -> bytes:
    written = BytesIO()
    Image.new(mode, size, "red" if mode == "RGB" else (255, 0, 0, 128)).save(written, kind)
    return written.getvalue()


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png")])
def test_what_every_phone_shows_goes_as_it_is(kind: str, media_type: str) -> None:
    content = drawn(kind)
    picture = read_picture(content)
    assert picture is not None
    assert (picture.content, picture.media_type) == (content, media_type)
    assert (picture.width, picture.height) == (640, 480)
    with Image.open(BytesIO(picture.preview)) as preview:
        assert (preview.format, max(preview.size)) == ("JPEG", PREVIEW)


def test_what_some_phones_do_not_show_becomes_a_jpeg() -> None:
    picture = read_picture(drawn("WEBP", mode="RGBA"))
    assert picture is not None
    assert picture.media_type == "image/jpeg"
    with Image.open(BytesIO(picture.content)) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (640, 480), "RGB")


def test_a_picture_lies_as_its_camera_held_it() -> None:
    written = BytesIO()
    image = Image.new("RGB", (40, 20), "blue")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    image.save(written, "JPEG", exif=exif)
    picture = read_picture(written.getvalue())
    assert picture is not None
    assert (picture.width, picture.height) == (20, 40)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.4\n", b"\x89PNG\r\n\x1a\n", drawn("PNG")[:40]])
def test_what_is_no_picture_is_none(content: bytes) -> None:
    assert read_picture(content) is None

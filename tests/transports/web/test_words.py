"""What goes through a linked phone and what comes back: texts, files, pictures, answers, history, broken keys."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from tests.transports.web.bedside import Bedside, Linked, until

from guvercin.core.errors import Code
from guvercin.core.inbound import InboundKind, Media
from guvercin.core.outcome import Accepted, Inbound
from guvercin.core.outcome import Acquainted as KnowsUs
from guvercin.testing.whatsapp.faults import Act, Fault, Point
from guvercin.transports.base import OutgoingFile
from guvercin.transports.web.journal import holding
from guvercin.transports.web.protocol import Acquainted, Entry, WroteOurselves

pytestmark = pytest.mark.xdist_group("whatsapp")


def file_of(folder: Path, name: str, content: bytes, media_type: str) -> OutgoingFile:
    path = folder / os.urandom(8).hex()
    path.write_bytes(content)
    return OutgoingFile(path=path, name=name, media_type=media_type, size=len(content))


def drawn(size: tuple[int, int]) -> bytes:
    written = BytesIO()
    Image.new("RGB", size, "red").save(written, "PNG")
    return written.getvalue()


async def test_a_text_goes_as_plain_conversation_without_the_mark_of_a_bot(side: Bedside, line: Linked) -> None:
    to = side.person()
    text = "Faturanız *hazır* @905321234567 \N{DOVE OF PEACE}"
    assert isinstance(await line.web.send(line.message(to, text)), Accepted)
    (arrived,) = to.inbox
    assert arrived.message.conversation == text
    assert not arrived.message.HasField("extendedTextMessage")
    assert arrived.stanza.find("bot") is None


async def test_a_document_keeps_its_name_and_a_picture_has_its_size(side: Bedside, line: Linked) -> None:
    to, folder = side.person(), side.folder
    pdf, png = b"%PDF-1.4\n%%EOF\n", drawn((640, 480))
    document = replace(line.message(to, "Faturanız"), file=file_of(folder, "FTR-ğ.pdf", pdf, "application/pdf"))
    bare = replace(line.message(to), text=None, file=file_of(folder, "liste.pdf", pdf, "application/pdf"))
    picture = replace(line.message(to, "Ürün"), file=file_of(folder, "urun.png", png, "image/png"))
    for message in (document, bare, picture):
        assert isinstance(await line.web.send(message), Accepted)
    first, second, third = (one.message for one in to.inbox)
    with_caption = first.documentWithCaptionMessage.message.documentMessage
    assert (with_caption.fileName, with_caption.caption) == ("FTR-ğ.pdf", "Faturanız")
    assert side.server.media.fetch(with_caption, "document") == pdf
    assert (second.documentMessage.fileName, second.documentMessage.caption) == ("liste.pdf", "")
    image = third.imageMessage
    assert (image.width, image.height, image.caption, image.mimetype) == (640, 480, "Ürün", "image/png")
    assert side.server.media.fetch(image, "image") == png
    with Image.open(BytesIO(image.JPEGThumbnail)) as preview:
        assert preview.size == (100, 75)


async def test_a_file_that_could_not_be_uploaded_never_left(side: Bedside, line: Linked) -> None:
    to = side.person()
    side.server.faults.add(Fault(at=Point.UPLOAD, act=Act.REFUSE, code="507", times=None))
    file = file_of(side.folder, "a.pdf", b"%PDF-1.4\n", "application/pdf")
    answer = await line.web.send(replace(line.message(to), file=file))
    assert answer.reason is Code.PUSHED_BACK  # type: ignore[union-attr] # it is no Accepted
    assert to.inbox == []


async def test_a_recipient_whose_keys_are_broken_is_flagged(side: Bedside, line: Linked) -> None:
    to = side.person()
    side.server.faults.add(Fault(at=Point.PREKEYS, act=Act.FORGED, to=to.number, times=None))
    answer = await line.web.send(line.message(to))
    assert isinstance(answer, Accepted)
    assert answer.warning is Code.LEFT_OUT
    assert all(one.message is None for one in to.inbox)
    well = await line.web.send(line.message(side.person()))
    assert isinstance(well, Accepted)
    assert well.warning is None


async def test_what_people_write_comes_with_their_number_once(side: Bedside, line: Linked) -> None:
    somebody = side.person()
    number = await side.call(somebody.write(line.phone, "DUR"))
    await until(lambda: any(isinstance(event, Inbound) for event in line.told))
    (inbound,) = [event for event in line.told if isinstance(event, Inbound)]
    assert (inbound.remote_id, inbound.sender, inbound.text) == (number, f"+{somebody.number}", "DUR")


async def test_who_hides_the_number_is_known_by_what_was_sent_to_them(side: Bedside, line: Linked) -> None:
    known, stranger = side.person(), side.person()
    await line.web.send(line.message(known))
    for somebody in (known, stranger):
        somebody.hides_number = True
        await side.call(somebody.write(line.phone, "DUR"))
    await until(lambda: sum(isinstance(event, Inbound) for event in line.told) == 2)
    senders = {event.sender for event in line.told if isinstance(event, Inbound)}
    assert senders == {f"+{known.number}", f"{stranger.lid}@lid"}


async def test_a_picture_comes_with_its_caption_and_its_label(side: Bedside, line: Linked) -> None:
    somebody = side.person()
    sending = somebody.send_file(line.phone, b"P" * 900, "image", caption="Bu mu?", mimetype="image/jpeg")
    number = await side.call(sending)
    await until(lambda: any(isinstance(event, Inbound) for event in line.told))
    (inbound,) = [event for event in line.told if isinstance(event, Inbound)]
    assert (inbound.remote_id, inbound.kind, inbound.text) == (number, InboundKind.IMAGE, "Bu mu?")
    assert inbound.media == Media(type="image/jpeg", size=900)
    assert inbound.sender_name == somebody.name


async def test_what_was_written_while_the_line_was_down_comes_with_the_next(side: Bedside, line: Linked) -> None:
    somebody = side.person()
    await line.end()
    for text in ("bir", "iki"):
        await side.call(somebody.write(line.phone, text))
    await line.dial()
    await line.opened()
    await until(lambda: sum(isinstance(event, Inbound) for event in line.told) == 2)
    assert [event.text for event in line.told if isinstance(event, Inbound)] == ["bir", "iki"]


def entries(line: Linked, word: bytes) -> list[Entry]:
    return list(holding(line.folder / "journal", word))


async def test_what_the_owner_writes_on_the_phone_is_journalled_without_its_text(side: Bedside, line: Linked) -> None:
    somebody = side.person()
    await side.call(line.phone.write(somebody, "özel"))
    await until(lambda: entries(line, b"WroteOurselves"))
    (own,) = entries(line, b"WroteOurselves")
    assert isinstance(own, WroteOurselves)
    assert own.recipient in {f"+{somebody.number}", ""}
    assert "özel" not in next((line.folder / "journal").glob("*.jsonl")).read_text()


async def test_of_the_phones_history_only_who_wrote_when_is_kept(side: Bedside, link: Callable[..., Linked]) -> None:
    line = link()
    friend = side.person()
    at = side.clock.now().replace(microsecond=0) - timedelta(days=3)
    line.phone.history = ((friend, at),)
    await line.pair()
    await until(lambda: entries(line, b"Acquainted"))
    assert entries(line, b"Acquainted") == [Acquainted(number=f"+{friend.number}", last_inbound_at=at)]
    known = KnowsUs(sender=f"+{friend.number}", at=at)
    await until(lambda: known in line.told)

"""What other people's messages hold, in the engine's own form of them."""

from typing import Any

import pytest
from neonize.proto.waE2E import WAWebProtobufsE2E_pb2 as e2e

from guvercin.core.inbound import InboundKind as Kind
from guvercin.core.inbound import Media
from guvercin.transports.web import protocol as p
from guvercin.transports.web.contents import Content, content_of
from guvercin.transports.web.journal import Read
from guvercin.transports.web.run import events_of

Message: Any = e2e.Message


def wrapped(name: str, inner: Any) -> Any:
    return Message(**{name: e2e.FutureProofMessage(message=inner)})


TEXT = Message(conversation="Selam")
PICTURE = Message(imageMessage=e2e.ImageMessage(mimetype="image/jpeg", caption="Bu mu?", fileLength=48_213))
PDF = Message(documentMessage=e2e.DocumentMessage(mimetype="application/pdf", fileName="FTR-ğ.pdf", caption="Ekte"))
EDIT = Message(protocolMessage=e2e.ProtocolMessage(editedMessage=TEXT))

FORMS: list[tuple[Any, Content]] = [
    (TEXT, Content(Kind.TEXT, "Selam")),
    (Message(extendedTextMessage=e2e.ExtendedTextMessage(text="Bak")), Content(Kind.TEXT, "Bak")),
    (PICTURE, Content(Kind.IMAGE, "Bu mu?", Media(type="image/jpeg", size=48_213))),
    (PDF, Content(Kind.DOCUMENT, "Ekte", Media(type="application/pdf", name="FTR-ğ.pdf"))),
    (wrapped("documentWithCaptionMessage", PDF), content_of(PDF) or Content(Kind.OTHER)),
    (wrapped("ephemeralMessage", wrapped("viewOnceMessageV2", PICTURE)), content_of(PICTURE) or Content(Kind.OTHER)),
    (wrapped("editedMessage", EDIT), Content(Kind.TEXT, "Selam")),
    (
        Message(audioMessage=e2e.AudioMessage(mimetype="audio/ogg", fileLength=9)),
        Content(Kind.AUDIO, "", Media(type="audio/ogg", size=9)),
    ),
    (Message(videoMessage=e2e.VideoMessage(caption="Film")), Content(Kind.VIDEO, "Film", Media())),
    (Message(stickerMessage=e2e.StickerMessage()), Content(Kind.STICKER, "", Media())),
    (
        Message(
            locationMessage=e2e.LocationMessage(
                degreesLatitude=41.01, degreesLongitude=28.97, name="Dükkân", address="Fatih"
            )
        ),
        Content(Kind.LOCATION, "Dükkân\nFatih\n41.010000, 28.970000"),
    ),
    (
        Message(liveLocationMessage=e2e.LiveLocationMessage(degreesLatitude=41.01, degreesLongitude=28.97)),
        Content(Kind.LOCATION, "41.010000, 28.970000"),
    ),
    (Message(contactMessage=e2e.ContactMessage(displayName="Bora")), Content(Kind.CONTACT, "Bora")),
    (Message(contactsArrayMessage=e2e.ContactsArrayMessage(displayName="2 kişi")), Content(Kind.CONTACT, "2 kişi")),
    (Message(reactionMessage=e2e.ReactionMessage(text="+")), Content(Kind.REACTION, "+")),
    (
        Message(buttonsResponseMessage=e2e.ButtonsResponseMessage(selectedDisplayText="Evet")),
        Content(Kind.CHOICE, "Evet"),
    ),
    (Message(listResponseMessage=e2e.ListResponseMessage(title="Salı")), Content(Kind.CHOICE, "Salı")),
    (Message(), Content(Kind.OTHER)),
]


@pytest.mark.parametrize(("message", "content"), FORMS)
def test_a_message_is_described(message: Any, content: Content) -> None:
    assert content_of(message) == content


def test_what_was_taken_back_is_no_message() -> None:
    assert content_of(Message(protocolMessage=e2e.ProtocolMessage())) is None


def test_a_message_wrapped_without_an_end_is_something_else() -> None:
    message = TEXT
    for _ in range(50):
        message = wrapped("ephemeralMessage", message)
    assert content_of(message) == Content(Kind.OTHER)


def test_an_entry_of_an_older_program_is_heard() -> None:
    line = (
        b'{"type":"Wrote","remote_id":"3A","sender":"+905321234567","text":"selam","at":"2026-02-23T11:30:00+00:00"}\n'
    )
    (heard,) = events_of(Read(p.decode_entry(line), after=None))  # type: ignore[arg-type]
    assert (heard.text, heard.kind, heard.sender_name, heard.media) == ("selam", Kind.TEXT, None, None)  # type: ignore[union-attr]


def test_a_kind_of_a_newer_program_is_something_else() -> None:
    entry = p.decode_entry(
        b'{"type":"Wrote","remote_id":"3A","sender":"+905321234567","text":"","at":"2026-02-23T11:30:00+00:00",'
        b'"kind":"anket","name":"Bora","media_type":"a/b","file_name":null,"file_size":3}\n'
    )
    (heard,) = events_of(Read(entry, after=None))  # type: ignore[arg-type]
    assert (heard.kind, heard.sender_name, heard.media) == (Kind.OTHER, "Bora", Media(type="a/b", size=3))  # type: ignore[union-attr]

"""The words of the codes that say what people want: refusals, consents, and what advertising has to carry."""

from collections.abc import Mapping
from types import MappingProxyType

from guvercin.core.errors import Code
from guvercin.locale.words import NORMALLY, NOT_SENT, NOTHING_SENT, Words

WISHES: Mapping[Code, Words] = MappingProxyType(
    {
        Code.OPTED_OUT: Words(
            title="Wants no messages",
            detail="This person has refused messages.",
            happened=(
                "They wrote DUR, RET or the like, chose it in WhatsApp, or were put on the list of refusals. A refusal "
                "wins over everything; a message that was waiting fails with this reason too."
            ),
            sent="No. Nothing was sent. What came in a bulk or was waiting stays in the log as failed.",
            todo=(
                "Don't write to them from another account. If they want messages again, they write BAŞLA; "
                "a slip in the list is ended with: guvercin ret kaldir TELEFON."
            ),
        ),
        Code.NO_CONSENT: Words(
            title="No consent",
            detail="This person has not agreed to commercial messages.",
            happened="The message is of a commercial category, and no consent of this person is on record.",
            sent="No. Nothing was sent. What came in a bulk stays in the log as failed.",
            todo="Record the consent with its date, source and proof: POST /onaylar or guvercin onay ekle.",
        ),
        Code.NO_SENDER_TITLE: Words(
            title="No sender's title",
            detail="The account has no title to put below commercial messages.",
            happened="A commercial message has to say who sends it, and this account doesn't know that.",
            sent=NOTHING_SENT,
            todo='Set it once: guvercin hesap degistir NO --unvan "Yıldız Kırtasiye Ltd. Şti."',
        ),
        Code.DECLARATION_NEEDED: Words(
            title="Declaration needed",
            detail="The text sounds like advertising, and its category is not a commercial one.",
            happened=(
                "There are words like indirim, kampanya or a percentage in it. Advertising goes only to people who "
                "have agreed, as category 9."
            ),
            sent=NOTHING_SENT,
            todo="Send it as category 9. If it is no advertising, say so: beyan: true, or --tanitim-degil.",
        ),
        Code.SOUNDS_COMMERCIAL: Words(
            title="Sounds like advertising",
            detail="The text sounds like advertising, and its category is not a commercial one.",
            happened="There are words like indirim, kampanya, fırsat or a percentage in it.",
            sent=NORMALLY,
            todo="Nothing, if it is none. Advertising belongs in category 9 and goes only to people who have agreed.",
        ),
        Code.IN_HAND: Words(
            title="A message is on its way",
            detail="A message to this person is being handed over at this moment.",
            happened="Somebody asked to forget a person while a message to them was leaving.",
            sent="That message is on its way. Nothing was destroyed.",
            todo="Ask again in a moment. What waits is withdrawn by it, and need not be cancelled before.",
        ),
        Code.ON_HOLD: Words(
            title="Held for the law",
            detail="This person's data are held because the law wants them kept.",
            happened="Somebody has put a hold on the number: a dispute, or an order of a court or an authority.",
            sent=NOTHING_SENT,
            todo="When the reason is over, end the hold: guvercin kisi birak TELEFON. Tell the person why they wait.",
        ),
        Code.CONTENT_GONE: Words(
            title="Content destroyed",
            detail="What this message said is no longer held.",
            happened="Its time was over, or its recipient asked to be forgotten. The record stays without its content.",
            sent="Nothing was sent now.",
            todo="Send a new message with the text or the file.",
        ),
        Code.SENT_LATELY: Words(
            title="Sent a while ago",
            detail="This person got the same message a short while ago.",
            happened="The account guards against repeats, and the same text went to this number within that time.",
            sent=NOT_SENT,
            todo="Nothing. If it is meant, change the text, or switch the guard off: hesap degistir NO --mukerrer 0.",
        ),
    },
)

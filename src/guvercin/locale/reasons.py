"""The words of the codes that stand on records: why a message failed, waits or is in doubt; why a line is down."""

from collections.abc import Mapping
from types import MappingProxyType

from guvercin.core.errors import Code
from guvercin.locale.words import NORMALLY, NOT_SENT, NOT_YET, PERHAPS, Words

MESSAGES: Mapping[Code, Words] = MappingProxyType(
    {
        Code.DUPLICATE: Words(
            title="Repeated recipient",
            detail="This number stands more than once in the list; it gets one message.",
            happened=(
                "A bulk list had the same number again, perhaps written in another way. Only its first line counts."
            ),
            sent="Not for this line. The first line with the number is sent.",
            todo="Nothing. If two different messages were meant, send them one by one.",
        ),
        Code.EXPIRED: Words(
            title="Expired",
            detail="The message could not leave before its time was over.",
            happened=(
                "Every message has a lifetime (gecerlilik_dk, or that of its category), so that none goes out too late."
            ),
            sent=NOT_SENT,
            todo="Look whether the account was connected. If the message still makes sense, send it again.",
        ),
        Code.WHATSAPP_REFUSED: Words(
            title="WhatsApp refused it",
            detail="WhatsApp refused the message.",
            happened="WhatsApp said a clear no. Trying again would not help, so it is not tried.",
            sent=NOT_SENT,
            todo="Look at the record: it holds WhatsApp's own answer. Check the number and the content.",
        ),
        Code.NOT_ON_WHATSAPP: Words(
            title="Not on WhatsApp",
            detail="This number is not on WhatsApp.",
            happened="WhatsApp says that nobody uses it with this number.",
            sent=NOT_SENT,
            todo="Check the number, or reach the person in another way.",
        ),
        Code.NEW_CHATS_RESTRICTED: Words(
            title="New chats restricted",
            detail="WhatsApp doesn't let this account start new chats for now.",
            happened=(
                "WhatsApp does this to accounts that write to many people who never wrote to them. "
                "Chats with people who have written to you go on."
            ),
            sent=NOT_SENT,
            todo=(
                "Wait until WhatsApp lifts the restriction. Sending on, restarting or linking again makes it worse. "
                "Let customers write to you first."
            ),
        ),
        Code.PUSHED_BACK: Words(
            title="Put off",
            detail="WhatsApp could not take the message just now.",
            happened=(
                "WhatsApp answered «not now». The message keeps its place and is tried again, at growing intervals."
            ),
            sent=NOT_YET,
            todo="Nothing. If it stays so for hours, look at the account.",
        ),
        Code.RETRIES_EXHAUSTED: Words(
            title="Given up after several tries",
            detail="The message was tried several times and could not be handed over.",
            happened="WhatsApp put it off again and again, until the last try.",
            sent=NOT_SENT,
            todo="Look at the account's connection, then send the message again.",
        ),
        Code.LINE_DOWN: Words(
            title="Line down",
            detail="The account is not connected; the message waits.",
            happened="The line to WhatsApp is down. The message is kept and leaves when the line is back.",
            sent=NOT_YET,
            todo="Look at the account: it says whether somebody must do something.",
        ),
        Code.ANSWER_LOST: Words(
            title="Answer lost",
            detail="WhatsApp's answer did not arrive: nobody knows whether the message left.",
            happened=(
                "The connection broke while the message was being sent. "
                "It is not sent again by itself: it might come twice."
            ),
            sent=PERHAPS,
            todo="Wait for a receipt, or ask the recipient. Only then send it again.",
        ),
        Code.CUT_SHORT: Words(
            title="Cut short",
            detail="The server stopped while it was sending: nobody knows whether the message left.",
            happened=(
                "The power went or the process ended in the middle of a send. We look for traces and wait for receipts."
            ),
            sent=PERHAPS,
            todo="Wait for a receipt, or ask the recipient. Only then send it again.",
        ),
        Code.RESENT: Words(
            title="Sent again",
            detail="The message was in doubt and was sent again as a new record.",
            happened=(
                "Somebody, or the account's rule, decided to send it again. This record is closed, the new one counts."
            ),
            sent=PERHAPS,
            todo="Follow the new record.",
        ),
        Code.GIVEN_UP: Words(
            title="Given up",
            detail="The message was in doubt, no proof came, and it was given up.",
            happened="The account's rule says to give up messages whose fate stays unknown.",
            sent=PERHAPS,
            todo="Ask the recipient before you send it again.",
        ),
    },
)

NOTES: Mapping[Code, Words] = MappingProxyType(
    {
        Code.UNKNOWN_CATEGORY: Words(
            title="Undefined category",
            detail="This tur_id is not defined; the rules of «general» apply.",
            happened="The number was kept as you gave it. Lifetime and urgency are those of category 10.",
            sent=NORMALLY,
            todo="Nothing. If it was a slip, correct tur_id.",
        ),
        Code.UNLISTED_PREFIX: Words(
            title="New mobile prefix",
            detail="This mobile prefix is not in the public list of prefixes yet.",
            happened="New prefixes come before the lists know them, so the number was accepted.",
            sent=NORMALLY,
            todo="Check the number if the message fails.",
        ),
        Code.NOT_MOBILE: Words(
            title="Not a mobile number",
            detail="This number does not look like a mobile number.",
            happened="It is a landline, an 0850 or the like. WhatsApp can live on such numbers, so it was accepted.",
            sent=NORMALLY,
            todo="Check the number if the message fails.",
        ),
    },
)

LINES: Mapping[Code, Words] = MappingProxyType(
    {
        Code.SWITCHED_OFF: Words(
            title="Switched off",
            detail="The account is switched off.",
            happened="Its owner has switched it off. Messages are accepted and wait.",
            sent=NOT_YET,
            todo="Switch the account on again when it should send.",
        ),
        Code.TEMPORARY_BAN: Words(
            title="Temporary ban",
            detail="WhatsApp has banned the account for a while.",
            happened="WhatsApp didn't like how the account was used. The queue stands still; no message is lost.",
            sent=NOT_YET,
            todo=(
                "Wait until the ban ends; don't link again. Then send less, more slowly, "
                "and only to people who want to hear from you."
            ),
        ),
    },
)

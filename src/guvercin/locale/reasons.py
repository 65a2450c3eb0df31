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
        Code.NEEDS_TEMPLATE: Words(
            title="Needs a template",
            detail="The customer has not written for 24 hours: Meta takes only an approved template now.",
            happened=(
                "On Meta's official line a free text may go to people who wrote within the last 24 hours. "
                "No template stands for this kind of message (tur_id)."
            ),
            sent=NOT_SENT,
            todo="Let Meta approve a template and give it to the account for this tur_id (sablonlar).",
        ),
        Code.TEMPLATE_PLACE: Words(
            title="A place of the template is empty",
            detail="The template asks for something that the list doesn't say of this person.",
            happened=(
                "The template that stands for this kind of message has a place for a variable, and the line of this "
                "person has no value of that name (degiskenler). A sum that is missing is not sent as a dash."
            ),
            sent=NOT_SENT,
            todo="Give the value with the person (degiskenler), or take the place out of the template (sablonlar).",
        ),
        Code.TEMPLATE_STOPPED: Words(
            title="Template stopped",
            detail="Meta has stopped the template of this message, or doesn't know it.",
            happened=(
                "Meta pauses a template that people complain about, and refuses one that it hasn't approved in this "
                "language. Only messages of this template stop; all others go on."
            ),
            sent=NOT_SENT,
            todo=(
                "Look at the template in Meta's WhatsApp Manager. Messages that wait for it leave by themselves when "
                "it works again, or give the account another one (sablonlar)."
            ),
        ),
        Code.PEOPLE_LIMIT: Words(
            title="Meta's limit of people",
            detail="The number has written to as many new people as Meta allows it in 24 hours.",
            happened=(
                "Meta counts the people whom your business writes to first within 24 hours, and raises the limit of "
                "those who send well. People who wrote to you within a day don't count."
            ),
            sent=NOT_YET,
            todo="Nothing: the message leaves when a place is free. Look at the limit in Meta's WhatsApp Manager.",
        ),
        Code.RENEW_MEDIA: Words(
            title="File is uploaded again",
            detail="Meta no longer had the file; it is uploaded again.",
            happened="Meta keeps an uploaded file for 30 days, and had already dropped this one.",
            sent=NOT_YET,
            todo="Nothing: the message leaves by itself.",
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
        Code.MANY_FAILED: Words(
            title="Many failed",
            detail="The bulk was paused: many of its last messages failed.",
            happened="Of the last 20 messages of this bulk 5 or more were refused. Going on would harm the number.",
            sent=NOT_YET,
            todo="Look at the failed rows. If the list is right, let it go on: guvercin toplu-devam ID.",
        ),
        Code.MANY_NOT_ON_WHATSAPP: Words(
            title="Many numbers not on WhatsApp",
            detail="The bulk was paused: too many of its numbers are not on WhatsApp.",
            happened=(
                "More than one in ten numbers of this list is not on WhatsApp. Lists like this look like spam to it."
            ),
            sent=NOT_YET,
            todo="Clean the list. If it is right all the same, let it go on: guvercin toplu-devam ID.",
        ),
        Code.FEW_DELIVERED: Words(
            title="Few delivered",
            detail="The bulk was paused: too few of its messages arrive.",
            happened=(
                "Six hours after they left, fewer than six in ten messages have arrived. People may have blocked the "
                "number, or the list is old."
            ),
            sent=NOT_YET,
            todo="Ask a few recipients what they see. Then decide: guvercin toplu-devam ID, or cancel the rest.",
        ),
        Code.MANY_REFUSALS: Words(
            title="Many refused",
            detail="The bulk was paused: too many of its recipients answered that they want no messages.",
            happened=(
                "Within 24 hours more than two in a hundred of the people whom this bulk reached wrote DUR or «yanlış "
                "numara». Who doesn't write it may report the number to WhatsApp instead. They get nothing more."
            ),
            sent=NOT_YET,
            todo=(
                "Read what they wrote: guvercin ret liste. If the list and the text are right, let it go on: "
                "guvercin toplu-devam ID; or cancel the rest."
            ),
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
        Code.MONTHLY_LIMIT: Words(
            title="Monthly limit of WhatsApp",
            detail="WhatsApp takes no more new messages of this account this month.",
            happened=("WhatsApp counts messages to people who don't answer, and this account has used up its month."),
            sent=NOT_SENT,
            todo=("Wait for the next month. Write to people who answer; each answer gives one back."),
        ),
        Code.MONTHLY_WARNING: Words(
            title="WhatsApp's warning",
            detail="WhatsApp warns: this month's messages to people who don't answer are running out.",
            happened=(
                "WhatsApp counts messages to people who don't answer, and this account has used up much of its month. "
                "Until the month ends half as many messages go to new people; customers are not meant."
            ),
            sent=NOT_YET,
            todo="Nothing. Write to people who answer; each answer gives one back.",
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
        Code.LEFT_OUT: Words(
            title="Recipient's phone left out",
            detail="WhatsApp took the message, but it could not be encrypted for the recipient's phone.",
            happened=(
                "The keys that WhatsApp gave for that phone are broken or missing, so it went to the other "
                "devices only, perhaps to none."
            ),
            sent=PERHAPS,
            todo=("Wait for «delivered». If it doesn't come, reach the person in another way and send again later."),
        ),
        Code.STILL_ON_PHONE: Words(
            title="Still on the phone",
            detail="The account was removed, but its line was down: the phone still lists this device.",
            happened="The session was deleted here. WhatsApp could not be told, because nobody was connected.",
            sent=NORMALLY,
            todo="On the phone: WhatsApp › Linked devices, tap «Güvercin», then log out.",
        ),
        Code.SEVERAL_NUMBERS: Words(
            title="Several numbers",
            detail="There are several numbers in this cell; the first mobile one is taken.",
            happened="A cell of the list held more than one number. A row gets one message.",
            sent=NORMALLY,
            todo="Nothing, if it is the right one. Otherwise leave only the wanted number in the cell.",
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
        Code.UNPAID: Words(
            title="Payment needed",
            detail="Meta can't charge for the messages.",
            happened="The payment method of the account at Meta is missing or was refused. Messages are kept and wait.",
            sent=NOT_YET,
            todo="Put the payment in order at Meta, then resume the line.",
        ),
        Code.NOT_REGISTERED: Words(
            title="Number not ready",
            detail="Meta doesn't let this number send.",
            happened=(
                "The number is not registered for the Cloud API, its name is not approved, it was taken away, "
                "or its id doesn't belong to this token."
            ),
            sent=NOT_YET,
            todo="Look at the number in Meta's WhatsApp Manager; correct the ids of the account, then resume the line.",
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
        Code.BANNED_FOR_STRANGERS: Words(
            title="Banned: too many strangers",
            detail=(
                "WhatsApp has banned the account for a while: it wrote to too many people who don't have its number."
            ),
            happened=(
                "People who don't know the number got messages from it (WhatsApp's reason 101). The queue stands "
                "still; no message is lost."
            ),
            sent=NOT_YET,
            todo=(
                "Wait until the ban ends; don't link again. Then write only to people who wrote to you or asked for "
                "it; let new customers write first."
            ),
        ),
        Code.BANNED_FOR_BLOCKS: Words(
            title="Banned: blocked by many",
            detail="WhatsApp has banned the account for a while: too many people blocked it.",
            happened=(
                "Recipients blocked or reported the number (WhatsApp's reason 102). The queue stands still; no message "
                "is lost."
            ),
            sent=NOT_YET,
            todo=(
                "Wait until the ban ends; don't link again. Take out of your lists whoever did not ask for messages, "
                "and say in each message how to stop them."
            ),
        ),
        Code.BANNED_FOR_GROUPS: Words(
            title="Banned: groups",
            detail=(
                "WhatsApp has banned the account for a while: it made too many groups with people who don't have its "
                "number."
            ),
            happened=(
                "Groups were made with strangers (WhatsApp's reason 103), on the phone or in another program: Güvercin "
                "makes none. The queue stands still; no message is lost."
            ),
            sent=NOT_YET,
            todo="Wait until the ban ends; don't link again. Look who else uses this number.",
        ),
        Code.BANNED_FOR_SAME_TEXT: Words(
            title="Banned: one text to many",
            detail="WhatsApp has banned the account for a while: it sent the same message to too many people.",
            happened=(
                "One text went to many people (WhatsApp's reason 104). The queue stands still; no message is lost."
            ),
            sent=NOT_YET,
            todo=(
                "Wait until the ban ends; don't link again. Then write what concerns each person: the name, the "
                "amount, the number of the invoice. Announcements to many belong on Meta's Cloud API."
            ),
        ),
        Code.BANNED_FOR_BROADCAST: Words(
            title="Banned: broadcast lists",
            detail="WhatsApp has banned the account for a while: it sent too many messages to broadcast lists.",
            happened=(
                "A broadcast list on the phone was used too much (WhatsApp's reason 106): Güvercin uses none. The "
                "queue stands still; no message is lost."
            ),
            sent=NOT_YET,
            todo="Wait until the ban ends; don't link again. Look who else uses this number.",
        ),
        Code.NOT_LINKED: Words(
            title="Not linked",
            detail="No phone is linked to this account.",
            happened=("No phone has been linked yet, or the link was ended from here. Messages are accepted and wait."),
            sent=NOT_YET,
            todo=("Link the phone: guvercin hesap bagla ID."),
        ),
        Code.REMOVED: Words(
            title="Removed on the phone",
            detail="This device was taken off the phone's list of linked devices.",
            happened=(
                "Somebody removed it on the phone, or WhatsApp ended the session. The queue stands still; no "
                "message is lost."
            ),
            sent=NOT_YET,
            todo=("If that was not meant, link the phone again: guvercin hesap bagla ID."),
        ),
        Code.OPENED_ELSEWHERE: Words(
            title="Opened elsewhere",
            detail="The same session was opened in another program.",
            happened=(
                "Two programs used one session, for example from a copied data folder. We let the other one have"
                " it and don't fight over it."
            ),
            sent=NOT_YET,
            todo=("Stop the other program, then: guvercin hesap devam ID."),
        ),
        Code.SESSION_HELD: Words(
            title="Session still in use",
            detail="Another gateway still holds this phone's session.",
            happened=(
                "The account has come to this gateway, and the gateway before it has not let go of the session yet. It "
                "is connected by itself as soon as the session is free; the messages wait."
            ),
            sent=NOT_YET,
            todo=(
                "Nothing for now. If it lasts longer than two minutes, look for a Güvercin on another machine that "
                "hangs, and end it."
            ),
        ),
        Code.ENGINE_OUTDATED: Words(
            title="Engine outdated",
            detail="WhatsApp doesn't accept this version of the engine any more.",
            happened=("WhatsApp asks for a newer program. Only an update helps; linking again doesn't."),
            sent=NOT_YET,
            todo=("Update Güvercin, then: guvercin hesap devam ID."),
        ),
        Code.ENGINE_DOWN: Words(
            title="Engine not running",
            detail="The engine of linked phones could not be started on this machine.",
            happened=(
                "A package or a system library is missing, or this platform is not supported. It is tried again "
                "by itself."
            ),
            sent=NOT_YET,
            todo=("Run: guvercin doktor. It says what is missing. The sandbox works without it."),
        ),
        Code.LOCKED: Words(
            title="Locked by WhatsApp",
            detail="WhatsApp has locked this account.",
            happened=(
                "WhatsApp logged the device out and locked the account. The queue stands still; no message is lost."
            ),
            sent=NOT_YET,
            todo=("Open WhatsApp on the phone and do what it says. Don't link again before that."),
        ),
        Code.CLOSED: Words(
            title="Closed by WhatsApp",
            detail="WhatsApp has closed this account.",
            happened=("WhatsApp has banned the number. It forbids unofficial and bulk use of linked phones."),
            sent=NOT_YET,
            todo=("Ask for a review in WhatsApp on the phone. For a number that matters, use Meta's Cloud API."),
        ),
        Code.LINKING_TIMED_OUT: Words(
            title="Linking timed out",
            detail="No phone took the code in time.",
            happened=("WhatsApp takes codes for 160 seconds, then a new try is needed."),
            sent=NOT_YET,
            todo=("Have the phone ready and begin again: guvercin hesap bagla ID."),
        ),
        Code.LINKING_FAILED: Words(
            title="Linking failed",
            detail="The phone could not be linked.",
            happened=("WhatsApp refused the link, or the connection broke while it was made."),
            sent=NOT_YET,
            todo=("Try again in some minutes: guvercin hesap bagla ID. With a code, check the number."),
        ),
        Code.PASSKEY_NEEDED: Words(
            title="Passkey needed",
            detail="WhatsApp asks for a passkey before it links this number.",
            happened=(
                "WhatsApp asks some numbers for a step that only its own programs can take. We don't ask for "
                "such credentials and don't pass them on."
            ),
            sent=NOT_YET,
            todo=("Link another number, or use Meta's Cloud API for this one."),
        ),
        Code.NO_DELIVERIES: Words(
            title="Nothing arrives any more",
            detail="Messages go out, and no phone has received one for half an hour.",
            happened=(
                "WhatsApp acknowledges what we send, and nobody's delivery comes back. One silent phone means "
                "nothing; this many do."
            ),
            sent=NORMALLY,
            todo=(
                "Look at the account's WhatsApp on the phone, and send a message to a phone that you hold. If it"
                " doesn't arrive, pause the account."
            ),
        ),
    },
)

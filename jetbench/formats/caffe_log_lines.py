"""From the lines of a log, as people hand them on, to glog's messages.

Logs come straight from a board, but also quoted in mails, wrapped, pasted as one line,
with the first letter lost or without any prefix. Here they become messages again; what
the messages mean is not decided here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_MESSAGE_BYTES = 4096
"""The rest is dropped: what is told of a failure, or a layer's name, is shorter by far."""
_SHORT_BYTES = 160
_MOST = 0.9
"""Of the lines, begin in the same way where another program has put that there."""

# Date, time, thread, file and line; newer versions of glog write the year, too.
_TIME = rb" [0-9:]{8}\.[0-9]{6}"
_CLOCK = _TIME + rb" +[0-9]+ "
_PLACE = rb"([\w.+/-]{1,80}):[0-9]+\] ?"
_START = re.compile(rb"[ \t>|]*(?:([IWEF])?([0-9]{3,9}" + _TIME + rb") +[0-9]+ " + _PLACE + rb")?")
# The same; it begins with one of few characters, which makes a search fast.
_WITHIN = re.compile(rb"[IWEF0-9][0-9]{3}(?<!\w.{4})[0-9]{0,5}" + _CLOCK + _PLACE)
_STAMPED_LINE = re.compile(rb"\n[ \t>|]*[IWEF]?[0-9]{4,8}" + _CLOCK)
NUMBER = rb"[-+]?(?:[0-9.]+(?:[eE][-+]?[0-9]+)?|nan(?:\(\w*\))?|inf)"
"""As a stream prints it."""
# Messages of which a mail program may have wrapped the rest to the next line.
_WRAPPED = re.compile(
    rb"Iteration:(?: [0-9]+(?: forward-backward)?)?"
    rb"|(?:Average|Min)(?: (?:Forward|Backward))?|Total"
    rb"|(?:Iteration: [0-9]+ forward-backward time:|[^\s{}]{1,200}[ \t]+(?:forward|backward):"
    rb"|(?:(?:Average|Min) )?(?:Forward pass|Backward pass|Forward-Backward|Total Time):?)"
    rb"(?: " + NUMBER + rb"(?: milli)?)?"
    rb"|Testing(?: for(?: -?[0-9]+)?)?|Use|Using|\*\*\*(?: Benchmark)?"
    rb"|Initializing(?: net(?: from)?)?|Network(?: initialization)?"
    rb"|Creating(?: Layer)?|\S+ (?:->|<-)|Top(?: shape:(?: [0-9]+)*)?"
)
# A layer's name alone may be the beginning of a line, too, if this goes on.
_NAME = re.compile(rb"[^\s{}]{1,200}")
_OF_A_LAYER = re.compile(rb"(?:forward|backward): |(?:->|<-) ")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the log, or one line that is none."""

    text: bytes
    """Without prefix, and without blanks around it."""
    level: str | None
    """``I``, ``W``, ``E``, ``F``; a blank where the letter is lost, None without a prefix."""
    source: bytes = b""
    """The file of Caffe's source that it comes from."""
    stamp: bytes = b""
    """When it was written, as `glog_time` reads it."""


class Splitter:
    """Takes lines apart, and puts wrapped ones together again."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held: Message | None = None
        """A message that waits for the rest of it."""

    def feed(self, line: bytes) -> Iterator[Message]:
        """The messages that are whole with this line.

        Args:
            line: The next line, as `single_messages` has it.
        """
        message = _message(line)
        if self.held is not None:
            held, self.held = self.held, None
            if _goes_on(held, message):
                joined = held.text + b" " + message.text
                text = joined[:_MAX_MESSAGE_BYTES]
                message = Message(text, held.level, held.source, held.stamp)
            else:
                yield held
        if _WRAPPED.fullmatch(message.text) or (message.level and _NAME.fullmatch(message.text)):
            self.held = message
        else:
            yield message

    def end(self) -> Iterator[Message]:
        """What is left at the end of the log."""
        if self.held is not None:
            yield self.held
            self.held = None


def clean(raw: bytes, limit: int = 500) -> str:
    """Text of a log for people: bytes that are no UTF-8 and control characters escaped."""
    text = raw[: 4 * limit].decode("utf-8", "backslashreplace")
    return text if text.isprintable() and len(text) <= limit else printable(text, limit)


def messages(text: bytes) -> Iterator[Message]:
    """All messages of a text that is at hand."""
    splitter = Splitter()
    for line in text.split(b"\n"):
        for one in single_messages(line).split(b"\n"):
            yield from splitter.feed(one)
    yield from splitter.end()


def single_messages(line: bytes) -> bytes:
    """A line, cut into several where a message begins in its middle."""
    begin = _prefix(line).end()
    if line.find(b"]", begin) < 0 or not _WITHIN.search(line, begin):
        return line
    return line[:begin] + _WITHIN.sub(lambda found: b"\n" + found[0], line[begin:])


def foreign_prefix(text: bytes) -> re.Pattern[bytes] | None:
    """What another program has put before every line: a container's clock, a host's name.

    It is what stands before the first message, its digits any others; None where most of the
    lines do not begin so.
    """
    first = _WITHIN.search(text)
    if first is None:
        return None
    begin = text[text.rfind(b"\n", 0, first.start()) + 1 : first.start()]
    if not begin.strip(b" \t>|") or len(begin) > _SHORT_BYTES:
        return None
    words = re.sub(rb"[0-9]+", rb"[0-9]+", re.escape(begin.rstrip()))
    end = rb"(?:[ \t]|$)" if begin[-1:].isspace() else b""
    pattern = re.compile(rb"^" + words + end, re.MULTILINE)
    lines = text.count(b"\n")
    alike = sum(1 for _ in pattern.finditer(text))
    return pattern if alike > _MOST * lines else None


def has_stamp(text: bytes) -> bool:
    """Whether one of the lines is a message of glog's."""
    return bool(_STAMPED_LINE.match(b"\n" + text[:_SHORT_BYTES]) or _STAMPED_LINE.search(text))


def _message(line: bytes) -> Message:
    line = line[:_MAX_MESSAGE_BYTES]
    found = _prefix(line)
    letter, stamp, source = found.groups()
    text = line[found.end() :].strip()
    return Message(text, None) if source is None else Message(text, _level(letter), source, stamp)


def _level(letter: bytes | None) -> str:
    return (letter or b" ").decode("ascii")


def _goes_on(held: Message, message: Message) -> bool:
    """Whether a line is the rest of the one before."""
    if message.level is not None or not message.text:
        return False
    return bool(_WRAPPED.fullmatch(held.text) or _OF_A_LAYER.match(message.text))


def _prefix(line: bytes) -> re.Match[bytes]:
    return cast("re.Match[bytes]", _START.match(line))  # which matches the empty string, too

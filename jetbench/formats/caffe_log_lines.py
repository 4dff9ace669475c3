"""From the lines of a log, as people hand them on, to glog's messages.

Logs come straight from a board, but also quoted in mails, wrapped, pasted as one line,
with the first letter lost or without any prefix. Here they become messages again; what
the messages mean is not decided here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_LINE_BYTES = 1 << 20
"""The rest of a longer line is dropped: Caffe writes none of a thousandth of this."""

_MAX_JOINED_BYTES = 4096
_SHORT_BYTES = 160

# Date, time, thread, file and line; newer versions of glog write the year, too.
_STAMP = rb"[0-9]{4,8} [0-9:]{8}\.[0-9]{6} +[0-9]+ [\w.+/-]{1,80}:[0-9]+\] ?"
_START = re.compile(rb"[ \t>|]*(?:([IWEF])?(" + _STAMP + rb"))?")
_SECOND = re.compile(rb"\] .*\] ")
_WITHIN = re.compile(rb"(?<!\w)[IWEF]?" + _STAMP)
# Messages whose number a mail program may have wrapped to the next line.
_WRAPPED = re.compile(
    rb"(?:Iteration: [0-9]+(?: forward-backward)?(?: time:)?"
    rb"|(?:Average|Min)(?: (?:Forward|Backward)(?: pass)?)?:?"
    rb"|(?:Average|Min) Forward-Backward:?"
    rb"|Total(?: Time)?:?|Testing for(?: -?[0-9]+)?"
    rb"|[^\s{}]{1,200}[ \t]+(?:forward|backward):)"
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the log, or one line that is none."""

    text: bytes
    """Without prefix, and without blanks around it."""
    level: str | None
    """``I``, ``W``, ``E``, ``F``; a blank where the letter is lost, None without a prefix."""


class Splitter:
    """Takes lines apart, and puts wrapped ones together again."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held: Message | None = None
        """A message that waits for the rest of it."""

    def feed(self, line: bytes) -> Iterator[Message]:
        """The messages that are whole with this line.

        Args:
            line: The next line of the log, with or without its end.
        """
        for part in _parts(line[:MAX_LINE_BYTES]):
            message = _message(part)
            if self.held is not None:
                held, self.held = self.held, None
                if message.level is None and message.text:
                    joined = held.text + b" " + message.text
                    message = Message(joined[:_MAX_JOINED_BYTES], held.level)
                else:
                    yield held
            if _WRAPPED.fullmatch(message.text):
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


def _parts(line: bytes) -> Sequence[bytes]:
    """A line, cut where a message begins in its middle or a progress bar has returned."""
    line = line.rstrip(b"\r\n")
    if len(line) < _SHORT_BYTES and not _SECOND.search(line) and b"\r" not in line:
        return (line,)
    parts = []
    for one in line.split(b"\r"):
        starts = [found.start() for found in _WITHIN.finditer(one)]
        begins = [0, *(start for start in starts if one[:start].strip(b" \t>|"))]
        parts += [one[a:b] for a, b in zip(begins, [*begins[1:], len(one)], strict=True)]
    return parts


def _message(part: bytes) -> Message:
    found = _START.match(part)
    if found is None:  # pragma: no cover - the pattern matches the empty string
        return Message(part.strip(), None)
    level = None if found[2] is None else (found[1] or b" ").decode("ascii")
    return Message(part[found.end() :].strip(), level)

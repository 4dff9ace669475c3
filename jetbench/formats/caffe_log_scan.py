"""Finds the lines of a log that tell something, at the speed of a search.

Most of a long log tells nothing that is wanted: the printed net, debug output, what stands
around it. So a log is read in blocks, and only lines that hold one of a few words are taken
apart; what lies between them is handed on as it is.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from jetbench.formats.caffe_log_lines import (
    foreign_prefix,
    has_stamp,
    single_messages,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BLOCK_BYTES = 1 << 20
"""A good size for the blocks that are read."""
MAX_LINE_BYTES = 1 << 20
"""The rest of a longer line is dropped: Caffe writes none of a thousandth of this."""

# Each alternative begins with a sign or a capital letter, which are rare in a log: that is
# what makes the search fast. `caffe_log` and `caffe_log_failure` say what the words mean.
_TELLING = re.compile(
    rb":(?:(?<=[drs)]:)(?:(?<=ward:)|(?<=pass:)|(?<=error:)|(?<=libraries:)|(?<=loaded:)"
    rb"|(?<=std:)|(?<=what\(\):))| (?:not found|Permission|No such|command|cannot|Exec))"
    rb"|Iteration:|Average|Min\b|Total|Testing|Use|Using|Initial|Network i|\*\*\*|\$ |# "
    rb"|F[0-9]{4}|\[libprotobuf|ERROR|Error|Out of memory|Killed|Terminated|Segmentation"
    rb"|Aborted|Bus error|Illegal|Floating|Interrupt|Hangup"
)
# The lines that come by the thousand and tell something, also where they are wrapped. Every
# part has a largest length: without, a line of blanks would be tried once for each of them.
_TIME = re.compile(
    rb"[ \t>|]{0,64}(?:[IWE]?[0-9]{4,8} [^]\n]{10,120}\] )?[ \t]{0,64}"
    rb"(?:Iteration: [0-9]{1,20}[ \n]forward-backward[ \n]time"
    rb"|(\S{1,1000})[ \t]{1,64}(forward|backward)):"
    rb"[ \n]([0-9.e+-]{1,64})[ \n]ms\. {0,64}\n"
)
_HEAD_BYTES = 1 << 16
"""Enough to see whether every line of the log begins in the same way."""
_COLOUR = re.compile(rb"\x1b\[[0-9;]*[mK]")


class Reader(Protocol):
    """Who is told what stands in the log, in order."""

    @property
    def listening(self) -> bool:
        """Whether the next line matters whatever it says: it may go on with the last one."""

    @property
    def timing(self) -> bool:
        """Whether a line that looks like a time is one, and not part of a printed net."""

    def iteration(self, number: bytes) -> None:
        """The time of an iteration."""

    def layer(self, name: bytes, direction: bytes, number: bytes) -> None:
        """A line of the table of layers."""

    def take(self, line: bytes) -> None:
        """Any other line that tells something."""

    def pass_over(self, text: bytes) -> None:
        """Lines that tell nothing."""


def scan(blocks: Iterable[bytes], reader: Reader) -> None:
    """Read a log to its end.

    Args:
        blocks: The log, in pieces of any size.
        reader: Is told what stands in it.
    """
    texts, head = _whole_lines(blocks), b""
    for text in texts:
        head += text
        if len(head) >= _HEAD_BYTES:
            break
    prefix = foreign_prefix(head)
    for text in chain([head], texts):
        _scan(text if prefix is None else prefix.sub(b"", text), reader)


def _whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same text, cut only at the ends of lines, and these all alike."""
    rest = b""
    for block in blocks:
        lines, end, begun = block.rpartition(b"\n")
        if end:
            text, rest = rest + lines + end, begun
            yield _plain(text.replace(b"\r\n", b"\n"))
        elif len(rest) < MAX_LINE_BYTES:
            rest += begun
    if rest:
        yield _plain(rest) + b"\n"


def _plain(text: bytes) -> bytes:
    """Lines without the colours of a terminal, and ends of lines that are all alike."""
    text = text.replace(b"\r", b"\n")
    return _COLOUR.sub(b"", text) if b"\x1b[" in text else text


def _scan(text: bytes, reader: Reader) -> None:
    at = 0
    while at < len(text):
        if not reader.listening:
            if reader.timing:
                at = _times(text, at, reader)
            start = _next_telling(text, at)
            reader.pass_over(text[at:start])
            at = start
        end = text.find(b"\n", at) + 1 or len(text)
        line = single_messages(text[at:end])
        if 0 < line.find(b"\n") + 1 < len(line):
            _scan(line, reader)
        elif line:
            reader.take(line)
        at = end


def _times(text: bytes, at: int, reader: Reader) -> int:
    """Tell the times that stand at a place of the text; return where they end."""
    while found := _TIME.match(text, at):
        name, direction, number = found.groups()
        if name is None:
            reader.iteration(number)
        else:
            reader.layer(name, direction, number)
        at = found.end()
    return at


def _next_telling(text: bytes, at: int) -> int:
    """Where the next line begins that tells something; the text's end where there is none."""
    telling = _TELLING.search(text, at)
    if telling is None:
        return len(text)
    line = text.rfind(b"\n", at, telling.start()) + 1 or at
    if has_stamp(text[line : telling.start()]):
        return line
    # It may be the wrapped rest of the line before.
    return text.rfind(b"\n", at, max(at, line - 1)) + 1 or at

"""Protobuf's text format, read with positions.

The reader follows protobuf's ``TextFormat::Parser`` and the tokenizer below it: ``#``
comments, the colon that may be left out before a message, ``{ }`` and ``< >``, one ``;``
or ``,`` after a field, lists, hexadecimal and octal numbers, adjacent strings. It knows
no schema: what a field may hold is for the caller to say.

Offsets count characters of the text that was handed in, so that a caller can replace
exactly the characters it means. Bytes that are no UTF-8 may come in as lone surrogates
(``errors="surrogateescape"``).
"""

from __future__ import annotations

import gc
import re
from typing import Literal, NamedTuple

from jetbench.domain.errors import ModelError

MAX_DEPTH = 100
"""Messages within messages; the deepest published nets have six."""

_BLANK = r"[ \t\n\v\f\r]*"
# A comment ends at a line feed only, also where the lines end with a lone CR: so does
# protobuf. Written so that each text can be matched in one way, hence in linear time.
_SKIP = rf"{_BLANK}(?:\#[^\n]*(?:\n{_BLANK}|\Z))*"
_NAME = r"[A-Za-z_][A-Za-z0-9_]*(?![A-Za-z0-9_])"
_DECIMAL = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?[fF]?"
_NUMBER = rf"(?:-{_SKIP})?(?:0[xX][0-9A-Fa-f]+|{_DECIMAL})"
_LITERAL = r""""[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*'"""
_STRING = rf"(?:{_LITERAL})(?:{_SKIP}(?:{_LITERAL}))*"
_SCALAR = rf"({_NUMBER})|((?:-{_SKIP})?{_NAME})|({_STRING})"
_FIELD = re.compile(
    rf"{_SKIP}(?:({_NAME}|\[[A-Za-z0-9_./ -]*\])(?:{_SKIP}(:))?{_SKIP}(?:{_SCALAR}|([{{<\[]))"
    r"|([}>])|([;,]))",
    re.DOTALL,
)
_ITEM = re.compile(rf"{_SKIP}(?:{_SCALAR}|([{{<])|(\])|(,))", re.DOTALL)
_SKIPPED = re.compile(_SKIP)
_NAMED = re.compile(rf"({_NAME})({_SKIP}:)?{_SKIP}")
_ONE_LITERAL = re.compile(rf"#[^\n]*|({_LITERAL})", re.DOTALL)
LINE_END = re.compile(r"\r\n|\n|\r")
"""What ends a line: LF, CRLF, or a lone CR."""
_SIGN_GAP = re.compile(rf"-{_SKIP}")
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|[xX]([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_PLAIN_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_CLOSER = {"{": "}", "<": ">", "[": "]"}
_MAX_SHOWN = 60  # characters of a name in a message
_MAX_DIGITS = 40  # a 64-bit number in octal has 23; more is no integer that Caffe takes

# Groups of _FIELD and _ITEM; the kinds lie side by side so that `lastindex` tells them.
_F_NUMBER, _F_STRING, _F_OPEN, _F_CLOSE, _F_SEPARATOR = 3, 5, 6, 7, 8
_I_STRING, _I_OPEN, _I_END, _I_COMMA = 3, 4, 5, 6

Kind = Literal["number", "ident", "string"]
_KINDS: tuple[Kind, Kind, Kind] = ("number", "ident", "string")


# Named tuples, since a long file has a million of these: a frozen dataclass takes three times
# as long to make.


class Scalar(NamedTuple):
    """One value that is no message, as it stands in the source."""

    text: str
    """The source's characters, from `start` to `end`, quotes and comments between included."""
    start: int
    end: int
    kind: Kind

    def as_int(self) -> int | None:
        """The integer (decimal, ``0x`` hexadecimal, ``0`` octal), or None if it is none."""
        if self.kind != "number":
            return None
        digits, negative = self._magnitude()
        if len(digits) > _MAX_DIGITS:
            return None
        base = 16 if digits[:2] in {"0x", "0X"} else 8 if digits[0] == "0" else 10
        try:
            value = int(digits, base)
        except ValueError:
            return None
        return -value if negative else value

    def as_float(self) -> float | None:
        """The number, also where an integer stands; None if it is none."""
        digits, negative = self._magnitude()
        if self.kind == "string":
            return None
        integer = Scalar(digits, 0, len(digits), "number").as_int() if digits[:1] == "0" else None
        try:
            # Python, too, reads inf, infinity and nan in any case.
            plain = digits.rstrip("fF") if self.kind == "number" else digits
            value = float(plain if integer is None else integer)
        except ValueError:
            return None
        return -value if negative else value

    def as_str(self) -> str:
        """The string, adjacent literals joined and escapes decoded; else the text itself."""
        if self.kind != "string":
            return self.text
        body = self.text[1:-1]
        if self.text[0] not in body and "\\" not in body:
            return body
        literals = (found[1] for found in _ONE_LITERAL.finditer(self.text) if found[1])
        return "".join(_unescape(literal[1:-1]) for literal in literals)

    def as_bool(self) -> bool | None:
        """True or False as protobuf reads a boolean, or None if it is none."""
        if self.kind == "number":
            return {0: False, 1: True}.get(-1 if (value := self.as_int()) is None else value)
        return {"true": True, "True": True, "t": True}.get(
            self.text, False if self.text in {"false", "False", "f"} else None
        )

    def _magnitude(self) -> tuple[str, bool]:
        found = _SIGN_GAP.match(self.text)
        return (self.text[found.end() :], True) if found else (self.text, False)


class Field(NamedTuple):
    """A name and its value; an item of a list is a field with the list's name."""

    name: str
    value: Scalar | Message
    start: int
    """Where the name begins (of an item of a list: the item)."""
    end: int
    """Behind the value."""


class Message(NamedTuple):
    """Fields in the order of the source."""

    fields: tuple[Field, ...]
    start: int
    """The opening brace; 0 for the file."""
    end: int
    """Behind the closing brace."""

    def all(self, name: str) -> tuple[Scalar | Message, ...]:
        """Every value of the fields called so."""
        return tuple([field.value for field in self.fields if field.name == name])

    def get(self, name: str) -> Scalar | None:
        """The last scalar called so: the one that counts for a field that is not repeated."""
        for field in reversed(self.fields):
            if field.name == name and isinstance(field.value, Scalar):
                return field.value
        return None

    def messages(self, name: str) -> tuple[Message, ...]:
        """The messages called so."""
        return tuple([value for value in self.all(name) if isinstance(value, Message)])

    def scalars(self, name: str) -> tuple[Scalar, ...]:
        """The scalars called so, lists taken apart."""
        return tuple([value for value in self.all(name) if isinstance(value, Scalar)])


def parse(text: str) -> Message:
    """Read a text; a byte-order mark at its start is passed over.

    Raises:
        ModelError: It is not protobuf's text format, or nested more than `MAX_DEPTH` deep;
            with line and column.
    """
    # Nothing here refers to what holds it, so the collector would look through a million
    # values in vain: without it, a long file takes two thirds of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _Reader(text).read()
    finally:
        if collecting:
            gc.enable()


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """The place of a character, both from 1; LF, CRLF and a lone CR end a line."""
    line, begin = 1, 0
    for found in LINE_END.finditer(text, 0, offset):
        # A CRLF cut in two by `offset` still ends the line behind its LF.
        if found.end() == offset and text[offset - 1 : offset + 1] == "\r\n":
            break
        line, begin = line + 1, found.end()
    return line, offset - begin + 1


def _short(name: str) -> str:
    return name if len(name) <= _MAX_SHOWN else name[: _MAX_SHOWN - 1] + "…"


def _unescape(body: str) -> str:
    """Decode the escapes of a literal; octal and hexadecimal ones are bytes of UTF-8."""
    if "\\" not in body:
        return body
    raw, done = bytearray(), 0
    for found in _ESCAPE.finditer(body):
        raw += body[done : found.start()].encode("utf-8", "surrogateescape")
        octal, hexadecimal, unicode, plain = found.groups()
        if octal is not None:
            raw.append(int(octal, 8) & 0xFF)
        elif hexadecimal is not None:
            raw.append(int(hexadecimal, 16))
        elif unicode is not None:
            raw += chr(int(unicode, 16)).encode("utf-8", "surrogatepass")
        else:
            raw += _PLAIN_ESCAPES.get(plain, plain).encode("utf-8", "surrogateescape")
        done = found.end()
    raw += body[done:].encode("utf-8", "surrogateescape")
    return raw.decode("utf-8", "surrogateescape")


class _Open:
    """A message that is not closed yet, or the list of messages it stands in."""

    __slots__ = ("brace", "fields", "in_list", "name", "start")

    def __init__(self, name: str, start: int, brace: int, *, in_list: bool) -> None:
        self.name = name
        self.start = start
        self.brace = brace
        self.in_list = in_list
        self.fields: list[Field] = []


class _Reader:
    """One pass over a text, with a stack of its own instead of recursion."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 1 if text.startswith("\ufeff") else 0
        self.stack = [_Open("", 0, 0, in_list=False)]

    def read(self) -> Message:
        text, match, fields = self.text, _FIELD.match, self.stack[-1].fields
        after_field = False
        while found := match(text, self.pos):
            which = found.lastindex
            self.pos = found.end()
            if which is None:  # pragma: no cover - every alternative has a group
                raise self._error(self.pos, "cannot be read")
            if which <= _F_STRING:
                name, start = found[1], found.start(1)
                if found[2] is None:
                    raise self._error(
                        found.start(which), f'expected ":" or "{{" behind {_short(name)}'
                    )
                begin = found.start(which)
                value = Scalar(found[which], begin, self.pos, _KINDS[which - _F_NUMBER])
                fields.append(Field(name, value, start, self.pos))
                after_field = True
            elif which == _F_SEPARATOR:
                if not after_field:
                    raise self._error(found.start(which), f'"{found[which]}" is out of place')
                after_field = False
            else:
                if which == _F_CLOSE:
                    self._close(found[which], found.start(which))
                elif found[which] == "[":
                    self._list(found[1], colon=found[2] is not None)
                else:
                    self._open(found[1], found.start(1), found.start(which), in_list=False)
                fields = self.stack[-1].fields
                after_field = which == _F_CLOSE or found[which] == "["
        return self._end()

    def _open(self, name: str, start: int, brace: int, *, in_list: bool) -> None:
        if len(self.stack) > MAX_DEPTH:
            raise self._error(brace, f"messages are nested more than {MAX_DEPTH} deep")
        self.stack.append(_Open(name, start, brace, in_list=in_list))

    def _close(self, closer: str, at: int) -> None:
        if len(self.stack) == 1:
            raise self._error(
                at, f'this "{closer}" closes nothing', "Remove it, or add what it should close."
            )
        frame = self.stack.pop()
        opener = self.text[frame.brace]
        if _CLOSER[opener] != closer:
            raise self._error(
                at, f'"{closer}" cannot close the "{opener}" of {self._where(frame.brace)}'
            )
        message = Message(tuple(frame.fields), frame.brace, self.pos)
        self.stack[-1].fields.append(Field(frame.name, message, frame.start, self.pos))
        if frame.in_list:
            self._items(frame.name, after_item=True)

    def _list(self, name: str, *, colon: bool) -> None:
        bracket = self.pos - 1
        inside = _SKIPPED.match(self.text, self.pos)
        first = self.text[inside.end() : inside.end() + 1] if inside else ""
        if not colon and first not in {"{", "<", "]"}:
            raise self._error(bracket, f'expected ":" before the list of {_short(name)}')
        self._items(name, after_item=None)

    def _items(self, name: str, *, after_item: bool | None) -> None:
        """Read a list on; `after_item` is None at its start, where it may end at once."""
        text, match, append = self.text, _ITEM.match, self.stack[-1].fields.append
        while found := match(text, self.pos):
            which = found.lastindex or 0
            at = found.start(which)
            if which == _I_END and after_item is not False:
                self.pos = found.end()
                return
            if (which == _I_COMMA) != (after_item is True) or which == _I_END:
                wanted = '"," or "]"' if after_item else "a value"
                raise self._error(at, f"expected {wanted} in the list of {_short(name)}")
            self.pos = end = found.end()
            if which == _I_OPEN:
                self._open(name, at, at, in_list=True)
                return
            if which <= _I_STRING:
                append(Field(name, Scalar(found[which], at, end, _KINDS[which - 1]), at, end))
            after_item = which != _I_COMMA
        raise self._unreadable(f"the list of {_short(name)}")

    def _end(self) -> Message:
        """The whole file, if nothing is left of it; else say what stands in the way."""
        skipped = _SKIPPED.match(self.text, self.pos)
        if skipped is None or skipped.end() != len(self.text):
            raise self._unreadable("a field")
        if len(self.stack) > 1:
            frame = self.stack[-1]
            line, column = line_and_column(self.text, frame.brace)
            raise ModelError(
                f'the "{self.text[frame.brace]}" of {_short(frame.name)} is never closed: '
                "the file ends before",
                line=line,
                column=column,
                hint="The file is cut off, or a closing brace is missing."
                + self._string_over_lines(len(self.text)),
            )
        return Message(tuple(self.stack[0].fields), 0, len(self.text))

    def _unreadable(self, wanted: str) -> ModelError:
        """Why nothing matches here: the first character that fits nowhere."""
        skipped = _SKIPPED.match(self.text, self.pos)
        at = skipped.end() if skipped else self.pos
        named = _NAMED.match(self.text, at)
        if named:
            name = _short(named[1])
            wanted = f"a value for {name}" if named[2] else f'":" or "{{" behind {name}'
            at = named.end()
        if at >= len(self.text):
            return self._error(at, f"the file ends where {wanted} is expected")
        character = self.text[at]
        if character in "\"'" and not _ONE_LITERAL.match(self.text, at):
            return self._error(at, "this string is never closed")
        shown = f'"{character}"' if character.isprintable() else f"a byte {ord(character):#04x}"
        return self._error(at, f"expected {wanted}, found {shown}")

    def _error(self, at: int, message: str, hint: str | None = None) -> ModelError:
        line, column = line_and_column(self.text, at)
        hint = ((hint or "") + self._string_over_lines(at)).strip() or None
        return ModelError(message, line=line, column=column, hint=hint)

    def _string_over_lines(self, before: int) -> str:
        """A word on a string that runs over lines: most often a quote is missing there."""
        for found in _ONE_LITERAL.finditer(self.text):
            if found.start() > before:
                break
            if found[1] and LINE_END.search(found[1]):
                begin, end = self._where(found.start()), self._where(found.end())
                return f" A string begins on {begin} and runs on to {end}: is a quote missing?"
        return ""

    def _where(self, offset: int) -> str:
        return f"line {line_and_column(self.text, offset)[0]}"

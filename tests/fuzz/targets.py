"""What must hold for every input whatsoever: the targets of the fuzzer.

Each takes the bytes of a file, and ends normally or with an exception. A `ModelError` is an
answer, not a finding.
"""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from jetbench.domain.errors import ModelError
from jetbench.formats.caffe_log import parse_log
from jetbench.formats.textproto import Field, Message, Scalar, parse
from jetbench.nets.batch import Patched, patch_batch
from jetbench.nets.build import build_net
from jetbench.nets.not_a_net import BOM

Target = Callable[[bytes], None]
_MAY_DIFFER = re.compile(r"0[xX][0-9a-f]*[A-F]|include|exclude")
"""A hexadecimal number with capitals, which a patch may forget; phases of other batches."""


def reader(data: bytes) -> None:
    """Every value stands where the reader says, and reads the same when written plainly."""
    text = text_of(data)
    try:
        root = parse(text)
    except ModelError as error:
        assert_helpful(error, text)
        return
    assert (root.start, root.end) == (0, len(text))
    _check_places(root, text)
    assert plain(parse(written(root))) == plain(root)


def patcher(data: bytes) -> None:
    """A patch changes numbers only, is idempotent, can be taken back, and keeps the net."""
    check_answer(Asked.of(data))


def log(data: bytes) -> None:
    """A log is never an error: what is not in it is None."""
    parse_log(data)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for of a text."""

    text: str
    batch: int
    phase: str
    data_layers: bool

    @classmethod
    def of(cls, data: bytes) -> Asked:
        """Something that comes from the text itself, so that it can be asked again."""
        dice = zlib.crc32(data)
        batch, phase = (1, 3, 6, 8)[dice & 3], ("TEST", "TRAIN")[dice >> 2 & 1]
        return cls(text_of(data), batch, phase, data_layers=bool(dice & 8))

    def patch(self, text: str, batch: int) -> Patched:
        """The same of another text."""
        return patch_batch(text, batch, phase=self.phase, data_layers=self.data_layers)

    def answer(self) -> Patched | None:
        """A patch that changes numbers and nothing else; None for an error that helps."""
        try:
            patched = self.patch(self.text, self.batch)
        except ModelError as error:
            assert_helpful(error, self.text)
            return None
        check_patch(self.text, patched)
        # Of a data set's images the shape may not be known; of other inputs one has the batch.
        sizes = [size for _, shape in patched.input_shapes for size in shape]
        assert self.data_layers or any(size % self.batch == 0 for size in sizes)
        return patched


TARGETS: dict[str, Target] = {"reader": reader, "patcher": patcher, "log": log}


def text_of(data: bytes) -> str:
    """The text that the program makes of a file's bytes."""
    return data.decode("utf-8", "surrogateescape")


def assert_helpful(error: ModelError, text: str) -> None:
    """An error has words, a place in the file or a hint, and can be printed."""
    assert error.bare.strip()
    assert error.line is not None or error.hint
    if error.line is not None:
        lines = re.split(r"\r\n|\n|\r", text)
        assert 1 <= error.line <= len(lines)
        assert error.column is None or 1 <= error.column <= len(lines[error.line - 1]) + 1


def check_answer(asked: Asked) -> None:
    """An answer that stands, if it is asked for again and if it is taken back."""
    patched = asked.answer()
    if patched is None:
        return
    again = asked.patch(patched.text, asked.batch)
    assert (again.text, again.edits) == (patched.text, ())
    assert again.input_shapes == patched.input_shapes
    check_same_net(asked.text, patched.text, asked.phase)
    _check_way_back(asked, patched)


def check_patch(text: str, patched: Patched) -> None:
    """The same fields with the same values but for numbers, and all between untouched."""
    old_text = text.removeprefix(BOM)
    pairs = list(zip(scalars(parse(old_text)), scalars(parse(patched.text)), strict=True))
    changed = 0
    old_end = new_end = 0
    for (old_path, old), (new_path, new) in pairs:
        assert old_path == new_path
        assert old_text[old_end : old.start] == patched.text[new_end : new.start]
        if old.text != new.text:
            assert old.kind == new.kind == "number"
            changed += 1
        old_end, new_end = old.end, new.end
    assert old_text[old_end:] == patched.text[new_end:]
    assert (changed > 0) == bool(patched.edits)
    for note in patched.notes:
        assert note[0].isupper()
        assert note.endswith(".")


def check_same_net(text: str, patched: str, phase: str) -> None:
    """Where the net could be built, it still can be, with as many weights in each layer."""
    try:
        net = build_net(text.removeprefix(BOM), phase=phase)
    except ModelError:
        return
    other = build_net(patched, phase=phase)
    for old, new in zip(net.layers, other.layers, strict=True):
        assert (old.name, old.type, old.params) == (new.name, new.type, new.params)


def _check_way_back(asked: Asked, patched: Patched) -> None:
    """Back to the first batch gives the first text, unless that is refused."""
    text = asked.text.removeprefix(BOM)
    pairs = zip(scalars(parse(text)), scalars(parse(patched.text)), strict=True)
    changed = [old.as_int() or 0 for (_, old), (_, new) in pairs if old.text != new.text]
    if not changed or min(changed) < 1:
        return
    try:
        back = asked.patch(patched.text, changed[0])
    except ModelError:
        return
    assert asked.patch(back.text, patched.batch).text == patched.text
    # Where there are more numbers, they may be multiples, or those of another phase.
    if len(set(changed)) == 1 and not _MAY_DIFFER.search(text):
        assert back.text == text


def scalars(message: Message) -> Iterator[tuple[tuple[str, ...], Scalar]]:
    """Every scalar with the names of the fields that it stands in, in the text's order."""
    pending: list[tuple[tuple[str, ...], Field]] = [
        ((), field) for field in reversed(message.fields)
    ]
    while pending:
        path, field = pending.pop()
        inside = (*path, field.name)
        if isinstance(field.value, Message):
            pending += [(inside, one) for one in reversed(field.value.fields)]
        else:
            yield inside, field.value


def _check_places(message: Message, text: str) -> None:
    """Fields lie one behind the other in their message, and are what they say."""
    pending = [message]
    while pending:
        outer = pending.pop()
        for field in outer.fields:
            value = field.value
            assert outer.start <= field.start <= value.start < value.end == field.end <= outer.end
            in_list = field.start == value.start
            assert in_list or text.startswith(field.name, field.start)
            if isinstance(value, Message):
                assert text[value.start] + text[value.end - 1] in {"{}", "<>"}
                pending.append(value)
            else:
                assert text[value.start : value.end] == value.text
                value.as_int(), value.as_float(), value.as_bool(), value.as_str()
        for before, after in pairwise(outer.fields):
            assert before.end <= after.start


def written(message: Message) -> str:
    """A message in the plainest form: one field after the other, no lists, no comments."""
    pieces: list[str] = []
    pending: list[Field | str] = [*reversed(message.fields)]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            pieces.append(one)
        elif isinstance(one.value, Message):
            pieces.append(f"{one.name} {{\n")
            pending += ["}\n", *reversed(one.value.fields)]
        else:
            pieces.append(f"{one.name}: {one.value.text}\n")
    return "".join(pieces)


def plain(message: Message) -> list[tuple[tuple[str, ...], str]]:
    """What a message says, without where."""
    return [(path, scalar.text) for path, scalar in scalars(message)]


if __name__ == "__main__":
    TARGETS[sys.argv[1]](Path(sys.argv[2]).read_bytes())

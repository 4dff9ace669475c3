"""Files that people hand in and that are no net: say what they are.

Each is told apart by what stands at its beginning, or by the names of its fields, so that
the message can be better than the syntax error that Caffe would give.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jetbench.domain.errors import ModelError
from jetbench.formats.textproto import LINE_END, Message, line_and_column, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jetbench.formats.textproto import Scalar

BOM = "\ufeff"

_GZIP = "\x1f\udc8b"
_UTF16 = ("\udcff\udcfe", "\udcfe\udcff")
_MARKUP = re.compile(r"\s*<(?:!doctype|!--|html|head|body|\?xml|svg)\b", re.IGNORECASE)
_LFS = "version https://git-lfs.github.com/spec/"
_PLACEHOLDER = re.compile(r"\$|\{\{|\{%|<%|%\(|@\w+@|__\w+__")
_SOLVER_FIELDS = {
    "net",
    "train_net",
    "test_net",
    "net_param",
    "base_lr",
    "lr_policy",
    "max_iter",
    "solver_mode",
    "snapshot_prefix",
}
# Numbers in every version of Caffe's format, wherever they stand.
_NUMBERS = {
    "dim",
    "input_dim",
    "num_output",
    "kernel_size",
    "kernel_h",
    "kernel_w",
    "stride",
    "pad",
    "group",
    "batch_size",
    "num_classes",
}
_MAX_SHOWN = 60
_MAX_DIGITS = 40
"""More than any number of a net has, in any base."""


def read_net(text: str) -> Message:
    """Parse a prototxt that must be a net.

    Args:
        text: The file, without a byte-order mark.

    Raises:
        ModelError: It is empty, binary, a web page, a Git LFS pointer, a solver, a template
            or otherwise no net, or breaks the rules of the text format.
    """
    _refuse_by_its_beginning(text)
    try:
        root = parse(text)
    except ModelError as error:
        raise _explained(text, error) from None
    _refuse_by_its_fields(root)
    for name, value in _numbers(root):
        if value.kind != "number":
            line, column = line_and_column(text, value.start)
            message = f"{name} is {_short(value.text)}, not a number"
            raise ModelError(message, line=line, column=column, hint=_TEMPLATE)
        if len(value.text) > _MAX_DIGITS and value.as_int() is None:
            line, column = line_and_column(text, value.start)
            message = f"{name} is {_short(value.text)}, a number of {len(value.text)} characters"
            raise ModelError(message, line=line, column=column, hint=_NO_NUMBER)
    return root


_NO_NUMBER = "Caffe would refuse it: write a whole number there."
_TEMPLATE = "This looks like a template: fill in its placeholders first."


def _refuse_by_its_beginning(text: str) -> None:
    if not text.strip():
        raise ModelError("the file is empty", hint="Was its download cut off?")
    if text.startswith(_UTF16):
        raise ModelError("this is UTF-16 text", hint="Save the file as UTF-8.")
    if text.startswith(_GZIP):
        raise ModelError("this is a gzip file", hint="Unpack it first: gunzip.")
    if "\0" in text:
        message = "this is a binary file, not a prototxt"
        hint = "Is it the weights (.caffemodel)? The net is in the .prototxt beside it."
        raise ModelError(message, hint=hint)
    if _MARKUP.match(text):
        message = "this is a web page, not a prototxt"
        raise ModelError(message, line=1, hint="Download the file itself (“Raw” on GitHub).")
    if text.startswith(_LFS):
        message = "this is a Git LFS pointer, not the file it stands for"
        raise ModelError(message, line=1, hint="Fetch the file: git lfs pull.")


def _refuse_by_its_fields(root: Message) -> None:
    names = {field.name for field in root.fields}
    if not names:
        message = "there is nothing in the file but comments"
        raise ModelError(message, hint="Was its download cut off?")
    if names & {"layer", "layers"} or ("input" in names and names & {"input_dim", "input_shape"}):
        return
    if names & _SOLVER_FIELDS:
        nets = [root.get(name) for name in ("net", "train_net", "test_net")]
        named = [_short(net.as_str()) for net in nets if net is not None]
        hint = f"Pass the net it points to: {named[0]}" if named else "Pass the net it trains."
        raise ModelError("this is a solver, not a net", hint=hint)
    if "item" in names:
        raise ModelError("this is a label map, not a net", hint="Pass the net's prototxt.")
    message = "there is no layer in the file"
    raise ModelError(message, hint="A net has “layer { … }” blocks; is this another kind of file?")


def _explained(text: str, error: ModelError) -> ModelError:
    """A syntax error with a guess at what the file is."""
    hint = error.hint
    lines = LINE_END.split(text)
    if error.line is not None and error.line <= len(lines):
        line = lines[error.line - 1]
        if _PLACEHOLDER.search(line.partition(" #")[0]):
            hint = _TEMPLATE
    if hint is None and "\n" not in text and "\r" in text and "#" in text:
        hint = (
            "The lines end with a lone CR, so that Caffe takes all that follows a # for a "
            "comment: save the file with LF line ends."
        )
    return ModelError(
        error.bare,
        hint=hint or "Caffe would refuse this file, too.",
        line=error.line,
        column=error.column,
    )


def _numbers(root: Message) -> Iterator[tuple[str, Scalar]]:
    """Every field of the file that is a number in a net."""
    pending = [root]
    while pending:
        for field in pending.pop().fields:
            if isinstance(field.value, Message):
                pending.append(field.value)
            elif field.name in _NUMBERS:
                yield field.name, field.value


def _short(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"

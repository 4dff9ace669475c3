"""Why a run of ``caffe time`` gave no number.

The messages come from glog (``F…`` lines), from protobuf, from the dynamic loader, from
the shell and from the kernel; the exit status says what no message can (SIGKILL, SIGINT and
SIGHUP leave none).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jetbench.domain.timing import Failure
from jetbench.formats.caffe_log_lines import clean

if TYPE_CHECKING:
    from jetbench.domain.timing import FailureKind, ParsedLog
    from jetbench.formats.caffe_log_lines import Message

_MAX_WRAPPED = 3
_MAX_MESSAGES = 100
"""Of one run; the first of them tell why it failed."""
_KNOWN_TYPES = re.compile(rb" \(known types: .*")
_STACK = re.compile(rb"\*\**\\?\*? ?\*?Check failure stack trace|\*\*\* Aborted at|@ +0x|PC: @")

# The first that is found in a message gives its kind; the order goes from the cause that
# is most telling to the one that is least.
_PATTERNS: dict[FailureKind, bytes] = {
    "out_of_memory": rb"out of memory|host allocation of size|ALLOC_FAILED|bad_alloc"
    rb"|cannot allocate memory|cudaErrorMemoryAllocation",
    "no_gpu": rb"Cannot use GPU in CPU-only|invalid device ordinal|no CUDA-capable device"
    rb"|Could not find GPU|No GPU available",
    "missing_library": rb"error while loading shared libraries|cannot open shared object"
    rb"|undefined symbol|symbol lookup error|version `?\S+'? not found|Library not loaded"
    rb"|ModuleNotFoundError|ImportError|No module named",
    "cuda": rb"cudaSuccess|CUDNN_STATUS|CUBLAS_STATUS|CURAND_STATUS|\bCUDA\b|cuDNN",
    "bad_model": rb"Error parsing text-format|Failed to parse NetParameter|Unknown layer type"
    rb"|Unknown bottom blob|produced by multiple sources|blob size exceeds INT_MAX"
    rb"|count must match|end < layers_\.size|shape\[i\]|has no field named"
    rb"|shape mismatch|dimension|bottom blobs?|top blobs?|num_output|kernel_size"
    rb"|Need a model definition|unknown engine",
    "no_such_file": rb"File not found|No such file or directory|Failed to open|could not open"
    rb"|: not found$|command not found",
    "not_caffe": rb"Permission denied|Exec format error|cannot execute|Is a directory",
}
_KINDS = {kind: re.compile(words, re.IGNORECASE) for kind, words in _PATTERNS.items()}
# Where Caffe reads and builds a net: a check that fails there blames the net.
_BUILDING = re.compile(
    rb"(?:.*/)?(?:(?:\w+_)?layer\.(?:[ch]pp|cu)|(?:net|blob|insert_splits|upgrade_proto)\.cpp"
    rb"|layer_factory\.[ch]pp|filler\.hpp)"
)
_EVIDENCE = re.compile(
    rb"error while loading shared libraries|symbol lookup error|Library not loaded"
    rb"|terminate called|what\(\):|std::bad_alloc|^ERROR: |Error parsing text-format"
    rb"|ModuleNotFoundError|ImportError|^\[libprotobuf (?:FATAL|ERROR)"
    rb"|^[\w./-]+: (?:[0-9]+: |line [0-9]+: )?\S.*: (?:not found|Permission denied"
    rb"|No such file or directory|command not found|cannot execute.*|Exec format error)$"
    rb"|: command not found$|^Out of memory: Kill|\] Out of memory: Kill"
)
_SIGNAL_WORDS = (
    rb"(Killed|Terminated|Segmentation fault|Aborted|Bus error"
    rb"|Illegal instruction|Floating point exception|Interrupt|Hangup)"
)
# Alone on its line, or as a shell tells it of a job of its own: with its number and command.
_SIGNAL = re.compile(
    rb"^(?:\*\*\* SIG(\w+)|" + _SIGNAL_WORDS + rb"(?: \(core dumped\))?$"
    rb"|(?:[^\s:]+: line [0-9]+: +[0-9]+|\[[0-9]+\][-+]? +(?:[0-9]+)?) ?"
    + _SIGNAL_WORDS
    + rb"(?: +\(core dumped\))?(?: |$))"
)
_SIGNALS: dict[bytes, tuple[FailureKind, str]] = {
    b"Killed": ("killed", "Killed: most likely the board ran out of memory"),
    b"Terminated": ("killed", "Terminated: something ended it from outside"),
    b"TERM": ("killed", "SIGTERM: something ended it from outside"),
    b"INT": ("interrupted", "SIGINT: it was interrupted"),
    b"Interrupt": ("interrupted", "Interrupt: it was interrupted"),
    b"HUP": ("interrupted", "SIGHUP: its terminal was closed"),
    b"Hangup": ("interrupted", "Hangup: its terminal was closed"),
}
# Statuses of a shell: 124 is timeout's, 128 + N a signal's.
_STATUSES: dict[int, tuple[FailureKind, str]] = {
    124: ("timeout", "it did not end within its time limit"),
    126: ("not_caffe", "it cannot be executed (exit status 126)"),
    127: ("no_such_file", "there is no such program (exit status 127)"),
    129: ("interrupted", "SIGHUP: its terminal was closed (exit status 129)"),
    130: ("interrupted", "SIGINT: it was interrupted (exit status 130)"),
    132: ("crashed", "SIGILL: it was built for another processor (exit status 132)"),
    134: ("crashed", "SIGABRT: it gave up without a message (exit status 134)"),
    135: ("crashed", "SIGBUS (exit status 135)"),
    136: ("crashed", "SIGFPE (exit status 136)"),
    137: ("killed", "SIGKILL: most likely the board ran out of memory (exit status 137)"),
    139: ("crashed", "SIGSEGV (exit status 139)"),
    143: ("killed", "SIGTERM: something ended it from outside (exit status 143)"),
    153: ("crashed", "SIGXFSZ: its log grew too large (exit status 153)"),
}
_TIMEOUT = 124
# What a log can show without showing why: a status knows better.
_VAGUE = {"truncated", "not_caffe"}
_BY_STATUS = {"killed", "interrupted"}


class Evidence:
    """Collects the message that says why a run failed."""

    __slots__ = ("_lines", "_signal", "_source", "_wrapped")

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._source = b""
        self._signal: bytes | None = None
        self._wrapped = 0

    def __bool__(self) -> bool:
        """Whether anything has gone wrong."""
        return bool(self._lines) or self._signal is not None

    @property
    def listening(self) -> bool:
        """Whether the next line may belong to the message that came last."""
        return self._wrapped > 0

    def look_at(self, message: Message) -> bool:
        """Keep a message that tells of a failure; return whether it does."""
        text = message.text
        if self._wrapped and message.level is None and text and not _STACK.search(text):
            self._wrapped -= 1
            self._lines[-1] += b" " + text
            return True
        self._wrapped = 0
        if message.level == "F":
            self._keep(_KNOWN_TYPES.sub(b"", text), message.source, wrapped=True)
            return True
        if message.level is not None:
            return False
        if found := _SIGNAL.search(text):
            self._signal = found[1] or found[2] or found[3]
            return True
        if _EVIDENCE.search(text):
            self._keep(text, b"", wrapped=text.startswith(b"[libprotobuf"))
            return True
        return False

    def _keep(self, text: bytes, source: bytes, *, wrapped: bool) -> None:
        self._source = self._source if self._lines else source
        if len(self._lines) < _MAX_MESSAGES:
            self._lines.append(text)
            self._wrapped = _MAX_WRAPPED if wrapped else 0

    def failure(self) -> Failure | None:
        """The most telling message as a failure; None where there was none."""
        for line in self._lines:
            if kind := _kind(line):
                return Failure(kind, clean(line))
        if self._lines:
            building = _BUILDING.fullmatch(self._source)
            return Failure("bad_model" if building else "crashed", clean(self._lines[0]))
        if self._signal is not None:
            kind, message = _SIGNALS.get(self._signal, ("crashed", _crash(self._signal)))
            return Failure(kind, message)
        return None


def classify(parsed: ParsedLog, exit_status: int | None) -> Failure | None:
    """Why a run failed, from its log and its exit status together.

    Args:
        parsed: What the log says.
        exit_status: As a shell gives it: 124 from ``timeout``, 128 + N for signal N; None
            where it is not known.

    Returns:
        None where the log holds a finished measurement: what happens to a process after it
        has printed its result does not spoil the result.
    """
    if parsed.complete:
        return None
    shown = parsed.failure or Failure("truncated", "the log holds no result")
    if exit_status is None:
        return shown
    vague = shown.kind in _VAGUE
    if exit_status == _TIMEOUT or (
        exit_status in _STATUSES and (vague or shown.kind in _BY_STATUS)
    ):
        kind, message = _STATUSES[exit_status]
        useful = shown.kind == "not_caffe" and not shown.message.startswith(NOT_CAFFE)
        return Failure(kind, shown.message if useful and exit_status != _TIMEOUT else message)
    if vague and exit_status:
        return Failure("crashed", f"it ended with exit status {exit_status} and no message")
    return shown


NOT_CAFFE = "this is no log of caffe time"
"""How the message begins where a log has nothing of Caffe in it."""
_FOREIGN = (
    (b"\x1f\x8b", "it is compressed; try zcat FILE | jetbench parse -"),
    (b"BZh", "it is compressed; try bzcat FILE | jetbench parse -"),
    (b"\xfd7zXZ", "it is compressed; try xzcat FILE | jetbench parse -"),
    (b"\x28\xb5\x2f\xfd", "it is compressed; try zstdcat FILE | jetbench parse -"),
    (b"PK\x03\x04", "it is an archive; try unzip -p FILE | jetbench parse -"),
    (b"\xff\xfe", "it is UTF-16; try iconv -f UTF-16 -t UTF-8 FILE | jetbench parse -"),
    (b"\xfe\xff", "it is UTF-16; try iconv -f UTF-16 -t UTF-8 FILE | jetbench parse -"),
)


def not_caffe(head: bytes) -> Failure:
    """Why a file is no log, as far as its first bytes show it."""
    if not head:
        reason = "it is empty"
    elif reason := next((words for start, words in _FOREIGN if head.startswith(start)), ""):
        pass
    elif b"\0" in head:
        reason = "it is a binary file"
    return Failure("not_caffe", f"{NOT_CAFFE}: {reason}" if reason else NOT_CAFFE)


def _kind(line: bytes) -> FailureKind | None:
    return next((kind for kind, pattern in _KINDS.items() if pattern.search(line)), None)


def _crash(signal: bytes) -> str:
    name = clean(signal, 40)
    return name if " " in name or not name.isupper() else f"SIG{name}"

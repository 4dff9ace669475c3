"""What a board says of the sweeps it runs or keeps: the answers of status.sh and describe.sh."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.domain.part import BoardStatus, PartOnBoard, split_key
from jetbench.formats.words import pairs, printable, seconds, unwrapped, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_PARTS = 1000
_MAX_NAME = 128
_ROW = re.compile(rb"[0-9]+ ([0-9]{1,6}\.prototxt) [0-9]+ \S+ ([0-9]{1,6}) [0-9]+")


@dataclass(frozen=True, slots=True)
class Described:
    """What a board keeps beside a journal."""

    plan: str
    """JSON."""
    board: str
    """What the host that started it calls the board."""
    who: str | None
    since_utc: str | None
    probe: bytes
    models: Mapping[int, bytes]
    """The nets that were sent, by the number of the case."""


def parse_status(answer: bytes) -> BoardStatus:
    """Read the answer of status.sh; what makes no sense in it is left out."""
    held_by: Mapping[str, str] | None = None
    left_behind = False
    parts: list[PartOnBoard] = []
    for line in answer.decode("utf-8", "replace").split("\n"):
        fields = pairs(line)
        if line.startswith("held_b64="):
            held_by = _words(fields["held_b64"])
        elif line.startswith("left_behind="):
            left_behind = True
        elif line.startswith("sweep=") and len(parts) < _MAX_PARTS:
            part = _part(fields)
            if part is not None:
                parts.append(part)
    parts.sort(key=lambda part: (part.sweep_id, part.part))
    return BoardStatus(held_by, left_behind, tuple(parts))


def parse_described(answer: bytes) -> Described | None:
    """Read the answer of describe.sh; None where it is damaged, or was just being deleted."""
    files: dict[str, bytes] = {}
    for line in answer.split(b"\n"):
        name, _, encoded = line.partition(b" ")
        try:
            files[name.decode("ascii")] = base64.b64decode(encoded, validate=True)
        except (binascii.Error, UnicodeDecodeError):
            continue
    if not files.get("plan.json") or "whole" not in files:
        return None
    holder = pairs(files.get("holder", b"").decode("utf-8", "replace"))
    return Described(
        plan=files["plan.json"].decode("utf-8", "replace"),
        board=_name(files.get("board", b"")) or "",
        who=_shown(holder.get("who")),
        since_utc=_shown(holder.get("since")),
        probe=files.get("probe", b""),
        models=_nets(files),
    )


def _nets(files: Mapping[str, bytes]) -> dict[int, bytes]:
    """Several cases may run the same net, which was sent once."""
    found: dict[int, bytes] = {}
    for line in files.get("trials", b"").split(b"\n"):
        row = _ROW.fullmatch(line)
        data = files.get(f"models/{row[1].decode()}") if row else None
        if row is not None and data is not None:
            found[int(row[2])] = data
    return found


def _part(fields: Mapping[str, str]) -> PartOnBoard | None:
    key = split_key(fields.get("key", ""))
    size = whole(fields.get("size"))
    if key is None or size is None or size < 0:
        return None
    holder = _words(fields.get("holder_b64", ""))
    label = unwrapped(fields.get("label_b64", "")).strip()
    repeat = whole(fields.get("repeat"))
    doing = None
    if label:
        doing = printable(label, 64) + ("" if repeat is None else f" #{repeat}")
    elif fields.get("trial") == "0":
        doing = "warming up"
    up_s, began_s = seconds(fields.get("up")), seconds(fields.get("began"))
    return PartOnBoard(
        sweep_id=key[0],
        part=key[1],
        board=_name(_bytes(fields.get("board_b64", ""))),
        who=_shown(holder.get("who")),
        since_utc=_shown(holder.get("since")),
        running="running" in fields,
        size_bytes=size,
        total=_count(fields, "total"),
        done=_count(fields, "done"),
        failed=_count(fields, "failed"),
        doing=doing,
        doing_s=None if up_s is None or began_s is None else max(up_s - began_s, 0.0),
        end=_shown(fields.get("end")),
        start=_shown(fields.get("start")),
    )


def _count(fields: Mapping[str, str], key: str) -> int:
    return max(whole(fields.get(key)) or 0, 0)


def _words(encoded: str) -> Mapping[str, str]:
    return {key: printable(value, 100) for key, value in pairs(unwrapped(encoded)).items()}


def _bytes(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded)
    except binascii.Error:
        return b""


def _name(data: bytes) -> str | None:
    """A board's name; folders are called by it, so nothing else passes."""
    text = data.decode("utf-8", "replace").strip()
    return text if re.fullmatch(r"\w[\w.-]*", text) and len(text) <= _MAX_NAME else None


def _shown(text: str | None) -> str | None:
    return printable(text, 100) if text else None

"""The answer of ``probe.sh``: ``key=value`` lines in, `BoardFacts` out."""

from __future__ import annotations

import base64
import binascii
import math
import re
from typing import TYPE_CHECKING, get_args

from jetbench.domain.errors import BoardAnswerError
from jetbench.domain.facts import BoardFacts, BoardFile, CaffeFacts, SudoKind
from jetbench.formats.tegra import (
    conditions_from,
    parse_l4t_release,
    parse_nvpmodel_conf,
    parse_nvpmodel_query,
)
from jetbench.formats.words import pairs, whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_FILE_BYTES = 8 * 2**20
"""A prototxt on a board that is larger than this is refused there."""

_MAX_FACT_CHARS = 64 * 1024
"""The rest of a fact that is longer is not read. What a board says of itself has a few hundred
characters, a table of power modes a few thousand; files have their own bound."""
_MAX_FACTS = 1000
_MAX_KEY_BYTES = 64
_VERSION = re.compile(r"version\s+v?(\d{1,9}\.\d\S*)")
_FILE = re.compile(r"file_[0-9]{1,9}_b64")
_MEM_TOTAL = re.compile(r"MemTotal:\s*(\d+)")
_MEM_AVAILABLE = re.compile(r"MemAvailable:\s*(\d+)")
_CUDA = re.compile(r"(\d{1,9}\.\d{1,9}(?:\.\d{1,9})?)")


def parse_probe(
    answer: bytes, *, files: Sequence[str] = (), midpoint_utc_s: float | None = None
) -> BoardFacts:
    """Read what a board said of itself.

    Args:
        answer: What the script printed between its two markers.
        files: The paths that were asked for, in the order of the question.
        midpoint_utc_s: This machine's clock half-way between question and answer.

    Raises:
        BoardAnswerError: The answer is not of this script.
    """
    fields = _fields(answer)
    if "utc_s" not in fields or "sudo" not in fields:
        message = "its answer to the probe cannot be understood"
        hint = "does /bin/sh work there, for this user? try: ssh HOST /bin/sh -c 'id; date'"
        raise BoardAnswerError(message, hint=hint)
    utc_s = whole(fields.get("utc_s"))
    sudo = fields["sudo"]
    lines = fields.get("lines", "")
    sensors = conditions_from(pairs(fields.get("conditions", "")))
    return BoardFacts(
        simulated="simulated" in fields,
        user=fields.get("user"),
        hostname=fields.get("hostname"),
        hardware=fields.get("hardware"),
        serial=fields.get("serial"),
        l4t=parse_l4t_release(fields.get("nv_tegra_release", "")),
        cuda=_search(_CUDA, fields.get("cuda")),
        cudnn=_last(fields.get("cudnn")),
        tensorrt=_last(fields.get("tensorrt")),
        caffe=_caffe(fields),
        caffe_wanted=fields.get("caffe_wanted"),
        caffe_found=tuple(fields.get("caffe_found", "").split()),
        sudo=next((kind for kind in get_args(SudoKind) if kind == sudo), "absent"),
        nvpmodel=fields.get("nvpmodel"),
        power_mode=parse_nvpmodel_query(fields.get("nvpmodel_query", "")),
        power_modes=parse_nvpmodel_conf(lines),
        jetson_clocks=fields.get("jetson_clocks"),
        clocks_locked=sensors.gpu_locked,
        tegrastats=fields.get("tegrastats"),
        conditions=sensors,
        mem_total_bytes=_kilobytes(_search(_MEM_TOTAL, lines)),
        mem_available_bytes=_kilobytes(_search(_MEM_AVAILABLE, lines)),
        disk_free_bytes=_disk(fields.get("disk_free", "")),
        home_writable="home_unwritable" not in fields,
        uptime_s=_number(fields.get("uptime_s")),
        load=fields.get("load"),
        gpu_users=tuple(fields.get("gpu_user", "").split("\n") if "gpu_user" in fields else ()),
        held_by=fields.get("held_by"),
        left_behind="left_behind" in fields,
        missing_tools=tuple(fields.get("missing_tools", "").split()),
        utc_s=utc_s,
        clock_skew_s=(
            None if utc_s is None or midpoint_utc_s is None else round(utc_s - midpoint_utc_s, 1)
        ),
        files=tuple(_file(fields, path, number) for number, path in enumerate(files, start=1)),
        guard_refused=fields.get("guard_refused"),
        clocks_untrusted=(
            sudo == "guard" and "jetson_clocks" in fields and "guard_clocks" not in fields
        ),
    )


def _fields(answer: bytes) -> dict[str, str]:
    """Each key with its lines, bounded in number and length."""
    found: dict[str, list[str]] = {}
    room: dict[str, int] = {}
    for line in answer.split(b"\n"):
        name, separator, rest = line.partition(b"=")
        if not separator or len(name) > _MAX_KEY_BYTES:
            continue
        key = name.decode("utf-8", "replace")
        if key not in found:
            if len(found) >= _MAX_FACTS:
                continue
            found[key] = []
            room[key] = len(rest) if _FILE.fullmatch(key) else _MAX_FACT_CHARS
        if room[key] >= 0:
            found[key].append(rest[: room[key]].decode("utf-8", "replace").strip())
            room[key] -= len(rest) + 1
    return {key: "\n".join(lines) for key, lines in found.items()}


def _caffe(fields: Mapping[str, str]) -> CaffeFacts | None:
    if "caffe" not in fields:
        return None
    version = _search(_VERSION, fields.get("caffe_version"))
    # NVIDIA numbers its fork 0.14 to 0.17; SSD's branch is BVLC's 1.0 with layers of its own.
    fork = "bvlc" if version is not None else None
    if version is not None and re.match(r"0\.1[4-7]", version):
        fork = "nvidia"
    elif "caffe_detection" in fields:
        fork = "ssd"
    return CaffeFacts(
        path=fields["caffe"],
        version=version,
        fork=fork,
        has_phase=_flag(fields.get("caffe_phase")),
        gpu_build=_flag(fields.get("caffe_gpu")),
        build_id=fields.get("caffe_build"),
    )


def _last(text: str | None) -> str | None:
    """The longest of several file names' versions: links are shorter than their target."""
    return max((text or "").split("\n"), key=len) or None


def _disk(text: str) -> int | None:
    """``BLOCKS SIZE`` of ``stat -f`` as bytes."""
    blocks, size = (whole(part) for part in text.partition(" ")[::2])
    return None if blocks is None or size is None else blocks * size


def _file(fields: Mapping[str, str], path: str, number: int) -> BoardFile:
    error = fields.get(f"file_{number}_error")
    encoded = fields.get(f"file_{number}_b64")
    if error is None and encoded is None:
        error = f"{path} was not sent"
    try:
        content = None if encoded is None else base64.b64decode(encoded, validate=True)
    except binascii.Error:
        content, error = None, f"{path} came damaged"
    return BoardFile(path=path, content=content, error=error)


def _search(pattern: re.Pattern[str], text: str | None) -> str | None:
    match = pattern.search(text or "")
    return match[1] if match else None


def _flag(text: str | None) -> bool | None:
    return {"1": True, "0": False}.get(text or "")


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _kilobytes(text: str | None) -> int | None:
    number = whole(text)
    return None if number is None else number * 1024

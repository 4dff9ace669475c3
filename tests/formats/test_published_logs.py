"""Logs that people have published, held against their manifest where it is at hand."""

from __future__ import annotations

import json

from jetbench.formats.caffe_log import classify, parse_log, parse_runs
from tests.shared import shared

NUMBERS = ("forward_ms", "backward_ms", "forward_backward_ms", "total_ms", "iterations")
RUN_KEYS = {"fw": "forward_ms", "bw": "backward_ms", "fb": "forward_backward_ms",
            "tot": "total_ms", "it": "iterations"}  # fmt: skip


def test_published_logs_give_what_the_manifest_says() -> None:
    """Values of the finished ones, a reason for all others."""
    lines = shared("corpus/logs/MANIFEST.tsv").read_text("utf-8").splitlines()
    for line in lines[1:]:
        row = dict(zip(lines[0].split("\t"), line.split("\t"), strict=False))
        data = shared(f"corpus/logs/{row['file']}").read_bytes()
        parsed = parse_log(data)
        assert parsed.complete == row["kind"].startswith("success"), row["file"]
        assert (parsed.failure is None) == parsed.complete, row["file"]
        for key in NUMBERS if parsed.complete else ():
            expected = float(row[key]) if row[key] else None
            assert getattr(parsed, key) == expected, (row["file"], key)
        if row["layers"]:
            assert len(parsed.layers) == int(row["layers"]), row["file"]
        if row["all_runs"]:
            wanted = json.loads(row["all_runs"])
            for run, want in zip(parse_runs(data), wanted, strict=True):
                got = {key: getattr(run, name) for key, name in RUN_KEYS.items()}
                assert {key: got[key] for key in want if key in got} == {
                    key: value for key, value in want.items() if key in got
                }, row["file"]


REASONS = {
    "gpu0-cpu-only": "no_gpu", "cpu-only-time": "no_gpu", "invalid-device-ordinal": "no_gpu",
    "memory-limit-400M": "out_of_memory", "oom-tx2": "out_of_memory",
    "host-allocation": "out_of_memory", "missing-file": "no_such_file",
    "data-layer-no-lmdb": "no_such_file", "not-found-127": "no_such_file",
    "missing-shared-library": "missing_library", "missing-libcaffe": "missing_library",
    "syntax": "bad_model", "unknown-bottom": "bad_model", "unknown-field": "bad_model",
    "unknown-layer": "bad_model", "blob-too-big": "bad_model", "shape-mismatch": "bad_model",
    "parse-error": "bad_model", "cudnn": "cuda", "invalid-device-function": "cuda",
    "timeout124": "timeout", "sigint": "interrupted", "sighup": "interrupted",
    "sigkill": "killed", "sigterm": "killed", "killed-tx1": "killed", "segfault": "crashed",
    "permission-126": "not_caffe",
}  # fmt: skip


def test_published_failures_have_their_kind() -> None:
    """From the log and the exit status of the manifest together."""
    lines = shared("corpus/logs/MANIFEST.tsv").read_text("utf-8").splitlines()
    for line in lines[1:]:
        row = dict(zip(lines[0].split("\t"), line.split("\t"), strict=False))
        parsed = parse_log(shared(f"corpus/logs/{row['file']}").read_bytes())
        status = row["exit_code"].split()[0] if row["exit_code"] else ""
        failure = classify(parsed, int(status) if status else None)
        for part, kind in REASONS.items():
            if row["kind"] == "failure" and part in row["file"]:
                assert failure is not None
                assert failure.kind == kind, row["file"]

"""The report of a large history: 200 nights, 20 boards, 14 models.

The history is that of ``bench_history.py``. Measured are the whole command, start-up included, the
first time and into the same folder again, its memory, the first page with all that it loads; the
rival is ``jetbench history --format json`` of the same cases, which finds the same steps and draws
nothing::

    python benchmarks/bench_report.py
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.bench_history import BOARDS, MODELS, fill

BUILD_LIMIT_S = 30.0
PAGE_LIMIT_BYTES = 2_000_000


def took_s(*arguments: str | Path) -> float:
    """Seconds of a command, start-up included."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "jetbench", *map(str, arguments)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


def main() -> int:
    """Build, and say whether it kept to the limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=200)
    nights = parser.parse_args().nights
    with tempfile.TemporaryDirectory() as folder:
        results, site = Path(folder, "results"), Path(folder, "site")
        fill(None, results, nights + 1)
        rival_s = took_s("history", "--format", "json", "--results", results)
        options = ("report", "-q", "-o", site, "--results", results)
        first_s, again_s = took_s(*options), took_s(*options)
        peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        files = {path.relative_to(site): path.stat().st_size for path in site.rglob("*.*")}
        front = files[Path("index.html")] + sum(
            size for path, size in files.items() if path.parts[0] == "assets"
        )
    print(f"{nights} nights, {len(BOARDS)} boards, {len(MODELS)} models")
    print(f"report, first time:  {first_s:6.1f} s  ({first_s / rival_s:.2f} of `history`)")
    print(f"report, again:       {again_s:6.1f} s")
    print(f"history, for scripts:{rival_s:6.1f} s")
    print(f"memory at the peak:  {peak_mib:6.0f} MiB")
    print(f"files:               {len(files)}, {sum(files.values()) / 1e6:.0f} MB")
    print(f"first page, with all that it loads: {front / 1e6:.2f} MB")
    return int(first_s > BUILD_LIMIT_S or front > PAGE_LIMIT_BYTES)


if __name__ == "__main__":
    sys.exit(main())

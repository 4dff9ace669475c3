"""How fast the program starts, held against ``import typer``, which it cannot do without.

`jetbench --help` may take 1.5 times as long as ``python -c "import typer"``, and
`jetbench patch` on ResNet-152 0.3 s longer. Runs of all three take turns;
the medians are compared::

    python benchmarks/bench_startup.py
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jetbench.nets.zoo import text_of

LIMIT_RATIO = 1.5
LIMIT_S = 0.3


def main() -> int:
    """Print the times and how they compare; 1 where one is over its limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=15)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder, "resnet152.prototxt")
        model.write_text(text_of("resnet152"), encoding="utf-8")
        commands = {
            "import typer": ("-c", "import typer"),
            "jetbench --help": ("-m", "jetbench", "--help"),
            "jetbench patch": ("-m", "jetbench", "patch", str(model), "--batch", "2"),
        }
        times_s: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(asked.repeats):
            for name, command in commands.items():
                times_s[name].append(wall_s(*command))
    base_s, help_s, patch_s = (statistics.median(times) for times in times_s.values())
    print(f"import typer     {base_s:.3f} s")
    print(f"jetbench --help  {help_s:.3f} s, ratio {help_s / base_s:.2f} (limit {LIMIT_RATIO})")
    print(f"jetbench patch   {patch_s:.3f} s, {patch_s - base_s:+.3f} s (limit {LIMIT_S})")
    return int(help_s / base_s > LIMIT_RATIO or patch_s - base_s > LIMIT_S)


def wall_s(*arguments: str) -> float:
    """How long a Python process takes, from start to end."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - begin


if __name__ == "__main__":
    sys.exit(main())

"""``jetbench patch`` on a net of ResNet-152's size, held against ``import typer``.

What a command line on typer costs at the least is what ``python -c "import typer"`` takes;
the issue allows 0.3 s more. Runs of both take turns; the medians are compared::

    python benchmarks/bench_patch.py [MODEL]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_S = 0.3
STAGES = ((3, 64), (8, 128), (36, 256), (3, 512))
"""Blocks of each stage of ResNet-152, and the width of their first convolution."""


def main() -> int:
    """Print both times, their ratio and their difference; 1 if it is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", nargs="?", help="a prototxt; else one of ResNet-152's size")
    parser.add_argument("--repeats", type=int, default=15)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = asked.model or str(Path(folder, "resnet152.prototxt"))
        if asked.model is None:
            Path(model).write_text(resnet152(), encoding="utf-8")
        base, patch = [], []
        for _ in range(asked.repeats):
            base.append(wall_s("-c", "import typer"))
            patch.append(wall_s("-m", "jetbench", "patch", model, "--batch", "2"))
    plain_s, patch_s = statistics.median(base), statistics.median(patch)
    print(f'python -c "import typer"  {plain_s:.3f} s')
    print(f"jetbench patch            {patch_s:.3f} s")
    print(f"ratio {patch_s / plain_s:.2f}, difference {patch_s - plain_s:.3f} s (limit {LIMIT_S})")
    return int(patch_s - plain_s > LIMIT_S)


def wall_s(*arguments: str) -> float:
    """How long a Python process takes, from start to end."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - begin


def resnet152() -> str:
    """The layers of ResNet-152, one field a line as its authors wrote them."""
    text = ['input: "data"', *(f"input_dim: {dim}" for dim in (1, 3, 224, 224))]
    text += convolution("conv1", "data", 64, 7)
    bottom = "conv1"
    for stage, (blocks, width) in enumerate(STAGES, start=2):
        for block in range(blocks):
            name = f"res{stage}b{block}"
            text += convolution(f"{name}_a", bottom, width, 1)
            text += convolution(f"{name}_b", f"{name}_a", width, 3)
            text += convolution(f"{name}_c", f"{name}_b", 4 * width, 1)
            shortcut = bottom
            if block == 0:
                shortcut = f"{name}_1"
                text += convolution(shortcut, bottom, 4 * width, 1)
            text += layer(name, "Eltwise", (shortcut, f"{name}_c"), name)
            text += layer(f"{name}_relu", "ReLU", (name,), name)
            bottom = name
    return "\n".join(text) + "\n"


def convolution(name: str, bottom: str, width: int, kernel: int) -> list[str]:
    """A convolution with the layers that follow each of ResNet's."""
    fields = (f"num_output: {width}", f"kernel_size: {kernel}", f"pad: {kernel // 2}")
    param = ("convolution_param {", *(f"  {field}" for field in fields), "  stride: 1", "}")
    return [
        *layer(name, "Convolution", (bottom,), name, (*param, "# no bias")),
        *layer(f"bn_{name}", "BatchNorm", (name,), name, ("batch_norm_param {", "}")),
        *layer(
            f"scale_{name}", "Scale", (name,), name, ("scale_param {", "  bias_term: true", "}")
        ),
        *layer(f"{name}_relu", "ReLU", (name,), name),
    ]


def layer(
    name: str, kind: str, bottoms: tuple[str, ...], top: str, more: tuple[str, ...] = ()
) -> list[str]:
    """The lines of one layer."""
    fields = [f'name: "{name}"', f'type: "{kind}"', *(f'bottom: "{one}"' for one in bottoms)]
    return ["layer {", *(f"  {field}" for field in (*fields, f'top: "{top}"', *more)), "}"]


if __name__ == "__main__":
    sys.exit(main())

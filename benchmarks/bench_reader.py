"""The reader of the text format on two million characters: nets, and what could be slow.

Each text is held against the least that any reader does: one pass of a regular expression
that finds its words. The reader knows where each of them stands, and what it belongs to::

    python benchmarks/bench_reader.py
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

from jetbench.formats.textproto import parse
from jetbench.nets.zoo import text_of

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_S = 1.0
SIZE = 2_000_000
REPEATS = 5
_WORD = re.compile(r"#[^\n]*|\"[^\"]*\"|[A-Za-z_]\w*|[-\w.]+|[^\s\w]")


def repeated(piece: str) -> str:
    """As often as it takes to fill the size."""
    return piece * (SIZE // len(piece) + 1)


TEXTS: dict[str, str] = {
    "ResNet-152, again and again": repeated(text_of("resnet152")),
    "the same on one line": repeated(re.sub(r"#.*|\s+", " ", text_of("resnet152"))),
    "small layers": repeated('layer{name:"x"}\n'),
    "dim: 1": repeated("dim: 1\n"),
    "one list": "dim: [" + repeated("1, ") + "1]",
    "one string": 'name: "' + repeated("ab ") + '"',
    "escapes": 'name: "' + repeated("\\\\n") + '"',
    "comments": repeated("# dim: 10 {\n"),
    "90 deep": repeated("a {" * 90 + "}" * 90 + "\n"),
    "blanks": "dim: 1" + " " * SIZE + "dim: 2",
}


def median_s(action: Callable[[], object]) -> float:
    """Of some runs, in CPU time."""
    times = []
    for _ in range(REPEATS):
        begin = time.process_time()
        action()
        times.append(time.process_time() - begin)
    return statistics.median(times)


def main() -> int:
    """Print each time beside the rival's; 1 if one is over the limit."""
    slowest = 0.0
    for name, text in TEXTS.items():
        ours_s, rival_s = median_s(partial(parse, text)), median_s(partial(_WORD.findall, text))
        print(f"{name:28} {ours_s:.3f} s, {ours_s / rival_s:5.1f} times the rival's {rival_s:.3f}")
        if "layer" in text:
            slowest = max(slowest, ours_s)
    print(f"slowest net {slowest:.3f} s (limit {LIMIT_S:.0f} s for {SIZE:,} characters)")
    return int(slowest > LIMIT_S)


if __name__ == "__main__":
    sys.exit(main())

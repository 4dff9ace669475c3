"""What the processes of a case say together."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from jetbench.analysis.statistics import margin95, summarize

if TYPE_CHECKING:
    from pathlib import Path

NET = """\
layer { name: "in" type: "Input" top: "x"
  input_param { shape { dim: 9 dim: 3 dim: 8 dim: 8 } } }
layer { name: "r" type: "ReLU" bottom: "x" top: "y" }
"""
LOG = "I0315 09:14:55.123456  811 caffe.cpp:412] Average Forward pass: 11.5 ms.\n"
LOADED = """\
import sys
from jetbench.cli.main import app
try:
    app(sys.argv[1:], standalone_mode=False)
finally:
    print("loaded:", *sorted({"numpy", "scipy"} & set(sys.modules)))
"""


def test_the_statistics_of_three_processes() -> None:
    """Worked out by hand; 4.3027 is Student's t for two degrees of freedom."""
    summary = summarize([10.0, 13.0, 11.5])
    assert summary is not None
    assert (summary.n, summary.median, summary.mean) == (3, 11.5, 11.5)
    assert (summary.min, summary.max, summary.stdev) == (10.0, 13.0, 1.5)
    assert summary.ci95 == pytest.approx((11.5 - 3.72621, 11.5 + 3.72621), abs=1e-5)
    assert summary.values == (10.0, 13.0, 11.5)


def test_one_process_has_neither_spread_nor_interval() -> None:
    """What is not known is None; of no process there is nothing to say."""
    summary = summarize([7.25])
    assert summary is not None
    assert (summary.mean, summary.stdev, summary.ci95) == (7.25, None, None)
    assert summarize([]) is None


def test_processes_that_agree_have_an_interval_without_width() -> None:
    """No division by zero, no NaN."""
    summary = summarize([7.25, 7.25])
    assert summary is not None
    assert summary.ci95 == (7.25, 7.25)


def test_an_interval_is_made_of_plain_numbers() -> None:
    """The library's own kind of float has another repr, and may not be JSON."""
    summary = summarize([7.1, 7.25])
    assert summary is not None
    assert summary.ci95 is not None
    assert {type(limit) for limit in summary.ci95} == {float}


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(1, 12.7062), (2, 4.3027), (4, 2.7764), (9, 2.2622), (1e6, 1.96)]
)
def test_the_margin_is_that_of_the_tables_of_student_s_t(freedom: float, quantile: float) -> None:
    """Two-sided, 95 %; near the normal distribution's in the end."""
    assert margin95(1.0, freedom) == pytest.approx(quantile, abs=5e-5)
    assert margin95(0.5, freedom) == pytest.approx(quantile / 2, abs=5e-5)


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_the_interval_holds_the_true_mean_in_95_of_100_sweeps(n: int) -> None:
    """Of 4000 sweeps with 2 % of noise; the share itself is known to 0.35 % (one sigma)."""
    draw = random.Random(n)  # noqa: S311 - noise, no secret
    held = 0
    for _ in range(4000):
        summary = summarize([draw.gauss(12.94, 0.26) for _ in range(n)])
        assert summary is not None
        assert summary.ci95 is not None
        held += summary.ci95[0] <= 12.94 <= summary.ci95[1]
    assert held / 4000 == pytest.approx(0.95, abs=0.012)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["patch", "NET"], ["estimate", "NET"], ["parse", "LOG"]],
    ids=" ".join,
)
def test_what_needs_no_interval_does_not_load_the_library(
    arguments: list[str], tmp_path: Path
) -> None:
    """It takes longer to import than all that these commands do."""
    files = {"NET": tmp_path / "net.prototxt", "LOG": tmp_path / "one.log"}
    files["NET"].write_text(NET, "utf-8")
    files["LOG"].write_text(LOG, "utf-8")
    words = [str(files.get(word, word)) for word in arguments]
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_a_single_process_does_not_load_the_library() -> None:
    """Nor does a sweep with --repeats 1."""
    program = (
        "import sys; from jetbench.analysis.statistics import summarize;"
        "summarize([7.25]); assert 'scipy' not in sys.modules;"
        "summarize([7.25, 7.5]); assert 'scipy.special' in sys.modules;"
        "assert 'scipy.stats' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)

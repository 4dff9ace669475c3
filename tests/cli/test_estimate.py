"""``jetbench estimate``, from the command line."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from jetbench.cli.estimate import estimate
from jetbench.domain.errors import ModelError, UsageError
from jetbench.nets.build import build_net
from jetbench.report.estimate import Estimate, estimate_table
from jetbench.report.table import WIDTH

if TYPE_CHECKING:
    from pathlib import Path

NET = """\
name: "small"
layer { name: "data" type: "Input" top: "data"
        input_param { shape { dim: 8 dim: 64 dim: 58 dim: 58 } } }
layer { name: "stage_1/conv_3x3_of_64" type: "Convolution" bottom: "data" top: "c"
        convolution_param { num_output: 64 kernel_size: 3 } }
layer { name: "relu" type: "ReLU" bottom: "c" top: "c" }
layer { name: "cut" type: "Slice" bottom: "c" top: "left" top: "right" }
layer { name: "flat" type: "Flatten" bottom: "left" top: "flat" }
layer { name: "fc" type: "InnerProduct" bottom: "flat" top: "fc"
        inner_product_param { num_output: 10 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss"
        include { phase: TRAIN } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
"""
ODD = 'layer { name: "odd" type: "Python" bottom: "right" top: "odd" }\n'
BEHIND = 'layer { name: "behind" type: "ReLU" bottom: "odd" top: "odd" }\n'

GOLDEN = """\
Layer              Type          Output         Params    MACs        ms   Share
-----------------  ------------  -------------  ------  ------  --------  ------
data               Input         1x64x58x58
…1/conv_3x3_of_64  Convolution   1x64x56x56     36.9 k   116 M   0.347 a  73.1 %
relu               ReLU          1x64x56x56                      0.027 m   5.7 %
cut                Slice         1x32x56x56 +1                   0.027 m   5.7 %
flat               Flatten       1x100352
fc                 InnerProduct  1x10           1.00 M  1.00 M   0.074 m  15.6 %
prob               Softmax       1x10                           <0.001 m  <0.1 %

small, batch 1, phase TEST: 1.04 M parameters, 117 M MACs, 233 M FLOPs; 4.16 MB
of weights, 5.28 MB of activations read and written.

Power mode             FP32  FP32 fast       FP16  FP16 fast
----------------  ---------  ---------  ---------  ---------
MAXN              0.4750 ms  0.2145 ms  0.2375 ms  0.1073 ms
MAXQ              0.7077 ms  0.3112 ms  0.3538 ms  0.1556 ms
MAXP_CORE_ALL     0.5514 ms  0.2496 ms  0.2757 ms  0.1248 ms
MAXP_CORE_ARM     0.5514 ms  0.2496 ms  0.2757 ms  0.1248 ms
MAXP_CORE_DENVER  0.5514 ms  0.2496 ms  0.2757 ms  0.1248 ms

ms: what the peaks allow at best in MAXN, in FP32 and by direct arithmetic,
limited by arithmetic (a) or memory (m). Share: of the sum of these times.
fast: with only the multiplications that Winograd or FFT leave.
This is the roofline of a TX2's peaks: a lower bound, not a prediction.
"""

app = typer.Typer()
app.command("estimate")(estimate)


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """A net in a file of its own."""
    path = tmp_path / "small.prototxt"
    path.write_text(NET)
    return path


def run(*arguments: str | Path) -> Result:
    """The command's result; an error of ours comes out as the exception it is."""
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    if isinstance(result.exception, UsageError):
        raise result.exception
    return result


def document(*arguments: str | Path) -> Any:  # noqa: ANN401 - JSON is anything
    """What the command prints as JSON."""
    return json.loads(run(*arguments, "--format", "json").stdout)


def test_the_table_has_a_row_for_each_layer_and_the_sums_below(net: Path) -> None:
    """What is nothing is left empty; layers in place stay, since they take time."""
    assert run(net).stdout == GOLDEN


def test_json_has_the_keys_of_the_contract(net: Path) -> None:
    """Numbers of the whole batch; a FLOP is half of a MAC; bounds by the modes' names."""
    found = document(net, "--batch", "2")
    conv = found["layers"][1]
    macs = 2 * 64 * 56 * 56 * 64 * 9
    assert (found["model"], found["batch"], found["phase"]) == ("small", 2, "TEST")
    assert found["macs"] == macs + 2 * 32 * 56 * 56 * 10
    assert found["flops"] == 2 * found["macs"]
    assert found["params"] == 64 * (64 * 9 + 1) + 10 * (32 * 56 * 56 + 1)
    assert found["weight_bytes"] == 4 * found["params"]
    assert found["activation_bytes"] == sum(one["activation_bytes"] for one in found["layers"])
    assert found["unknown_layers"] == []
    assert conv["output_shapes"] == [[2, 64, 56, 56]]
    assert (conv["type"], conv["macs"], conv["limited_by"]) == ("Convolution", macs, "arithmetic")
    assert conv["bound_ms"] == pytest.approx(2 * macs / 665.856e6)
    assert list(found["bound_ms"]) == [
        "MAXN",
        "MAXQ",
        "MAXP_CORE_ALL",
        "MAXP_CORE_ARM",
        "MAXP_CORE_DENVER",
    ]
    assert found["bound_ms"]["MAXN"] == pytest.approx(
        sum(one["bound_ms"] for one in found["layers"])
    )
    assert found["bound_fp16_ms"]["MAXN"] == pytest.approx(found["bound_ms"]["MAXN"] / 2)
    assert found["bound_fast_ms"]["MAXN"] < found["bound_ms"]["MAXN"]
    assert sum(one["share"] for one in found["layers"]) == pytest.approx(1)
    sums = ("params", "macs", "flops", "weight_bytes", "activation_bytes", "bound_ms")
    assert {key: found[key] for key in sums}.items() <= found["at_least"].items()


def test_what_is_not_known_is_null_in_json_and_named_in_the_table(net: Path) -> None:
    """The sums of the rest are still there: as ``at_least``, and behind a ≥."""
    net.write_text(NET + ODD + BEHIND)
    found = document(net)
    assert found["unknown_layers"] == ["odd"]
    assert [found[key] for key in ("params", "macs", "flops", "weight_bytes")] == [None] * 4
    assert set(found["bound_ms"].values()) == {None}
    assert found["layers"][-1]["output_shapes"] == [None]
    assert found["layers"][-1]["bound_ms"] is None
    assert found["at_least"]["bound_ms"]["MAXN"] == pytest.approx(0.475, abs=1e-3)
    shown = run(net).stdout
    assert "≥ 117 M MACs" in shown
    assert "≥ 0.4750 ms" in shown
    assert "Not known: cost or output of odd (Python)." in shown
    assert "behind (ReLU)" not in shown


def test_csv_has_a_line_for_each_layer(net: Path) -> None:
    """All numbers in full, an unknown one empty; a cell that a spreadsheet would run inert."""
    net.write_text(NET + ODD.replace('"odd" type', '"=odd" type'))
    rows = list(csv.DictReader(io.StringIO(run(net, "--format", "csv").stdout)))
    assert len(rows) == 8
    assert rows[1]["macs"] == "115605504"
    assert rows[3]["output_shapes"] == "1x32x56x56 1x32x56x56"
    assert (rows[-1]["name"], rows[-1]["macs"], rows[-1]["bound_ms"]) == ("'=odd", "", "")


def test_markdown_has_whole_names(net: Path) -> None:
    """A document has no 80 columns; a bar in a name splits no cell."""
    net.write_text(NET.replace("stage_1/", "stage|"))
    assert "| stage\\|conv_3x3_of_64 |" in run(net, "--format", "markdown").stdout


def test_until_leaves_what_comes_later_out(net: Path) -> None:
    """The name stands in the document, and in the line of the totals."""
    found = document(net, "--until", "cut")
    assert found["until"] == "cut"
    assert [layer["name"] for layer in found["layers"]][-1] == "cut"
    assert found["params"] == 64 * (64 * 9 + 1)
    assert "small up to cut, batch 1" in run(net, "--until", "cut").stdout
    with pytest.raises(UsageError, match="'cutt'"):
        run(net, "--until", "cutt")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (NET.replace("dim: 8 ", "dim: 8.5 "), (), ":3:"),
        (NET.replace("kernel_size: 3", "kernel_size: 99"), (), ":4"),
        (NET, ("--phase", "TRAIN"), ":11"),
        (NET, ("--phase", "neither"), "neither TEST nor TRAIN"),
    ],
    ids=["patcher", "builder", "phase", "no phase"],
)
def test_errors_name_the_place(
    net: Path, text: str, options: tuple[str, ...], message: str
) -> None:
    """The patcher's stand; a net that cannot be built names its file, too."""
    net.write_text(text)
    with pytest.raises(UsageError) as caught:
        run(net, *options)
    assert message in caught.value.message
    if isinstance(caught.value, ModelError):
        assert caught.value.message.startswith(f"{net}:")


def test_a_file_of_a_board_and_a_place_that_cannot_be_written_are_refused(
    net: Path, tmp_path: Path
) -> None:
    """Both before anything is worked out."""
    with pytest.raises(UsageError, match="lies on a board"):
        run("board:models/net.prototxt")
    with pytest.raises(UsageError, match="cannot be written"):
        run(net, "-o", tmp_path / "missing" / "costs.md")


def test_shapes_stages_and_data_layers_are_those_of_patch(net: Path) -> None:
    """The same options, the same meaning: another resolution is another cost."""
    small = document(net, "--shape", "data=2x64x12x12")
    assert small["batch"] == 2
    assert small["input_shapes"] == {"data": [2, 64, 12, 12]}
    assert small["macs"] < document(net, "--batch", "2")["macs"]
    with pytest.raises(UsageError, match="more than one --shape"):
        run(net, "--shape", "data=1x64x9x9", "--shape", "data=1x64x8x8")


def test_a_file_is_written_instead_of_standard_output(net: Path, tmp_path: Path) -> None:
    """Whole, and nothing beside it."""
    assert run(net, "-o", tmp_path / "costs.txt").stdout == ""
    assert (tmp_path / "costs.txt").read_text() == GOLDEN


def test_a_model_that_comes_along_costs_what_is_published() -> None:
    """Parameters and the bound as worked out by hand."""
    found = document("vgg16")
    assert found["params"] == 138_357_544
    assert found["bound_ms"]["MAXN"] == pytest.approx(56.7, abs=0.05)
    assert found["bound_fast_ms"]["MAXN"] == pytest.approx(22.3, abs=0.05)


@given(
    name=st.text(st.characters(exclude_characters='"\\\n\0'), min_size=1, max_size=60),
    kind=st.from_regex(r"[A-Za-z]{1,40}", fullmatch=True),
    channels=st.integers(1, 30_000),
)
def test_the_table_has_80_columns_whatever_a_layer_is_called(
    name: str, kind: str, channels: int
) -> None:
    """Wide letters, long types and numbers; nothing moves a cursor."""
    text = NET.replace("stage_1/conv_3x3_of_64", name).replace(
        "output: 64", f"output: {channels * 2}"
    )
    net = build_net(text + ODD.replace("Python", kind))
    shown = estimate_table(Estimate(name, 8, net, until=name))
    assert max(map(cell_len, shown.split("\n\n")[0].splitlines())) <= WIDTH
    assert all(c.isprintable() or c == "\n" for c in shown)

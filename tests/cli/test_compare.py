"""``jetbench compare``, from the command line."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from jetbench.analysis.compare import compare as compare_records
from jetbench.analysis.statistics import summarize
from jetbench.cli import compare as module
from jetbench.cli.compare import compare
from jetbench.domain.errors import UsageError
from jetbench.domain.facts import PowerMode
from jetbench.domain.kept import KeptSweep
from jetbench.domain.record import Provenance, RecordConditions
from jetbench.formats.result import result_to_json
from jetbench.report.compare import comparison_table
from jetbench.report.table import WIDTH
from tests import make

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from jetbench.domain.record import Record

FAST = RecordConditions(gpu_mhz_min=1300.5, gpu_mhz_max=1300.5)
SLOW = RecordConditions(gpu_mhz_min=1122.0, gpu_mhz_max=1122.0)

GOLDEN = """\
A: night-1, 2026-01-02T03:04:05Z
B: night-2, 2026-01-02T03:04:05Z

Model       Board    A, ms    B, ms    B / A        Verdict
----------  -------  -------  -------  -----------  --------------
alexnet     tx2-01   10.00    11.50    1.15 ± 0.03  slower
vgg16 x8    tx2-01   20.00    23.00    1.15 ± 0.03  slower
googlenet   tx2-01   10.00    10.10    1.01 ± 0.02  same
resnet50    tx2-02   10.00    9.000    0.90 ± 0.02  faster ?
squeezenet  tx2-02   10.00    10.50    -            too few
mobilenet   tx2-02   10.00    10.00    -            not comparable
densenet    tx2-02   10.00    failed   -            not measured

B / A: mean forward time of B over that of A, ± 95 % confidence interval. Slower
and faster: by more than 3 %, and Welch's test has p < 0.02.
x8: at batch 8.
?: one of the two numbers is suspect, and so is the verdict.
Cases: 2 slower, 1 faster, 1 same, 1 too few, 1 not comparable, 1 not measured,
1 only in A.
Overall B / A: 1.047, the geometric mean of 4 cases.

slower: tx2-01, alexnet, vgg16 x8: +15.0 %; changed: GPU clock 1300 → 1122 MHz,
  L4T 28.2.1 → 32.5.1
faster: tx2-02, resnet50: -10.0 %; nothing else is known to have changed
too few: tx2-02, squeezenet: a single process in B
not comparable: tx2-02, mobilenet: power mode MAXN → MAXQ
not measured: tx2-02, densenet: failed in B: out of memory
suspect in B: tx2-02, resnet50: the clocks fell
only in A: tx2-02: vgg19
"""

app = typer.Typer()
app.command("compare")(compare)


def case(model: str, ms: float, **changes: Any) -> Record:  # noqa: ANN401 - as make.record
    """Three processes that spread by 1 %."""
    changes.setdefault("board", "tx2-01")
    return make.record(
        model=model,
        prototxt_sha256=f"{model:0<64}",
        forward_ms=summarize([ms * part for part in (0.99, 1.0, 1.01)]),
        **changes,
    )


def keep(folder: Path, name: str, records: Iterable[Record]) -> Path:
    """A sweep with these records, in a folder of its own."""
    document = result_to_json(make.result(*records))
    document["sweep"]["id"] = name
    path = folder / name
    path.mkdir(parents=True)
    (path / "result.json").write_text(json.dumps(document))
    return path


def run(*arguments: str | Path) -> Result:
    """The command's result; an error of ours comes out as the exception it is."""
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    if isinstance(result.exception, UsageError):
        raise result.exception
    return result


@pytest.fixture
def nights(tmp_path: Path) -> Path:
    """Two nights with everything in them that can be."""
    other = {"board": "tx2-02"}
    first = {"conditions": FAST, "provenance": Provenance(l4t="28.2.1")}
    second = {"conditions": SLOW, "provenance": Provenance(l4t="32.5.1")}
    before = [
        case("alexnet", 10.0, **first),
        case("vgg16", 20.0, batch=8, **first),
        case("googlenet", 10.0, **first),
        case("resnet50", 10.0, **other),
        case("squeezenet", 10.0, **other),
        case("mobilenet", 10.0, **other),
        case("densenet", 10.0, **other),
        case("vgg19", 10.0, **other),
    ]
    gone = replace(case("densenet", 10.0, **other), forward_ms=None, power_mode=None)
    after = [
        case("alexnet", 11.5, **second),
        case("vgg16", 23.0, batch=8, **second),
        case("googlenet", 10.1, **second),
        case("resnet50", 9.0, status="suspect", reasons=("the clocks fell",), **other),
        replace(case("squeezenet", 10.0, **other), forward_ms=summarize([10.5])),
        case("mobilenet", 10.0, power_mode=PowerMode(1, "MAXQ"), **other),
        replace(gone, status="failed", reasons=("out of memory",)),
    ]
    folder = tmp_path / "nights"
    keep(folder, "night-1", before)
    keep(folder, "night-2", after)
    return folder


def test_the_table_has_a_row_a_case_and_explains_below(nights: Path) -> None:
    """What became slower stands beside what has changed; exit code 4."""
    done = run("latest~1", "latest", "--results", nights)
    assert done.stdout == GOLDEN
    assert done.exit_code == 4


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ([case("a", 10.0)], [case("a", 10.0)], 0),
        ([case("a", 10.0)], [case("a", 9.0)], 0),
        ([case("a", 10.0)], [case("a", 11.0)], 4),
        ([case("a", 10.0), case("b", 10.0)], [case("a", 9.0), case("b", 11.0)], 4),
        ([case("a", 10.0)], [case("a", 11.0, status="suspect")], 4),
        ([case("a", 10.0)], [], 3),
        ([], [], 3),
        ([case("a", 10.0)], [case("a", 99.0, gpu=None)], 3),
        ([case("a", 10.0)], [replace(case("a", 99.0), forward_ms=summarize([99.0]))], 3),
        ([case("a", 10.0)], [replace(case("a", 9.0), forward_ms=None, status="lost")], 3),
    ],
)
def test_the_exit_code_is_the_verdict_on_the_whole(
    tmp_path: Path, before: list[Record], after: list[Record], code: int
) -> None:
    """4: something is slower; 3: nothing could be compared; else 0. In every format."""
    paths = keep(tmp_path, "a", before), keep(tmp_path, "b", after)
    for form in ("table", "markdown", "csv", "json"):
        assert run(*paths, "--format", form).exit_code == code


def test_json_has_a_case_for_each_row(nights: Path) -> None:
    """All numbers in full, what is not known null, and why."""
    found = json.loads(run("night-1", "night-2", "--results", nights, "--format", "json").stdout)
    assert (found["schema"], found["a"]["id"], found["b"]["id"]) == (1, "night-1", "night-2")
    assert found["counts"]["slower"] == 2
    slower, *_, mobilenet, densenet = found["cases"]
    assert slower["verdict"] == "slower"
    assert slower["ratio"] == pytest.approx(1.15)
    low, high = slower["ratio_ci95"]
    assert low < 1.15 < high
    assert slower["a"]["forward_ms"]["mean"] == pytest.approx(10.0)
    assert slower["changed"][0] == {
        "name": "GPU clock",
        "a": "1300",
        "b": "1122",
        "unit": "MHz",
    }
    assert (mobilenet["ratio"], mobilenet["p_value"], mobilenet["changed"]) == (None, None, [])
    assert [difference["name"] for difference in mobilenet["differences"]] == ["power mode"]
    assert densenet["b"] == {
        "status": "failed",
        "reasons": ["out of memory"],
        "prototxt_sha256": f"{'densenet':0<64}",
        "forward_ms": None,
    }
    assert [record["model"] for record in found["only_in_a"]] == ["vgg19"]
    assert found["only_in_b"] == []


def test_csv_has_a_line_for_each_case_and_for_what_is_alone(nights: Path) -> None:
    """An unknown number is empty."""
    text = run("night-1", "night-2", "--results", nights, "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 8
    assert float(rows[0]["ratio"]) == pytest.approx(1.15)
    assert rows[0]["changed"] == "GPU clock 1300 → 1122 MHz; L4T 28.2.1 → 32.5.1"
    assert (rows[6]["verdict"], rows[6]["ratio"], rows[6]["b_n"]) == ("not measured", "", "")
    assert (rows[7]["verdict"], rows[7]["a_n"], rows[7]["b_n"]) == ("only in A", "3", "")


def test_markdown_has_whole_names_and_a_list(nights: Path, tmp_path: Path) -> None:
    """Written to a file, as a document is."""
    file = tmp_path / "changes.md"
    done = run("night-1", "night-2", "--results", nights, "--format", "markdown", "-o", file)
    assert done.stdout == ""
    text = file.read_text()
    assert "| alexnet    | tx2-01  | 10.00   | 11.50   | 1.15 ± 0.03 | slower" in text
    assert "- only in A: tx2-02: vgg19" in text


def test_the_mode_tells_cases_apart_where_there_are_several(tmp_path: Path) -> None:
    """And only then is there a column for it."""
    both = [case("a", 10.0), case("a", 15.0, power_mode=PowerMode(4, "MAXP_CORE_DENVER"))]
    paths = keep(tmp_path, "a", both), keep(tmp_path, "b", reversed(both))
    shown = run(*paths).stdout
    assert "a        tx2-01   MAXN      10.00" in shown
    assert "a        tx2-01   MAXP_CO…  15.00" in shown


def test_simulated_times_are_said_to_be(tmp_path: Path) -> None:
    """And are never held against measured ones."""
    a = keep(tmp_path, "a", [case("a", 10.0, simulated=True)])
    b = keep(tmp_path, "b", [case("a", 10.0)])
    assert "Simulated: these times were computed" in run(a, a).stdout
    done = run(a, b)
    assert done.exit_code == 3
    assert "not comparable: tx2-01, a: simulated yes → no" in done.stdout


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no sweep's folder"),
        ("", "result.json:1:1: no JSON"),
        ('{"schema": 1, "sweep": {"id": "x"}, "records": [{"bo', "no JSON"),
        ("[]", "not the result of a sweep"),
        ('{"schema": 2}', "written by a newer jetbench"),
        ('{"schema": 1, "sweep": {"id": "x"}, "records": [{"board": 1}]}', "records[0].board: 1"),
    ],
)
def test_bad_input_is_wrong_usage_and_names_the_file(
    tmp_path: Path, nights: Path, content: str | None, message: str
) -> None:
    """On either side: UsageError, which is exit code 2."""
    bad = tmp_path / "bad"
    bad.mkdir()
    if content is not None:
        (bad / "result.json").write_text(content)
    for pair in (("latest", bad), (bad, "latest")):
        with pytest.raises(UsageError) as caught:
            run(*pair, "--results", nights)
        assert message in caught.value.message
        assert str(bad) in caught.value.message


def test_colour_is_for_terminals_and_never_with_no_color(
    nights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the verdicts; the columns stay where they are."""
    kept = [module._wants_colour(None)]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    kept += [module._wants_colour(None), module._wants_colour(nights)]
    monkeypatch.setenv("NO_COLOR", "1")
    assert [*kept, module._wants_colour(None)] == [False, True, False, False]


def sweep(*records: Record) -> KeptSweep:
    """As it is read back."""
    return KeptSweep("id", "file", None, None, (), None, False, False, (), records)  # noqa: FBT003


def test_colour_changes_no_width() -> None:
    """Without its codes it is the same text."""
    a, b = sweep(case("a", 10.0)), sweep(case("a", 12.0))
    found = compare_records(a.records, b.records)
    coloured = comparison_table(found, a, b, colour=True)
    assert "\x1b[31mslower\x1b[0m" in coloured
    plain = coloured.replace("\x1b[31m", "").replace("\x1b[0m", "")
    assert plain == comparison_table(found, a, b)


@pytest.mark.parametrize("name", ["\U0001cf00" * 40, "e\u0301" * 30, "漢" * 30, "a" * 80])
@pytest.mark.parametrize("board", ["漢字", "\U0001cf00" * 20, "one"])
def test_a_letter_is_as_wide_as_it_is_on_a_terminal(name: str, board: str) -> None:
    """Marks that have no width of their own, and letters of twice the width, side by side."""
    a = [case(name, 10.0, board=board), case("plain" * 8, 10.0, board="two")]
    b = [replace(record, forward_ms=summarize([20, 20.1, 19.9])) for record in a]
    shown = comparison_table(compare_records(a, b), sweep(*a), sweep(*b))
    _, table, *_ = shown.split("\n\n")
    assert max(map(cell_len, table.splitlines())) <= WIDTH


@settings(max_examples=50)
@given(
    models=st.lists(st.text(min_size=1, max_size=90), min_size=1, max_size=3),
    board=st.text(min_size=1, max_size=40),
    batch=st.sampled_from([1, 128]),
    ms=st.floats(0.001, 1e6),
    mode=st.text(max_size=20),
)
def test_the_table_has_80_columns_whatever_things_are_called(
    models: list[str], board: str, batch: int, ms: float, mode: str
) -> None:
    """Wide letters, long names, large numbers; nothing moves a cursor."""
    a = [
        case(model, ms, board=board, batch=batch, power_mode=PowerMode(number, mode))
        for number, model in enumerate(models)
    ]
    b = [replace(record, forward_ms=summarize([ms * 2, ms * 2.01, ms * 1.99])) for record in a]
    found = compare_records(a, b)
    shown = comparison_table(found, sweep(*a), sweep(*b))
    _, table, *below = shown.split("\n\n")
    assert max(map(cell_len, table.splitlines())) <= WIDTH
    assert max(len(line) for part in below for line in part.splitlines()) <= WIDTH
    assert all(c.isprintable() or c == "\n" for c in shown)

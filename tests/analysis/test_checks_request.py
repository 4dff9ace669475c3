"""Verdicts on what was measured: batch, phase, iterations, the bound, and the layers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jetbench.analysis.checks.sums import BETWEEN_LAYERS_MS
from jetbench.domain.timing import LayerTiming
from jetbench.formats.caffe_log import parse_log
from tests import make
from tests.analysis.found import names, only
from tests.shared import SHARED, shared

WRONG = (("data", (10, 3, 8, 8)),)


def test_a_wrong_batch_is_said_once() -> None:
    """However many logs say it; nor is the bound or the spread held against it as well."""
    logs = [make.trial_evidence(log=make.log(ms, input_shapes=WRONG)) for ms in (1.0, 1.5, 2.5)]
    finding = only(make.case_evidence(logs))
    assert finding.check == "batch"
    assert finding.evidence == "the log says data 10x3x8x8, asked was data 1x3x8x8"


def test_inputs_beside_the_one_that_was_asked_for_may_be_there() -> None:
    """What the net has itself."""
    shapes = (("data", (1, 3, 8, 8)), ("im_info", (1, 3)))
    assert (
        names(make.case_evidence([make.trial_evidence(log=make.log(input_shapes=shapes))])) == []
    )


def test_a_log_that_says_nothing_of_its_inputs_explains_nothing() -> None:
    """A time below the bound is said as well."""
    log = make.log(1.0, input_shapes=())
    assert names(make.case_evidence([make.trial_evidence(log=log)])) == ["batch", "bound"]


def test_another_phase_and_other_iterations_are_said() -> None:
    """Each by itself, and with what was asked for."""
    phase = only(make.case_evidence([make.trial_evidence(log=make.log(1.0, phase="TRAIN"))]))
    assert (phase.check, phase.evidence) == ("phase", "the log says phase TRAIN, not TEST")
    log = make.log(iterations=10)
    iterations = only(make.case_evidence([make.trial_evidence(log=log)] * 2))
    assert (iterations.check, iterations.evidence) == (
        "iterations",
        "the log says 10 iterations",
    )


def test_a_time_below_the_bound_is_found() -> None:
    """In one trial of several; the bound itself is no reason."""
    assert names(make.case_evidence([2.0, 2.01])) == []
    finding = only(make.case_evidence([7.2, 1.5, 7.2]))
    assert finding.check == "bound"
    assert finding.evidence == "forward took 1.5 ms, and the peaks of MAXN allow 2 ms at best"
    nameless = only(make.case_evidence([1.5], mode_name=None))
    assert "the board's peaks allow 2 ms" in nameless.evidence
    assert names(make.case_evidence([1.5], floor_ms=None)) == []


@pytest.mark.parametrize(
    ("layer_ms", "found"),
    [
        ((10.0, 10.9), False),
        ((10.0, 11.1), True),
        ((10.0, 9.1 - 2 * BETWEEN_LAYERS_MS), False),
        ((10.0, 8.9 - 2 * BETWEEN_LAYERS_MS), True),
        ((-0.5, 20.5), True),
        ((3.7e11, 10.0), True),
    ],
)
def test_layers_add_up(layer_ms: tuple[float, ...], *, found: bool) -> None:
    """To 20 ms with 5 % to each side, and some more below for the time between them."""
    layers = tuple(LayerTiming(f"l{ms}", None, ms, 0.0) for ms in layer_ms)
    bad = make.trial_evidence(log=make.log(20.0, layers=layers))
    evidence = make.case_evidence([20.0, bad, 20.0])
    assert names(evidence) == (["layers"] if found else [])
    if found:
        assert only(evidence).evidence.startswith("trial 2 of 3: ")


def test_layers_of_an_excerpt_may_be_missing() -> None:
    """Where a time is not known, or no net stands in the log; and fast nets may differ more."""
    gap = (LayerTiming("a", None, 1.0, None), LayerTiming("b", None, None, None))
    assert names(make.case_evidence([make.trial_evidence(log=make.log(layers=gap))])) == []
    tiny = (LayerTiming("a", None, 0.5, None),)
    log = make.log(0.1, layers=tiny)
    assert names(make.case_evidence([make.trial_evidence(log=log)], floor_ms=None)) == []


def test_good_logs_of_real_boards_add_up() -> None:
    """No layers are doubted in any log of the shared material that holds a measurement."""
    shared("corpus/logs")
    seen = 0
    for file in sorted(SHARED.glob("corpus/logs/*.log")):
        log = parse_log(file.read_bytes())
        if log.failure is None:
            seen += 1
            evidence = make.case_evidence([make.trial_evidence(log=log)], floor_ms=None)
            evidence = replace(evidence, case=replace(evidence.case, prototxt=None))
            assert "layers" not in names(evidence), file.name
    assert seen > 15


def test_the_bad_clock_of_a_real_log_is_found() -> None:
    """A layer of 12 years, within a whole that looks good."""
    data = shared("samples/caffe_time_windows_bad_clock_layer.txt").read_bytes()
    log = make.log(layers=parse_log(data).layers)
    finding = only(make.case_evidence([make.trial_evidence(log=log)]))
    assert finding.check == "layers"
    assert "add up to 3.689e+11 ms" in finding.evidence

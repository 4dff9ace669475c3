"""The verdict on a case: its status, and every reason for it."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetbench.analysis.checks import CHECKS
from jetbench.analysis.checks.clue import percent, trials_text
from jetbench.analysis.verdict import judge
from jetbench.domain.evidence import Cooling, TrialEvidence, Usage
from jetbench.domain.facts import Conditions
from jetbench.domain.finding import CheckName
from jetbench.domain.telemetry import Telemetry
from jetbench.domain.timing import Failure, LayerTiming, ParsedLog
from tests import make

if TYPE_CHECKING:
    from jetbench.domain.evidence import CaseEvidence

KILLED = Failure("killed", "the kernel killed it")
LATE = Failure("timeout", "it was ended after 60 s")


def test_every_check_has_a_function_of_its_name() -> None:
    """In the domain's list there is nothing that nobody looks for, and nothing twice."""
    assert sorted(check.__name__ for check in CHECKS) == sorted(get_args(CheckName))


def test_a_good_case_is_ok() -> None:
    """With nothing to say."""
    assert judge(make.case_evidence()) == ("ok", (), ())
    assert judge(make.case_evidence([7.2])) == ("ok", (), ())


def test_a_case_without_any_number_has_failed() -> None:
    """Each message once, and nothing is found in what else is known."""
    hot = replace(
        make.failed_evidence(KILLED), cooling=make.cooling(reached=False, gpu_temp_c=80.0)
    )
    assert judge(make.case_evidence([hot, hot])) == ("failed", (KILLED.message,), ())
    both = make.case_evidence([hot, make.failed_evidence(LATE)])
    assert judge(both) == (
        "failed",
        (f"1 of 2 trials: {KILLED.message}", f"1 of 2 trials: {LATE.message}"),
        (),
    )


def test_a_case_of_which_nothing_came_back_is_lost() -> None:
    """The board failed, not the program: only where that holds for every trial."""
    gone = make.failed_evidence(KILLED)
    gone = replace(gone, result=replace(gone.result, lost=True))
    assert judge(make.case_evidence([gone, gone]))[0] == "lost"
    assert judge(make.case_evidence([gone, make.failed_evidence(KILLED)]))[0] == "failed"
    assert judge(make.case_evidence([])) == ("lost", (), ())


def test_a_case_of_which_some_failed_is_suspect() -> None:
    """Failures first, then findings, with the numbers of all trials."""
    bad = make.failed_evidence(KILLED)
    swapped = make.trial_evidence(usage=make.usage(swapped_pages=5120))
    status, reasons, findings = judge(make.case_evidence([bad, 7.2, swapped]))
    assert status == "suspect"
    assert reasons == (
        f"1 of 3 trials: {KILLED.message}",
        "trial 3 of 3: 20 MiB were swapped",
    )
    assert [finding.check for finding in findings] == ["swapped"]


def test_what_changed_for_a_failed_trial_alone_is_no_finding() -> None:
    """It has no number that could be doubted."""
    bad = replace(make.failed_evidence(KILLED), after=make.conditions(power_mode_id=3))
    assert judge(make.case_evidence([7.2, 7.21, bad]))[2] == ()


@pytest.mark.parametrize(
    ("places", "text"),
    [
        ([2], "trial 3 of 6"),
        ([0, 1], "trials 1 and 2 of 6"),
        ([2, 3, 4, 5], "trials 3 to 6 of 6"),
        ([0, 1, 4], "trials 1, 2 and 5 of 6"),
    ],
)
def test_trials_are_named(places: list[int], text: str) -> None:
    """From 1, and as a range where they are one."""
    assert trials_text(places, make.case_evidence([7.2] * 6)) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.005, "0.5 %"), (0.0123, "1.2 %"), (0.0996, "10 %"), (0.314, "31 %"), (1.25, "125 %")],
)
def test_shares_are_per_cent(share: float, text: str) -> None:
    """With two digits."""
    assert percent(share) == text


Value = TypeVar("Value", Conditions, Telemetry, Usage, Cooling)


def some_of(value: Value) -> st.SearchStrategy[Value]:
    """The same value, any of its optional fields None, and its numbers anything."""
    numbers = st.one_of(st.none(), st.floats(0, 1e6), st.sampled_from((0.0, 1e-9, 1e12)))
    optional = [
        field.name
        for field in fields(value)
        if isinstance(getattr(value, field.name), float)
        and field.name not in {"limit_c", "waited_s", "wall_s"}
    ]
    parts = st.fixed_dictionaries({}, optional=dict.fromkeys(optional, numbers))

    def changed(new: dict[str, Any]) -> Value:
        return replace(value, **new)

    return parts.map(changed)


LOGS = st.builds(
    ParsedLog,
    forward_ms=st.one_of(st.none(), st.floats(-1, 1e9), st.floats(9, 11)),
    iterations=st.one_of(st.none(), st.integers(0, 60)),
    input_shapes=st.sampled_from(((), make.log().input_shapes, (("x", ()),))),
    phase=st.sampled_from((None, "TEST", "TRAIN")),
    layers=st.lists(
        st.builds(
            LayerTiming,
            st.sampled_from(("a", "\x1b[2J")),
            st.none(),
            st.one_of(st.none(), st.floats(-1, 10)),
            st.none(),
        ),
        max_size=3,
    ).map(tuple),
    iteration_ms=st.lists(st.floats(0, 100), max_size=15).map(tuple),
    statistic=st.sampled_from(("average", "minimum")),
)
TRIALS = st.builds(
    TrialEvidence,
    result=st.sampled_from((make.trial(1), make.trial(1, failure=KILLED))),
    log=st.one_of(st.none(), LOGS),
    before=st.one_of(st.just(Conditions()), some_of(make.conditions())),
    after=st.one_of(st.just(Conditions()), some_of(make.conditions())),
    telemetry=st.one_of(st.none(), st.just(Telemetry(0, 0, 0)), some_of(make.telemetry())),
    usage=st.one_of(
        st.none(), some_of(make.usage()), st.just(make.usage(wall_s=0.0, swapped_pages=None))
    ),
    cooling=st.one_of(
        st.none(), st.just(make.cooling(reached=False, gpu_temp_c=None)), some_of(make.cooling())
    ),
)
CASES = st.builds(
    lambda trials, changes: make.case_evidence(trials, **changes),
    st.lists(TRIALS, max_size=8),
    st.fixed_dictionaries(
        {},
        optional={
            "gpu": st.sampled_from((None, 0)),
            "locked": st.sampled_from((None, True, False)),
            "floor_ms": st.sampled_from((None, 0.0, 10.0)),
            "mode_name": st.none(),
            "idle": st.one_of(st.none(), some_of(make.telemetry())),
            "gpu_users": st.just(("17", "18:\x1b[2J")),
            "precision": st.sampled_from((None, 0.0, 0.01)),
        },
    ),
)


@given(CASES)
def test_any_evidence_has_a_verdict(evidence: CaseEvidence) -> None:
    """Whatever is missing; ok exactly where there is no reason; words safe for a terminal."""
    status, reasons, findings = judge(evidence)
    results = [trial.result for trial in evidence.trials]
    failed = [result for result in results if result.failure is not None]
    if len(failed) == len(results):
        assert status in {"failed", "lost"}
        assert findings == ()
    else:
        assert (status == "ok") == (not failed and not findings)
        assert status in {"ok", "suspect"}
    assert reasons[len(reasons) - len(findings) :] == tuple(f.evidence for f in findings)
    for finding in findings:
        for text in (finding.evidence, finding.advice):
            assert text.isprintable()
            assert not text.endswith(".")

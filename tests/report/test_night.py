"""A night for CI servers, Prometheus and chats."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args
from xml.etree.ElementTree import fromstring

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from jetbench.domain.gate import Gate, GateLayer, NoVerdict, Suspicion
from jetbench.domain.kept import as_kept
from jetbench.report.junit import junit_xml
from jetbench.report.message import Chat, payload, summary_line
from jetbench.report.prometheus import prometheus_text
from tests import make
from tests.store.nights import record

if TYPE_CHECKING:
    from jetbench.domain.kept import KeptSweep
    from jetbench.domain.record import Record

SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("junit.xsd"))
LOST = replace(
    make.record(board="two", status="lost", forward_ms=None, reasons=("no route to host",)),
    backward_ms=None, forward_backward_ms=None, power_mode=None, trials=(),
)  # fmt: skip
SLOW = Suspicion(
    "one", "alpha", 1, "MAXN", 10.0, 12.0, 1.2, (1.18, 1.22), "confirmed", 1.21,
    ("GPU clock 1300 → 829 MHz",), (GateLayer("conv5", 1.0, 2.5, 0.75),),
)  # fmt: skip
RED = Gate(
    baseline="nightly",
    baseline_id="20260101-030405-a1b2c3",
    sweep_id="20260102-030405-a1b2c3",
    compared=3,
    faster=0,
    suspicions=(SLOW, replace(SLOW, model="beta", belief="not confirmed", layers=())),
    no_verdict=(NoVerdict("one", "gone", 1, "only in the baseline"),),
)


def night(*records: Record) -> KeptSweep:
    """What was measured, as it is read back."""
    boards = tuple(make.board_result(name) for name in dict.fromkeys(r.board for r in records))
    return as_kept(make.result(*records, boards=boards))


NIGHT = night(
    record(12.0),
    record(9.0, model="beta", status="suspect", reasons=("it was throttled",)),
    record(7.0, model="gamma", batch=4, simulated=True),
    LOST,
)


def test_a_night_is_a_suite_a_board_and_a_test_a_case() -> None:
    """Slower, twice: a failure; lost: an error; suspect: a pass that says why."""
    text = junit_xml(NIGHT, RED)
    SCHEMA.validate(text)
    root = fromstring(text)  # noqa: S314 - our own document
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("5", "1", "1")
    one, two = root
    cases = {case.get("name"): case for case in one.iter("testcase")}
    assert list(cases) == ["alpha MAXN", "beta MAXN", "gamma x4 MAXN", "gone"]
    failure = cases["alpha MAXN"].find("failure")
    assert failure is not None
    assert failure.get("message") == (
        "10 -> 12 ms, +20.0 % (confirmed); changed: GPU clock 1300 → 829 MHz"
    )
    assert failure.text == "conv5 1 -> 2.5 ms"
    assert float(cases["alpha MAXN"].get("time", "")) == pytest.approx(0.012)
    said = [out.text for out in cases["beta MAXN"].findall("system-out")]
    assert said[0] is not None
    assert said[0].startswith("looked slower: ")
    assert said[1] == "suspect: it was throttled"
    assert [out.text for out in cases["gamma x4 MAXN"].findall("system-out")] == [
        "simulated: computed, not measured"
    ]
    assert cases["gone"].find("skipped") is not None
    assert one.get("skipped") == "1"
    error = two.find("testcase/error")
    assert error is not None
    assert (error.get("type"), error.get("message")) == ("lost", "no route to host")


def test_a_night_without_a_gate_or_without_cases_is_a_document_too() -> None:
    """A board that was never reached is a suite of what was to be measured there."""
    for sweep in (NIGHT, night(), night(LOST)):
        SCHEMA.validate(junit_xml(sweep))


@settings(max_examples=60)
@given(name=st.text(max_size=30), reason=st.text(max_size=80))
def test_no_name_breaks_a_document(name: str, reason: str) -> None:
    """Control letters, markup, half surrogate pairs: XML has none, Prometheus takes all others."""
    odd = replace(SLOW, board=name, model=name, changed=(reason,), power_mode=name)
    gate = replace(RED, suspicions=(odd,), no_verdict=(NoVerdict(name, name, 1, reason),))
    sweep = night(
        record(7.0, board=name, model=name, status="suspect", reasons=(reason,)),
        replace(LOST, board=name, model=name, reasons=(reason,)),
    )
    SCHEMA.validate(junit_xml(sweep, gate))
    list(text_string_to_metric_families(prometheus_text(sweep, gate, 4)))
    for chat in get_args(Chat):
        json.dumps(payload(chat, sweep, gate, 4)).encode()
    assert summary_line(sweep, gate, 4).isprintable()


def metrics(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Every sample by its name and the values of its labels."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.type == "gauge"
        for sample in family.samples:
            labels = tuple(sample.labels.values())
            of_one = found.setdefault(sample.name, {})
            assert labels not in of_one
            of_one[labels] = sample.value
    return found


def test_prometheus_reads_every_number() -> None:
    """In its base units; what has no number has no line."""
    found = metrics(prometheus_text(NIGHT, RED, 4))
    assert found["jetbench_night_exit_code"] == {(): 4}
    assert found["jetbench_night_cases"] == {
        ("ok",): 2, ("suspect",): 1, ("failed",): 0, ("lost",): 1,
    }  # fmt: skip
    assert found["jetbench_night_gate"] == {
        ("green",): 0, ("red",): 1, ("unconfirmed",): 0, ("nothing compared",): 0,
    }  # fmt: skip
    times = found["jetbench_forward_seconds"]
    assert times["one", "alpha", "1", "TEST", "MAXN", "ok", "false"] == pytest.approx(0.012)
    assert len(times) == 3
    assert found["jetbench_regression_ratio"] == {("one", "alpha", "1", "MAXN"): 1.2}
    assert found["jetbench_night_started_timestamp_seconds"] == {(): 1767323045}


def test_the_same_case_twice_is_one_line() -> None:
    """node_exporter throws the whole file away otherwise."""
    found = metrics(prometheus_text(night(record(7.0), record(8.0, prototxt_sha256="cd" * 32))))
    assert list(found["jetbench_forward_seconds"].values()) == [pytest.approx(0.007)]


def test_a_night_that_never_began_is_its_exit_code() -> None:
    """An alarm can be set on it."""
    assert metrics(prometheus_text(None, None, 2)) == {"jetbench_night_exit_code": {(): 2}}


@pytest.mark.parametrize(
    ("gate", "code", "begin", "end"),
    [
        (RED, 4, "red; slower on one: alpha (GPU clock 1300 → 829 MHz)", "; exit code 4"),
        (replace(RED, suspicions=()), 0, "green", ""),
        (None, None, "no gate", ""),
    ],
)
def test_one_line_says_how_it_went(
    gate: Gate | None, code: int | None, begin: str, end: str
) -> None:
    """For the end of a log, and for a mail's subject."""
    assert summary_line(replace(NIGHT, simulated=True), gate, code) == (
        f"jetbench 2026-01-02: {begin}; 2 ok, 1 suspect, 1 lost; simulated; "
        f"sweep 20260102-030405-a1b2c3{end}"
    )


@pytest.mark.parametrize("chat", get_args(Chat))
def test_every_chat_gets_its_own_form(chat: Chat) -> None:
    """The line, and what the gate says; nobody is mentioned by a board's name."""
    told = payload(chat, NIGHT, RED, 4)
    text = json.dumps(told, ensure_ascii=False)
    assert "slower on one: alpha" in text
    if chat in {"slack", "mattermost"}:
        assert list(told) == ["text"]
        odd = night(replace(LOST, board="<!channel>"))
        assert "<!channel>" not in payload(chat, odd, RED, 4)["text"]
    elif chat == "discord":
        assert told["allowed_mentions"] == {"parse": []}
        assert len(told["content"]) <= 2000
    elif chat == "teams":
        card = told["attachments"][0]["content"]
        assert (card["type"], card["body"][0]["type"]) == ("AdaptiveCard", "TextBlock")
    else:
        assert told["gate"]["verdict"] == "red"
        assert told["exit_code"] == 4


def test_a_night_that_never_began_is_told_too() -> None:
    """With why."""
    for chat in get_args(Chat):
        assert "the plan is gone" in json.dumps(payload(chat, None, None, 2, "the plan is gone"))

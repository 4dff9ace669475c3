"""What the gate says, word by word, and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from jetbench.domain.errors import ResultError
from jetbench.domain.gate import Gate, GateLayer, NoVerdict, Suspicion
from jetbench.formats.gate import gate_to_json, parse_gate
from jetbench.report.gate import gate_line, gate_text

SLOW = Suspicion(
    board="tx2-03",
    model="resnet50",
    batch=1,
    power_mode="MAXN",
    before_ms=64.0,
    now_ms=71.0,
    ratio=1.11,
    ratio_ci95=(1.1, 1.12),
    belief="confirmed",
    second_ratio=1.108,
    changed=("GPU clock 1300 → 829 MHz",),
    layers=(GateLayer("conv5", 3.0, 8.5, 0.8),),
)
RED = Gate(
    baseline="nightly",
    baseline_id="20260102-030405-a1b2c3",
    sweep_id="20260103-030405-a1b2c3",
    compared=24,
    faster=1,
    suspicions=(
        SLOW,
        replace(SLOW, model="vgg16", batch=8, layers=(), ratio=1.25),
        replace(SLOW, board="tx2-01", belief="not confirmed", second_ratio=1.0, changed=()),
        replace(SLOW, board="tx2-02", belief="not measured again", second_ratio=None),
    ),
    no_verdict=(
        NoVerdict("tx2-04", "alexnet", 1, "not measured: lost in B: no route to host"),
        NoVerdict("tx2-04", "vgg16", 1, "not measured: lost in B: no route to host"),
    ),
    second_look_id="20260103-041505-c0ffee",
)
AGAINST = "against nightly (20260102-030405-a1b2c3)"
UNSEEN = "looked slower and could not be measured again"
TEXT = """\
Gate red against nightly (20260102-030405-a1b2c3): 2 of 24 cases slower, twice,
  on tx2-03
slower: tx2-03: resnet50 +11.0 % (+10.0 to +12.0, again +10.8), vgg16 x8 +25.0 %
  (+10.0 to +12.0, again +10.8); changed: GPU clock 1300 → 829 MHz
looked slower, and could not be measured again: tx2-02: resnet50 +11.0 % (+10.0
  to +12.0); changed: GPU clock 1300 → 829 MHz
looked slower once, and not when measured again: tx2-01: resnet50 +11.0 % (+10.0
  to +12.0, again +0.0); nothing else is known to have changed
carried by: tx2-03, resnet50: conv5 +5.5 ms (80 % of it)
no verdict: tx2-04: alexnet, vgg16: not measured: lost in B: no route to host
faster: 1 case
"""


def test_a_red_night_says_all_that_one_asks_first() -> None:
    """Which models, which boards, by how much, what changed, which layers; what is not known."""
    assert gate_text(RED) == TEXT


@pytest.mark.parametrize(
    ("gate", "line"),
    [
        (
            replace(RED, suspicions=(), compared=1),
            f"Gate green {AGAINST}: nothing of 1 case is slower",
        ),
        (
            replace(RED, suspicions=RED.suspicions[3:]),
            f"Gate unconfirmed {AGAINST}: 1 of 24 cases {UNSEEN}",
        ),
        (
            replace(RED, suspicions=(), compared=0),
            f"Gate nothing compared {AGAINST}: nothing could be compared",
        ),
    ],
)
def test_one_line_says_it_all(gate: Gate, line: str) -> None:
    """For a mail's subject."""
    assert gate_line(gate) == line


def test_a_gate_is_read_back_as_it_was_written() -> None:
    """From its file."""
    assert parse_gate(json.dumps(gate_to_json(RED)), "gate.json") == RED
    assert gate_to_json(RED)["verdict"] == "red"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"schema": 1', '"schema": 2'),
        ('"confirmed"', '"sure"'),
        ('"ratio_ci95": [1.1', '"ratio_ci95": [1.1, 1.1'),
        ('"compared": 24', '"compared": "many"'),
    ],
)
def test_a_gate_that_was_changed_by_hand_is_refused(old: str, new: str) -> None:
    """With the file and the place."""
    with pytest.raises(ResultError, match=r"gate\.json: "):
        parse_gate(json.dumps(gate_to_json(RED)).replace(old, new, 1), "gate.json")


@given(name=st.text(max_size=70), why=st.text(max_size=300))
def test_no_name_moves_a_cursor_or_leaves_the_line(name: str, why: str) -> None:
    """80 columns, whatever boards, models and layers are called."""
    odd = replace(
        SLOW, board=name, model=name, changed=(why,), layers=(GateLayer(name, 1.0, 2.0, 0.5),)
    )
    gate = replace(RED, suspicions=(odd,), no_verdict=(NoVerdict(name, name, 1, why),))
    text = gate_text(gate)
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert cell_len(text.splitlines()[0]) <= 160

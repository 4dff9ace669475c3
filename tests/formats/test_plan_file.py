"""Plan files: the options of a run, kept in a file."""

from __future__ import annotations

import pytest

from jetbench.domain.errors import UsageError
from jetbench.formats.plan_file import PlanEntry, parse_plan_file

KEYS = ("models", "repeats", "power-mode", "clocks", "batch")


def test_keys_are_options_with_dashes_or_underscores() -> None:
    """Both spellings mean the same option, and each remembers its line."""
    text = "models: [alpha, beta]\nrepeats: 5\npower_mode: MAXQ\nclocks: false\n"
    assert parse_plan_file(text, "night.yaml", KEYS) == {
        "models": PlanEntry(["alpha", "beta"], 1),
        "repeats": PlanEntry(5, 2),
        "power-mode": PlanEntry("MAXQ", 3),
        "clocks": PlanEntry(value=False, line=4),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("repeats: 5\nrepeat: 6\n", "night.yaml:2: there is no option 'repeat'"),
        ("repeats: 5\nrepeats: 6\n", "night.yaml:2: 'repeats' is given twice"),
        ("repeats: {a: 1}\n", "night.yaml:1: repeats wants a value"),
        ("repeats:\n", "night.yaml:1: repeats wants a value"),
        ("- alpha\n", "night.yaml:1: a plan file is a list of options"),
        ("", "night.yaml:1: a plan file is a list of options"),
        ("repeats: [1\n", "night.yaml:"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, said: str) -> None:
    """Nothing is guessed, and nothing is started."""
    with pytest.raises(UsageError) as raised:
        parse_plan_file(text, "night.yaml", KEYS)
    assert raised.value.message.startswith(said)

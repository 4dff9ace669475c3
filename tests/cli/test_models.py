"""``jetbench models``: for people, for documents and for scripts."""

from __future__ import annotations

import json

import pytest

from jetbench.cli.models import ModelsFormat, models
from jetbench.nets.zoo import MODELS


@pytest.fixture
def listed(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> str:
    """What the command prints in one format."""
    models(request.param)
    return capsys.readouterr().out


@pytest.mark.parametrize("listed", [ModelsFormat.TABLE], indirect=True)
def test_table_has_a_line_for_each_model_that_fits_a_terminal(listed: str) -> None:
    """What goes in, what it costs for one image, what it needs, and whose it is."""
    lines = listed.splitlines()
    assert [line.split()[0] for line in lines[2:]] == list(MODELS)
    assert max(map(len, lines)) <= 80
    vgg16 = next(line for line in lines if line.startswith("vgg16 "))
    assert vgg16.split() == [
        "vgg16",
        "3x224x224",
        "138,357,544",
        "15.47",
        "BVLC",
        "1.0",
        "Simonyan",
        "2015",
    ]


@pytest.mark.parametrize("listed", [ModelsFormat.TABLE], indirect=True)
def test_table_says_that_ssd300_needs_the_fork(listed: str) -> None:
    """It alone."""
    needing = [line.split()[0] for line in listed.splitlines() if "SSD fork" in line]
    assert needing == ["ssd300"]


@pytest.mark.parametrize("listed", [ModelsFormat.MARKDOWN], indirect=True)
def test_markdown_names_the_papers_in_full(listed: str) -> None:
    """A document has the room."""
    header, rule, *rows = listed.splitlines()
    assert header.startswith("| Model ")
    assert set(rule) <= set("|-:")
    assert len(rows) == len(MODELS)
    assert "Simonyan, Zisserman, ICLR 2015" in listed


@pytest.mark.parametrize("listed", [ModelsFormat.JSON], indirect=True)
def test_json_has_numbers_as_they_are(listed: str) -> None:
    """One document, with everything that is known of a model."""
    document = {model["name"]: model for model in json.loads(listed)}
    assert list(document) == list(MODELS)
    assert document["bvlc_alexnet"]["macs"] == 724_406_816
    assert document["ssd300"] == {
        "name": "ssd300",
        "title": "SSD300 (VGG-16, Pascal VOC)",
        "input": [1, 3, 300, 300],
        "params": 26_285_486,
        "statistics": 0,
        "macs": 31_373_537_792,
        "paper": "Liu et al., ECCV 2016",
        "needs": "SSD fork",
        "phase": "TRAIN",
    }

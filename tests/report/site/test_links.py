"""Where the page of a thing is."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from jetbench.report.site.links import board_page, file_name, log_link, model_page, sweep_page


@given(st.text(), st.text())
def test_two_names_never_share_a_page(one: str, two: str) -> None:
    """Also on a disk that knows no capitals; and every disk and every URL can have them."""
    assert (file_name(one).lower() == file_name(two).lower()) == (one == two)
    for name in (file_name(one), file_name(two)):
        assert re.fullmatch(r"[a-z0-9_-][a-z0-9._-]{0,80}", name)


def test_a_usual_name_is_its_page() -> None:
    """So that people can guess links, and type them."""
    assert model_page("vgg16") == "models/vgg16.html"
    assert board_page("tx2-01") == "boards/tx2-01.html"
    assert sweep_page("20260102-030405-a1b2c3") == "sweeps/20260102-030405-a1b2c3.html"
    assert log_link("20260102-030405-a1b2c3", "tx2-01", 7) == (
        "log.html#20260102-030405-a1b2c3/tx2-01/7"
    )


def test_other_names_are_told_apart_by_their_hash() -> None:
    """A path, capitals, nothing at all."""
    names = ["VGG16", "vgg16", "a/b", "a b", "../../etc/passwd", "", ".", "..", "ä", "x" * 300]
    pages = {file_name(name) for name in names}
    assert len(pages) == len(names)
    assert not any(page.startswith(".") or "/" in page for page in pages)

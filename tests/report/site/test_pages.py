"""The pages of a report, as files: what is in them, and what they load."""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urlsplit

import pytest

from jetbench.bench.gathering import gather
from jetbench.domain.history import Wanted
from jetbench.report.site.pages import site
from jetbench.store.database.history import open_history
from tests.report.site.month import ADVICE, BOARDS, HOSTILE, MODELS, month

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jetbench.domain.material import Material

TWO_MEGABYTES = 2_000_000


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Material]:
    """A month of nights."""
    with open_history(None, tmp_path_factory.mktemp("month"), create=True) as history:
        for text in month():
            history.add(text, "")
        yield gather(history, Wanted(), lambda _: None)


@pytest.fixture(scope="module")
def pages(material: Material) -> dict[str, str]:
    """Every page, by its path."""
    return {
        path: data.decode() for path, data in site(material, "1.2.3") if path.endswith(".html")
    }


class Parsed(HTMLParser):
    """What a page links to, what it loads, which ids it has, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.handlers: list[str] = []
        self.plots: list[dict[str, object]] = []
        self._in_plot = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name.startswith("on"):
                self.handlers.append(name)
            if name == "id" and value:
                self.ids.append(value)
            if tag == "a" and name == "href" and value:
                self.links.append(value)
            elif name in {"src", "href"} and value:
                self.loads.append(value)
        self._in_plot = tag == "script" and ("type", "application/json") in attrs

    def handle_data(self, data: str) -> None:
        if self._in_plot:
            self.plots.append(json.loads(data))
            self._in_plot = False


@pytest.fixture(scope="module")
def parsed(pages: dict[str, str]) -> dict[str, Parsed]:
    """The same, read."""
    return {path: Parsed(text) for path, text in pages.items()}


def test_there_is_a_page_for_each_thing(pages: dict[str, str]) -> None:
    """A first page, one for each model, board and sweep; and the list of sweeps."""
    counts = {kind: sum(path.startswith(kind) for path in pages) for kind in ("models", "boards")}
    assert counts == {"models": len(MODELS), "boards": len(BOARDS)}
    assert {"index.html", "sweeps.html", "log.html", "models/vgg16.html"} <= set(pages)
    assert sum(path.startswith("sweeps/") for path in pages) == 30


def test_every_link_leads_somewhere(parsed: dict[str, Parsed]) -> None:
    """To a page of the site, and to a place that is on it."""
    for path, page in parsed.items():
        assert len(page.ids) == len(set(page.ids)), path
        for link in page.links:
            target, fragment = urldefrag(link)
            there = posixpath.normpath(posixpath.join(posixpath.dirname(path), target or path))
            there = path if not target else there
            assert there in parsed, f"{path} links to {link}"
            if fragment and there != "log.html":
                assert fragment in parsed[there].ids, f"{path} links to {link}"


def test_nothing_is_loaded_from_elsewhere(material: Material, parsed: dict[str, Parsed]) -> None:
    """Pages load what lies beside them, and forbid the browser all else."""
    files = {path for path, _ in site(material, "1")}
    for path, page in parsed.items():
        for load in page.loads:
            if load == "data:,":
                continue
            assert not urlsplit(load).scheme, f"{path} loads {load}"
            assert posixpath.normpath(posixpath.join(posixpath.dirname(path), load)) in files


def test_no_name_becomes_a_part_of_a_page(
    pages: dict[str, str], parsed: dict[str, Parsed]
) -> None:
    """Whatever a model is called and whatever a board says, it is shown as text."""
    for path, page in parsed.items():
        assert "img" not in page.tags, path
        assert not page.handlers, path
        assert "<img" not in pages[path]
    names = {plot["title"] for page in parsed.values() for plot in page.plots}
    assert any(HOSTILE in str(name) for name in names)


@pytest.mark.parametrize("simulated", [True, False])
def test_every_plot_of_simulated_times_says_so(tmp_path: Path, *, simulated: bool) -> None:
    """In its data, by which it is marked; and the page itself."""
    with open_history(None, tmp_path, create=True) as history:
        for text in month(simulated=simulated):
            history.add(text, "")
        found = gather(history, Wanted(), lambda _: None)
    for path, data in site(found, "1"):
        if path.endswith(".html") and path != "log.html":
            page = Parsed(data.decode())
            assert all(plot["simulated"] is simulated for plot in page.plots), path
            assert data.count(b'class="mark"') == (len(page.plots) if simulated else 0)
            assert (b"computed by virtual boards" in data) is simulated, path


def test_the_first_page_tells_what_changed_and_what_failed(pages: dict[str, str]) -> None:
    """The step with its size and its night; each failure with its evidence and what to do."""
    front = pages["index.html"]
    changed, _, rest = front.partition('id="failed"')
    failed = rest.partition('id="models"')[0]
    assert re.search(r"2026-01-16</a></td><td><a [^>]+>vgg16</a></td><td><a [^>]+>tx2-02", changed)
    assert len(re.findall(r"▲ \+[78]\.\d %", changed)) == 2
    assert "GPU clock fell to 828 MHz" in failed
    assert ADVICE in failed
    assert "out of memory" in failed
    assert re.search(r"tx2-03.*no route to host", failed)


def test_the_first_page_is_small(material: Material) -> None:
    """With all that it loads."""
    sizes = {path: len(data) for path, data in site(material, "1")}
    loaded = sum(size for path, size in sizes.items() if path.startswith("assets/"))
    assert loaded + sizes["index.html"] < TWO_MEGABYTES


def test_the_same_nights_make_the_same_bytes(material: Material) -> None:
    """So that a web server's copy is renewed where something is new, and nowhere else."""
    assert dict(site(material, "1")) == dict(site(material, "1"))


def test_a_model_shows_its_layers_its_boards_and_its_steps(parsed: dict[str, Parsed]) -> None:
    """Bars by board and mode with their spread, the profile, the history with its steps."""
    plots = {str(plot["kind"]): plot for plot in parsed["models/vgg16.html"].plots}
    assert set(plots) == {"bars", "profile", "history"}
    assert plots["bars"]["boards"] == list(BOARDS)
    series = plots["bars"]["series"]
    assert isinstance(series, list)
    assert [name for name, _ in series] == ["MAXN", "MAXQ"]
    middle, least, most = series[0][1][0][:3]
    assert least < middle < most
    history = [plot for plot in parsed["models/vgg16.html"].plots if plot["kind"] == "history"]
    steps = {one["name"]: one["steps"] for one in history[0]["series"]}  # type: ignore[attr-defined]
    assert [len(steps[board]) for board in BOARDS] == [0, 1, 0]
    assert steps["tx2-02"][0][0] == 15


@pytest.mark.parametrize("bounded", [True, False])
def test_a_profile_speaks_of_a_bound_where_there_is_one(
    material: Material, *, bounded: bool
) -> None:
    """On the CPU there is none: neither in the title, nor in the legend, nor in words."""
    known = {"layer3": 0.5} if bounded else {}
    profiles = {case: replace(one, bounds_ms=known) for case, one in material.profiles.items()}
    text = dict(site(replace(material, profiles=profiles), "1"))["models/vgg16.html"].decode()
    (profile,) = (one for one in Parsed(text).plots if one["kind"] == "profile")
    assert profile["bounded"] is bounded
    assert profile["title"] == "vgg16: time of each layer" + ", against the bound" * bounded
    assert ("the mark beside it is the least time" in text) is bounded


def test_nothing_at_all_makes_a_site(tmp_path: Path) -> None:
    """An empty history: a first page that says so."""
    with open_history(None, tmp_path, create=True) as history:
        found = gather(history, Wanted(), lambda _: None)
    pages = dict(site(found, "1"))
    assert b"There is nothing in this report" in pages["index.html"]

"""The report before a person: Chromium, headless, at a desk and on a phone."""

from __future__ import annotations

import functools
import http.server
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, PICTURES, Looked, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Locator, Page

KINDS = ("front", "sweeps", "model", "board", "doubtful-board", "sweep", "doubtful-sweep", "log")
PLOTS = {"front": 2, "model": 4, "board": 2, "doubtful-board": 2}


def plots(page: Page) -> Locator:
    """All of a page."""
    return page.locator("figure.plot")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_page_is_whole(
    look: Callable[..., Looked], report: Report, kind: str, size: tuple[int, int], scheme: str
) -> None:
    """No error in the console, every plot drawn, nothing wider than the window; a picture of it.

    axe finds nothing that keeps anybody out: contrast, names, order, regions.
    """
    page = look(size, color_scheme=scheme).open(report.pages()[kind])
    assert plots(page).count() == PLOTS.get(kind, 0)
    for plot in plots(page).all():
        # ECharts draws bars, lines and letters as paths and texts of an SVG.
        assert plot.locator("svg path").count() > 5
        assert plot.locator("svg text").count() > 3
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{kind}-{size[0]}-{scheme}.png", full_page=True)
    # Its preloading asks for style sheets once more, which the page forbids.
    found = Axe().run(page, options={"preload": False})
    assert found.violations_count == 0, found.generate_report()


def test_a_column_sorts_by_mouse_and_by_keyboard(look: Callable[..., Looked]) -> None:
    """By its numbers, up and down."""
    page = look().open("models/vgg16.html")

    def times() -> list[float]:
        cells = page.locator("#cases tbody tr td:nth-child(3)")
        return [float(text.split(" ms")[0]) for text in cells.all_inner_texts()]

    header = page.locator("#cases th", has_text="Inference time")
    header.click()
    # The column is marked before its rows have moved.
    first = page.locator("#cases tbody tr td:nth-child(3)").first
    expect(first).to_contain_text(str(max(times())))
    assert times() == sorted(times(), reverse=True)
    header.press("Enter")
    expect(first).to_contain_text(str(min(times())))
    assert times() == sorted(times())


def test_a_table_is_filtered_by_words(look: Callable[..., Looked]) -> None:
    """Rows stay in which all of them are; also once it has been sorted."""
    page = look().open("models/vgg16.html")
    page.locator("#cases-filter").fill("tx2-02 maxq")
    assert page.locator("#cases tbody tr:visible").count() == 1
    assert page.locator("output").inner_text() == "1 of 6 cases"
    page.locator("#cases th", has_text="Board").click()
    page.locator("#cases-filter").fill("")
    assert page.locator("#cases tbody tr:visible").count() == 6


def test_a_series_is_hidden_by_its_name_and_a_plot_is_zoomed(look: Callable[..., Looked]) -> None:
    """As users of a browser expect of a plot."""
    page = look().open("models/vgg16.html")
    history = plots(page).nth(2)
    before = history.locator("svg path").count()
    history.locator("svg text", has_text="tx2-01").last.click()
    page.wait_for_function(
        "n => document.querySelectorAll('figure.plot')[2].querySelectorAll('svg path').length < n",
        arg=before,
    )
    first = "2026-01-01"
    assert history.locator("svg text", has_text=first).count() > 0
    history.locator(".canvas").hover()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -600)
    page.keyboard.up("Control")
    page.wait_for_function(
        "day => ![...document.querySelectorAll('figure.plot')[2].querySelectorAll('svg text')]"
        ".some(text => text.textContent === day)",
        arg=first,
    )


def test_pointing_at_a_plot_tells_the_number(look: Callable[..., Looked]) -> None:
    """The board, the conditions, the time and its spread."""
    page = look().open("models/vgg16.html")
    box = plots(page).first.locator(".canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.15, box["y"] + box["height"] * 0.7)
    page.wait_for_function(
        "[...document.querySelectorAll('figure.plot')[0].querySelectorAll('svg text')]"
        ".some(text => /processes from .* ms to .* ms/.test(text.textContent))"
    )


def test_one_case_of_several_is_chosen(look: Callable[..., Looked]) -> None:
    """The profile of another board and mode, without another page."""
    page = look().open("models/vgg16.html")
    profile = plots(page).nth(1)
    before = profile.locator("svg").inner_html()
    profile.locator("select").select_option(label="tx2-03, MAXQ")
    assert profile.locator("svg").inner_html() != before


def test_simulated_is_marked_on_every_plot(look: Callable[..., Looked]) -> None:
    """In the picture itself, so that it stays where somebody copies it; and not on others."""
    window = look()
    page = window.open("boards/virt-01.html")
    for plot in plots(page).all():
        assert plot.locator("svg text", has_text="SIMULATED").count() == 1
        assert plot.locator(".mark").inner_text() == "simulated"
    page = window.open("models/vgg16.html")
    assert page.locator("svg text", has_text="SIMULATED").count() == 0


def test_from_the_first_page_to_the_raw_log(look: Callable[..., Looked], report: Report) -> None:
    """By links alone: a board, its last sweep, the log of a trial, as the board wrote it."""
    page = look().open("index.html")
    page.locator("#board-table a", has_text="virt-01").click()
    page.locator("#cases a", has_text="2026-").first.click()
    page.get_by_role("link", name="Raw log of process 1").first.click()
    page.locator("#log", has_text="Average Forward pass").wait_for()
    assert report.sweep_id in page.locator("h1").inner_text()


def test_a_log_that_is_not_there_is_said(look: Callable[..., Looked], report: Report) -> None:
    """A trial of no sweep, and an address that would lead elsewhere."""
    page = look().open(f"log.html#{report.sweep_id}/virt-01/999")
    page.get_by_text("There is no such log in this report.").wait_for()
    page = look().open("log.html#../../x/y")
    assert page.locator("script[src*='logs/']").count() == 0


def test_a_bar_leads_to_its_sweep(look: Callable[..., Looked]) -> None:
    """From the bars of the nights."""
    page = look().open("index.html")
    plots(page).nth(1).scroll_into_view_if_needed()
    box = plots(page).nth(1).locator(".canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 56, box["y"] + box["height"] - 120)
    page.wait_for_url("**/sweeps/20260101-030405-a1b2c3.html")


def test_print_shows_everything_and_no_controls(look: Callable[..., Looked]) -> None:
    """The tables at full width, without the field of the filter."""
    page = look().open("models/vgg16.html")
    page.emulate_media(media="print")
    assert not page.locator(".filter").first.is_visible()
    assert not page.locator("header").is_visible()
    assert page.locator("#cases").is_visible()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A web server, below a path of its own."""
    handler = functools.partial(_Quiet, directory=str(folder.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/{folder.name}/"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_any_web_server_serves_it(look: Callable[..., Looked], report: Report) -> None:
    """Below any path; nothing is asked of another server."""
    with served(report.folder) as address:
        window = look()
        asked: list[str] = []
        window.page.on("request", lambda request: asked.append(request.url))
        window.page.goto(f"{address}index.html")
        window.page.locator("figure.plot[data-drawn]").nth(1).wait_for()
        window.page.goto(f"{address}{report.pages()['log']}")
        window.page.locator("#log", has_text="Average Forward pass").wait_for()
    assert asked
    assert all(url.startswith((address, "data:")) for url in asked)

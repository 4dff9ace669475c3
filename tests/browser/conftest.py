"""A report of a month of nights and a sweep on virtual boards, and Chromium to look at it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from jetbench.store.database.history import open_history
from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions
from tests.e2e.program import Program
from tests.report.site.month import month

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

DESKTOP = (1280, 900)
PHONE = (400, 800)
PICTURES = Path(__file__).resolve().parents[2] / ".pictures"
"""Where each page's picture is kept, to be looked at."""
_ARGUMENTS = (
    "--disable-background-networking", "--disable-component-update", "--disable-gpu",
    "--disable-quic", "--disable-sync", "--no-first-run",
)  # fmt: skip


@dataclass
class Report:
    """A site on the disk."""

    folder: Path
    sweep_id: str
    """That of the sweep that virtual boards have run, with its logs and its telemetry."""

    def pages(self) -> dict[str, str]:
        """A page of each kind."""
        return {
            "front": "index.html",
            "sweeps": "sweeps.html",
            "model": "models/vgg16.html",
            "board": "boards/virt-01.html",
            "doubtful-board": "boards/tx2-01.html",
            "sweep": f"sweeps/{self.sweep_id}.html",
            "doubtful-sweep": "sweeps/20260130-030405-a1b2c3.html",
            "log": f"log.html#{self.sweep_id}/virt-01/1",
        }


@dataclass
class Looked:
    """A page in the browser, and what it has complained of."""

    page: Page
    report: Report
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Open a page of the report, from the disk."""
        self.page.goto((self.report.folder / path.partition("#")[0]).as_uri() + _fragment(path))
        self.page.wait_for_function(
            "document.querySelectorAll('figure.plot:not([data-drawn])').length === 0"
        )
        return self.page


def _fragment(path: str) -> str:
    return "#" + path.partition("#")[2] if "#" in path else ""


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Thirty nights that nobody measured, and one that virtual boards did."""
    folder = tmp_path_factory.mktemp("report")
    program = Program(folder, folder / "inventory.yaml")
    with open_history(None, program.results, create=True) as history:
        for text in month():
            history.add(text, "")
    # Slow enough for the telemetry of a trial to be more than a point.
    options = BoardOptions(time_scale=0.5)
    with VirtualFleet(boards=2, directory=folder / "fleet", options=options) as fleet:
        (folder / "inventory.yaml").write_text(fleet.inventory_text())
        run = ("run", "bvlc_alexnet", "--repeats", "2", "--cooldown", "off", "-q")
        assert program(*run).status == 0
    done = program("report", "-o", "site")
    assert done.status == 0, done.err
    return Report(folder / "site", program.sweep().name)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium, headless."""
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next((found for name in names if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("Chromium is not installed")
    # As root, as in CI, Chromium starts without its sandbox only.
    arguments = [*_ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def look(chromium: Browser, report: Report) -> Iterator[Callable[..., Looked]]:
    """Opens windows; at the end none of them may have complained."""
    opened: list[Looked] = []

    def window(size: tuple[int, int] = DESKTOP, **more: object) -> Looked:
        context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, **more)  # type: ignore[arg-type]
        page = context.new_page()
        looked = Looked(page, report)
        page.on("console", lambda said: looked.complaints.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: looked.complaints.append(str(error)))
        page.on("requestfailed", lambda request: looked.complaints.append(request.url))
        opened.append(looked)
        return looked

    yield window
    for looked in opened:
        looked.page.context.close()
        assert looked.complaints == []

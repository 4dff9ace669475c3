"""The site that is made of the documents."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
DOCS = CHECKOUT / "docs"
TEXTS = sorted(CHECKOUT.glob("*.md"))
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
"""The elements that fetch something as a page is opened, and from where."""


class Fetched(HTMLParser):
    """What a page fetches by itself; where its links lead does not matter."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.classes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: text or "" for name, text in attrs}
        self.classes |= set(values.get("class", "").split())
        if tag in LOADS and values.get("rel") not in {"canonical", "prev", "next"}:
            self.found.append(values.get(LOADS[tag], ""))


def build(checkout: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build it as ``scripts/docs`` does."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site."""
    folder = tmp_path_factory.mktemp("site")
    done = build(CHECKOUT, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_site_is_built_without_a_warning(site: Path) -> None:
    """Every page is there, in the navigation, and no link is broken."""
    for page in DOCS.rglob("*.md"):
        assert (site / page.relative_to(DOCS)).with_suffix(".html").exists()


def test_the_site_fetches_nothing_from_elsewhere(site: Path) -> None:
    """Neither a page, nor a style sheet, nor the search when it is opened from a disk."""
    pages = list(site.rglob("*.html"))
    assert pages
    for page in pages:
        fetched = Fetched()
        fetched.feed(page.read_text("utf-8"))
        assert any(place.endswith(".css") for place in fetched.found)
        assert not [place for place in fetched.found if re.match(r"(?:https?:)?//", place)], page
        # Diagrams are the one thing for which the theme asks another server.
        assert "mermaid" not in fetched.classes
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import\s+)[\"']?(?:https?:)?//", sheet.read_text("utf-8"))


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("index.md", "[nowhere](how-to/nowhere.md)"),
        ("index.md", "[nowhere](reference/verdicts.md#nowhere)"),
        ("forgotten.md", "# Not in the navigation"),
    ],
)
def test_a_broken_link_or_a_forgotten_page_is_found(tmp_path: Path, page: str, text: str) -> None:
    """The build fails, and says where."""
    for name in ("docs", "scripts", "jetbench"):
        shutil.copytree(CHECKOUT / name, tmp_path / name)
    shutil.copy(CHECKOUT / "mkdocs.yml", tmp_path)
    with (tmp_path / "docs" / page).open("a") as file:
        file.write(f"\n{text}\n")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    assert page in done.stderr


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.name)
def test_the_links_of_the_texts_beside_it_lead_somewhere(text: Path) -> None:
    """README, CONTRIBUTING and CHANGELOG are no part of the site, but lead into docs/."""
    for place in re.findall(r"\]\(([^)\s#]+)[^)]*\)", text.read_text("utf-8")):
        assert place.startswith("https://") or (CHECKOUT / place).exists(), place


def test_every_document_that_is_named_is_there() -> None:
    """In messages, comments and texts, by its path."""
    named = []
    for folder in ("jetbench", "scripts", "benchmarks", "tests"):
        for file in (CHECKOUT / folder).rglob("*"):
            if file.is_file() and file.suffix not in {".pyc", ".gz", ".png"}:
                named += re.findall(r"\bdocs/[\w/-]+\.md", file.read_text("utf-8", "ignore"))
    for text in TEXTS:
        named += re.findall(r"\bdocs/[\w/-]+\.md", text.read_text("utf-8"))
    assert named
    assert not [name for name in named if not (CHECKOUT / name).exists()]

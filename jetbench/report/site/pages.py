"""Every file of the site, one after the other."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from jetbench.report.site import board, front, model, sweep
from jetbench.report.site.cases import day, status_text
from jetbench.report.site.links import FRONT, LOG, SWEEPS, board_page, model_page, sweep_page
from jetbench.report.site.overview import Overview

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jetbench.domain.material import Material

Json = dict[str, Any]

ASSETS = (
    "site.css",
    "plots.js",
    "tables.js",
    "log.js",
    "echarts.min.js",
    "sortable.min.js",
    "sortable.a11y.min.js",
    "LICENSE-echarts.txt",
    "LICENSE-sortable.txt",
)
_HERE = files("jetbench.report.site")


def site(material: Material, version: str) -> Iterator[tuple[str, bytes]]:
    """The path of each file below the site's folder, and what is in it; the first page comes last.

    The same material gives the same bytes.

    Args:
        material: What there is to show.
        version: Of this program.
    """
    for name in ASSETS:
        yield f"assets/{name}", (_HERE / "assets" / name).read_bytes()
    writer = _Writer(Overview.of(material), version)
    yield LOG, writer.page("log.html", LOG, {}, simulated="")
    yield from writer.pages()


class _Writer:
    """Knows what is the same on every page."""

    def __init__(self, overview: Overview, version: str) -> None:
        self._overview = overview
        last = overview.material.sweeps[-1] if overview.material.sweeps else None
        self._same = {"version": version, "until": day(last.started_utc) if last else "now"}
        self._templates = Environment(
            loader=FunctionLoader(_template),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"plot_json": _plot_json, "status_text": status_text}

    def pages(self) -> Iterator[tuple[str, bytes]]:
        overview = self._overview
        for name in overview.models:
            path = model_page(name)
            simulated = _simulated(case.record.simulated for case in overview.of_model(name))
            yield path, self.page("model.html", path, model.context(overview, name), simulated)
        for name in overview.boards:
            path = board_page(name)
            simulated = _simulated(case.record.simulated for case in overview.of_board(name))
            yield path, self.page("board.html", path, board.context(overview, name), simulated)
        for place, one in enumerate(overview.material.sweeps):
            path = sweep_page(one.id)
            simulated = "all" if one.simulated else ""
            yield path, self.page("sweep.html", path, sweep.context(overview, place), simulated)
        simulated = _simulated(one.simulated for one in overview.material.sweeps)
        yield SWEEPS, self.page("sweeps.html", SWEEPS, sweep.list_context(overview), simulated)
        yield FRONT, self.page("front.html", FRONT, front.context(overview), simulated)

    def page(self, template: str, path: str, context: Json, simulated: str) -> bytes:
        """A page; `simulated`: ``all``, ``some`` or nothing of it."""
        text = self._templates.get_template(template).render(
            **self._same, root="../" * path.count("/"), simulated=simulated, **context
        )
        return text.encode("utf-8", "replace")


def _template(name: str) -> str:
    return (_HERE / "templates" / name).read_text(encoding="utf-8")


def _plot_json(data: Json) -> Markup:
    """JSON that may stand in a script element: nothing in it ends the element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)  # noqa: S704 - see above


def _simulated(flags: Iterator[bool]) -> str:
    known = set(flags)
    return "" if True not in known else "all" if known == {True} else "some"

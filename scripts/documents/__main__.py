"""Write the pages, or say which are no longer true: see ``scripts/reference``."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

from scripts.documents import commands, exit_codes, inventory, journal, json_documents

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
PAGES = {
    "commands.md": commands.page,
    "exit-codes.md": exit_codes.page,
    "inventory.md": inventory.page,
    "journal.md": journal.page,
    "json.md": json_documents.page,
}


def main(words: list[str]) -> int:
    """Do it; 1 where a page is stale, 2 for a word that nobody knows."""
    if words not in ([], ["--check"]):
        print("usage: scripts/reference [--check]", file=sys.stderr)
        return 2
    stale = False
    for name, page in PAGES.items():
        path, text = REFERENCE / name, page()
        before = path.read_text("utf-8") if path.exists() else ""
        if not words:
            path.write_text(text, "utf-8")
        elif before != text:
            stale = True
            changes = difflib.unified_diff(
                before.splitlines(), text.splitlines(), f"docs/reference/{name}", "the code", n=1
            )
            print("\n".join([*changes, "to renew it: scripts/reference"]), file=sys.stderr)
    return int(stale)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""docs/reference.md is what the code has, and every path that the daemon answers stands in docs/status.md."""

from __future__ import annotations

import re
from pathlib import Path

from tests.guards.reference_page import PAGE, page


def test_the_page_is_what_the_code_has() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "`make picture` writes it anew"


def test_every_path_of_the_api_is_told(root: Path) -> None:
    told = (root / "docs/status.md").read_text(encoding="utf-8")
    # The only app of a name; and `stop` and `start`, each by its name.
    told_otherwise = {"/api/v1/apps/{name}", "/api/v1/repairs/{verb}"}
    served = set()
    for module in (root / "operator/nomad_operator").glob("web*.py"):
        served |= set(re.findall(r'Route\("(/[^"]+)"', module.read_text(encoding="utf-8")))
    assert {path for path in served if path.replace(":path", "") not in told} == told_otherwise

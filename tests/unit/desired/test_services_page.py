"""What docs/services.md shows is what the product reads and says."""

from __future__ import annotations

import re
from pathlib import Path

from desired.conventions import conventions
from desired.fabio_tag import Severity, service_problems, tag_problems

PAGE = (Path(__file__).parents[3] / "docs" / "services.md").read_text(encoding="utf-8")


def test_the_conventions_of_the_page_are_read_without_a_problem() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    found, problems = conventions(block)
    assert problems == ()
    assert found.secret("DB_PASSWORD", "web") == "secret/data/web/db#password"
    assert (found.fabio_port, found.hostname_suffix, len(found.rules)) == (9999, ".cluster", 1)


def test_the_tags_of_the_page_are_judged_as_it_says() -> None:
    rows = re.findall(r"^\| `(urlprefix-[^`]*)` \| (.*?) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 10
    for tag, becomes in rows:
        harmful = re.match(r"stops the table|every request|Fabio ends", becomes)
        errors = [one for one in tag_problems(tag) if one.severity is Severity.ERROR]
        assert bool(errors) is bool(harmful), tag
    assert service_problems(["urlprefix-app.cluster/", 'said "so"'])

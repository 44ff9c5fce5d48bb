"""docs/notifications.md names every kind of news and every form of a receiver, with the meaning that the code gives."""

from __future__ import annotations

import re
from pathlib import Path

from nomad_operator.news.notice import MEANINGS
from nomad_operator.news.target import Form


def test_every_kind_of_news_is_explained_in_the_order_of_a_digest(root: Path) -> None:
    page = (root / "docs/notifications.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_]+)` \| (.+) \|$", page, re.MULTILINE)
    assert rows == [(kind.value, meaning) for kind, meaning in MEANINGS.items()]
    assert all(f"`{form.value}+https://…`" in page for form in Form)

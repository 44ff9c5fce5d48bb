"""Text of others (logs, names, messages) as it may stand on a page: what would move, hide or reorder it is spelled out.

Escaping is the template's; this is about characters that escaping leaves as they are.
"""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

# Controls but tab and newline, marks that reorder (U+202E and its kin), what has no width, what ends a line for some,
# halves of characters, and tags. Source: Unicode Standard, 23.2 and 23.9; UAX 9, 2.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def shown(text: str) -> str:
    """The same with each of those as Python would write it: `\\x1b`, `\\u202e`."""
    return _UNSEEN.sub(lambda found: ascii(found[0])[1:-1], text)


def finalized(value: Any) -> Any:
    """For the template engine, which asks for each value that it writes; None is nothing."""
    if value is None:
        return ""
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value

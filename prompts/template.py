"""`{{name}}` in a prompt's text: which names there are, and the text with values in their places.

Values are data. What looks like a variable within a value stays as it is: it is never filled a second time. Other
things between double braces (`{{ key "a/b" }}` of a Nomad template) are text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# Source: https://langfuse.com/docs/prompt-management/features/variables: letters and underscores, blanks around.
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


def variables_in(text: str) -> frozenset[str]:
    return frozenset(_VARIABLE.findall(text))


def filled(text: str, values: Mapping[str, str]) -> str:
    """KeyError where a value is missing."""
    return _VARIABLE.sub(lambda match: values[match[1]], text)

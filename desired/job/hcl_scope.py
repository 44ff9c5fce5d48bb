"""What the evaluation of one kind of expression needs of all the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from desired.job.hcl_budget import Budget
from desired.job.hcl_nodes import Node
from desired.job.hcl_source import Diagnostic, Range, Source


class Scope(Protocol):
    """`desired.job.hcl_expression.Evaluator` is one."""

    @property
    def source(self) -> Source: ...

    @property
    def diagnostics(self) -> list[Diagnostic]: ...

    @property
    def budget(self) -> Budget: ...

    def value(self, node: Node, item: Any = None) -> Any:
        """What an expression is; UNKNOWN after an error. `item` is the element of the splat around it."""
        ...

    def error(self, summary: str, detail: str, place: Range) -> Any:
        """Tell it; the answer is UNKNOWN."""
        ...

    def into(self, diagnostics: list[Diagnostic]) -> Scope:
        """The same, with its errors put elsewhere."""
        ...

    def with_variables(self, more: Mapping[str, Any]) -> Scope:
        """The same, with more names; they hide what was called so before."""
        ...

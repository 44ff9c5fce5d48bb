"""A Python file as a syntax tree: who stands in what, what a name means, and which constant an expression comes to.

Nothing is ever run. A file that is not Python 3 is told as a warning by its line.
"""

from __future__ import annotations

import ast
import threading
import warnings
from collections.abc import Iterator
from functools import cached_property

from desired.facts.app_code.source_text import SourceText
from desired.facts.fact import Place
from desired.problem import Problem

# The compiler warns of strange texts (`"\d"`) on stderr, or raises; switching that off is the process's, not a
# thread's, so that two files must not do it at once.
_QUIET = threading.Lock()
_DEEPEST = 12


def _children(node: ast.AST) -> list[ast.AST]:
    """As `ast.iter_child_nodes`, in a third of the time: half of what reading Python takes."""
    found: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            found.append(value)
        elif isinstance(value, list):
            found += [one for one in value if isinstance(one, ast.AST)]
    return found


class Module:
    """One parsed file. `nodes` are in the order of the text, as far as a tree has one."""

    def __init__(self, source: SourceText, tree: ast.Module) -> None:
        self.source = source
        self.tree = tree
        self.nodes: list[ast.AST] = []
        self.parents: dict[ast.AST, ast.AST] = {}
        waiting: list[ast.AST] = [tree]
        while waiting:
            node = waiting.pop()
            self.nodes.append(node)
            children = _children(node)
            for child in children:
                # Contexts and operators are shared between nodes, and hold nothing: they have no parent.
                if child._fields or child._attributes:
                    self.parents[child] = node
            children.reverse()
            waiting += children

    def place(self, node: ast.AST) -> Place:
        return Place(self.source.path, getattr(node, "lineno", None))

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """What the node stands in, innermost first."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    @cached_property
    def assigned(self) -> dict[str, ast.expr]:
        """The first value that each name of the module, of a class or of a function is given."""
        found: dict[str, ast.expr] = {}
        for node in self.nodes:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                found.setdefault(node.targets[0].id, node.value)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                found.setdefault(node.target.id, node.value)
        return found

    @cached_property
    def imported(self) -> dict[str, str]:
        """What names stand for: `{"environ": "os.environ", "o": "os"}`."""
        found: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    found.setdefault(alias.asname or top, alias.name if alias.asname else top)
            elif isinstance(node, ast.ImportFrom):
                start = "." * node.level + (node.module or "")
                for alias in node.names:
                    found.setdefault(alias.asname or alias.name, f"{start}.{alias.name}")
        return found

    @cached_property
    def packages(self) -> frozenset[str]:
        """The packages that the file imports something of."""
        return frozenset(full.lstrip(".").partition(".")[0] for full in self.imported.values())

    def called(self, node: ast.expr) -> str:
        """The dotted name of a plain expression, imports resolved: `os.environ.get`; "" for anything else."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute) and len(parts) < _DEEPEST:
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        parts.append(self.imported.get(node.id, node.id))
        return ".".join(reversed(parts))

    def text(self, node: ast.expr | None, depth: int = 0) -> str | None:
        """The text of a string constant, also by the name of one."""
        found = self.constant(node, depth)
        return found if isinstance(found, str) else None

    def constant(self, node: ast.expr | None, depth: int = 0) -> str | int | float | bool | None:
        """What a simple expression comes to: a constant, a name of one, `int("1")`. None if it is not plain."""
        if node is None or depth > _DEEPEST:
            return None
        match node:
            case ast.Constant(value=str() | bool() | int() | float() as value):
                return value
            case ast.Name(id=name) if name in self.assigned:
                return self.constant(self.assigned[name], depth + 1)
            case ast.Call(func=ast.Name(id="int" | "str" | "float" | "bool"), args=[inner], keywords=[]):
                return self.constant(inner, depth + 1)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return -value
        return None


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """The argument of that name."""
    return next((word.value for word in call.keywords if word.arg == name), None)


def parse(source: SourceText) -> Module | Problem:
    """The file's tree, or what is wrong with it."""
    try:
        with _QUIET, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source.text, filename="<read>")
        return Module(source, tree)
    except SyntaxError as error:
        line = error.lineno if isinstance(error.lineno, int) and error.lineno > 0 else 0
        return Problem(source.path, line, message="is not read as Python 3")
    except (ValueError, RecursionError, MemoryError, OverflowError):
        return Problem(source.path, message="is not read as Python 3")

"""Evaluates HCL: variables, functions, templates, loops. What Nomad fills in at run time stays as it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desired.job.hcl_budget import Budget
from desired.job.hcl_call import call
from desired.job.hcl_loop import loop
from desired.job.hcl_nodes import (
    Binary,
    Broken,
    Call,
    Conditional,
    Embedded,
    For,
    Index,
    Literal,
    Node,
    ObjectNode,
    Parentheses,
    Splat,
    Step,
    Template,
    TemplateJoin,
    TemplateWrap,
    Traversal,
    TupleNode,
    Unary,
)
from desired.job.hcl_operators import binary, conditional, unary
from desired.job.hcl_path import attribute, index, runtime_text
from desired.job.hcl_source import Diagnostic, Range, Source, quoted, suggestion
from desired.job.hcl_value import (
    STRING,
    UNKNOWN,
    ConvertError,
    convert,
    normal,
)


class Evaluator:
    """Evaluates expressions of one source with the given variables; errors are added to `diagnostics`.

    With `open_world`, a name that is not known stays as `${name}`: Nomad interpolates it on the client. Without, it
    is an error.
    """

    def __init__(
        self,
        *,
        source: Source,
        variables: Mapping[str, Any],
        diagnostics: list[Diagnostic],
        budget: Budget,
        open_world: bool = True,
        functions_allowed: bool = True,
    ) -> None:
        self.source = source
        self.diagnostics = diagnostics
        self.budget = budget
        self._variables = variables
        self._open_world = open_world
        self._functions_allowed = functions_allowed

    def _copy(self, **changed: Any) -> Evaluator:
        arguments: dict[str, Any] = {
            "source": self.source,
            "variables": self._variables,
            "diagnostics": self.diagnostics,
            "budget": self.budget,
            "open_world": self._open_world,
            "functions_allowed": self._functions_allowed,
        }
        return Evaluator(**(arguments | changed))

    def with_variables(self, more: Mapping[str, Any]) -> Evaluator:
        """The same, with more names; they hide what was called so before."""
        return self._copy(variables={**self._variables, **more})

    def of(self, source: Source) -> Evaluator:
        """The same, for expressions of another text."""
        return self if source is self.source else self._copy(source=source)

    def into(self, diagnostics: list[Diagnostic]) -> Evaluator:
        """The same, with its errors put elsewhere."""
        return self._copy(diagnostics=diagnostics)

    def error(self, summary: str, detail: str, place: Range) -> Any:
        self.diagnostics.append(Diagnostic(summary, detail, place, self.source))
        return UNKNOWN

    def value(self, node: Node, item: Any = None) -> Any:
        """What an expression is; UNKNOWN after an error. `item` is the element of the splat around it."""
        self.budget.step(node.place)
        match node:
            case Literal():
                return node.value
            case Template():
                return self._template(node, item)
            case Traversal():
                return self._traversal(node, item)
            case TemplateWrap() | Parentheses():
                return self.value(node.inner, item)
            case Call():
                return self._call(node, item)
            case Conditional():
                return conditional(self, node, item)
            case Binary():
                return binary(self, node, item)
            case Unary():
                return unary(self, node, item)
            case TupleNode():
                values = [self.value(each, item) for each in node.items]
                self.budget.spend(values, node.place)
                return values
            case ObjectNode():
                return self._object(node, item)
            case Index():
                collection = self.value(node.collection, item)
                return index(self, collection, self.value(node.key, item), node.bracket)
            case For():
                return loop(self, node, item)
            case Splat():
                return self._splat(node, item)
            case TemplateJoin():
                return self._join(node, item)
            case Embedded():
                return self.of(node.source).value(node.inner)
            case Broken():
                return UNKNOWN
        raise AssertionError(type(node))

    # --- text

    def _template(self, node: Template, item: Any) -> Any:
        if node.constant is not None:
            return node.constant
        texts: list[str] = []
        known = True
        for part in node.parts:
            value = self.value(part, item)
            if value is UNKNOWN:
                known = False
            elif value is None:
                detail = "The expression result is null. Cannot include a null value in a string template."
                self.error("Invalid template interpolation value", detail, part.place)
            else:
                try:
                    texts.append(convert(value, STRING))
                except ConvertError as error:
                    detail = f"Cannot include the given value in a string template: {error}."
                    self.error("Invalid template interpolation value", detail, part.place)
        if not known:
            return UNKNOWN
        self.budget.spend(texts, node.place)
        return normal("".join(texts))

    def _join(self, node: TemplateJoin, item: Any) -> Any:
        values = self.value(node.items, item)
        if values is UNKNOWN or any(value is UNKNOWN for value in values):
            return UNKNOWN
        return "".join(values)

    # --- paths

    def _traversal(self, node: Traversal, item: Any) -> Any:
        if node.source is None:
            value = item
        elif isinstance(node.source, Node):
            value = self.value(node.source, item)
        elif node.source in self._variables:
            value = self._variables[node.source]
        elif self._open_world:
            return runtime_text(self.source.text, node.place)
        else:
            near = suggestion(node.source, list(self._variables))
            hint = f" Did you mean {quoted(near)}?" if near else ""
            place = (node.place[0], node.place[0] + len(node.source))
            if not self._variables:
                return self.error("Variables not allowed", "Variables may not be used here.", place)
            return self.error("Unknown variable", f"There is no variable named {quoted(node.source)}.{hint}", place)
        for step in node.steps:
            value = self._step(value, step)
        return value

    def _step(self, value: Any, step: Step) -> Any:
        return attribute(self, value, step) if step.attribute else index(self, value, step.key, step.place)

    def _splat(self, node: Splat, item: Any) -> Any:
        value = self.value(node.source, item)
        if value is UNKNOWN:
            return UNKNOWN
        if not isinstance(value, list):
            # A splat makes a list of anything: of one, or of none for null.
            value = [] if value is None else [value]
        values = [self.value(node.each, element) for element in value]
        self.budget.spend(values, node.place)
        return values

    # --- calls and collections

    def _call(self, node: Call, item: Any) -> Any:
        if not self._functions_allowed:
            return self.error("Function calls not allowed", "Functions may not be called here.", node.place)
        return call(self, node, item)

    def _object(self, node: ObjectNode, item: Any) -> Any:
        values: dict[str, Any] = {}
        known = True
        for key_node, value_node in node.items:
            key = self._key(key_node, item)
            value = self.value(value_node, item)
            if key is None:
                self.error("Null value as key", "Can't use a null value as a key.", value_node.place)
                known = False
                continue
            try:
                key = convert(key, STRING)
            except ConvertError as error:
                self.error("Incorrect key type", f"Can't use this value as a key: {error}.", key_node.place)
                known = False
                continue
            if key is UNKNOWN:
                known = False
            else:
                values[key] = value
        self.budget.spend(values, node.place)
        return values if known else UNKNOWN

    def _key(self, node: Node, item: Any) -> Any:
        if isinstance(node, Traversal) and isinstance(node.source, str):
            if not node.steps:
                return node.source
            detail = (
                "If this expression is intended to be a reference, wrap it in parentheses. If it's instead intended as "
                "a literal name containing periods, wrap it in quotes to create a string literal."
            )
            return self.error("Ambiguous attribute key", detail, node.place)
        if isinstance(node, Literal) and (node.value is None or isinstance(node.value, bool)):
            return {None: "null", True: "true", False: "false"}[node.value]
        return self.value(node, item)

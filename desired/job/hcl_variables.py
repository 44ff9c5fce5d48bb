"""Input variables and locals: what a job file declares, and the values that a variable file gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from desired.job.hcl_body import Argument, BoundBlock, Schema, View
from desired.job.hcl_budget import Budget
from desired.job.hcl_expression import Evaluator
from desired.job.hcl_nodes import Node, Traversal
from desired.job.hcl_source import Diagnostic, Range, Source, quoted
from desired.job.hcl_type import read_type
from desired.job.hcl_value import BOOL, STRING, UNKNOWN, ConvertError, Type, convert

_IDENTIFIER = re.compile(r"[^\W\d][\w-]*")
_BLOCK = Schema({"description": False, "default": False, "type": False}, {"validation": ()})
_VALIDATION = Schema({"condition": True, "error_message": True})


@dataclass(slots=True)
class _Assignment:
    origin: str
    value: Any
    place: Range
    source: Source


@dataclass(slots=True)
class _Validation:
    condition: Node | None
    message: str
    place: Range


@dataclass(slots=True)
class _Variable:
    name: str
    type: Type | None = None
    assignment: _Assignment | None = None
    validations: list[_Validation] = field(default_factory=list)


class Variables:
    """The variables of one job file. Errors go to `diagnostics`, in the order in which Nomad looks.

    Source: jobspec2/types.variables.go and types.config.go.
    """

    def __init__(self, *, source: Source, diagnostics: list[Diagnostic], budget: Budget) -> None:
        self._source = source
        self._diagnostics = diagnostics
        self._budget = budget
        self._declared: dict[str, _Variable] = {}
        self._locals: dict[str, Argument] = {}

    def constants(self) -> Evaluator:
        """Evaluates what may refer to nothing."""
        return Evaluator(
            source=self._source,
            variables={},
            diagnostics=self._diagnostics,
            budget=self._budget,
            open_world=False,
            functions_allowed=False,
        )

    def scope(self, local: dict[str, Any] | None = None) -> Evaluator:
        """Evaluates with the variables' values and the given locals."""
        values = {name: each.assignment.value if each.assignment else UNKNOWN for name, each in self._declared.items()}
        return Evaluator(
            source=self._source,
            variables={"var": values, "local": local or {}},
            diagnostics=self._diagnostics,
            budget=self._budget,
        )

    def _error(self, summary: str, detail: str, place: Range | None, source: Source | None = None) -> None:
        self._diagnostics.append(Diagnostic(summary, detail, place, source or self._source))

    # --- declarations

    def declare_block(self, block: BoundBlock) -> None:
        """A `variable "name" { … }` block."""
        name = block.labels[0]
        if name in self._declared:
            self._error("Duplicate variable", f"Duplicate {name} variable definition found.", None)
            return
        arguments, blocks = block.body.content(_BLOCK)
        if not _IDENTIFIER.fullmatch(name):
            detail = (
                "A name must start with a letter or underscore and may contain only letters, digits, underscores, and "
                "dashes."
            )
            self._error("Invalid variable name", detail, block.label_places[0])
        variable = _Variable(name)
        if "description" in arguments:
            self._text(arguments["description"])
        if "type" in arguments:
            variable.type = read_type(arguments["type"].node, self._source, self._diagnostics)
            if variable.type is None:
                return
        if "default" in arguments and not self._default(variable, arguments["default"]):
            return
        variable.validations = [self._validation(name, each) for each in blocks]
        self._declared[name] = variable

    def declare_all(self, block: BoundBlock) -> None:
        """A `variables { name = default }` block."""
        self._refuse_blocks(block)
        for argument in block.body.arguments():
            if argument.name in self._declared:
                detail = f"Duplicate {argument.name} variable definition found."
                self._error("Duplicate variable", detail, argument.name_place)
                continue
            variable = _Variable(argument.name)
            if self._default(variable, argument):
                self._declared[argument.name] = variable

    def _default(self, variable: _Variable, argument: Argument) -> bool:
        errors = len(self._diagnostics)
        value = argument.value()
        if len(self._diagnostics) > errors:
            return False
        if variable.type is not None:
            try:
                value = convert(value, variable.type)
            except ConvertError as error:
                detail = f"This default value is not compatible with the variable's type constraint: {error}."
                self._error("Invalid default value for variable", detail, argument.node.place)
                value = UNKNOWN
        variable.assignment = _Assignment("default", value, argument.node.place, self._source)
        return True

    def _text(self, argument: Argument) -> str:
        value = argument.value()
        try:
            text = convert(value, STRING)
        except ConvertError as error:
            self._error("Unsuitable value type", f"Unsuitable value: {error}", argument.node.head)
            return ""
        if not isinstance(text, str):
            why = "null value is not allowed" if text is None else "value must be known"
            self._error("Unsuitable value type", f"Unsuitable value: {why}", argument.node.head)
            return ""
        return text

    def _validation(self, name: str, block: BoundBlock) -> _Validation:
        arguments, _ = block.body.content(_VALIDATION)
        validation = _Validation(None, "", block.define_place)
        if "condition" in arguments:
            validation.condition = arguments["condition"].node
            self._check_references(name, validation.condition)
        if "error_message" in arguments:
            errors = len(self._diagnostics)
            validation.message = self._text(arguments["error_message"])
            if len(self._diagnostics) == errors and not validation.message.strip():
                detail = "An empty or blank string is not a valid nor useful error message."
                self._error("Invalid validation error message", detail, arguments["error_message"].node.place)
        return validation

    def _check_references(self, name: str, condition: Node) -> None:
        good = 0
        for path in paths(condition):
            if path.source == "var" and path.steps and path.steps[0].key == name:
                good += 1
                continue
            detail = (
                f"The condition for variable {quoted(name)} can only refer to the variable itself, using var.{name}."
            )
            self._error("Invalid reference in variable validation", detail, path.place)
        if not good:
            detail = (
                f"The condition for variable {quoted(name)} must refer to var.{name} in order to test incoming values."
            )
            self._error("Invalid variable validation condition", detail, condition.place)

    def declare_locals(self, block: BoundBlock) -> None:
        """A `locals { … }` block. A later one wins: Nomad means to refuse it, but looks too early."""
        self._refuse_blocks(block)
        for argument in block.body.arguments():
            self._locals[argument.name] = argument

    def _refuse_blocks(self, block: BoundBlock) -> None:
        if block.body.raw.blocks:
            first = block.body.raw.blocks[0]
            place = (first.define_place[0], first.define_place[0] + len(first.type))
            self._error(f"Unexpected {quoted(first.type)} block", "Blocks are not allowed here.", place)

    # --- values

    def assign(self, file: View) -> None:
        """Values from a variable file, already read."""
        source = file.scope.source
        for block in file.raw.blocks:
            if block.type == "variable" and block.labels:
                name = block.labels[0]
                detail = (
                    "A .var file is used to assign values to variables that have already been declared in job files, "
                    f"not to declare new variables. To declare variable {quoted(name)}, place this block in one of "
                    f"your job files\n\nTo set a value for this variable in {source.name}, use the definition syntax "
                    f"instead:\n    {name} = <value>"
                )
                place = (block.define_place[0], block.define_place[0] + len(block.type))
                self._error("Variable declaration in a .var file", detail, place, source)
                return
        if file.raw.blocks:
            first = file.raw.blocks[0]
            place = (first.define_place[0], first.define_place[0] + len(first.type))
            self._error(f"Unexpected {quoted(first.type)} block", "Blocks are not allowed here.", place, source)
        for argument in file.arguments():
            variable = self._declared.get(argument.name)
            if variable is None:
                name = quoted(argument.name)
                detail = (
                    f"A {name} variable was set but was not found in known variables. To declare variable {name}, "
                    "place this block in your job files"
                )
                self._diagnostics.append(Diagnostic("Undefined variable", detail, None, source, warning=True))
                continue
            variable.assignment = _Assignment("varfile", self._given(variable, argument), argument.node.place, source)

    def _given(self, variable: _Variable, argument: Argument) -> Any:
        value = argument.value()
        wanted = variable.type
        if wanted is None:
            return value
        try:
            return convert(value, wanted)
        except ConvertError as error:
            detail = f"The value for {variable.name} is not compatible with the variable's type constraint: {error}."
            self._error("Invalid value for variable", detail, argument.node.place, argument.scope.source)
            return UNKNOWN

    def check(self) -> None:
        """Tell what has no value, and whose value its own rules refuse."""
        for variable in self._declared.values():
            if variable.assignment is None:
                detail = (
                    "A used variable must be set or have a default value; see "
                    "https://developer.hashicorp.com/nomad/docs/reference/hcl2/variables  for details."
                )
                self._error(f"Unset variable {quoted(variable.name)}", detail, None)
                continue
            for validation in variable.validations:
                self._validate(variable.name, variable.assignment, validation)

    def _validate(self, name: str, assignment: _Assignment, validation: _Validation) -> None:
        if validation.condition is None:
            detail = "validation requires a condition."
            self._error("Invalid variable validation specification", detail, validation.place)
            return
        scope = Evaluator(
            source=self._source,
            variables={"var": {name: assignment.value}},
            diagnostics=self._diagnostics,
            budget=self._budget,
            open_world=False,
        )
        summary = "Invalid variable validation result"
        result = scope.value(validation.condition)
        if result is UNKNOWN:
            return
        if result is None:
            detail = "Validation condition expression must return either true or false, not null."
            self._error(summary, detail, validation.condition.place)
            return
        try:
            passed = convert(result, BOOL)
        except ConvertError as error:
            detail = f"Invalid validation condition result value: {error}."
            self._error(summary, detail, validation.condition.place)
            return
        if not passed:
            where = self._source.show(validation.place)
            detail = f"{validation.message}\n\nThis was checked by the validation rule at {where}."
            self._error(f"Invalid value for {assignment.origin} variable", detail, assignment.place, assignment.source)

    def evaluate_locals(self) -> dict[str, Any]:
        """The locals' values. They may refer to each other in any order; a circle is an error."""
        waiting = dict(self._locals)
        values: dict[str, Any] = {}
        while waiting:
            before = len(waiting)
            failed: list[Diagnostic] = []
            for name, argument in list(waiting.items()):
                errors: list[Diagnostic] = []
                value = self.scope(values).into(errors).value(argument.node)
                if errors:
                    failed = failed or errors
                else:
                    values[name] = value
                    del waiting[name]
            if len(waiting) == before:
                self._diagnostics += failed
                break
        return values


def paths(node: Any) -> Iterator[Traversal]:
    """Every path that begins with a name, anywhere in an expression."""
    if isinstance(node, Traversal) and isinstance(node.source, str):
        yield node
    if is_dataclass(node):
        for each in fields(node):
            yield from paths(getattr(node, each.name))
    elif isinstance(node, list | tuple):
        for item in node:
            yield from paths(item)

"""Calls of functions: their arguments converted and counted, and their errors in Nomad's words."""

from __future__ import annotations

from typing import Any

from desired.job.hcl_functions import ArgumentError, CallError, Function, functions
from desired.job.hcl_nodes import Call
from desired.job.hcl_scope import Scope
from desired.job.hcl_source import Diagnostic, Range, quoted, suggestion
from desired.job.hcl_type import read_type
from desired.job.hcl_value import UNKNOWN, ConvertError, convert


def call(scope: Scope, node: Call, item: Any) -> Any:
    """What a function makes of its arguments; UNKNOWN after an error."""
    function = functions().get(node.name)
    if function is None:
        return _unknown_function(scope, node)
    if function.special:
        return _special_call(scope, node, item)
    before = len(scope.diagnostics)
    arguments = _arguments(scope, node, item)
    if arguments is None or not _count_fits(scope, node, function, len(arguments)):
        return UNKNOWN
    values: list[Any] = []
    for index, (value, place) in enumerate(arguments):
        parameter = function.parameter(index)
        try:
            values.append(convert(value, parameter.type))
        except ConvertError as error:
            _bad_argument(scope, parameter.name, str(error), place)
    if len(scope.diagnostics) > before or any(value is UNKNOWN for value in values):
        return UNKNOWN
    for index, value in enumerate(values):
        parameter = function.parameter(index)
        if value is None and not parameter.nullable:
            return _bad_argument(scope, parameter.name, "argument must not be null", arguments[index][1])
    try:
        result = function.run(values)
    except ArgumentError as error:
        place = arguments[error.index][1] if error.index < len(arguments) else node.place
        return _bad_argument(scope, function.parameter(error.index).name, str(error), place)
    except (CallError, ConvertError) as error:
        return _failed_call(scope, node, str(error))
    except (ArithmeticError, TypeError, ValueError):
        # A fraction where a count is needed, a number beyond a float: Python refuses these in many ways.
        return _failed_call(scope, node, "the arguments do not fit")
    scope.budget.spend(result, node.place)
    return result


def _arguments(scope: Scope, node: Call, item: Any) -> list[tuple[Any, Range]] | None:
    arguments: list[tuple[Any, Range]] = []
    plain = node.arguments[:-1] if node.expand else node.arguments
    for argument in plain:
        arguments.append((scope.value(argument, item), argument.head))
    if node.expand and node.arguments:
        last = node.arguments[-1]
        value = scope.value(last, item)
        if value is UNKNOWN:
            return None
        if not isinstance(value, list):
            what = "not be null" if value is None else "be of a tuple, list, or set type"
            detail = f"The expanding argument (indicated by ...) must {what}."
            scope.error("Invalid expanding argument value", detail, last.place)
            return None
        arguments += [(element, last.place) for element in value]
    return arguments


def _count_fits(scope: Scope, node: Call, function: Function, count: int) -> bool:
    wanted = len(function.parameters)
    name = quoted(node.name)
    if count < wanted:
        least = " at least" if function.rest is not None else ""
        missing = quoted(function.parameters[count].name)
        detail = f"Function {name} expects{least} {wanted} argument(s). Missing value for {missing}."
        scope.error("Not enough function arguments", detail, node.close_place)
        return False
    if function.rest is None and count > wanted:
        place = node.arguments[min(wanted, len(node.arguments) - 1)].head
        scope.error("Too many function arguments", f"Function {name} expects only {wanted} argument(s).", place)
        return False
    return True


def _unknown_function(scope: Scope, node: Call) -> Any:
    namespace, _, _ = node.name.rpartition("::")
    if namespace:
        detail = f"There are no functions in namespace {quoted(namespace + '::')}."
    else:
        near = suggestion(node.name, sorted(functions()))
        hint = f" Did you mean {quoted(near)}?" if near else ""
        detail = f"There is no function named {quoted(node.name)}.{hint}"
    return scope.error("Call to unknown function", detail, node.name_place)


def _bad_argument(scope: Scope, name: str, why: str, place: Range) -> Any:
    return scope.error("Invalid function argument", f"Invalid value for {quoted(name)} parameter: {why}.", place)


def _failed_call(scope: Scope, node: Call, why: str) -> Any:
    detail = f"Call to function {quoted(node.name)} failed: {why}."
    return scope.error("Error in function call", detail, node.head)


def _special_call(scope: Scope, node: Call, item: Any) -> Any:
    """What takes expressions, not values: `convert`, and `try` and `can` (the first without an error)."""
    if node.name == "convert":
        return _convert_call(scope, node, item)
    told: list[str] = []
    for argument in node.arguments:
        errors: list[Diagnostic] = []
        value = scope.into(errors).value(argument, item)
        if not errors:
            return True if node.name == "can" else value
        told.append(f"- {errors[0].summary}: {errors[0].detail}")
        if node.name == "can":
            return False
    if not told:
        return _failed_call(scope, node, "at least one argument is required")
    return _failed_call(scope, node, "no expression succeeded:\n" + "\n".join(told))


def _convert_call(scope: Scope, node: Call, item: Any) -> Any:
    if len(node.arguments) != 2:
        return _failed_call(scope, node, "a value and a type are required")
    value = scope.value(node.arguments[0], item)
    wanted = read_type(node.arguments[1], scope.source, scope.diagnostics)
    if wanted is None:
        return UNKNOWN
    try:
        return convert(value, wanted)
    except ConvertError as error:
        return _bad_argument(scope, "value", str(error), node.arguments[0].head)

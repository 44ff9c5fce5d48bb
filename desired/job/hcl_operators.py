"""Operators: arithmetic, comparison, logic, and the choice between two values."""

from __future__ import annotations

from decimal import DecimalException
from typing import Any

from desired.job.hcl_nodes import Binary, Conditional, Unary
from desired.job.hcl_scope import Scope
from desired.job.hcl_value import (
    BOOL,
    DECIMALS,
    NUMBER,
    STRING,
    UNKNOWN,
    ConvertError,
    convert,
    decimal,
    is_number,
    type_name,
    whole,
)


def conditional(scope: Scope, node: Conditional, item: Any) -> Any:
    """`a ? b : c`."""
    # Nomad evaluates both sides and tells only the errors of the one that is taken.
    condition = scope.value(node.condition, item)
    if condition is UNKNOWN:
        return UNKNOWN
    if condition is None:
        detail = "The condition value is null. Conditions must either be true or false."
        return scope.error("Null condition", detail, node.condition.place)
    try:
        chosen = convert(condition, BOOL)
    except ConvertError:
        detail = "The condition expression must be of type bool."
        return scope.error("Incorrect condition type", detail, node.condition.place)
    value = scope.value(node.true if chosen else node.false, item)
    other = scope.into([]).value(node.false if chosen else node.true, item)
    if isinstance(other, str) and (isinstance(value, bool) or is_number(value)):
        return convert(value, STRING)
    pair = (value, other) if chosen else (other, value)
    if not _consistent(value, other):
        detail = (
            "The true and false result expressions must have consistent types. "
            f"The 'true' value is {type_name(pair[0])}, but the 'false' value is {type_name(pair[1])}."
        )
        place = (node.true.place[0], node.false.place[1])
        return scope.error("Inconsistent conditional result types", detail, place)
    return value


def binary(scope: Scope, node: Binary, item: Any) -> Any:
    """`a + b` and its like."""
    left, right = scope.value(node.left, item), scope.value(node.right, item)
    if node.operator in ("==", "!="):
        if left is UNKNOWN or right is UNKNOWN:
            return UNKNOWN
        return equal(left, right) == (node.operator == "==")
    wanted = BOOL if node.operator in ("&&", "||") else NUMBER
    before = len(scope.diagnostics)
    operands: list[Any] = []
    for side, value, where in (("left", left, node.left), ("right", right, node.right)):
        try:
            operands.append(convert(value, wanted))
        except ConvertError as error:
            scope.error("Invalid operand", f"Unsuitable value for {side} operand: {error}.", where.place)
    if len(scope.diagnostics) > before or any(value is UNKNOWN for value in operands):
        return UNKNOWN
    if any(value is None for value in operands):
        return scope.error("Operation failed", "Error during operation: argument must not be null.", node.place)
    try:
        return _operate(node.operator, operands[0], operands[1])
    except (ConvertError, DecimalException) as error:
        return scope.error("Operation failed", f"Error during operation: {error}.", node.place)


def unary(scope: Scope, node: Unary, item: Any) -> Any:
    """`-a` and `!a`."""
    value = scope.value(node.operand, item)
    try:
        operand = convert(value, NUMBER if node.operator == "-" else BOOL)
    except ConvertError as error:
        detail = f"Unsuitable value for unary operand: {error}."
        return scope.error("Invalid operand", detail, node.operand.place)
    if operand is UNKNOWN:
        return UNKNOWN
    if operand is None:
        return scope.error("Operation failed", "Error during operation: argument must not be null.", node.place)
    return -operand if node.operator == "-" else not operand


def equal(left: Any, right: Any) -> bool:
    """HCL's equality: never across types."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    return bool(left == right)


def _consistent(value: Any, other: Any) -> bool:
    if any(each is None or each is UNKNOWN for each in (value, other)):
        return True
    if isinstance(value, list) or isinstance(other, list):
        return isinstance(value, list) and isinstance(other, list)
    if isinstance(value, dict) or isinstance(other, dict):
        return isinstance(value, dict) and isinstance(other, dict)
    return isinstance(value, str) or isinstance(other, str) or is_number(value) == is_number(other)


def _operate(operator: str, left: Any, right: Any) -> Any:
    match operator:
        case "&&":
            return left and right
        case "||":
            return left or right
        case "<":
            return left < right
        case ">":
            return left > right
        case "<=":
            return left <= right
        case ">=":
            return left >= right
    a, b = decimal(left), decimal(right)
    match operator:
        case "+":
            return whole(DECIMALS.add(a, b))
        case "-":
            return whole(DECIMALS.subtract(a, b))
        case "*":
            return whole(DECIMALS.multiply(a, b))
    if b == 0:
        raise ConvertError("divide by zero")
    if operator == "/":
        return whole(DECIMALS.divide(a, b))
    return whole(DECIMALS.remainder(a, b))

"""Evaluates HCL: variables, functions, templates, loops. What Nomad fills in at run time stays as it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, DecimalException
from typing import Any

from desired.job.hcl_functions import ArgumentError, CallError, Function, functions
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
from desired.job.hcl_source import Diagnostic, Range, Source, quoted, suggestion
from desired.job.hcl_type import read_type
from desired.job.hcl_value import (
    BOOL,
    DECIMALS,
    NUMBER,
    STRING,
    UNKNOWN,
    ConvertError,
    TypedMap,
    TypedSet,
    convert,
    decimal,
    is_number,
    normal,
    number_text,
    type_name,
    whole,
)

# What one file may make of itself, in expressions evaluated, items and pieces of text produced. A job of 5000 lines
# takes some 50,000. Values that share parts count every time, so that none is large when it is written out.
MAX_STEPS = 500_000
TEXT_PIECE = 32
MAX_VALUE_DEPTH = 100


class TooLarge(Exception):
    """The text expands to more than we follow; `place` is where."""

    def __init__(self, place: Range) -> None:
        super().__init__("too large")
        self.place = place


class Budget:
    """What is left of the work that one file may cause."""

    def __init__(self) -> None:
        self._steps = MAX_STEPS

    def step(self, place: Range, count: int = 1) -> None:
        self._steps -= count
        if self._steps < 0:
            raise TooLarge(place)

    def spend(self, value: Any, place: Range) -> None:
        """Count what a value holds, all the way down."""
        pending = [(value, 0)]
        while pending:
            current, depth = pending.pop()
            if isinstance(current, str):
                self.step(place, len(current) // TEXT_PIECE)
            elif isinstance(current, list | dict):
                if depth > MAX_VALUE_DEPTH:
                    raise TooLarge(place)
                self.step(place, len(current))
                items = current.values() if isinstance(current, dict) else current
                pending += [(item, depth + 1) for item in items if isinstance(item, str | list | dict)]


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
                return self._conditional(node, item)
            case Binary():
                return self._binary(node, item)
            case Unary():
                return self._unary(node, item)
            case TupleNode():
                values = [self.value(each, item) for each in node.items]
                self.budget.spend(values, node.place)
                return values
            case ObjectNode():
                return self._object(node, item)
            case Index():
                collection = self.value(node.collection, item)
                return self._index(collection, self.value(node.key, item), node.bracket)
            case For():
                return self._for(node, item)
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
        return self._attribute(value, step) if step.attribute else self._index(value, step.key, step.place)

    def _attribute(self, value: Any, step: Step) -> Any:
        if value is UNKNOWN:
            return UNKNOWN
        if value is None:
            detail = "This value is null, so it does not have any attributes."
            return self.error("Attempt to get attribute from null value", detail, step.place)
        if isinstance(value, dict):
            if step.key in value:
                return value[step.key]
            if isinstance(value, TypedMap):
                detail = f"This map does not have an element with the key {quoted(step.key)}."
                return self.error("Missing map element", detail, step.place)
            detail = f"This object does not have an attribute named {quoted(step.key)}."
        elif isinstance(value, list):
            detail = "This value does not have any attributes."
        else:
            detail = f"Can't access attributes on a primitive-typed value ({type_name(value)})."
        return self.error("Unsupported attribute", detail, step.place)

    def _index(self, value: Any, key: Any, place: Range) -> Any:
        summary = "Invalid index"
        missing = "The given key does not identify an element in this collection value"
        if value is UNKNOWN or key is UNKNOWN:
            return UNKNOWN
        if value is None:
            detail = "This value is null, so it does not have any indices."
            return self.error("Attempt to index null value", detail, place)
        if key is None:
            return self.error(summary, "Can't use a null value as an indexing key.", place)
        if isinstance(value, TypedSet):
            detail = (
                "Elements of a set are identified only by their value and don't have any separate index or key to "
                "select with, so it's only possible to perform operations across all elements of the set."
            )
            return self.error(summary, detail, place)
        try:
            if isinstance(value, list):
                return self._element(value, convert(key, NUMBER), place)
            if isinstance(value, dict):
                name = convert(key, STRING)
                if name in value:
                    return value[name]
                return self.error(summary, f"{missing}.", place)
        except ConvertError as error:
            return self.error(summary, f"{missing}: {error}.", place)
        return self.error(summary, "This value does not have any indices.", place)

    def _element(self, value: list[Any], index: int | Decimal, place: Range) -> Any:
        if not isinstance(index, int):
            why = "indexing a sequence requires a whole number, but the given index has a fractional part"
        elif index < 0:
            why = "a negative number is not a valid index for a sequence"
        elif not value:
            why = "the collection has no elements"
        elif index >= len(value):
            why = "the given index is greater than or equal to the length of the collection"
        else:
            return value[index]
        detail = f"The given key does not identify an element in this collection value: {why}."
        return self.error("Invalid index", detail, place)

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

    # --- calls and operators

    def _call(self, node: Call, item: Any) -> Any:
        if not self._functions_allowed:
            return self.error("Function calls not allowed", "Functions may not be called here.", node.place)
        function = functions().get(node.name)
        if function is None:
            return self._unknown_function(node)
        if function.special:
            return self._special_call(node, item)
        before = len(self.diagnostics)
        arguments = self._arguments(node, item)
        if arguments is None or not self._count_fits(node, function, len(arguments)):
            return UNKNOWN
        values: list[Any] = []
        for index, (value, place) in enumerate(arguments):
            parameter = function.parameter(index)
            try:
                values.append(convert(value, parameter.type))
            except ConvertError as error:
                self._bad_argument(parameter.name, str(error), place)
        if len(self.diagnostics) > before or any(value is UNKNOWN for value in values):
            return UNKNOWN
        for index, value in enumerate(values):
            parameter = function.parameter(index)
            if value is None and not parameter.nullable:
                return self._bad_argument(parameter.name, "argument must not be null", arguments[index][1])
        try:
            result = function.run(values)
        except ArgumentError as error:
            place = arguments[error.index][1] if error.index < len(arguments) else node.place
            return self._bad_argument(function.parameter(error.index).name, str(error), place)
        except (CallError, ConvertError) as error:
            return self._failed_call(node, str(error))
        except (ArithmeticError, TypeError, ValueError):
            # A fraction where a count is needed, a number beyond a float: Python refuses these in many ways.
            return self._failed_call(node, "the arguments do not fit")
        self.budget.spend(result, node.place)
        return result

    def _arguments(self, node: Call, item: Any) -> list[tuple[Any, Range]] | None:
        arguments: list[tuple[Any, Range]] = []
        plain = node.arguments[:-1] if node.expand else node.arguments
        for argument in plain:
            arguments.append((self.value(argument, item), argument.head))
        if node.expand and node.arguments:
            last = node.arguments[-1]
            value = self.value(last, item)
            if value is UNKNOWN:
                return None
            if not isinstance(value, list):
                what = "not be null" if value is None else "be of a tuple, list, or set type"
                detail = f"The expanding argument (indicated by ...) must {what}."
                self.error("Invalid expanding argument value", detail, last.place)
                return None
            arguments += [(element, last.place) for element in value]
        return arguments

    def _count_fits(self, node: Call, function: Function, count: int) -> bool:
        wanted = len(function.parameters)
        name = quoted(node.name)
        if count < wanted:
            least = " at least" if function.rest is not None else ""
            missing = quoted(function.parameters[count].name)
            detail = f"Function {name} expects{least} {wanted} argument(s). Missing value for {missing}."
            self.error("Not enough function arguments", detail, node.close_place)
            return False
        if function.rest is None and count > wanted:
            place = node.arguments[min(wanted, len(node.arguments) - 1)].head
            self.error("Too many function arguments", f"Function {name} expects only {wanted} argument(s).", place)
            return False
        return True

    def _unknown_function(self, node: Call) -> Any:
        namespace, _, _ = node.name.rpartition("::")
        if namespace:
            detail = f"There are no functions in namespace {quoted(namespace + '::')}."
        else:
            near = suggestion(node.name, sorted(functions()))
            hint = f" Did you mean {quoted(near)}?" if near else ""
            detail = f"There is no function named {quoted(node.name)}.{hint}"
        return self.error("Call to unknown function", detail, node.name_place)

    def _bad_argument(self, name: str, why: str, place: Range) -> Any:
        return self.error("Invalid function argument", f"Invalid value for {quoted(name)} parameter: {why}.", place)

    def _failed_call(self, node: Call, why: str) -> Any:
        detail = f"Call to function {quoted(node.name)} failed: {why}."
        return self.error("Error in function call", detail, node.head)

    def _special_call(self, node: Call, item: Any) -> Any:
        """What takes expressions, not values: `convert`, and `try` and `can` (the first without an error)."""
        if node.name == "convert":
            return self._convert_call(node, item)
        told: list[str] = []
        for argument in node.arguments:
            errors: list[Diagnostic] = []
            value = self.into(errors).value(argument, item)
            if not errors:
                return True if node.name == "can" else value
            told.append(f"- {errors[0].summary}: {errors[0].detail}")
            if node.name == "can":
                return False
        if not told:
            return self._failed_call(node, "at least one argument is required")
        return self._failed_call(node, "no expression succeeded:\n" + "\n".join(told))

    def _convert_call(self, node: Call, item: Any) -> Any:
        if len(node.arguments) != 2:
            return self._failed_call(node, "a value and a type are required")
        value = self.value(node.arguments[0], item)
        wanted = read_type(node.arguments[1], self.source, self.diagnostics)
        if wanted is None:
            return UNKNOWN
        try:
            return convert(value, wanted)
        except ConvertError as error:
            return self._bad_argument("value", str(error), node.arguments[0].head)

    def _conditional(self, node: Conditional, item: Any) -> Any:
        # Nomad evaluates both sides and tells only the errors of the one that is taken.
        condition = self.value(node.condition, item)
        if condition is UNKNOWN:
            return UNKNOWN
        if condition is None:
            detail = "The condition value is null. Conditions must either be true or false."
            return self.error("Null condition", detail, node.condition.place)
        try:
            chosen = convert(condition, BOOL)
        except ConvertError:
            detail = "The condition expression must be of type bool."
            return self.error("Incorrect condition type", detail, node.condition.place)
        value = self.value(node.true if chosen else node.false, item)
        other = self.into([]).value(node.false if chosen else node.true, item)
        if isinstance(other, str) and (isinstance(value, bool) or is_number(value)):
            return convert(value, STRING)
        pair = (value, other) if chosen else (other, value)
        if not _consistent(value, other):
            detail = (
                "The true and false result expressions must have consistent types. "
                f"The 'true' value is {type_name(pair[0])}, but the 'false' value is {type_name(pair[1])}."
            )
            place = (node.true.place[0], node.false.place[1])
            return self.error("Inconsistent conditional result types", detail, place)
        return value

    def _binary(self, node: Binary, item: Any) -> Any:
        left, right = self.value(node.left, item), self.value(node.right, item)
        if node.operator in ("==", "!="):
            if left is UNKNOWN or right is UNKNOWN:
                return UNKNOWN
            return equal(left, right) == (node.operator == "==")
        wanted = BOOL if node.operator in ("&&", "||") else NUMBER
        before = len(self.diagnostics)
        operands: list[Any] = []
        for side, value, where in (("left", left, node.left), ("right", right, node.right)):
            try:
                operands.append(convert(value, wanted))
            except ConvertError as error:
                self.error("Invalid operand", f"Unsuitable value for {side} operand: {error}.", where.place)
        if len(self.diagnostics) > before or any(value is UNKNOWN for value in operands):
            return UNKNOWN
        if any(value is None for value in operands):
            return self.error("Operation failed", "Error during operation: argument must not be null.", node.place)
        try:
            return _operate(node.operator, operands[0], operands[1])
        except (ConvertError, DecimalException) as error:
            return self.error("Operation failed", f"Error during operation: {error}.", node.place)

    def _unary(self, node: Unary, item: Any) -> Any:
        value = self.value(node.operand, item)
        try:
            operand = convert(value, NUMBER if node.operator == "-" else BOOL)
        except ConvertError as error:
            detail = f"Unsuitable value for unary operand: {error}."
            return self.error("Invalid operand", detail, node.operand.place)
        if operand is UNKNOWN:
            return UNKNOWN
        if operand is None:
            return self.error("Operation failed", "Error during operation: argument must not be null.", node.place)
        return -operand if node.operator == "-" else not operand

    # --- collections

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

    def _for(self, node: For, item: Any) -> Any:
        collection = self.value(node.collection, item)
        if collection is UNKNOWN:
            return UNKNOWN
        if collection is None:
            detail = "A null value cannot be used as the collection in a 'for' expression."
            return self.error("Iteration over null value", detail, node.collection.place)
        if not isinstance(collection, list | dict):
            detail = f"A value of type {type_name(collection)} cannot be used as the collection in a 'for' expression."
            return self.error("Iteration over non-iterable value", detail, node.collection.place)
        made_list: list[Any] = []
        made_object: dict[str, Any] = {}
        known = True
        for key, value in elements(collection):
            names = {node.value_name: value} | ({node.key_name: key} if node.key_name else {})
            inner = self.with_variables(names)
            taken = inner._condition(node, item)
            if taken is not True:
                known = known and taken is False
                continue
            if node.key is None:
                made_list.append(inner.value(node.value, item))
            else:
                known = inner._entry(node, item, made_object) and known
        if not known:
            return UNKNOWN
        made = made_list if node.key is None else made_object
        self.budget.spend(made, node.place)
        return made

    def _condition(self, node: For, item: Any) -> Any:
        if node.condition is None:
            return True
        value = self.value(node.condition, item)
        if value is None:
            detail = "The value of the 'if' clause must not be null."
            return self.error("Invalid 'for' condition", detail, node.condition.place)
        try:
            return convert(value, BOOL)
        except ConvertError as error:
            detail = f"The 'if' clause value is invalid: {error}."
            return self.error("Invalid 'for' condition", detail, node.condition.place)

    def _entry(self, node: For, item: Any, made: dict[str, Any]) -> bool:
        assert node.key is not None
        key = self.value(node.key, item)
        if key is None:
            detail = "Key expression in 'for' expression must not produce a null value."
            self.error("Invalid object key", detail, node.key.place)
            return False
        try:
            key = convert(key, STRING)
        except ConvertError as error:
            detail = f"The key expression produced an invalid result: {error}."
            self.error("Invalid object key", detail, node.key.place)
            return False
        if key is UNKNOWN:
            return False
        value = self.value(node.value, item)
        if node.group:
            made.setdefault(key, []).append(value)
        elif key in made:
            detail = (
                f"Two different items produced the key {quoted(key)} in this 'for' expression. If duplicates are "
                "expected, use the ellipsis (...) after the value expression to enable grouping by key."
            )
            self.error("Duplicate object key", detail, node.key.place)
        else:
            made[key] = value
        return True


def elements(collection: list[Any] | dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Keys and values as HCL walks them: maps by key, a set's elements being their own keys."""
    if isinstance(collection, dict):
        for key in sorted(collection):
            yield key, collection[key]
    else:
        for index, value in enumerate(collection):
            yield (value if isinstance(collection, TypedSet) else index), value


def equal(left: Any, right: Any) -> bool:
    """HCL's equality: never across types."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    return bool(left == right)


def runtime_text(text: str, place: Range) -> str:
    """A path that only the client knows, as it stays in the job: `${…}` with the spaces it was written with.

    Source: jobspec2/types.config.go EvalContext: it looks for the braces in the text itself, and every `}` that
    follows with only spaces between is taken along (so `"${a}}"` gains a brace).
    """
    start, end = place
    before = start
    while before > 0 and text[before - 1] == " ":
        before -= 1
    if text[before - 2 : before] != "${" or before < 2:
        return "${" + text[start:end] + "}"
    result = text[before - 2 : end]
    index = end + 1
    while index < len(text):
        if text[index] == "}":
            result += text[end:index]
        elif text[index] != " ":
            return result + "}"
        index += 1
    return result


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
        if operator == "%":
            raise ConvertError("divide by zero")
        raise ConvertError("divide by zero")
    if operator == "/":
        return whole(DECIMALS.divide(a, b))
    return whole(DECIMALS.remainder(a, b))


__all__ = ["Budget", "Evaluator", "TooLarge", "elements", "equal", "number_text", "runtime_text"]

"""HCL's functions on text."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from desired.job.hcl_function import ArgumentError, CallError, Function, Parameter
from desired.job.hcl_source import quoted
from desired.job.hcl_value import ANY, BOOL, NUMBER, STRING, STRINGS, ConvertError, convert, number_text, whole

# A call must not write more than this, whatever it was given.
MAX_TEXT = 1_000_000
_MAX_WIDTH = 1000
_VERB = re.compile(
    r"%(?P<flags>[-+# 0]*)(?P<width>\d*)(?:\.(?P<precision>\d*))?(?:\[(?P<index>\d+)\])?(?P<verb>.?)", re.DOTALL
)


def format_text(template: str, arguments: list[Any], encode: Any) -> str:
    """Go's `Sprintf` as HCL knows it; `encode` writes JSON."""
    pieces: list[str] = []
    position = 0
    used = 0
    for match in _VERB.finditer(template):
        pieces.append(template[position : match.start()])
        position = match.end()
        if match["verb"] == "%":
            pieces.append("%")
            continue
        if not match["verb"]:
            raise CallError(f"unrecognized format character at offset {match.start()}")
        used = int(match["index"]) if match["index"] else used + 1
        if used > len(arguments) or used < 1:
            raise CallError(
                f"not enough arguments for {quoted(match.group())} at {match.start()}: "
                f"need index {used} but have {len(arguments)} total"
            )
        pieces.append(_verb(match, arguments[used - 1], encode))
    if used < len(arguments):
        raise ArgumentError(used + 1, f"too many arguments; only {used} used by format string")
    return "".join([*pieces, template[position:]])


def _verb(match: re.Match[str], value: Any, encode: Any) -> str:
    verb, flags = match["verb"], match["flags"]
    width = int(match["width"] or 0)
    precision = None if match["precision"] is None else int(match["precision"] or 0)
    if width > _MAX_WIDTH or (precision or 0) > _MAX_WIDTH:
        raise CallError(f"width of {quoted(match.group())} is too large")
    text = _written(match, value, encode, precision)
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and verb not in "svqt":
        sign = text[:1] if text[:1] in ("-", "+") else ""
        return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return text.rjust(width)


def _written(match: re.Match[str], value: Any, encode: Any, precision: int | None) -> str:
    verb, flags = match["verb"], match["flags"]
    try:
        if verb == "v":
            plain = isinstance(value, str | int | Decimal) and "#" not in flags
            return str(convert(value, STRING) if plain else encode(value))
        if verb == "s":
            return str(convert(value, STRING))[:precision]
        if verb == "q":
            return str(encode(convert(value, STRING)))
        if verb == "t":
            return "true" if convert(value, BOOL) else "false"
        if verb in "bdoxX":
            return _integer(verb, convert(value, NUMBER), flags)
        if verb in "eEfFgG":
            return _float(verb, convert(value, NUMBER), flags, precision)
    except ConvertError as error:
        why = f"unsupported value for {quoted(match.group())} at {match.start()}: {error}"
        raise CallError(why) from error
    raise CallError(f"unsupported format verb '{verb}' at offset {match.start()}")


def _integer(verb: str, value: Any, flags: str) -> str:
    number = int(value)
    text = format(number, "d" if verb == "d" else verb)
    return f"+{text}" if "+" in flags and number >= 0 else text


def _float(verb: str, value: Any, flags: str, precision: int | None) -> str:
    if verb in "gG" and precision is None:
        text = number_text(value)
    else:
        text = format(float(value), f".{6 if precision is None else precision}{verb}")
    return f"+{text}" if "+" in flags and value >= 0 else text


def _upper(text: str) -> str:
    """Letter by letter, as Go does: what would become two letters stays."""
    return "".join(letter.upper() if len(letter.upper()) == 1 else letter for letter in text)


def _title(text: str) -> str:
    return re.sub(r"(?<![\w'])[^\W\d_]", lambda match: match.group().upper(), text)


def _substr(values: list[Any]) -> str:
    text, offset, length = values
    if offset < 0:
        offset = max(0, offset + len(text))
    if length == 0 or offset >= len(text):
        return ""
    piece: str = text[offset:] if length < 0 else text[offset : offset + length]
    return piece


def _indent(values: list[Any]) -> str:
    spaces, text = values
    if spaces < 0 or not isinstance(spaces, int):
        raise ArgumentError(0, "value must be a whole number")
    if spaces * text.count("\n") + len(text) > MAX_TEXT:
        raise CallError("the result is too large")
    replaced: str = text.replace("\n", "\n" + " " * spaces)
    return replaced


def _replace(values: list[Any]) -> str:
    text, old, new = values
    if text.count(old) * len(new) + len(text) > MAX_TEXT:
        raise CallError("the result is too large")
    replaced: str = text.replace(old, new)
    return replaced


def _join(values: list[Any]) -> str:
    separator, *lists = values
    items = [item for each in lists for item in each]
    if any(item is None for item in items):
        raise ArgumentError(1, f"element {items.index(None)} is null; cannot concatenate null values")
    if sum(map(len, items)) + len(separator) * len(items) > MAX_TEXT:
        raise CallError("the result is too large")
    joined: str = separator.join(items)
    return joined


def _split(values: list[Any]) -> list[str]:
    separator, text = values
    return list(text) if separator == "" else text.split(separator)


def _parseint(values: list[Any]) -> Any:
    text, base = values
    if base not in range(2, 63):
        raise ArgumentError(1, f"base must be a whole number between 2 and 62 inclusive, not {base}")
    try:
        return whole(Decimal(int(text, base)))
    except ValueError as error:
        raise ArgumentError(0, f"cannot parse {quoted(text)} as a base {base} integer") from error


def _trim_prefix(text: str, prefix: str) -> str:
    return text.removeprefix(prefix)


_STR = Parameter("str", STRING)


def text_functions() -> dict[str, Function]:
    """Functions on text by name."""
    return {
        "chomp": Function(lambda v: re.sub(r"(?:\r\n?|\n)*\Z", "", v[0]), (_STR,)),
        "indent": Function(_indent, (Parameter("spaces", NUMBER), _STR)),
        "join": Function(_join, (Parameter("separator", STRING),), Parameter("lists", STRINGS)),
        "lower": Function(lambda v: v[0].lower(), (_STR,)),
        "parseint": Function(_parseint, (Parameter("number", STRING), Parameter("base", NUMBER))),
        "replace": Function(_replace, (_STR, Parameter("substr", STRING), Parameter("replace", STRING))),
        "split": Function(_split, (Parameter("separator", STRING), _STR)),
        # Nomad registers the function on text under both names.
        "reverse": Function(lambda v: v[0][::-1], (_STR,)),
        "strlen": Function(lambda v: len(v[0]), (_STR,)),
        "strrev": Function(lambda v: v[0][::-1], (_STR,)),
        "substr": Function(_substr, (_STR, Parameter("offset", NUMBER), Parameter("length", NUMBER))),
        "title": Function(lambda v: _title(v[0]), (_STR,)),
        "trim": Function(lambda v: v[0].strip(v[1]) if v[1] else v[0], (_STR, Parameter("cutset", STRING))),
        "trimprefix": Function(lambda v: _trim_prefix(*v), (_STR, Parameter("prefix", STRING))),
        "trimspace": Function(lambda v: v[0].strip(), (_STR,)),
        "trimsuffix": Function(lambda v: v[0].removesuffix(v[1]), (_STR, Parameter("suffix", STRING))),
        "upper": Function(lambda v: _upper(v[0]), (_STR,)),
    }


def format_functions(encode: Any) -> dict[str, Function]:
    """`format` and `formatlist`; `encode` writes JSON."""
    first, rest = Parameter("format", STRING), Parameter("args", ANY, nullable=True)
    return {
        "format": Function(lambda v: format_text(v[0], v[1:], encode), (first,), rest),
        "formatlist": Function(lambda v: _format_list(v[0], v[1:], encode), (first,), rest),
    }


def _format_list(template: str, arguments: list[Any], encode: Any) -> list[str]:
    lists = [argument for argument in arguments if isinstance(argument, list)]
    count = len(lists[0]) if lists else 1
    for index, argument in enumerate(arguments):
        if isinstance(argument, list) and len(argument) != count:
            raise ArgumentError(
                index + 1,
                f"argument {index + 1} has length {len(argument)}, which is inconsistent with argument 1 of length "
                f"{count}",
            )
    return [
        format_text(template, [each[row] if isinstance(each, list) else each for each in arguments], encode)
        for row in range(count)
    ]

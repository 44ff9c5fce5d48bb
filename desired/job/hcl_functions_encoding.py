"""HCL's functions that encode, decode and hash."""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import io
import json
import urllib.parse
import uuid
from decimal import Decimal
from typing import Any

import yaml

from desired.job.hcl_function import ArgumentError, CallError, Function, Parameter
from desired.job.hcl_value import ANY, STRING, ConvertError, number_text, whole

_NAMESPACES = {
    "dns": uuid.NAMESPACE_DNS,
    "url": uuid.NAMESPACE_URL,
    "oid": uuid.NAMESPACE_OID,
    "x500": uuid.NAMESPACE_X500,
}
# Go's encoder escapes these, so that JSON can stand in HTML.
_HTML = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def encode_json(value: Any) -> str:
    """JSON as Go writes it: compact, keys sorted."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False).translate(_HTML)
        case int() | Decimal():
            return number_text(value)
        case list():
            return "[" + ",".join(map(encode_json, value)) + "]"
    return "{" + ",".join(f"{encode_json(key)}:{encode_json(value[key])}" for key in sorted(value)) + "}"


def from_python(value: Any) -> Any:
    """What a decoder of Python's gives, as HCL's values."""
    if isinstance(value, float):
        return whole(Decimal(repr(value)))
    if isinstance(value, Decimal):
        return whole(value)
    if isinstance(value, dict):
        return {str(key): from_python(item) for key, item in value.items()}
    if isinstance(value, list):
        return [from_python(item) for item in value]
    return value if value is None or isinstance(value, str | int) else str(value)


def _decode_json(values: list[Any]) -> Any:
    try:
        return from_python(json.loads(values[0], parse_float=Decimal))
    except (ValueError, RecursionError) as error:
        raise ArgumentError(0, "a JSON document is required") from error


def _decode_yaml(values: list[Any]) -> Any:
    try:
        return from_python(yaml.safe_load(values[0]))
    except (yaml.YAMLError, RecursionError, ConvertError) as error:
        raise ArgumentError(0, "a YAML document is required") from error


class _QuotingDumper(yaml.SafeDumper):
    """Quotes every string, as Nomad's encoder does."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_QuotingDumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else '"'),
)
_QuotingDumper.add_representer(
    Decimal, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:float", number_text(value))
)


def _encode_yaml(values: list[Any]) -> str:
    text = yaml.dump(
        _plain(values[0]), Dumper=_QuotingDumper, default_flow_style=False, allow_unicode=True, width=10**9
    )
    assert isinstance(text, str)
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _decode_base64(values: list[Any]) -> str:
    try:
        raw = base64.b64decode(values[0], validate=True)
    except binascii.Error as error:
        raise CallError(f"failed to decode base64 data '{values[0]}'") from error
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise CallError("the result of decoding the provided string is not valid UTF-8") from error


def _decode_csv(values: list[Any]) -> list[dict[str, str]]:
    rows = list(csv.reader(io.StringIO(values[0])))
    if not rows:
        raise CallError("missing header line")
    header, *lines = rows
    if any(len(line) != len(header) for line in lines if line):
        raise CallError("wrong number of fields")
    return [dict(zip(header, line, strict=True)) for line in lines if line]


def _hash(name: str) -> Function:
    return Function(
        lambda values: hashlib.new(name, values[0].encode(), usedforsecurity=False).hexdigest(),
        (Parameter("str", STRING),),
    )


def _uuidv5(values: list[Any]) -> str:
    namespace, name = values
    try:
        space = _NAMESPACES.get(namespace) or uuid.UUID(namespace)
    except ValueError as error:
        raise CallError(f"uuidv5() doesn't support namespace {namespace}") from error
    return str(uuid.uuid5(space, name))


def encoding_functions() -> dict[str, Function]:
    """Functions that encode, decode and hash, by name."""
    text, value = Parameter("str", STRING), Parameter("value", ANY, nullable=True)
    return {
        "base64decode": Function(_decode_base64, (text,)),
        "base64encode": Function(lambda v: base64.b64encode(v[0].encode()).decode(), (text,)),
        "csvdecode": Function(_decode_csv, (text,)),
        "jsondecode": Function(_decode_json, (text,)),
        "jsonencode": Function(lambda v: encode_json(v[0]), (Parameter("val", ANY, nullable=True),)),
        "md5": _hash("md5"),
        "sha1": _hash("sha1"),
        "sha256": _hash("sha256"),
        "sha512": _hash("sha512"),
        "urlencode": Function(lambda v: urllib.parse.quote_plus(v[0], safe="~"), (text,)),
        "uuidv5": Function(_uuidv5, (Parameter("namespace", STRING), Parameter("name", STRING))),
        "yamldecode": Function(_decode_yaml, (Parameter("src", STRING),)),
        "yamlencode": Function(_encode_yaml, (value,)),
    }

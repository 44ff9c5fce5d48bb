"""All functions of Nomad's job language, by name: those that run here, and those that are refused, and why.

Not here: what needs randomness or the clock (a job that is read twice must be the same job twice), what can take
for ever (regular expressions on a foreign text), and private keys. A server knows them: `server_only` names them.
"""

from __future__ import annotations

import functools
from typing import Any, Final

from desired.job.hcl_function import ArgumentError, CallError, Function, Parameter
from desired.job.hcl_functions_collection import collection_functions
from desired.job.hcl_functions_encoding import encode_json, encoding_functions
from desired.job.hcl_functions_number import number_functions
from desired.job.hcl_functions_text import format_functions, text_functions
from desired.job.hcl_value import STRING

__all__ = ["SERVER_ONLY", "ArgumentError", "CallError", "Function", "functions"]

SERVER_ONLY: Final = ("bcrypt", "formatdate", "regex_replace", "rsadecrypt", "uuidv4")
_FILES: Final = ("abspath", "basename", "dirname", "file", "filebase64", "fileexists", "pathexpand")


def _no_files(_: list[Any]) -> Any:
    raise CallError("filesystem function disabled")


def _server_only(name: str) -> Function:
    def run(_: list[Any]) -> Any:
        raise CallError(f"{name} is only available when a Nomad server reads the job")

    return Function(run, rest=Parameter("arguments", nullable=True))


def _special(_: list[Any]) -> Any:
    raise CallError("takes expressions, not values")


@functools.cache
def functions() -> dict[str, Function]:
    """Every function by name. Not to be changed by the caller."""
    path = Parameter("path", STRING)
    known = text_functions() | collection_functions() | number_functions() | encoding_functions()
    known |= format_functions(encode_json)
    known |= {name: Function(_no_files, (path,)) for name in _FILES}
    known["fileset"] = Function(_no_files, (path, Parameter("pattern", STRING)))
    known |= {name: _server_only(name) for name in SERVER_ONLY}
    known |= {name: Function(_special, special=True) for name in ("can", "convert", "try")}
    return known

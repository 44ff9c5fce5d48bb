"""What a function of HCL is: its parameters, what it does, and how it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from desired.job.hcl_value import ANY, Type


class CallError(Exception):
    """A call failed, in Nomad's words."""


class ArgumentError(Exception):
    """One argument is unfit; `index` counts from 0."""

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index = index


@dataclass(frozen=True, slots=True)
class Parameter:
    """A name for error texts, and the type that the argument is turned into."""

    name: str
    type: Type = ANY
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """`run` gets the converted arguments as a list. A special one gets expressions: the evaluator knows it."""

    run: Callable[[list[Any]], Any]
    parameters: tuple[Parameter, ...] = ()
    rest: Parameter | None = None
    special: bool = False

    def parameter(self, index: int) -> Parameter:
        if index < len(self.parameters):
            return self.parameters[index]
        return self.rest or Parameter("argument")

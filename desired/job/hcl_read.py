"""Reads a job file to the very JSON that Nomad's `/v1/jobs/parse` answers without canonicalizing.

Used where no server is in reach, for positions, and by the embedded Nomad. With a server in reach, its own parser
alone decides what is registered.
"""

from __future__ import annotations

from dataclasses import replace

from desired.errors import InvalidDesired
from desired.job.hcl_body import NativeBody, RawBody, Schema, View
from desired.job.hcl_budget import Budget, TooLarge
from desired.job.hcl_job import JobReader
from desired.job.hcl_json import JsonBody, is_json, read_json
from desired.job.hcl_source import Diagnostic, Source
from desired.job.hcl_syntax import read_syntax
from desired.job.hcl_variables import Variables
from desired.problem import Problem
from desired.state import HclSource, JobBody

MAX_SOURCE = 1_000_000
_TOP = Schema(blocks={"variables": (), "variable": ("name",), "locals": (), "job": ("name",)})
_PREFIX = "Failed to parse job: "


class JobFileInvalid(InvalidDesired):
    """A job file that cannot be read. `nomad_text` is the body of Nomad's answer, status 400."""

    def __init__(self, problems: tuple[Problem, ...], nomad_text: str) -> None:
        super().__init__(problems)
        self.nomad_text = nomad_text


def read_job(text: str, variables: str = "", path: str = "input.hcl") -> JobBody:
    """The job that a text says, with values from the text of a variable file.

    Raises JobFileInvalid with every problem; `path` is the file that they name.
    """
    if not text:
        raise JobFileInvalid((Problem(path, message="Job spec is empty"),), "Job spec is empty")
    for each, what in ((text, "job file"), (variables, "variable file")):
        if len(each) > MAX_SOURCE:
            message = f"the {what} has {len(each)} characters; {MAX_SOURCE} are read"
            raise JobFileInvalid((Problem(path, message=message),), _PREFIX + message)
    return _Reading(text, variables, path).job()


class LocalParser:
    """Parses jobs without a server: a `desired.state.JobParser`."""

    async def parse(self, source: HclSource) -> JobBody:
        """The job; raises JobFileInvalid."""
        return read_job(source.text, source.variables)


class _Reading:
    """One job file on its way. Nomad stops between its phases when something was wrong in one."""

    def __init__(self, text: str, variables: str, path: str) -> None:
        self._path = path
        self._source = Source(text)
        self._variables_text = variables
        self._diagnostics: list[Diagnostic] = []
        self._budget = Budget()

    def job(self) -> JobBody:
        try:
            return self._job()
        except TooLarge as large:
            detail = "This expands to more than the operator reads."
            self._diagnostics.append(Diagnostic("Job too large", detail, large.place, self._source))
            raise self._failed(_lines(self._diagnostics), self._diagnostics) from large

    def _job(self) -> JobBody:
        body, found = _parse(self._source)
        file: RawBody | None = None
        variables_source = Source(self._variables_text)
        if self._variables_text:
            file, wrong = _parse(variables_source)
            if wrong:
                raise self._failed(f"unable to parse var content: {_first(wrong)}", found + wrong)
        if found:
            raise self._failed(_first(found), found)
        variables = Variables(source=self._source, diagnostics=self._diagnostics, budget=self._budget)
        view = View(body, variables.constants(), dynamic=False)
        _, blocks = view.content(_TOP)
        self._stop_if_wrong()
        for block in blocks:
            if block.type == "variable":
                variables.declare_block(block)
            elif block.type == "variables":
                variables.declare_all(block)
        for block in blocks:
            if block.type == "locals":
                variables.declare_locals(block)
        if file is not None:
            variables.assign(View(file, variables.constants().of(variables_source), dynamic=False))
        variables.check()
        scope = variables.scope(variables.evaluate_locals())
        self._stop_if_wrong()
        jobs = [block for block in blocks if block.type == "job"]
        reader = JobReader()
        made: JobBody = {}
        for index, block in enumerate(jobs):
            if index:
                where = self._source.show(jobs[0].define_place)
                detail = f'Only one block of type "job" is allowed. Previous definition was at {where}.'
                scope.error("Duplicate job block", detail, block.define_place)
            else:
                made = reader.job(replace(block, body=View(block.body.raw, scope)))
        if not jobs:
            self._diagnostics.append(Diagnostic("Missing job block", "A job block is required", None))
        self._stop_if_wrong()
        if reader.late:
            raise self._failed(_first(reader.late), reader.late)
        return made

    def _stop_if_wrong(self) -> None:
        if any(not each.warning for each in self._diagnostics):
            raise self._failed(_lines(self._diagnostics), self._diagnostics)

    def _failed(self, text: str, diagnostics: list[Diagnostic]) -> JobFileInvalid:
        problems = tuple(self._problem(each) for each in diagnostics if not each.warning)
        return JobFileInvalid(problems, _PREFIX + text)

    def _problem(self, diagnostic: Diagnostic) -> Problem:
        line, column = (0, 0)
        path = self._path
        if diagnostic.source is not None and diagnostic.place is not None:
            line, column = diagnostic.source.position(diagnostic.place[0])
            if diagnostic.source.text == self._variables_text and diagnostic.source is not self._source:
                path = f"{path} (variables)"
        return Problem(path, line, column, f"{diagnostic.summary}: {diagnostic.detail}")


def _parse(source: Source) -> tuple[RawBody, list[Diagnostic]]:
    if is_json(source.text):
        value, wrong = read_json(source)
        return JsonBody(value, source), wrong
    body, wrong = read_syntax(source)
    return NativeBody(body), wrong


def _first(diagnostics: list[Diagnostic]) -> str:
    more = f", and {len(diagnostics) - 1} other diagnostic(s)" if len(diagnostics) > 1 else ""
    return diagnostics[0].tell() + more


def _lines(diagnostics: list[Diagnostic]) -> str:
    return "\n".join(each.tell() for each in diagnostics)

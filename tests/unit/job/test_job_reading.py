"""Reading job files: what people are told, what stays as written, and what a hostile file can cost."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desired.job.hcl_places import holds_job, locate
from desired.job.hcl_read import JobFileInvalid, LocalParser, read_job
from desired.state import HclSource, JobParser
from tests.unit.job.random_jobs import PIECES

CASES = [
    path.read_text(encoding="utf-8")
    for path in sorted((Path(__file__).parents[2] / "conformance" / "job" / "cases").iterdir())
]
JOB = 'job "x" {\n  region = %s\n}\n'


def problems(text: str, variables: str = "") -> JobFileInvalid:
    with pytest.raises(JobFileInvalid) as caught:
        read_job(text, variables, path="jobs/web.nomad.hcl")
    return caught.value


def test_every_problem_is_told_with_its_place() -> None:
    found = problems('job "x" {\n  nme = 1\n  group "g" {\n    cont = 2\n  }\n}\n').problems
    assert [(each.path, each.line, each.column) for each in found] == [
        ("jobs/web.nomad.hcl", 2, 3),
        ("jobs/web.nomad.hcl", 4, 5),
    ]
    assert 'Did you mean "count"?' in found[1].message


def test_an_empty_file_is_refused_in_nomads_words() -> None:
    assert problems("").nomad_text == "Job spec is empty"


def test_a_problem_in_the_variable_file_is_not_told_of_the_job_file() -> None:
    found = problems('variable "v" {\n  type = number\n}\njob "x" {\n}\n', "\nv = []\n").problems
    assert [(each.path, each.line) for each in found] == [("jobs/web.nomad.hcl (variables)", 2)]


async def test_the_local_parser_is_a_job_parser() -> None:
    parser: JobParser = LocalParser()
    body = await parser.parse(HclSource('variable "c" {}\njob "x" {\n  region = var.c\n}\n', 'c = "r"\n'))
    assert (body["ID"], body["Region"]) == ("x", "r")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(JOB % ("[" * 50_000), id="brackets"),
        pytest.param(JOB % ("(" * 5_000 + "1" + ")" * 5_000), id="parentheses"),
        pytest.param(JOB % ("-" * 5_000 + "1"), id="signs"),
        pytest.param(JOB % ('"${' * 2_000), id="templates"),
        pytest.param("a {\n" * 5_000, id="blocks"),
        pytest.param(JOB % ("a" + "[*]" * 5_000), id="splats"),
        pytest.param('{"job": ' + "[" * 100_000, id="json"),
        pytest.param(JOB % ("%{ if true }" * 3_000), id="words"),
        pytest.param(JOB % ('"' + "%{ if true }" * 3_000 + '"'), id="directives"),
        pytest.param(JOB % "1e999999999", id="exponent"),
        pytest.param(JOB % 'format("%999999999d", 1)', id="width"),
        pytest.param(JOB % 'indent(1000000000, "\\n")', id="indent"),
        pytest.param(JOB % "pow(10, 100000000)", id="power"),
        pytest.param(JOB % "range(1000000000)", id="range"),
        pytest.param(
            'locals {\n  a0 = ["x","x","x","x","x","x","x","x"]\n'
            + "".join(f"  a{n + 1} = [{','.join([f'local.a{n}'] * 8)}]\n" for n in range(12))
            + '}\njob "x" {\n  region = jsonencode(local.a12)\n}\n',
            id="shared-lists",
        ),
        pytest.param(
            'locals {\n  a0 = "0123456789"\n'
            + "".join(f'  a{n + 1} = "{"".join([f"${{local.a{n}}}"] * 10)}"\n' for n in range(12))
            + '}\njob "x" {\n  region = local.a12\n}\n',
            id="shared-texts",
        ),
        pytest.param(
            "locals {\n  r = range(1000)\n}\n"
            + JOB % "[for a in local.r : [for b in local.r : [for c in local.r : 1]]]",
            id="loops",
        ),
        pytest.param(
            "locals {\n" + "".join(f"  a{n} = [local.a{n + 1}]\n" for n in range(1000)) + "  a1000 = 1\n}\n", id="chain"
        ),
        pytest.param("job" + " " * 2_000_000, id="size"),
    ],
)
def test_a_hostile_file_is_refused_soon(text: str) -> None:
    start = time.process_time()
    problems(text)
    assert time.process_time() - start < 10


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused_and_never_breaks_the_reader(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(CASES))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 5)))
        text = text[:start] + data.draw(st.sampled_from(["", *PIECES])) + text[end:]
    try:
        read_job(text)
    except JobFileInvalid as invalid:
        assert invalid.problems
    holds_job(text)
    locate(text, ("group", "web", "count"))


def test_runtime_interpolation_stays_as_it_was_written() -> None:
    text = 'job "x" {\n  meta {\n    a = "${NOMAD_PORT_http}-${ attr.cpu.arch }"\n    b = meta.rack\n  }\n}\n'
    assert read_job(text)["Meta"] == {"a": "${NOMAD_PORT_http}-${ attr.cpu.arch }", "b": "${meta.rack}"}


def test_a_function_that_only_a_server_knows_says_so() -> None:
    assert "only available when a Nomad server reads the job" in problems(JOB % "uuidv4()").nomad_text

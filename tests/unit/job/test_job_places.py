"""Finding things in job files: where they stand, and whether a file is a job file at all."""

from __future__ import annotations

import pytest

from desired.job.hcl_places import holds_job, locate

TEXT = """variable "x" {}
job "web" {
  group "app" {
    service {
      name = "one"
    }
    service {
      name = "two"
      check {
        interval = "10s"
      }
    }
    task "server" {
      env = {
        "a.b" = "c"
      }
      resources {
        memory = 256 # MB
      }
    }
  }
}
"""


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        (("group", "app", "task", "server", "resources", "memory"), "256", 18),
        (("group", "app", "task", "server", "env", "a.b"), '"c"', 15),
        (("group", "app", "service", "two", "check", "interval"), '"10s"', 10),
        (("group", "app", "service", "1", "check", "0", "interval"), '"10s"', 10),
        (("group", "app", "service", "name"), '"one"', 5),
    ],
)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_value_is_found_by_its_path(path: tuple[str, ...], text: str, line: int, mark: str) -> None:
    found = locate(mark + TEXT, path)
    assert found is not None
    assert ((mark + TEXT)[found.start : found.end], found.line) == (text, line)


def test_a_block_is_found_whole() -> None:
    found = locate(TEXT, ("group", "app", "task", "server"))
    assert found is not None
    assert TEXT[found.start : found.end].startswith('task "server" {')
    assert TEXT[found.start : found.end].endswith("}")


@pytest.mark.parametrize("path", [("group", "other"), ("group", "app", "count"), ("nope",)])
def test_what_is_not_written_has_no_place(path: tuple[str, ...]) -> None:
    assert locate(TEXT, path) is None


@pytest.mark.parametrize(
    "text",
    [
        'job "x" {\n}\n',
        "job x {\n}\n",
        '# c\nvariable "v" {}\n\njob "x" {\n',
        'job "x" {\n  group "g" {\n',
        'variable "v" {\n  default = "unclosed\n}\njob "x" {\n}\n',
        'variable "v" {\n\njob "x" {\n}\n',
        '\ufeffjob "x" {}\n',
        '{"job": {"x": {}}}',
        'job "x"\n{\n}\n',
    ],
)
def test_a_file_with_a_job_holds_one_even_when_broken(text: str) -> None:
    assert holds_job(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        '# job "x" {\n',
        '/*\njob "x" {\n}\n*/\na = 1\n',
        'a = "job \\"x\\" {"\n',
        'a = <<EOF\njob "x" {\n}\nEOF\n',
        'resource "a" {\n  job "x" {\n  }\n}\n',
        "job = 5\n",
        'jobs "x" {\n}\n',
        'namespace "n" {\n}\n',
        '{"variable": {}}',
    ],
)
def test_a_file_without_a_job_block_of_its_own_holds_none(text: str) -> None:
    assert not holds_job(text)

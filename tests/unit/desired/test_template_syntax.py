"""What a client of Nomad would refuse of a template is told before: as Go itself says it, and never of what it takes.

`go_templates.json` holds texts with the answers of Go 1.26's text/template, which had consul-template's functions.
"""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.app import AppKey
from desired.job.hcl_read import read_job
from desired.objection import Objection, problems_of
from desired.policy import Policy
from desired.state import DesiredApp, HclSource, Kind
from desired.template_examiner import TemplateExaminer, templates_of
from desired.template_functions import lacks
from desired.template_syntax import Mistake, mistakes
from tests.recordings_reader import NOMAD

GO = json.loads(Path(__file__).with_name("go_templates.json").read_text())


def sure(text: str, left: str = "{{", right: str = "}}") -> list[Mistake]:
    return [one for one in mistakes(text, left=left, right=right) if one.sure]


def test_nothing_that_go_reads_is_told_and_nearly_all_that_it_refuses() -> None:
    taken = [one for one in GO if not one["go"]]
    refused = [one for one in GO if one["go"]]
    assert [one["text"] for one in taken if sure(one["text"], one["left"], one["right"])] == []
    missed = [one for one in refused if not sure(one["text"], one["left"], one["right"])]
    assert len(taken) > 200 and len(refused) > 300 and len(missed) <= len(refused) // 50


def test_a_function_that_is_not_defined_is_told_in_gos_words_with_its_line() -> None:
    told = [one for one in GO if "not defined" in one["go"]]
    for one in told:
        found = re.match(r"template: :(\d+): (.*)", one["go"])
        assert found is not None
        first = sure(one["text"], one["left"], one["right"])[0]
        # Go stops at the function, and has not seen yet that the action has no end.
        assert not first.function or (first.line, first.message) == (int(found[1]), found[2]), one


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('A=1\n{{ with secret "a" }}\nB={{ .Data.b }}\n', 2, "unexpected EOF"),
        ("{{ end }}", 1, "unexpected {{end}}"),
        ("a\n{{ toJsn .X }}", 2, 'function "toJsn" not defined'),
        ("{{ quote .X }}", 1, 'function "quote" not defined'),
        ("{{ if .X }}a{{ else }}b{{ else }}c{{ end }}", 1, "unexpected {{else}}"),
        ('a\nb\n{{ key "x }}', 3, "unterminated quoted string"),
        ("{{ .X", 1, "unclosed action"),
        ("{{ range $k, $v := .X }}{{ end }}{{ $k }}", 1, 'undefined variable "$k"'),
        ("{{ (.X }}", 1, "unclosed left paren"),
        ("{{}}", 1, "missing value for command"),
        ("{{ if }}x{{ end }}", 1, "missing value for if"),
        ("{{/* a comment }}", 1, "unclosed comment"),
    ],
)
def test_each_mistake_is_told_with_its_line(text: str, line: int, message: str) -> None:
    assert [(one.line, one.message) for one in sure(text)] == [(line, message)]


@pytest.mark.parametrize(
    ("text", "left", "told"),
    [
        ('A=[[ key "a" ]]', "{{", True),
        ('{{ with secret "a" }}x{{ end }}', "[[", True),
        ('{{ .Values.x }} stays for another program, [[ key "a" ]] is ours', "[[", False),
        ("list[[1]] and [[nothing]]", "{{", False),
    ],
)
def test_other_delimiters_than_the_templates_are_warned_of(text: str, left: str, told: bool) -> None:
    found = mistakes(text, left=left, right="}}" if left == "{{" else "]]")
    assert [one.sure for one in found] == ([False] if told else [])


@given(st.text(alphabet="{}[]$.|()\"`'=: \nabendifwthkey-/*", max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    for one in mistakes(text):
        assert 1 <= one.line <= text.count("\n") + 1


def _objections(text: str) -> list[Objection]:
    return list(asyncio.run(TemplateExaminer().objections(AppKey("default", "web"), read_job(text))))


JOB = """job "web" {
  group "app" {
    task "app" {
      driver = "docker"
      template {
        destination = "local/plain"
        data        = "{{ key \\"a\\" }}"
      }
      template {
        destination = "secrets/app.env"
        env         = true
        data        = <<EOT
A=1
B={{ key "b" | toJsno }}
{{ executeTemplate "x" }}
EOT
      }
    }
  }
}
"""


def test_a_finding_stands_at_its_line_in_the_job_file_and_names_what_was_meant() -> None:
    app = DesiredApp(AppKey("default", "web"), Kind.JOB_FILE, "web.nomad.hcl", HclSource(JOB), "h", Policy())
    wrong, denied = problems_of(_objections(JOB), app)
    assert JOB.splitlines()[wrong.line - 1] == 'B={{ key "b" | toJsno }}'
    assert wrong.hint == "did you mean toJSON?" and wrong.rule == "template-syntax"
    assert JOB.splitlines()[denied.line - 1] == '{{ executeTemplate "x" }}' and denied.rule == "template-denied"


def _recorded(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        own = [value] if "EmbeddedTmpl" in value else []
        return own + [one for inner in value.values() for one in _recorded(inner)]
    return [one for inner in value for one in _recorded(inner)] if isinstance(value, list) else []


def test_no_template_that_a_real_nomad_ran_is_told() -> None:
    """Those that it refused are in folders named for it."""
    seen = set()
    for path in sorted(NOMAD.parent.rglob("*.json*")):
        if "syntax" in str(path):
            continue
        for line in path.read_text(encoding="utf-8").splitlines() if path.suffix == ".jsonl" else [path.read_text()]:
            try:
                found = _recorded(json.loads(line))
            except ValueError:
                continue
            for one in found:
                text = one["EmbeddedTmpl"] or ""
                if text not in seen:
                    seen.add(text)
                    assert sure(text, one.get("LeftDelim") or "{{", one.get("RightDelim") or "}}") == [], (path, text)
    assert len(seen) > 5


def test_every_template_of_a_job_is_looked_at_with_its_delimiters() -> None:
    text = JOB.replace('destination = "local/plain"', 'destination = "local/plain"\n        left_delimiter = "[["')
    assert [one.left for one in templates_of(read_job(text))] == ["[[", "{{"]


@pytest.mark.parametrize(
    ("version", "function", "is_lacking"),
    [
        ((1, 2, 9), "sprig_quote", True),
        ((1, 3, 0), "sprig_quote", False),
        ((1, 5, 10), "hmacSHA256Hex", True),
        ((1, 5, 11), "hmacSHA256Hex", False),
        ((1, 6, 3), "hmacSHA256Hex", True),
        ((1, 7, 0), "hmacSHA256Hex", False),
        ((2, 0, 5), "importedServices", False),
        ((1, 9, 0), "importedServices", True),
        ((1, 0, 0), "key", False),
    ],
)
def test_since_when_a_function_is_there(version: tuple[int, int, int], function: str, is_lacking: bool) -> None:
    assert lacks(version, function) is is_lacking

"""What a template looks up is read from its text: places, fields and the shape in which a secret is read."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.env_template import env_templates
from desired.manifest import EnvValue
from desired.template_reads import TemplateRead, template_reads
from desired.variable_sources import Source


def _told(text: str, **named: str) -> set[tuple[str, str, bool | None]]:
    """path, field, versioned, of those that name a field."""
    return {(one.path, one.field, one.versioned) for one in template_reads(text, **named) if one.field}


DB = "secret/data/web/db"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{{ with secret "secret/data/web/db" }}{{ .Data.data.PW }}{{ end }}', {(DB, "PW", True)}),
        ('{{ with secret "secret/data/web/db" }}{{ .Data.PW }}{{ end }}', {(DB, "PW", False)}),
        ('{{- with secret `secret/data/web/db` -}}{{- .Data.data.PW | toJSON -}}{{- end -}}', {(DB, "PW", True)}),
        ('{{ with $s := secret "secret/data/web/db" }}{{ $s.Data.data.PW }}{{ end }}', {(DB, "PW", True)}),
        ('{{ $s := secret "secret/data/web/db" }}{{ $s.Data.data.A }}{{ $s.Data.data.B }}',
         {(DB, "A", True), (DB, "B", True)}),
        ('{{ $s := secret "secret/data/web/db" }}{{ with $s }}{{ .Data.data.A }}{{ end }}', {(DB, "A", True)}),
        ('{{ (secret "secret/data/web/db").Data.data.PW }}', {(DB, "PW", True)}),
        ('{{ with secret "secret/data/web/db" }}{{ index .Data.data "a-b" }}{{ end }}', {(DB, "a-b", True)}),
        ('{{ with secret "kv/a" }}{{ if .Data.x }}{{ .Data.y }}{{ else }}{{ .Data.z }}{{ end }}{{ .Data.w }}{{ end }}',
         {("kv/a", name, False) for name in "xyzw"}),
        ('{{ with secret "kv/a" }}{{ .Data.x }}{{ end }}{{ .Data.y }}', {("kv/a", "x", False)}),
        ('{{ with secret "kv/a" }}{{ with secret "kv/b" }}{{ .Data.x }}{{ end }}{{ .Data.y }}{{ end }}',
         {("kv/b", "x", False), ("kv/a", "y", False)}),
        ('{{ with secret "kv/a" }}{{ else }}{{ .Data.x }}{{ end }}', set()),
        ('{{ with secret "kv/a" }}{{ range .Data.data }}{{ .Data.x }}{{ end }}{{ end }}', set()),
        ('{{ with secret "kv/a" }}{{ range $k, $v := .Data.data }}{{ $k }}{{ end }}{{ .Data.data.x }}{{ end }}',
         {("kv/a", "x", True)}),
        ('{{ with secret "kv/a" }}{{ .Data.metadata.version }}{{ end }}', set()),
        ('{{ with secret "pki/issue/web" "common_name=x" }}{{ .Data.certificate }}{{ end }}', set()),
        ('{{ with secret "secret/data/${NOMAD_JOB_NAME}" }}{{ .Data.data.x }}{{ end }}', set()),
        ('{{ with secret (printf "secret/data/%s" "x") }}{{ .Data.data.x }}{{ end }}', set()),
        ('{{/* with secret "kv/a" */}}{{ .Data.x }}', set()),
        ('{{ with secret "kv/a" }}{{ "}}" }}{{ .Data.x }}{{ end }}', {("kv/a", "x", False)}),
        ('{{ with secret "kv/a" }}{{ ".Data.y" }}{{ end }}', set()),
        ('{{ with nomadVar "nomad/jobs/web" }}{{ .password }}{{ end }}', {("nomad/jobs/web", "password", None)}),
        ('{{ with nomadVar "nomad/jobs/web" }}{{ index . "a-b" }}{{ .Keys }}{{ end }}',
         {("nomad/jobs/web", "a-b", None)}),
        ('{{ (nomadVar "nomad/jobs/web").password }}', {("nomad/jobs/web", "password", None)}),
        ('{{ with nomadVar "nomad/jobs/web@other" }}{{ .password }}{{ end }}', set()),
    ],
)  # fmt: skip
def test_fields_are_told_with_their_place_and_shape(text: str, told: set[tuple[str, str, bool | None]]) -> None:
    assert _told(text) == told


def test_delimiters_of_ones_own_are_read() -> None:
    text = '[[ with secret "kv/a" ]]{{ .Data.no }}[[ .Data.x ]][[ end ]]'
    assert _told(text, left="[[", right="]]") == {("kv/a", "x", False)}


def test_a_place_is_told_without_a_field_too() -> None:
    text = '{{ key "app/url" }} {{ secret "kv/a" }} {{ keyOrDefault "app/maybe" "x" }} {{ keyExists "app/other" }}'
    assert set(template_reads(text)) == {TemplateRead(Source.CONSUL, "app/url"), TemplateRead(Source.VAULT, "kv/a")}


def test_what_we_write_ourselves_is_read_back() -> None:
    env = {
        "A": EnvValue(vault="secret/data/web/db#password"),
        "B": EnvValue(vault="kv/web#api-key"),
        "C": EnvValue(consul="web/url"),
        "D": EnvValue(nomad="nomad/jobs/web#token"),
    }
    (template,) = env_templates(env)
    assert {(one.path, one.field, one.versioned) for one in template_reads(template.data or "")} >= {
        ("secret/data/web/db", "password", True),
        ("kv/web", "api-key", False),
        ("web/url", "", None),
        ("nomad/jobs/web", "token", None),
    }


_PIECES = st.sampled_from([
    "{{ end }}", "{{ else }}", '{{ with secret "a/b" }}', "{{ .Data.x }}", "{{ range .A }}", "{{ if .B }}", "{{", "}}",
    '"', "`", '{{ $x := secret "c/d" }}', "{{ $x.Data.data.y }}", "{{ else with $x }}", "\n", '{{ nomadVar "v" }}', "(",
])  # fmt: skip


@given(st.lists(_PIECES, max_size=12).map("".join))
def test_no_text_breaks_the_reader(text: str) -> None:
    for one in template_reads(text):
        assert one.path in text and one.field in text


@given(st.text(max_size=40), st.text(min_size=1, max_size=3), st.text(min_size=1, max_size=3))
def test_no_delimiter_breaks_the_reader(text: str, left: str, right: str) -> None:
    template_reads(f"{left}{text}{right}", left=left, right=right)


@pytest.mark.parametrize(
    "text", ['{{ "' + '"' * 50_001, "{{ " * 30_000, '{{ secret "a" }}' * 3_000 + "{{ `", "$x := " * 9_000]
)
def test_a_long_text_is_read_in_no_time(text: str) -> None:
    started = time.perf_counter()
    template_reads(text)
    template_reads(f"{{{{ {text} }}}}")
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("text", "optional"),
    [
        ('{{ with secret "kv/a" }}{{ .Data.x }}{{ end }}', set()),
        ('{{ with secret "kv/a" }}{{ if .Data.x }}{{ .Data.x }}{{ end }}{{ .Data.y }}{{ end }}', {"x"}),
        ('{{ with secret "kv/a" }}{{ if .Data.x }}{{ .Data.x }}{{ end }}{{ .Data.x }}{{ end }}', set()),
        ('{{ with secret "kv/a" }}{{ with .Data.x }}{{ . }}{{ else }}{{ .Data.z }}{{ end }}{{ .Data.y }}{{ end }}',
         {"x", "z"}),
        ('{{ with secret "kv/a" }}{{ or .Data.x "1" }}{{ .Data.or }}{{ end }}', {"x"}),
        ('{{ with nomadVar "v" }}{{ .x | default "1" }}{{ if eq .y "2" }}{{ end }}{{ .z }}{{ end }}', {"x", "y"}),
        ('{{ if nomadVarExists "v" }}{{ with nomadVar "v" }}{{ .x }}{{ end }}{{ end }}{{ key "k" }}', {"", "x"}),
        ('{{ $s := secret "kv/a" }}{{ range $s.Data.x }}{{ end }}{{ $s.Data.y }}', {"x"}),
    ],
)  # fmt: skip
def test_what_a_template_can_do_without_is_known(text: str, optional: set[str]) -> None:
    assert {one.field for one in template_reads(text) if one.optional} == optional


@pytest.mark.parametrize("text", ['{{ key "a/b@dc2" }}', '{{ with secret "kv/a?version=2" }}{{ .Data.x }}{{ end }}'])
def test_what_is_read_from_elsewhere_or_of_another_time_is_left_out(text: str) -> None:
    assert template_reads(text) == ()

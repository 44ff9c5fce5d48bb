"""YAML from a hostile file: places are right, limits hold, and nothing makes the reader fail."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from desired import yaml_text
from desired.yaml_document import Document, Node
from desired.yaml_text import YamlLimits, read_yaml


@pytest.fixture(params=["CSafeLoader", "SafeLoader"], autouse=True)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """libyaml is not everywhere."""
    if not hasattr(yaml, request.param):
        pytest.skip("PyYAML has no libyaml here")
    monkeypatch.setattr(yaml_text, "_LOADER", getattr(yaml, request.param))
    return str(request.param)


def only(text: str) -> Document:
    [document] = read_yaml(text, "a.yaml")
    return document


def value(text: str) -> Any:
    document = only(text)
    assert document.root is not None and not document.problems, document.problems
    return document.root.value


def told(text: str) -> list[str]:
    return [str(problem) for document in read_yaml(text, "a.yaml") for problem in document.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", 12), ("-3", -3), ("0x1f", 31), ("0o17", 15), ("1.50", 1.5), ("1e3", 1000.0), ("true", True),
        ("FALSE", False), ("~", None), ("null", None), ("on", "on"), ("yes", "yes"), ("010", "010"), ("1_000", "1_000"),
        ("12:30", "12:30"), ("2001-01-01", "2001-01-01"), ("'12'", "12"), ('"true"', "true"), ("!!str 12", "12"),
        ("! 12", "12"), ("1.4.2", "1.4.2"), (".inf", ".inf"), ("60s", "60s"),
    ],
)  # fmt: skip
def test_scalars_mean_what_yaml_1_2_says(text: str, expected: Any) -> None:
    found = value(f"k: {text}")["k"]
    assert found == expected
    assert isinstance(found, bool) == isinstance(expected, bool)


def test_numbers_remember_how_they_were_written() -> None:
    assert [each.written for each in value("[1.50, 0x0F, 1e3]")] == ["1.50", "0x0F", "1e3"]


def test_every_value_and_key_has_its_line_and_column() -> None:
    document = only("# comment\na:\n  - x\n  - {b: 1,\n     c: [2]}\n")
    assert document.line == 2
    assert document.place(("a",)) == (3, 3)
    assert document.place(("a",), key=True) == (2, 1)
    assert document.place(("a", 0)) == (3, 5)
    assert document.place(("a", 1, "b")) == (4, 9)
    assert document.place(("a", 1, "c"), key=True) == (5, 6)
    assert document.place(("a", 1, "c", 0)) == (5, 10)


def test_what_is_not_there_has_the_place_of_what_is_around_it() -> None:
    document = only("a:\n  b:\n    c: 1\nd:\n")
    assert document.place(("a", "b", "missing")) == (2, 3)
    assert document.place(("missing",), key=True) == (1, 1)
    assert document.place(("d",)) == (4, 1)


def test_lines_are_counted_through_all_documents() -> None:
    documents = read_yaml("# first\n%YAML 1.2\n---\na: 1\n--- {b: 1}\n---\n\nc: 1\n...\n---\n", "a.yaml")
    assert [document.line for document in documents] == [4, 5, 8]
    assert not any(document.problems for document in documents)


def test_a_broken_document_holds_back_no_other() -> None:
    documents = read_yaml("a: 1\n---\nb: [\n---\nc: 1\n---\nd: 'x\n", "a.yaml")
    assert [document.root and document.root.value for document in documents] == [{"a": 1}, {}, {"c": 1}, {}]
    assert [len(document.problems) for document in documents] == [0, 1, 0, 1]


def test_what_stood_before_a_mistake_is_kept() -> None:
    document = only("metadata: {name: web}\nspec:\n  a: [1\n  b: 2\n")
    assert document.root is not None and document.root.value == {"metadata": {"name": "web"}}
    assert [problem.line for problem in document.problems] == [4]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n\tb: 1", "a.yaml:2:1: a tab is used to indent (indent with spaces)"),
        ("a: b: c", "a.yaml:1:5: a `:` is not allowed here (quote a value that holds `: `, or indent it)"),
        ("a: *x", "a.yaml:1:4: there is no anchor `&x` before this alias (quote a value that begins with `*`)"),
        ("a: &x [*x]", "a.yaml:1:8: the alias `*x` stands inside of what it names"),
        ("a: 1\nb: 2\na: 3", "a.yaml:3:1: the key `a` stands here twice, first in line 1 (keep one of the two)"),
        ("a: !!python/object:x 1", "a.yaml:1:4: this tag is not read here (leave out what begins with `!`)"),
        ("a: !secret x", "a.yaml:1:4: this tag is not read here (leave out what begins with `!`)"),
        ("a: !!int x", "a.yaml:1:4: this tag is not read here (leave out what begins with `!`)"),
        ("a: {{ x }}", 'a.yaml:1:5: a key must be a text (quote a value that begins with a bracket or brace, '
         'as in "{{ x }}")'),
        ("x: 1\na: \x01", "a.yaml:2:4: the character U+0001 is not allowed in YAML"),
        ("a: 'x", "a.yaml:1:6: a quote is not closed"),
        ("<<: 1\n", "a.yaml:1:1: `<<` takes mappings only"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_plain_words_with_their_place(text: str, expected: str, loader: str) -> None:
    [problem] = told(text)
    if loader == "CSafeLoader":
        # The two parsers point to slightly different columns.
        expected_place, found = expected, problem
        if "tag is not" in expected:
            expected_place, found = expected.split(":", 3)[3], problem.split(":", 3)[3]
        assert found == expected_place
    else:
        assert problem.split(":")[:2] == expected.split(":")[:2]


def test_a_double_key_keeps_its_first_value_and_everything_after_is_read() -> None:
    document = only("a: {x: 1}\na: {x: 2}\nb: 3\n")
    assert document.root is not None and document.root.value == {"a": {"x": 1}, "b": 3}


def test_merge_keys_are_merged_and_own_keys_win() -> None:
    text = "base: &base {a: 1, b: 2}\nmore: &more {c: 3}\nx:\n  <<: [*base, *more]\n  b: 9\n"
    assert value(text)["x"] == {"a": 1, "b": 9, "c": 3}
    assert only(text).place(("x", "c")) == (2, 17)


def test_an_anchor_ends_with_its_document() -> None:
    assert "no anchor" in told("a: &x 1\n---\nb: *x\n")[0]
    assert told("a: &x 1\n...\nb: *x\n") == ["a.yaml:3:1: a new document is expected here (begin it with `---`)"]


def test_json_is_read_with_tabs_and_characters_beyond_the_first_plane(loader: str) -> None:
    """Only libyaml takes a tab as a space between brackets."""
    written = {"a": "😀\u0001é", "b": [1, None, True, {"c": "\\ud83d"}]}
    assert value(json.dumps(written, indent="\t" if loader == "CSafeLoader" else 1)) == written


def bomb() -> str:
    lines = ["a: &a [1,1,1,1,1,1,1,1,1,1]"]
    lines += [f"{c}: &{c} [{','.join(['*' + chr(ord(c) - 1)] * 10)}]" for c in "bcdefghijklm"]
    return "\n".join(lines)


def merge_bomb() -> str:
    lines = ["a: &a {k0: 1}"]
    for number, c in enumerate("bcdefghijklmnopqrst"):
        merged = ",".join(["*" + chr(ord(c) - 1)] * 4)
        lines.append(f"{c}: &{c} {{<<: [{merged}], k{number + 1}: 1}}")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (bomb(), "more than 20000 values"),
        (merge_bomb(), "more than 20000 values"),
        ("[" * 300_000, "nested deeper than 40"),
        ("{a: " * 100_000, "nested deeper than 40"),
        ("- " * 200_000, "nested deeper than 40"),
        ("a: 1\n---\n" * 5_000, "more than 1000 documents"),
        ("- a\n" * 30_000, "more than 20000 values"),
    ],
    ids=["aliases", "merges", "lists", "mappings", "dashes", "documents", "values"],
)
def test_bombs_are_refused_by_name_and_at_once(text: str, words: str) -> None:
    start = time.process_time()
    assert words in " ".join(told(text))
    assert time.process_time() - start < 10


def test_limits_are_the_callers() -> None:
    assert not told("[[[1]]]")
    [document] = read_yaml("[[[1]]]", "a.yaml", limits=YamlLimits(depth=2))
    assert [problem.message for problem in document.problems] == ["is nested deeper than 2 levels"]


PIECES = st.sampled_from([
    "a", "b", ":", ": ", "- ", "\n", "  ", "\t", "[", "]", "{", "}", ",", "&x ", "*x", "<<: ", "'", '"', "|\n", ">",
    "---\n", "...\n", "%YAML 1.2\n", "!!str ", "!x ", "? ", "#", "1", "1.5", "\x00", "\x01", "\ud800", "\ufeff",
    "\u2028", "é", "😀", "\\", "\\ud83d\\ude00", "\\U99999999", "@", "`", "apiVersion: nomad-operator/v1\n", "null",
    "\r",
])  # fmt: skip


@given(st.one_of(st.lists(PIECES, max_size=40).map("".join), st.text(max_size=80)))
def test_no_text_makes_the_reader_fail_and_every_problem_has_a_line_of_the_file(text: str) -> None:
    lines = text.count("\n") + text.count("\r") + text.count("\x85") + text.count("\u2028") + text.count("\u2029") + 1
    for document in read_yaml(text, "a.yaml"):
        assert 1 <= document.line <= lines + 1
        for problem in document.problems:
            assert 1 <= problem.line <= lines + 1
            assert problem.column >= 0
            assert str(problem).isprintable()


# PyYAML writes YAML 1.1, where 0E0 is a text: it leaves the quotes out.
NUMBERS_SINCE = re.compile(r"[-+]?[0-9.]+[eE][-+]?[0-9]+")
texts = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"])).filter(
    lambda text: NUMBERS_SINCE.fullmatch(text) is None
)
keys = st.text("abcdef<é ", min_size=1).filter(lambda key: key != "<<")
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=15,
)


@given(values)
def test_what_was_written_as_json_or_yaml_is_read_back(given_value: Any) -> None:
    for text in (json.dumps({"k": given_value}), yaml.safe_dump({"k": given_value}, allow_unicode=True)):
        assert value(text) == {"k": given_value}


@given(values)
def test_the_place_of_every_value_leads_to_it_in_the_text(given_value: Any) -> None:
    text = json.dumps({"k": given_value}, indent=1)
    lines = text.split("\n")

    def walk(node: Node, steps: tuple[str | int, ...]) -> None:
        if node.value is not None and steps:
            line, column = only_document.place(steps)
            opening = {dict: "{", list: "["}.get(type(node.value), json.dumps(node.value)[:1])
            assert lines[line - 1][column - 1] == opening
        inside = node.inside.items() if isinstance(node.inside, dict) else enumerate(node.inside)
        for step, inner in inside:
            walk(inner, (*steps, step))

    only_document = only(text)
    assert only_document.root is not None
    walk(only_document.root, ())


@pytest.mark.parametrize("text", ['"\\U99999999"', '"\\U7fffffff"', '"\\xZZ"'])
def test_an_escape_that_names_no_character_is_a_problem_not_a_crash(text: str) -> None:
    documents = read_yaml(f"a: {text}\n", "a.yaml")
    assert all(document.problems for document in documents)

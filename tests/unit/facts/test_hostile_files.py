"""Whatever stands in any file: nothing is raised, no secret is told, and it ends soon."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desired.facts.analyze import Analysis, analyze
from desired.facts.fact import Fact
from desired.facts.rows import plain, rows
from desired.facts.tree_codebase import TreeCodebase
from tests.extract.repository import repositories

SECRET = "c4n4ry-hunter2"
# What a file of each name begins with, so that what comes after it is looked at.
BEGINNINGS: dict[str, tuple[str, ...]] = {
    "Dockerfile": ("", "FROM x\nENV A=", "FROM x\nHEALTHCHECK CMD ", "FROM x\nCMD [", "FROM x\nEXPOSE "),
    "compose.yaml": (
        "",
        "services:\n  web:\n    image: '",
        "services:\n  web:\n    ports: ['",
        "services:\n  web:\n    command: '",
        "services:\n  web:\n    environment:\n      A_TOKEN: '",
        "services:\n  web:\n    healthcheck:\n      test: '",
    ),
    "Makefile": ("", "A = ", "a:\n\t", "a:\n\tdocker run "),
    "build.yaml": ("", "image_name: ", "test:\n  env:\n    A: ", "test:\n  constraints: ['"),
    "a.env": ("", "A=", "A='"),
    ".dockerignore": ("", "!", "**/"),
    **dict.fromkeys(
        (
            *("requirements.txt", "pyproject.toml", "app.py", "package.json", "server.js", ".env.example", "go.mod"),
            *("main.go", "Cargo.toml", "src/main.rs", "pom.xml", "build.gradle", "Gemfile", "config/routes.rb"),
            *("src/main/resources/application.yml", "composer.json", "index.php", "a.csproj", "Program.cs", "Procfile"),
        ),
        ("",),
    ),
}
AROUND = {
    "Dockerfile": b"FROM python:3.12\nEXPOSE 80\n",
    "compose.yaml": b"services:\n  web:\n    build: .\n    env_file: a.env\n    image: x\n",
    "a.env": b"A=1\n",
    "Makefile": b"IMAGE = a\n",
    "build.yaml": b"image_name: a\n",
}
# Lines that mean something somewhere, and pieces that do not end.
LINES = sorted(
    {
        line
        for one in repositories()
        for path in one.codebase.paths
        for line in (one.codebase.text(path) or "").splitlines()
        if line.strip()
    }
)
PIECES = (
    *("{", "}", "[", "]", "(", ")", '"', "'", "`", "\\", "\n", "\r\n", "\t", "\0", "\ufeff", "\x1b", "é", "\u2028"),
    *("${", "${A:-", "$(", "$$", "<<: *a", "&a ", "*a", "!!x ", "- ", ": ", "? ", "|\n", "---\n", "%YAML 1.9\n"),
    *(
        "FROM ",
        "FROM x AS a\n",
        "RUN <<E\n",
        "ENV A=$A$A\n",
        "EXPOSE 1-65535\n",
        "ONBUILD ",
        "\\\n",
        "CMD [",
        "# escape=`\n",
    ),
    *(
        "docker run ",
        "A = $(A)$(A)\n",
        "endif\n",
        "define x\n",
        "extends: web",
        "include: [compose.yaml]",
        "99999999999",
    ),
)
texts = st.one_of(
    st.text(max_size=120),
    st.lists(st.sampled_from(LINES), max_size=15).map("\n".join),
    st.lists(st.sampled_from(PIECES) | st.sampled_from(LINES) | st.text(max_size=6), max_size=20).map("".join),
)
contents = st.one_of(
    st.binary(max_size=120),
    texts.map(lambda text: text.encode("utf-8", "surrogatepass")),
    texts.map(lambda text: text.encode("utf-16", "surrogatepass")),
    texts.map(lambda text: text.encode("latin-1", "replace")),
)


def found(files: dict[str, bytes]) -> Analysis:
    return analyze(TreeCodebase(name="app", contents=files))


def all_facts(analysis: Analysis) -> Iterator[Fact[Any]]:
    for one in analysis.apps:
        for row in rows(one.facts):
            yield row.fact
            yield from row.fact.overruled


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(files=st.dictionaries(st.sampled_from(sorted(BEGINNINGS)), contents, min_size=1, max_size=4), data=st.data())
def test_any_bytes_in_any_file_raise_nothing_and_leave_the_rest(files: dict[str, bytes], data: st.DataObject) -> None:
    for path in files:
        beginning = data.draw(st.sampled_from(BEGINNINGS[path]))
        files[path] = beginning.encode() + files[path]
    held = {**AROUND, **files}
    analysis = found(held)
    assert repr(analysis) == repr(found(held))
    assert analysis.apps
    for fact in all_facts(analysis):
        plain(fact.value)
        assert 0 < fact.confidence <= 1
        assert fact.place is None or fact.place.path in held
    for one in analysis.apps:
        assert all(0 < port < 65536 for port in one.facts.ports)
    for problem in analysis.warnings:
        assert problem.path in held and problem.line >= 0
        assert problem.message and "\n" not in problem.message


SECRETS = (
    f"ENV DB_PASSWORD={SECRET}",
    f'ENV DB_PASSWORD="{SECRET}" A=1',
    f"      DB_PASSWORD: {SECRET}",
    f"      - DB_PASSWORD={SECRET}",
    f"      - URL=postgres://me:{SECRET}@db/x",
    f"    command: app --password {SECRET}",
    f"    DB_PASSWORD: {SECRET}",
    f"DB_PASSWORD={SECRET}",
    f"registry_url: https://me:{SECRET}@r.io",
    f'HEALTHCHECK CMD curl -u "me:{SECRET}" http://localhost/',
    f'CMD ["app", "--api-key={SECRET}"]',
    f"\tdocker run -e DB_PASSWORD={SECRET} app",
    f"export DB_PASSWORD = {SECRET}",
    f'DB_PASSWORD = os.environ.get("DB_PASSWORD", "{SECRET}")',
    f'const a = process.env.DB_PASSWORD || "{SECRET}";',
    f"spring.datasource.password={SECRET}",
    f'password = "{SECRET}"',
)

# Where in a file its secrets stand.
INSIDE = {
    "compose.yaml": ("", "    environment:\n", "    environment:\n      A: b\n", "    healthcheck:\n"),
    "build.yaml": ("", "test:\n  env:\n"),
    "Makefile": ("", "a:\n"),
}


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    path=st.sampled_from(sorted(BEGINNINGS)),
    secret=st.sampled_from(SECRETS),
    before=st.just([]) | st.lists(st.sampled_from(LINES), max_size=6),
    after=st.lists(st.sampled_from(LINES), max_size=3),
    data=st.data(),
)
def test_a_secret_is_told_nowhere(
    path: str, secret: str, before: list[str], after: list[str], data: st.DataObject
) -> None:
    beginning = AROUND.get(path, b"").decode() + (data.draw(st.sampled_from(INSIDE[path])) if path in INSIDE else "")
    text = beginning + "\n".join([*before, secret, *after])
    analysis = found({**AROUND, path: text.encode()})
    told = [str(plain(fact.value)) + fact.reason for fact in all_facts(analysis)]
    assert SECRET not in " ".join([*told, *(str(problem) for problem in analysis.warnings), *analysis.notes])


def nested(opening: str, closing: str = "", depth: int = 10_000) -> str:
    return opening * depth + closing * depth


BOMBS: dict[str, tuple[str, str]] = {
    "JSON in JSON": ("package.json", nested('{"a":', "}")),
    "lists in lists": ("composer.json", nested("[", "]")),
    "YAML in YAML": ("compose.yaml", nested("[")),
    "folders of YAML": ("compose.yaml", "\n".join(" " * depth + "a:" for depth in range(2_000))),
    "aliases of aliases": (
        "compose.yaml",
        "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)),
    ),
    "merges of merges": (
        "compose.yaml",
        "a0: &a0 {x: y}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12)),
    ),
    "tables of tables": ("pyproject.toml", "[" + "a." * 4_000 + "a]\n"),
    "keys of keys": ("pyproject.toml", "a." * 150_000 + "a = 1\n"),
    "lists of TOML": ("pyproject.toml", "a = " + nested("[", "]")),
    "elements in elements": ("pom.xml", nested("<a>", "</a>")),
    "entities": ("pom.xml", '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><project>&b;</project>'),
    "calls in calls": ("app.py", "import os\nx = " + nested("f(", ")")),
    "not not not": ("app.py", "import os\nx = " + "not " * 10_000 + "os.environ['A']"),
    "stages of stages": ("Dockerfile", "FROM x AS a\n" + "FROM a AS a\n" * 5_000),
    "variables that double": ("Dockerfile", "FROM x\nENV A=aaaa\n" + "ENV A=$A$A\n" * 5_000),
    "defaults in defaults": ("Dockerfile", "FROM x\nENV A=" + nested("${A:-", "}", 1_500)),
    "defaults in defaults of compose": ("compose.yaml", f"services: {{web: {{image: '{nested('${A:-', '}')}'}}}}"),
    "a long instruction": ("Dockerfile", "FROM x\nENV A=" + "a\\\n" * 60_000),
    "documents that do not end": ("Dockerfile", "FROM x\n" + "RUN <<E\n" * 15_000),
    "variables of make": (
        "Makefile",
        "".join(f"A{n} = {f'$(A{n + 1})' * 300}\n" for n in range(12)) + "a:\n\techo $(A0)\n",
    ),
    "a service that extends itself": ("compose.yaml", "services: {web: {extends: web, image: x}}"),
    "a file that includes itself": (
        "compose.yaml",
        "include: [compose.yaml, ./compose.yaml]\nservices: {web: {image: x}}",
    ),
    "requirements that require themselves": ("requirements.txt", "-r requirements.txt\n" * 1_000),
}


@pytest.mark.parametrize("case", BOMBS, ids=str)
def test_what_is_made_to_take_for_ever_does_not(case: str) -> None:
    """Seconds of this process, not of the clock: others may be busy. Each would take minutes, or all memory."""
    path, text = BOMBS[case]
    started = time.process_time()
    found({**AROUND, path: text.encode()})
    assert time.process_time() - started < 4


REPEATED = (
    *(
        "a",
        " ",
        "\n",
        "$",
        "${A:-",
        "{",
        "[",
        "(",
        '"',
        "'",
        "`",
        "\\",
        "/",
        "*",
        "<",
        "#",
        "-",
        "=",
        ":",
        "a b ",
        "a: ",
        "a=",
    ),
    *(
        "EXPOSE 1-9\n",
        "ENV A=$A\n",
        "curl http://",
        "https://a:",
        "docker run -p 1:1 ",
        "password=",
        "--password ",
        "&a *a ",
    ),
    *(
        "process.env.A || ",
        "os.environ[",
        "import a\n",
        "<a>",
        "<!--",
        "a.b.",
        '"""',
        "#{",
        "{{",
        "getenv(",
        "1.1.",
        "a@",
    ),
)
SIZE = 50_000


@pytest.mark.parametrize("path", sorted(BEGINNINGS))
def test_no_pattern_takes_more_time_than_the_text_is_long(path: str) -> None:
    """Of a pattern that takes the square of it, one of these alone would take a minute."""
    for beginning in BEGINNINGS[path]:
        for piece in REPEATED:
            text = beginning + piece * (SIZE // len(piece))
            started = time.process_time()
            found({**AROUND, path: text.encode()})
            assert time.process_time() - started < 3, (beginning, piece)

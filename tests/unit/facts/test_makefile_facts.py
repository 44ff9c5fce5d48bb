"""What a Makefile says of the image that it builds, pushes and runs."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from desired.facts.codebase import Component
from desired.facts.makefile import extractor
from desired.facts.makefile_text import Unknown, read_makefile
from tests.unit.facts.app_code.memory_codebase import MemoryCodebase
from tests.unit.facts.told_facts import lines, told


def said(text: str, name: str = "Makefile") -> dict[str, Any]:
    component = Component("app", dockerfile="Dockerfile")
    extraction = extractor.extract(MemoryCodebase({name: dedent(text).replace(">", "\t")}), component)
    assert extraction.warnings == ()
    return told(extraction.facts)


# A Makefile with > for a tab, and all that it says.
SAID: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": ("all:\n>echo hello\n", {}),
    "an image that is pushed": (
        "push:\n>docker push r.io/team/app:1.2\n",
        {"registry": "r.io", "image_name": "team/app", "image_tag": "1.2"},
    ),
    "variables in variables": (
        "R = r.io\nN := app\nI = $(R)/$(N)\nV ::= 3\nb:\n>@docker build -t ${I}:$(V) .\n",
        {"registry": "r.io", "image_name": "app", "image_tag": "3"},
    ),
    "variables by their names alone": (
        "REGISTRY ?= https://r.io/\nIMAGE_NAME = app\nexport TAG=7\n",
        {"registry": "r.io", "image_name": "app", "image_tag": "7"},
    ),
    "a tag that only a shell knows": (
        "TAG = $(shell git rev-parse HEAD)\nb:\n>docker build -t r.io/app:$(TAG) .\n",
        {"registry": "r.io", "image_name": "app"},
    ),
    "an image that only a shell knows": ("b:\n>docker build -t $(shell pwd):1 .\n", {}),
    "what was set before is not set again": ("IMAGE = a\nIMAGE ?= b\n", {"image_name": "a"}),
    "the last one counts": ("IMAGE = a\nIMAGE = b\n", {"image_name": "b"}),
    "more is added": ("T = -t\nT += app\nb:\n>docker build $(T) .\n", {"image_name": "app"}),
    "what is set under a condition gives way": (
        "TAG = 1\nifeq ($(CI),true)\nTAG = ci\nelse\nTAG = no\nendif\nIMAGE = a\n",
        {"image_name": "a", "image_tag": "1"},
    ),
    "of two conditions the first counts": (
        "ifdef X\nIMAGE = a\nelse\nIMAGE = b\nendif\nTAG = 1\n",
        {"image_name": "a", "image_tag": "1"},
    ),
    "what is defined is no line of its own": ("define X\nIMAGE = a\n>docker push b\nendef\n", {}),
    "comments": ("IMAGE = a # not b\n# IMAGE = c\n", {"image_name": "a"}),
    "lines that go on": (
        "push:\n>docker buildx build --push \\\n>  --platform linux/amd64 \\\n>  -t r.io/a:1 \\\n>  .\n",
        {"registry": "r.io", "image_name": "a", "image_tag": "1", "architecture": "amd64"},
    ),
    "of several platforms none is fixed": (
        "push:\n>docker buildx build --platform linux/amd64,linux/arm64 -t a .\n",
        {"image_name": "a"},
    ),
    "podman, and more on one line": (
        "all:\n>cd app && podman build -t a:1 . && podman push a:1 || exit 1\n",
        {"image_name": "a", "image_tag": "1"},
    ),
    "how it is run": (
        """\
        run:
        >-docker run -it --rm -d --name x -p 127.0.0.1:8080:80 -p 9000 -p5353:53/udp -e A=1 --env B='x y' -e C \\
        >  -e TOKEN=abc123 -v data:/data:ro -v $(PWD):/src -v ./x:/x --memory=1g --cpus 1.5 --gpus all -u 1000 \\
        >  --mount type=volume,src=logs,dst=/logs,readonly --platform linux/arm64 app:1 serve --all 'two words'
        b:
        >docker build -t app:1 .
        """,
        {
            "image_name": "app",
            "image_tag": "1",
            "architecture": "arm64",
            "command": "serve --all two words",
            "user": "1000",
            "cpu": "1500",
            "memory": "1024",
            "gpu": "1",
            "ports": {"80": "80 (on the host 8080)", "9000": "9000", "53": "53/udp (on the host 5353)"},
            "env": {"A": "1", "B": "x y"},
            "secret_literals": {"TOKEN": "TOKEN"},
            "volumes": {"/data": "data:/data", "/logs": "logs:/logs"},
        },
    ),
    "another image that is run is none of ours": (
        "db:\n>docker run -p 5432:5432 postgres\nb:\n>docker build -t app .\n",
        {"image_name": "app"},
    ),
    "the image of another Dockerfile is none of ours": (
        "b:\n>docker build -f other/Dockerfile -t other .\nc:\n>docker build -f ./Dockerfile -t app .\n",
        {"image_name": "app"},
    ),
    "an entrypoint": (
        "b:\n>docker build -t app .\nr:\n>docker run --entrypoint=/bin/x app y\n",
        {"image_name": "app", "entrypoint": "/bin/x", "command": "y"},
    ),
    "a name for the container's own shell": (
        "b:\n>docker build -t app .\nr:\n>docker run -e HOME=$$HOME -e X=$(X) app\n",
        {"image_name": "app"},
    ),
    "a text that no shell understands": ("b:\n>docker build -t 'app .\n", {}),
}


@pytest.mark.parametrize("case", SAID, ids=str)
def test_a_makefile_says_this_and_nothing_else(case: str) -> None:
    text, expected = SAID[case]
    assert said(text) == expected


def test_gnu_make_looks_for_its_own_name_first() -> None:
    component = Component("app", "api")
    files = {"api/GNUmakefile": "IMAGE = a\n", "api/Makefile": "IMAGE = b\n", "Makefile": "IMAGE = c\n"}
    facts = extractor.extract(MemoryCodebase(files), component).facts
    assert told(facts) == {"image_name": "a"} and lines(facts) == {"image_name": "api/GNUmakefile:1"}


def test_a_line_is_that_on_which_a_command_begins() -> None:
    component = Component("app")
    text = "a = 1\n\nb:\n\t@true\n\tdocker build \\\n\t  -t x:2 .\n"
    facts = extractor.extract(MemoryCodebase({"Makefile": text}), component).facts
    assert lines(facts) == {"image_name": "Makefile:5", "image_tag": "Makefile:5"}


@pytest.mark.parametrize(
    "text",
    [
        "A = $(A)\n",
        "A = $(B)\nB = $(A)\n",
        "A = "
        + "$(B)" * 900
        + "\n"
        + "".join(f"{a} = " + f"$({b})" * 900 + "\n" for a, b in zip("BCDE", "CDEF", strict=True))
        + "F = x\n",
        "A = "
        + "$(B)" * 900
        + "\n"
        + "".join(f"{a} = " + f"$({b})" * 900 + "\n" for a, b in zip("BCDE", "CDEF", strict=True))
        + "F =\n",
        "A = $(B)" + "x" * 5_000,
    ],
    ids=["itself", "a circle", "a bomb", "a bomb of nothing", "a long text"],
)
def test_variables_that_never_end_are_not_known(text: str) -> None:
    with pytest.raises(Unknown):
        read_makefile(text).known("$(A)")

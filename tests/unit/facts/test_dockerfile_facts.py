"""What a Dockerfile says of the image that it makes."""

from __future__ import annotations

from typing import Any

import pytest

from desired.facts.codebase import Component
from desired.facts.dockerfile_facts import extractor
from desired.facts.extractor import Extraction
from tests.unit.facts.app_code.memory_codebase import MemoryCodebase
from tests.unit.facts.told_facts import lines, told


def read(text: str, *, target: str = "", args: dict[str, str] | None = None) -> Extraction:
    component = Component("app", dockerfile="Dockerfile", target=target, build_args=tuple((args or {}).items()))
    return extractor.extract(MemoryCodebase({"Dockerfile": text}), component)


# By what is tried: the instructions after `FROM x`, and all that they say.
SAID: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": ("RUN true", {}),
    "a command as a list": ('CMD ["a", "b c", "$X"]', {"command": "a b c $X"}),
    "a list keeps its quotes": ("""CMD ["sh", "-c", "echo 'x'"]""", {"command": "sh -c echo 'x'"}),
    "a command for the shell": ('CMD python "my app.py"', {"command": '/bin/sh -c python "my app.py"'}),
    "a list that is none is for the shell": ('CMD ["a",', {"command": '/bin/sh -c ["a",'}),
    "another shell": (
        'SHELL ["/bin/bash", "-ec"]\nENTRYPOINT run.sh\n',
        {"entrypoint": "/bin/bash -ec run.sh"},
    ),
    "both": ('ENTRYPOINT ["/app"]\nCMD ["serve"]', {"entrypoint": "/app", "command": "serve"}),
    "an entrypoint after the command of the same stage keeps it": (
        'CMD ["serve"]\nENTRYPOINT ["/app"]',
        {"entrypoint": "/app", "command": "serve"},
    ),
    "the last one counts": ('CMD ["a"]\nCMD ["b"]', {"command": "b"}),
    "an empty list takes it back": ('ENTRYPOINT ["a"]\nENTRYPOINT []', {}),
    "ports": ("EXPOSE 80 443/tcp 53/udp", {"ports": {"80": "80", "443": "443", "53": "53/udp"}}),
    "one number of two protocols": ("EXPOSE 53/udp 53/tcp", {"ports": {"53": "53"}}),
    "a range": ("EXPOSE 7000-7002/tcp", {"ports": {"7000": "7000", "7001": "7001", "7002": "7002"}}),
    "a port by ARG": ("ARG PORT=9090\nEXPOSE $PORT", {"ports": {"9090": "9090"}}),
    "a port by ENV": ("ENV PORT=8081\nEXPOSE ${PORT}/tcp", {"env": {"PORT": "8081"}, "ports": {"8081": "8081"}}),
    "a port that nobody says": ("EXPOSE $PORT", {}),
    "a port with a default": ("EXPOSE ${PORT:-4000}", {"ports": {"4000": "4000"}}),
    "the old ENV": ("ENV GREETING hello big world", {"env": {"GREETING": "hello big world"}}),
    "ENV with several": (
        """ENV A=1 B="two words" C='3' D=a\\ b E="it's" """,
        {"env": {"A": "1", "B": "two words", "C": "3", "D": "a b", "E": "it's"}},
    ),
    "quotes inside of a word": ("""ENV A=x"y z"'w'""", {"env": {"A": "xy zw"}}),
    "no variables in single quotes": (
        "ENV A=1\nENV B='$A' C=\"$A\" D=\\$A",
        {"env": {"A": "1", "B": "$A", "C": "1", "D": "$A"}},
    ),
    "of one line all see what was before": ("ENV A=1\nENV A=2 B=$A", {"env": {"A": "2", "B": "1"}}),
    "words with a default or an alternative": (
        "ARG A=\nARG B=b\nENV C=${A:-x} D=${A-y} E=${B:+z} F=${NO:+z} G=${B:-x}${NO-${B:-n}}",
        {"env": {"C": "x", "D": "", "E": "z", "F": "", "G": "bb"}},
    ),
    "lines that go on, with comments between": (
        "ENV A=1 \\\n  # not this\n  B=2 \\\n\n  C=3",
        {"env": {"A": "1", "B": "2", "C": "3"}},
    ),
    "a user": ('USER "app:staff"', {"user": "app:staff"}),
    "a user by number": ("ARG UID=1001\nUSER $UID", {"user": "1001"}),
    "folders from folders": ("WORKDIR /srv\nWORKDIR app/\nWORKDIR ../web", {"working_dir": "/srv/web"}),
    "a folder from the root": ("WORKDIR app", {"working_dir": "/app"}),
    "volumes as a list": ('VOLUME ["/data", "/logs"]', {"volumes": {"/data": "/data", "/logs": "/logs"}}),
    "volumes as words": ("VOLUME /data /logs", {"volumes": {"/data": "/data", "/logs": "/logs"}}),
    "nothing of a heredoc is an instruction": (
        "RUN <<EOF\nCMD no\nEXPOSE 1\nEOF\nCOPY <<-'END' /etc/x\n\tUSER no\n\tEND\nUSER yes",
        {"user": "yes"},
    ),
    "what is for the image built on this one does not count here": (
        "ONBUILD EXPOSE 99\nEXPOSE 80",
        {"ports": {"80": "80"}},
    ),
    "small letters": ('expose 80\ncmd ["a"]', {"command": "a", "ports": {"80": "80"}}),
    "a health check over HTTP": (
        "HEALTHCHECK --interval=30s --timeout=3s CMD curl -f http://localhost:8080/health || exit 1",
        {"health": "/health (port 8080)"},
    ),
    "a health check as a list": (
        'HEALTHCHECK CMD ["wget", "-qO-", "http://127.0.0.1/ready"]',
        {"health": "/ready (port 80)"},
    ),
    "a health check on a port that is known": (
        "ENV PORT=5000\nHEALTHCHECK CMD curl -f http://localhost:${PORT}/ping",
        {"env": {"PORT": "5000"}, "health": "/ping (port 5000)"},
    ),
    "a health check that only a shell understands": (
        "HEALTHCHECK CMD test -f /tmp/ok",
        {"health": "test -f /tmp/ok"},
    ),
    "a health check by a connection": ("HEALTHCHECK CMD nc -z localhost 6379", {"health": "a connection (port 6379)"}),
    "a health check that is taken back": ("HEALTHCHECK CMD true\nHEALTHCHECK NONE", {}),
}


@pytest.mark.parametrize("case", SAID, ids=str)
def test_a_dockerfile_says_this_and_nothing_else(case: str) -> None:
    text, expected = SAID[case]
    extraction = read(f"FROM x\n{text}\n")
    assert told(extraction.facts) == expected
    assert extraction.warnings == ()


@pytest.mark.parametrize("word", ["0", "65536", "http", "99999999999999", "-1", "80/tcp/x", "1-", "70000-70010"])
def test_a_port_that_is_none_is_told_with_its_line(word: str) -> None:
    extraction = read(f"FROM x\nEXPOSE 80 {word}\n")
    assert list(extraction.facts.ports) == [80]
    (warning,) = extraction.warnings
    assert (warning.line, warning.message) == (2, f"EXPOSE: {word!r} is no port from 1 to 65535")


# Whole files: all that they say.
FILES: dict[str, tuple[str, dict[str, Any]]] = {
    "only the last stage counts": (
        "FROM golang:1.22 AS build\nENV CGO_ENABLED=0\nEXPOSE 1\nUSER root\nFROM scratch\nCOPY --from=build /a /a\n"
        'EXPOSE 8080\nENTRYPOINT ["/a"]',
        {"entrypoint": "/a", "ports": {"8080": "8080"}},
    ),
    "a stage has what it is built on": (
        'FROM node:20 AS base\nWORKDIR /app\nENV A=1\nEXPOSE 3000\nCMD ["x"]\nFROM base AS Prod\nENV B=$A$A\nUSER node',
        {
            "command": "x",
            "working_dir": "/app",
            "user": "node",
            "ports": {"3000": "3000"},
            "env": {"A": "1", "B": "11"},
        },
    ),
    "a new entrypoint forgets the command of the stage below": (
        'FROM x AS base\nCMD ["a"]\nFROM base\nENTRYPOINT ["b"]',
        {"entrypoint": "b"},
    ),
    "arguments of a stage end with it, those of the file have to be taken": (
        "ARG V=3\nFROM x:$V AS base\nARG P=1\nFROM base\nARG V\nENV A=$V B=$P",
        {"env": {"A": "3", "B": ""}},
    ),
    "what was held back happens in the stage that is built on it, once": (
        "FROM x AS base\nONBUILD EXPOSE 99\nONBUILD USER app\nFROM base AS mid\nFROM mid\n",
        {"user": "app", "ports": {"99": "99"}},
    ),
    "the image's base tells of a GPU": ("ARG CUDA=12.4\nFROM nvidia/cuda:$CUDA-runtime", {"gpu": "1"}),
    "a GPU that only the build needs": ("FROM nvidia/cuda AS build\nFROM debian", {}),
    "a fixed architecture": ("FROM --platform=linux/amd64 x", {"architecture": "amd64"}),
    "whoever builds says the architecture": ("FROM --platform=$BUILDPLATFORM x", {}),
    "before FROM stand arguments and comments": (
        "# syntax=docker/dockerfile:1\nARG X=1\n\nFROM y\nUSER a",
        {"user": "a"},
    ),
    "a beginning with a byte order mark and ends of lines as Windows has them": (
        "FROM x\r\nEXPOSE 80\r\nCMD [\"a\"]\r\n",
        {"command": "a", "ports": {"80": "80"}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES, ids=str)
def test_stages_lead_to_one_image(case: str) -> None:
    text, expected = FILES[case]
    assert told(read(text).facts) == expected


def test_each_value_has_the_line_of_its_instruction() -> None:
    text = "FROM x AS a\nENV A=1 \\\n  B=2\n\nEXPOSE 80\nFROM a\n# no\nUSER u\nHEALTHCHECK CMD true\n"
    assert lines(read(text).facts) == {
        "user": "Dockerfile:8",
        "health": "Dockerfile:9",
        "ports.80": "Dockerfile:5",
        "env.A": "Dockerfile:2",
        "env.B": "Dockerfile:2",
    }


def test_a_build_chooses_its_stage_and_its_arguments() -> None:
    text = "ARG TAG=1\nFROM x:$TAG AS dev\nARG PORT=1\nEXPOSE $PORT\nFROM dev AS prod\nUSER app\n"
    assert told(read(text, target="dev", args={"PORT": "2"}).facts) == {"ports": {"2": "2"}}
    assert told(read(text, target="DEV").facts) == {"ports": {"1": "1"}}
    assert told(read(text, target="0").facts) == {"ports": {"1": "1"}}
    assert told(read(text, target="nobody").facts) == {"user": "app", "ports": {"1": "1"}}


def test_times_of_a_health_check_are_kept() -> None:
    health = read("FROM x\nHEALTHCHECK --interval=1m --timeout=500ms --start-period=2s CMD true").facts.health
    assert health is not None
    times = (health.value.interval, health.value.timeout, health.value.start)
    assert [time.total_seconds() for time in times if time is not None] == [60, 0.5, 2]


def test_a_secret_is_told_by_its_name_alone() -> None:
    facts = read("FROM x\nENV API_TOKEN=abc123def GREETING=hi\nENV URL=postgres://a:b@db/x\n").facts
    assert told(facts) == {"env": {"GREETING": "hi"}, "secret_literals": {"API_TOKEN": "API_TOKEN", "URL": "URL"}}
    assert "abc123def" not in repr(facts) and "a:b" not in repr(facts)


# A file with a mistake: what is told, and what is understood all the same.
MISTAKES: dict[str, tuple[str, list[str], dict[str, Any]]] = {
    "an ENV without a value": (
        "FROM x\nENV A\nUSER u",
        ["Dockerfile:2: ENV must have two arguments"],
        {"user": "u"},
    ),
    "one that goes on over lines": (
        "FROM x\nENV A=1 \\\n  b c\nUSER u",
        ["Dockerfile:3: can't find ="],
        {"user": "u"},
    ),
    "a list of numbers": (
        "FROM x\nUSER u\nCMD [1]",
        ["Dockerfile:3: when using JSON array syntax, arrays must be comprised of strings only"],
        {"user": "u"},
    ),
    "an instruction that is none": (
        "FROM x\nEXPOES 80\nUSER u",
        ["Dockerfile:2: an instruction that Docker does not know"],
        {"user": "u"},
    ),
    "something before FROM": ("USER a\nFROM x\nUSER u", ["Dockerfile:1: USER stands before FROM"], {"user": "u"}),
    "a FROM of nothing": ("FROM\nFROM x\nUSER u", ["Dockerfile:1: FROM names no image"], {"user": "u"}),
    "a health check of nothing": (
        "FROM x\nHEALTHCHECK --interval=1s\nUSER u",
        ["Dockerfile:2: HEALTHCHECK says neither CMD nor NONE"],
        {"user": "u"},
    ),
    "a health check of something else": (
        "FROM x\nHEALTHCHECK curl localhost\nUSER u",
        ["Dockerfile:2: HEALTHCHECK says neither CMD nor NONE"],
        {"user": "u"},
    ),
    "a health check every now and then": (
        "FROM x\nHEALTHCHECK --interval=often --timeout=$T CMD check\nUSER u",
        ["Dockerfile:2: HEALTHCHECK: --interval is no span of time, such as 30s"],
        {"user": "u", "health": "check"},
    ),
    "a health check with another option": (
        "FROM x\nHEALTHCHECK --hunter2=1 --retries=3 CMD check\nUSER u",
        ["Dockerfile:2: HEALTHCHECK: an option that Docker does not know"],
        {"user": "u", "health": "check"},
    ),
    "instructions that say nothing": (
        "FROM x\nENV\nEXPOSE\nVOLUME\nCMD\nENTRYPOINT\nUSER u",
        [f"Dockerfile:{line}: {kind} says nothing" for line, kind in enumerate(("ENV", "EXPOSE", "VOLUME"), 2)],
        {"user": "u"},
    ),
    "two mistakes": (
        "FROM x\nENV A\nUSER u\nENV B",
        ["Dockerfile:2: ENV must have two arguments", "Dockerfile:4: ENV must have two arguments"],
        {"user": "u"},
    ),
    "variables that grow and grow": (
        "FROM x\nENV A=0123456789\n" + "ENV A=$A$A$A$A$A$A$A$A$A$A\n" * 4 + "USER u",
        ["Dockerfile:6: ENV: its variables make more text than anybody means"],
        {"env": {"A": "0123456789" * 1000}, "user": "u"},
    ),
    "nothing": ("", ["Dockerfile: is not a Dockerfile: file with no instructions"], {}),
    "words": (
        "Hello, this is\nno Dockerfile",
        ["Dockerfile:1: is not a Dockerfile: an instruction that Docker does not know"],
        {},
    ),
    "no FROM": ("USER u", ["Dockerfile:1: is not a Dockerfile: USER stands before FROM"], {}),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES, ids=str)
def test_a_mistake_is_told_with_its_line_and_costs_nothing_else(case: str) -> None:
    text, warnings, expected = MISTAKES[case]
    extraction = read(text)
    assert [str(problem) for problem in extraction.warnings][:3] == warnings
    assert told(extraction.facts) == expected


def test_the_message_of_a_mistake_quotes_nothing_of_the_file() -> None:
    for text in ("FROM x\nENV A=1 hunter2\n", "FROM x\nhunter2 a\n", "FROM x\nEXPOSE --hunter2 80\n", "hunter2\n"):
        assert "hunter2" not in " ".join(str(problem) for problem in read(text).warnings), text


def test_a_file_that_is_no_text_is_a_warning() -> None:
    component = Component("app", dockerfile="Dockerfile")
    extraction = extractor.extract(MemoryCodebase({"Dockerfile": None}), component)
    assert [str(problem) for problem in extraction.warnings] == ["Dockerfile: cannot be read as text"]


@pytest.mark.parametrize("text", ["FROM x\nCMD \ud800\n", "FROM \udfff", "\ud83d\0\ud83d"], ids=["cmd", "from", "all"])
def test_half_a_character_pair_does_not_end_the_process(text: str) -> None:
    """The parser is a library in Go: what it cannot take ends everything, and no `except` helps."""
    read(text)


def test_nothing_is_hidden_behind_a_zero_byte() -> None:
    assert told(read("FROM x\n#\0\nUSER u\n").facts) == {"user": "u"}

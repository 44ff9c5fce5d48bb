"""The command line: arguments in, an exit code out.

Only the parser is imported here; what a command needs is imported when it runs, so that `version` and `graph` start at
once. Results go to standard output and everything else to standard error. Exit codes: 0 done, 1 failed, 2 usage or
settings, 3 differences found, 130 interrupted.
"""

from __future__ import annotations

import argparse
import difflib
import errno
import importlib
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, cast

from desired.errors import InvalidDesired, OperatorError, Unavailable, UsageError
from nomad_operator.cli_prompts import add_prompts

_INTERRUPTED = 130
_PIPE_CLOSED = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Never raises: whatever goes wrong is one line, a hint, and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character must not end a command.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    try:
        arguments = parser().parse_args(argv)
        code = _command(arguments.command)(arguments)
        sys.stdout.flush()
    except OperatorError as error:
        tell(error)
        return error.exit_code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read has enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    except FileNotFoundError as error:
        if _has_a_folder():
            _tell_bug(error)
            return 1
        gone = UsageError("the current folder is not there any more", hint="change to one that is (`cd`)")
        tell(gone)
        return gone.exit_code
    except OSError as error:
        if not _stdout_is_full(error):
            _tell_bug(error)
            return 1
        full = Unavailable(f"standard output cannot be written: {error.strerror}", hint="what was printed is not whole")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        tell(full)
        return full.exit_code
    except Exception as error:  # no traceback ever reaches a user who did not ask for it
        _tell_bug(error)
        return 1
    return code


def tell(error: OperatorError) -> None:
    """One line a problem, then the hint."""
    if isinstance(error, InvalidDesired):
        problems = [str(problem) for problem in error.problems]
    elif isinstance(error, UsageError):
        problems = error.message.splitlines()
    else:
        problems = [" ".join(error.message.split())]
    for problem in problems:
        # It may quote a file, an argument or a server.
        print(f"error: {problem if problem.isprintable() else ascii(problem)[1:-1]}", file=sys.stderr)
    if error.hint:
        print(f"hint: {' '.join(error.hint.split())}", file=sys.stderr)


def _stdout_is_full(error: OSError) -> bool:
    """Whoever redirects to a full disk is told that, and not that this is a bug."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO) or error.filename is not None:
        return False
    try:
        # What was refused may not be in the buffer any more.
        os.write(sys.stdout.fileno(), b"\n")
    except OSError:
        return True
    return False


def _has_a_folder() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return False
    return True


def _tell_bug(error: Exception) -> None:
    # The text of an error that nobody expected may hold anything, secrets too.
    place = traceback.extract_tb(error.__traceback__)[-1]
    print(f"error: this is a bug of nomad-operator: {type(error).__name__} in {place.name}", file=sys.stderr)
    if os.environ.get("NOMAD_OPERATOR_LOG_LEVEL", "").lower() == "debug":
        traceback.print_exception(error, file=sys.stderr)
        print("hint: please report it with the traceback above", file=sys.stderr)
    else:
        print("hint: NOMAD_OPERATOR_LOG_LEVEL=debug shows the traceback; please report it", file=sys.stderr)


def _command(name: str) -> Callable[[argparse.Namespace], int]:
    module, _, function = name.partition(":")
    return cast(
        Callable[[argparse.Namespace], int],
        getattr(importlib.import_module(f"nomad_operator.commands.{module}"), function),
    )


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and what was probably meant."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """A command tells itself what it does not know: the top would name its own options."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown and " " in self.prog:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        choice = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
        if choice:
            choices = [word.strip(" '") for word in choice[2].split(",")]
            near = difflib.get_close_matches(choice[1], choices, n=1)
            message = f"{choice[1]!r} is not one of {', '.join(choices)}"
            message += f"; did you mean {near[0]}?" if near else ""
        unknown = re.fullmatch(r"unrecognized arguments: (--?[\w-]+).*", message)
        if unknown:
            options = [name for action in self._actions for name in action.option_strings]
            near = difflib.get_close_matches(unknown[1], options, n=1)
            message += f"; did you mean {near[0]}?" if near else ""
        raise UsageError(message, hint=f"`{self.prog} --help` shows what it takes")


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    about = "Keeps Nomad jobs as a git repository says: commit an app, get a healthy job."
    top = _Parser(prog="nomad-operator", description=about)
    top.add_argument("--version", action="store_const", const="info:version", dest="command", help="as the command")
    top.set_defaults(json=False)
    commands = top.add_subparsers(metavar="COMMAND", parser_class=_Parser)

    def add(name: str, target: str, meaning: str, *, json: bool = False) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=meaning, description=meaning[0].upper() + meaning[1:] + ".")
        made.set_defaults(command=target)
        if json:
            made.add_argument("--json", action="store_true", help="print JSON")
        return made

    def app_argument(made: argparse.ArgumentParser, *, count: str | None = None) -> None:
        made.add_argument("app", metavar="APP", nargs=count, help="namespace/name, or name")

    add("run", "loop:run", "the daemon, until it is told to stop")
    once = add("once", "loop:once", "one full pass over everything; ends when every app is settled", json=True)
    once.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="give up after this long")
    plan = add("plan", "plan:plan", "what the next pass would do; changes nothing", json=True)
    plan.add_argument("app", metavar="APP", nargs="*", help="namespace/name, or name; all apps if none is named")
    where = plan.add_mutually_exclusive_group()
    where.add_argument("--ref", help="another branch, tag or commit")
    where.add_argument("--path", metavar="DIR", help="a folder instead of the repository")

    app_argument(add("status", "apps:status", "every app, or one in detail", json=True), count="?")
    app_argument(add("explain", "repairs:explain", "why an app failed, what was tried, and how it ended", json=True))
    repairs = add("repairs", "repairs:repairs", "repairs: what waits for you, and the kill switch", json=True)
    repairs.add_argument("action", metavar="ACTION", choices=_REPAIRS, help=", ".join(_REPAIRS))
    repairs.add_argument("app", metavar="APP", nargs="?", help="for approve, reject and revert")
    repairs.add_argument("--proposal", metavar="HASH", default="", help="approve: only if this is what waits")
    repairs.add_argument("--rollback", action="store_true", help="stop: put back what is being tried")
    memory = add("memory", "memory:memory", "what was learned from repairs, and forgetting some of it", json=True)
    memory.add_argument("action", metavar="ACTION", choices=_MEMORY, help=", ".join(_MEMORY))
    memory.add_argument("key", metavar="KEY", nargs="*", help="for show and forget; `memory list` has them")
    memory.add_argument("--all", action="store_true", help="forget: everything of this cluster")
    for verb, meaning in _VERBS.items():
        made = add(verb, "apps:command", meaning, json=True)
        made.set_defaults(verb=verb)
        app_argument(made)
    prune = add("prune", "apps:prune", "what would be stopped because its file is gone", json=True)
    prune.add_argument("--confirm", action="store_true", help="stop it, however much it is")

    analyze = add(
        "analyze", "analyze:command", "what a codebase says about its app, each value with its source", json=True
    )
    analyze.add_argument("path", metavar="PATH", help="a folder, or the URL of a git repository")
    _of_code(analyze)
    analyze.add_argument("--model", action="store_true", help="let the model that is set fill gaps, each with its line")
    init = add(
        "init", "init:init", "from a folder of code to a manifest, asking what the code does not tell", json=True
    )
    init.add_argument(
        "path", metavar="PATH", nargs="?", default=".", help="a folder (default: this one), or a URL of git"
    )
    init.add_argument("--output", metavar="FILE", help="instead of apps/NAME.yaml; a folder for several apps, - prints")
    init.add_argument("--app", metavar="NAME", help="this one of several")
    _about_code(init)
    init.add_argument("--no-questions", action="store_true", help="take what is suggested, list what stays open")
    init.add_argument("--force", action="store_true", help="with --no-questions: replace files that are there")
    init.add_argument("--no-model", action="store_true", help="do not ask the model, although one is set")
    init.add_argument("--skip-infra-check", action="store_true", help="do not ask Vault, Consul and Nomad for names")
    generate = add("generate", "generate:generate", "the job that a codebase, a manifest or a job file means")
    generate.add_argument("path", metavar="PATH", help="a folder or URL of code, a manifest or a job file")
    generate.add_argument("--format", choices=["hcl", "json"], default="hcl")
    generate.add_argument("--output", metavar="FILE", help="instead of standard output; a folder for several apps")
    generate.add_argument("--app", metavar="NAME", help="this one of several")
    _about_code(generate)
    validate = add("validate", "validate:validate", "check files before deploying them", json=True)
    validate.add_argument("paths", metavar="PATH", nargs="+", help="a file or a folder")
    validate.add_argument(
        "--policy", metavar="FILE", action="append", default=[], type=Path, help="a file of rules that hold as well"
    )
    validate.add_argument("--server", action="store_true", help="ask Nomad too: its parser, validation and warnings")
    add("doctor", "doctor:doctor", "every service: reachable or not, and what to do about it", json=True)
    prompts = add("prompts", "prompts:listed", "the prompts' life: files, Langfuse, labels", json=True)
    add_prompts(prompts, _Parser)
    graph = add("graph", "info:graph", "the reconcile state machine")
    graph.add_argument("--format", choices=["text", "mermaid"], default="text")
    settings = add("settings", "settings:settings", "every setting, its value and where it came from", json=True)
    settings.add_argument("--defaults", action="store_true", help="the defaults, whatever is set")
    demo = add("demo", "loop:demo", "the whole story in about a minute")
    demo.add_argument("--nomad", metavar="ADDRESS", help="a real Nomad instead of the embedded one")
    demo.add_argument("--stay", action="store_true", help="keep it running at the end, with its page, until Ctrl-C")
    demo.add_argument("--port", type=_port, default=0, help="port of its page (default: a free one)")
    demo.add_argument("--image", default="busybox:1", help="image with sh and httpd, for --nomad (default: busybox:1)")
    embedded = add("embedded", "loop:embedded", "serve the embedded Nomad alone, for trying and testing")
    embedded.add_argument("--world", metavar="FILE", help="what nodes, images and secrets there are")
    embedded.add_argument("--listen", metavar="HOST:PORT", default="127.0.0.1:4646")
    add("version", "info:version", "version, Python, and the Nomad versions supported", json=True)

    top.set_defaults(command="info:usage")
    return top


def _of_code(made: argparse.ArgumentParser) -> None:
    """Which code it is."""
    made.add_argument("--ref", help="of a URL: branch, tag or commit (default: its default branch)")
    made.add_argument("--dockerfile", metavar="FILE", help="go by this one, below PATH")


def _about_code(made: argparse.ArgumentParser) -> None:
    """What can be said about a codebase, beside what it says itself."""
    _of_code(made)
    made.add_argument("--prompt", metavar="TEXT", default="", help="what you want, in your words")
    made.add_argument("--answers", metavar="FILE", help="answers: lines of `id = answer`; - for standard input")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:6]) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


_REPAIRS = ("list", "approve", "reject", "revert", "stop", "start")
_MEMORY = ("list", "show", "forget")
_VERBS = {
    "reconcile": "look at an app now, and try again what failed",
    "suspend": "leave an app alone",
    "resume": "go on with a suspended app",
    "adopt": "take over a job that was there before",
}

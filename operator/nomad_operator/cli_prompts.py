"""The arguments of `prompts`: one parser for each thing that can be done with a prompt."""

from __future__ import annotations

import argparse


def add_prompts(prompts: argparse.ArgumentParser, parser_class: type[argparse.ArgumentParser]) -> None:
    """Put them below the parser of `prompts`; without an action it is `list`."""
    prompts.set_defaults(command="prompts:listed")
    actions = prompts.add_subparsers(metavar="ACTION", parser_class=parser_class)

    def add(name: str, target: str, meaning: str) -> argparse.ArgumentParser:
        made = actions.add_parser(name, help=meaning, description=meaning[0].upper() + meaning[1:] + ".")
        made.set_defaults(command=target)
        made.add_argument("--json", action="store_true", help="print JSON")
        return made

    add("list", "prompts:listed", "every prompt: its file, and what Langfuse has under which label")
    show = add("show", "prompts:show", "one prompt, as it would be asked with, or by label or version")
    show.add_argument("name", metavar="NAME")
    _which(show)
    show.add_argument("--file", action="store_true", help="the file, whatever Langfuse has")
    push = add("push", "prompts_moved:push", "a file as a new version in Langfuse, where it differs from the newest")
    _names(push)
    push.add_argument("--label", metavar="LABEL", action="append", default=[], help="give it this label at once")
    push.add_argument("--message", metavar="TEXT", default="", help="why, for those who read the versions")
    _asking(push)
    pull = add("pull", "prompts_moved:pull", "what Langfuse has, as files")
    _names(pull)
    _which(pull)
    pull.add_argument("--output", metavar="DIR", help="where to (default: the folder of NOMAD_OPERATOR_PROMPTS_PATH)")
    _asking(pull)
    promote = add("promote", "prompts_moved:promote", "another version under the label that is asked with")
    promote.add_argument("name", metavar="NAME")
    _which(promote, needed=True)
    promote.add_argument("--to", metavar="LABEL", help="default: the label of NOMAD_OPERATOR_PROMPT_LABEL")
    _asking(promote)
    export = add("export", "prompts_exported:export", "what was asked and answered, from Langfuse's traces, as a file")
    _names(export)
    export.add_argument("--output", metavar="FILE", default="-", help="lines of JSON (default: standard output)")
    export.add_argument("--days", type=_days, default=30, metavar="N", help="of the last N days (default: 30)")


def _names(made: argparse.ArgumentParser) -> None:
    made.add_argument("names", metavar="NAME", nargs="*", help="these prompts (default: all)")


def _which(made: argparse.ArgumentParser, *, needed: bool = False) -> None:
    which = made.add_mutually_exclusive_group(required=needed)
    which.add_argument("--label", metavar="LABEL", help="the version with this label")
    which.add_argument("--version", metavar="N", type=_version, help="this version")


def _asking(made: argparse.ArgumentParser) -> None:
    made.add_argument("--yes", action="store_true", help="do not ask before something is replaced")


def _version(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) < 10**9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of a version")
    return int(text)


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 3650:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days from 1 to 3650")
    return int(text)

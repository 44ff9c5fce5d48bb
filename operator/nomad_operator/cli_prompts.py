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
    _which(promote, needed=True).add_argument(
        "--file", metavar="FILE", help="without Langfuse: this file, into the folder of NOMAD_OPERATOR_PROMPTS_PATH"
    )
    promote.add_argument("--to", metavar="LABEL", help="default: the label of NOMAD_OPERATOR_PROMPT_LABEL")
    _asking(promote)
    export = add("export", "prompts_exported:export", "what was asked and answered, from Langfuse's traces, as a file")
    _names(export)
    export.add_argument("--output", metavar="FILE", default="-", help="lines of JSON (default: standard output)")
    export.add_argument("--days", type=_days, default=30, metavar="N", help="of the last N days (default: 30)")
    _optimize(add("optimize", "prompts_optimized:optimize", "a better version of a prompt, made by DSPy and measured"))


def _optimize(made: argparse.ArgumentParser) -> None:
    made.add_argument("name", metavar="NAME")
    made.add_argument("--optimizer", choices=["BootstrapFewShot", "MIPROv2"], default="BootstrapFewShot")
    made.add_argument("--data", metavar="FILE", help="of `prompts export`: durable repairs in it may be examples")
    made.add_argument("--corpus", metavar="DIR", help="measure with this folder's cases (default: the operator's)")
    made.add_argument("--held-out", type=_share, default=0.5, metavar="SHARE", help="of the cases (default: 0.5)")
    made.add_argument(
        "--examples", type=_few, default=3, metavar="N", help="examples in a prompt, at most (default: 3)"
    )
    made.add_argument("--candidates", type=_few, default=4, metavar="N", help="MIPROv2: sets of examples (default: 4)")
    made.add_argument("--trials", type=_few, default=8, metavar="N", help="MIPROv2: prompts it tries (default: 8)")
    made.add_argument("--seed", type=_version, default=1, metavar="N", help="MIPROv2: of its luck (default: 1)")
    made.add_argument(
        "--budget-tokens", type=_tokens, default=1_000_000, metavar="N", help="the whole run's (default: 1000000)"
    )
    made.add_argument("--output", metavar="DIR", default="optimized", help="for all files (default: optimized)")
    _asking(made)


def _names(made: argparse.ArgumentParser) -> None:
    made.add_argument("names", metavar="NAME", nargs="*", help="these prompts (default: all)")


def _which(made: argparse.ArgumentParser, *, needed: bool = False) -> argparse._MutuallyExclusiveGroup:
    which = made.add_mutually_exclusive_group(required=needed)
    which.add_argument("--label", metavar="LABEL", help="the version with this label")
    which.add_argument("--version", metavar="N", type=_version, help="this version")
    return which


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


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share between 0 and 1")
    return share


def _few(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 50:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 50")
    return int(text)


def _tokens(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10**12:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of tokens")
    return int(text)

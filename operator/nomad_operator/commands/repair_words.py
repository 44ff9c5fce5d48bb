"""Repairs as people read them: a list of what waits, and the report of one failure. Pure: answers in, lines out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nomad_operator.commands.app_list import age
from nomad_operator.commands.table import Style, bold, columns, faint, plain

WHO = {
    "spec": "the job itself",
    "cluster": "whoever runs the cluster",
    "external": "whoever runs what it depends on",
    "time": "nobody: it is expected to pass",
    "none": "nobody: it is no failure of the job",
    "unknown": "not known",
}
STATES = {
    "waiting": "waits for your approval",
    "open": "in force, being verified",
    "verified": "it stayed healthy",
    "failed": "it did not help",
    "guarded": "turned down by the guard",
    "rejected": "turned down",
}
CHOICES = {
    True: "several things may help, and nothing says which; choose one",
    False: "what may help, if it is what you want",
}
OUTCOMES = {
    "repaired": "repaired, and verified healthy",
    "healed": "it became healthy by itself",
    "rolled_back": "not repaired; the last good version is in force",
    "exhausted": "not repaired; the job is as it was written, for there is no good version to go back to",
    "superseded": "something else was committed before it ended",
    "stopped": "stopped by the kill switch, and put back",
    "rejected": "a person decided against a repair",
    "not_ours": "nothing in the job can mend it",
}


def listed(answer: Mapping[str, Any], now: datetime, style: Style) -> list[str]:
    """`answer` is that of `/api/v1/repairs`."""
    lines = [f"repairs are {answer.get('repairs', '?')}"]
    apps = answer.get("apps", [])
    waiting = [(app, app["episode"]["waiting"]) for app in apps if (app.get("episode") or {}).get("waiting")]
    if waiting:
        rows = [(app["key"], one["proposal"], age(one["since"], now), _lines(one)) for app, one in waiting]
        lines += ["", *columns(("WAITS FOR YOU", "PROPOSAL", "AGE", "CHANGE"), rows, style)]
    ours = [app for app in apps if app.get("episode") and not app["episode"].get("waiting")]
    for head, some in (("UNDER REPAIR", True), ("NOT TRIED YET", False)):
        found = [app for app in ours if bool(app["episode"]["attempt"]) is some]
        if found:
            rows = [(app["key"], app["episode"]["class"], str(app["episode"]["attempt"]), app["episode"]["message"])
                    for app in found]  # fmt: skip
            lines += ["", *columns((head, "FAILURE", "ATTEMPT", "MESSAGE"), rows, style)]
    kept = [(app, one) for app in apps for one in app.get("overlay", [])]
    if kept:
        rows = [(app["key"], age(one["verifiedAt"], now), one["rung"], one["line"]) for app, one in kept]
        lines += ["", *columns(("DIFFERS FROM GIT", "FOR", "RUNG", "CHANGE"), rows, style)]
    if len(lines) == 1:
        lines.append("nothing waits, nothing is being repaired, and nothing differs from git by a repair")
    return lines


def report(answer: Mapping[str, Any], now: datetime, style: Style) -> list[str]:
    """`answer` is that of `/api/v1/explain`: what failed, why, what was tried, how it ended, who must act."""
    episode = answer.get("episode")
    if episode is None and (now_wrong := answer.get("now")):
        return [*_now(answer["key"], now_wrong, style), *_plainly(answer, style), *_overlay(answer)]
    if episode is None:
        return [f"{plain(answer['key'])}: nothing has failed since this operator knows it", *_overlay(answer)]
    lines = [bold(f"{plain(answer['key'])}: {episode['class']}", style), f"  {plain(episode['message'])}", ""]
    lines += [f"  {name:<9} {value}" for name, value in _facts(episode, now) if value]
    lines += _plainly(answer, style)
    if episode["evidence"]:
        lines += ["", bold("evidence", style), *(f"  {plain(line)}" for line in episode["evidence"])]
    for one in episode["tries"]:
        lines += ["", bold(f"attempt {one['number']}: {_state(one)}", style), *_try(one, episode, style)]
    if episode["choices"]:
        lines += ["", bold(CHOICES[len(episode["choices"]) > 1], style)]
        lines += [f"  - {plain(choice)}" for choice in episode["choices"]]
    lines += ["", *_ending(answer, episode, style)]
    if (now_wrong := answer.get("now")) and now_wrong["class"] != episode["class"]:
        lines += ["", bold("since then", style), f"  {plain(now_wrong['class'])}: {plain(now_wrong['message'])}"]
    return [*lines, *_overlay(answer), *_written_back(answer, style)]


def _plainly(answer: Mapping[str, Any], style: Style) -> list[str]:
    """Whose words they are is said before them: nobody has checked them."""
    said = answer.get("plainly")
    return ["", bold("in plain words, by the model", style), f"  {plain(said['text'])}"] if said else []


def _now(key: str, found: Mapping[str, Any], style: Style) -> list[str]:
    """What is seen while it is still being verified: it may pass, and nothing is done about it yet."""
    return [
        bold(f"{plain(key)}: {found['class']}", style),
        f"  {plain(found['message'])}",
        "",
        f"  {'who':<9} {WHO.get(found['cause'], found['cause'])}",
        f"  {'advice':<9} {plain(found['hint'])}",
        "",
        "it is still being watched: nothing is done about it yet",
    ]


def _state(one: Mapping[str, Any]) -> str:
    return "chosen, and nothing is written for it yet" if one.get("pending") else STATES[one["state"]]


def _facts(episode: Mapping[str, Any], now: datetime) -> list[tuple[str, str]]:
    where = ", ".join(f"{name} {plain(value)}" for name, value in episode["where"].items())
    started, ended = episode["failingSince"], episode.get("endedAt")
    return [
        ("where", where),
        ("since", f"{started} ({age(started, now)} ago)"),
        ("until", f"{ended} ({age(ended, now)} ago)" if ended else "it is still open"),
        ("who", f"{WHO.get(episode['cause'], episode['cause'])} must change" if episode["cause"] == "spec"
         else f"{WHO.get(episode['cause'], episode['cause'])}"),
        ("advice", plain(episode["hint"])),
    ]  # fmt: skip


def _try(one: Mapping[str, Any], episode: Mapping[str, Any], style: Style) -> list[str]:
    lines = [f"  {plain(operation['line'])}" for operation in one["operations"]]
    whose = f"({one['rung']}: {one['source']})"
    lines.append(f"  because {plain(one['reason'])} {faint(whose, style)}")
    if one["class"] != episode["class"]:
        lines.append(f"  for the failure {one['class']}")
    if one["told"]:
        lines.append(f"  {plain(one['told'])}")
    return lines


def _ending(answer: Mapping[str, Any], episode: Mapping[str, Any], style: Style) -> list[str]:
    if answer["open"]:
        if episode.get("waiting"):
            proposal = episode["waiting"]["proposal"]
            command = f"nomad-operator repairs approve {answer['key']} --proposal {proposal}"
            return [bold("it waits for you", style), f"  {command}", f"  nomad-operator repairs reject {answer['key']}"]
        return [bold("it is being worked on", style)]
    lines = [bold("outcome", style), f"  {OUTCOMES.get(episode['outcome'], episode['outcome'])}"]
    if episode.get("told"):
        lines.append(f"  {plain(episode['told'])}")
    if episode["outcome"] == "repaired" and episode.get("durable") is not None:
        lines.append("  it held for half an hour" if episode["durable"] else "  it did not last")
    return lines


def _overlay(answer: Mapping[str, Any]) -> list[str]:
    kept = answer.get("overlay", [])
    if not kept:
        return []
    lines = ["", "git and cluster differ by these repairs; commit them, or take them back:"]
    for one in kept:
        lines.append(f"  {plain(one['line'])}")
        if one.get("written"):
            lines.append(f"    {plain(one['written'])}")
    return lines


def _written_back(answer: Mapping[str, Any], style: Style) -> list[str]:
    state = answer.get("writeBack")
    if not state:
        return []
    lines = ["", bold("in git", style)]
    if state["commit"]:
        lines.append(f"  commit {plain(state['commit'][:12])} on {plain(state['branch'])}")
    if state["told"]:
        lines.append(f"  {plain(state['told'])}")
    return lines + [f"  {plain(line)}" for line in state["patch"].splitlines()]


def _lines(one: Mapping[str, Any]) -> str:
    return "; ".join(operation["line"] for operation in one["operations"])

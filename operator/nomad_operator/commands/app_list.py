"""All apps, and those nobody wants any more, as tables. Pure: the daemon's answer in, lines out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nomad_operator.commands.table import Style, columns, plain

_HEADER = ("APP", "READY", "REASON", "AGE", "VERSION", "MESSAGE")
# Steps of apps that no file asks for any more.
_NOT_WANTED = frozenset({"Withdrawn", "PruneHeld", "Pruning", "Pruned"})
# Who is away, where the status says so, and what that means for the rest.
_SERVICES = (
    ("git", "source", "the last good revision stays in force"),
    ("state", "state", "nothing is changed that could not be remembered"),
    ("nomad", "nomad", "what stands here is what was seen last"),
)


def overview(answer: Mapping[str, Any], now: datetime, style: Style) -> list[str]:
    """`answer` is the documented status."""
    apps = answer.get("apps", [])
    lines = [_heading(answer, apps)]
    operator = answer.get("operator", {})
    for service, field, meanwhile in _SERVICES:
        if operator.get(f"{field}Problem"):
            lines.append(f"{service}: {plain(operator[f'{field}Problem'])} ({meanwhile})")
            if operator.get(f"{field}Hint"):
                lines.append(f"  hint: {plain(operator[f'{field}Hint'])}")
    if apps:
        lines += ["", *columns(_HEADER, [_row(app, now) for app in apps], style)]
    sources = answer.get("sources", [])
    if sources:
        lines += ["", "files with problems:"]
        lines += [f"  {plain(one['path'])}: {plain(one['problem'])}" for one in sources]
    return lines


def withdrawn(answer: Mapping[str, Any], now: datetime, style: Style) -> list[str]:
    """`answer` holds `apps` and `held`: why none of them is stopped now."""
    apps = answer.get("apps", [])
    if not apps:
        return ["nothing is withdrawn"]
    rows = [(app["key"], age(app.get("withdrawnSince"), now), _pruned(app), app.get("message", "")) for app in apps]
    lines = columns(("APP", "WITHDRAWN", "STOPPED", "MESSAGE"), rows, style)
    if answer.get("held"):
        lines += ["", f"held: {plain(answer['held'])}"]
    return lines


def age(since: str | None, now: datetime) -> str:
    """How long ago, in the one or two units that matter: 42s, 17m, 5h, 3d."""
    if not since:
        return "-"
    try:
        seconds = max(0, int((now - datetime.fromisoformat(since)).total_seconds()))
    except (ValueError, TypeError):
        return "-"
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def since_ready(app: Mapping[str, Any]) -> str | None:
    """When the app last became ready, or stopped being ready."""
    ready = [one for one in app.get("conditions", []) if one.get("type") == "Ready"]
    return ready[0].get("lastTransitionTime") if ready else None


def version(app: Mapping[str, Any]) -> str:
    """The job's version; empty where there is no job."""
    job = app.get("job") or {}
    return str(job.get("version", "")) if job.get("modifyIndex") else ""


def _heading(answer: Mapping[str, Any], apps: list[Mapping[str, Any]]) -> str:
    operator = answer.get("operator", {})
    wanted = [app for app in apps if app.get("step") not in _NOT_WANTED]
    ready = sum(1 for app in wanted if app.get("ready") == "True")
    told = [f"{ready} of {len(wanted)} apps ready"]
    if len(wanted) < len(apps):
        told.append(f"{len(apps) - len(wanted)} withdrawn")
    if operator.get("revision"):
        told.append(f"revision {operator['revision'][:8]}")
    if operator.get("mode") == "observe":
        told.append("observes only, writes nothing")
    return " · ".join(plain(one) for one in told)


def _row(app: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    return (
        app.get("key", ""), app.get("ready", ""), app.get("reason", ""), age(since_ready(app), now),
        version(app) or "-", app.get("message", ""),
    )  # fmt: skip


def _pruned(app: Mapping[str, Any]) -> str:
    if not app.get("prune", True):
        return "never (prune: false)"
    if app.get("leftRunning"):
        return "never"
    if app.get("held"):
        return "held back (confirmed)" if app.get("confirmed") else "held back"
    return "confirmed" if app.get("confirmed") else "after the grace time"

"""One app in detail. Pure: the daemon's answer in, lines out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nomad_operator.commands.app_list import age, since_ready, version
from nomad_operator.commands.table import Style, added_or_removed, bold, columns, faint, plain, plain_lines, ready


def detail(app: Mapping[str, Any], now: datetime, style: Style) -> list[str]:
    """`app` is one entry of the documented status."""
    lines = [bold(plain(app.get("key", "")), style)]
    lines += [f"  {name:<9} {value}" for name, value in _facts(app, now, style) if value]
    flags = [one for one in app.get("conditions", []) if one.get("type") != "Ready"]
    if flags:
        rows = [(one["type"], one["reason"], age(one.get("lastTransitionTime"), now), one["message"]) for one in flags]
        lines += ["", *columns(("CONDITION", "REASON", "AGE", "MESSAGE"), rows, style)]
    if app.get("questions"):
        lines += ["", "questions that its manifest has to answer:"]
        lines += ["  " + plain(f"spec.{one['id']}: {one['question']}{_choices(one)}") for one in app["questions"]]
    if app.get("values"):
        values = [(one["id"], one["value"], _source(one)) for one in app["values"]]
        lines += ["", *columns(("VALUE", "IS", "FROM"), values, style)]
    if app.get("diff"):
        lines += ["", "differs from what is wanted by:"]
        lines += ["  " + added_or_removed(line, style) for line in plain_lines(app["diff"])]
    if app.get("failed"):
        lines += ["", "specs that failed:"]
        lines += [f"  {_failed(one, now)}" for one in app["failed"]]
    if app.get("transitions"):
        rows = [(age(one.get("at"), now), one["ready"], one["reason"], one["message"]) for one in app["transitions"]]
        lines += ["", *columns(("AGO", "READY", "REASON", "MESSAGE"), rows, style)]
    return lines


def _facts(app: Mapping[str, Any], now: datetime, style: Style) -> list[tuple[str, str]]:
    source, good = app.get("source") or {}, app.get("lastGood") or {}
    for_so_long = faint(f"for {age(since_ready(app), now)}", style)
    return [
        ("ready", f"{ready(plain(app.get('ready', '')), style)} {plain(app.get('reason', ''))} {for_so_long}"),
        ("message", plain(app.get("message", ""))),
        ("file", plain(source.get("path", ""))),
        ("revision", plain(source.get("revision", ""))),
        ("job", f"version {version(app)}" if version(app) else ""),
        ("last good", f"version {good['version']}, {age(good.get('verifiedAt'), now)} ago" if good else ""),
    ]


def _source(one: Mapping[str, Any]) -> str:
    return f"{one['source']} ({one['reason']})" if one.get("reason") else str(one["source"])


def _choices(one: Mapping[str, Any]) -> str:
    default = f"; {one['default']} if you do not mind" if one.get("default") else ""
    return f" ({', '.join(one['choices'])}{default})" if one.get("choices") else default


def _failed(one: Mapping[str, Any], now: datetime) -> str:
    again = f", tried again at {one['retryAt']}" if one.get("retryAt") else ""
    return plain(f"{one['specHash'][:8]} {age(one.get('at'), now)} ago: {one['reason']}: {one['message']}{again}")

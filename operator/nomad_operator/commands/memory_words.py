"""What is remembered as people read it. Pure: answers in, lines out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from nomad_operator.commands.app_list import age
from nomad_operator.commands.table import Style, bold, columns, plain

_OUTCOMES = {
    "verified": "it stayed healthy for the soak time",
    "durable": "it held for half an hour",
    "failed": "it did not help",
    "undone": "something failed again within half an hour",
    "reverted": "a person took it back",
    "rejected": "a person turned it down",
    "guarded": "the guard did not let it through",
}


def listed(answer: Mapping[str, Any], now: datetime, style: Style) -> list[str]:
    """`answer` is that of `/api/v1/memory`."""
    memories = answer["memories"]
    counts = Counter(one["outcome"] for one in memories)
    told = ", ".join(f"{name} {counts[name]}" for name in _OUTCOMES if counts[name])
    head = f"cluster {answer['cluster']}, kept in {answer['kept']}: {len(memories)}{f' ({told})' if told else ''}"
    rows = [
        (one["key"], age(one["at"], now), one["class"], one["outcome"], one["app"], one["repair"]) for one in memories
    ]
    lines = [plain(head)]
    if rows:
        lines += ["", *columns(("KEY", "AGE", "FAILURE", "OUTCOME", "APP", "REPAIR"), rows, style)]
    # A daemon of before knows of none.
    apps = [(one["key"], age(one["at"], now), one["app"], _kind(one)) for one in answer.get("apps", ())]
    if apps:
        lines += ["", "apps that run healthy:", *columns(("KEY", "AGE", "APP", "IS"), apps, style)]
    return lines


def _kind(app: Mapping[str, Any]) -> str:
    words = dict(one.split(" ", 1) for one in reversed(app["about"]) if " " in one)
    return " ".join(words[name] for name in ("language", "framework", "type") if name in words)


def app_detail(apps: Sequence[Mapping[str, Any]], now: datetime, style: Style) -> list[str]:
    lines: list[str] = []
    for one in apps:
        said = [(told["id"], told["answer"], told["by"]) for told in one["said"]]
        lines += [
            *([""] if lines else []),
            bold(plain(f"{one['app']}, healthy {age(one['at'], now)} ago"), style),
            f"  is         {plain(', '.join(one['about']))}",
            f"  key        {plain(one['key'])}",
            *(f"  {line}" for line in columns(("VALUE", "IS", "FROM"), said, style)),
        ]
    return lines


def detail(memories: Sequence[Mapping[str, Any]], now: datetime, style: Style) -> list[str]:
    lines: list[str] = []
    for one in memories:
        outcome = _OUTCOMES.get(one["outcome"], one["outcome"])
        lines += [
            *([""] if lines else []),
            bold(plain(f"{one['class']} of {one['app']}, {age(one['at'], now)} ago"), style),
            f"  outcome    {plain(outcome)}{', approved by a person' if one['approved'] else ''}",
            *(f"  repair     {plain(step['line'])}" for step in one["steps"]),
            f"  found by   {plain(one['rung'])}: {plain(one['source'])}",
            f"  like       {plain(one['text'])}",
            f"  key        {plain(one['key'])}, signature {plain(one['signature'])}",
            f"  written    by {plain(one['version']) or '?'}, on Nomad {plain(one['nomadVersion']) or '?'}",
        ]
    return lines

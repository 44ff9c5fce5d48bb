"""What an app waits for: the apps it names in `dependsOn`, and circles among them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from desired.app import AppKey
from desired.state import DesiredApp


def unready(
    app: DesiredApp, wanted: Mapping[AppKey, DesiredApp], ready: Callable[[AppKey], tuple[bool, str]]
) -> dict[AppKey, str]:
    """The dependencies that are not ready, and why; `ready` says it of an app that somebody wants."""
    found = {}
    for key in app.policy.depends_on:
        if key not in wanted:
            found[key] = "no file asks for it"
            continue
        is_ready, why = ready(key)
        if not is_ready:
            found[key] = why
    return found


def circle(key: AppKey, depends_on: Callable[[AppKey], Iterable[AppKey]]) -> tuple[AppKey, ...]:
    """The circle that starts and ends at `key`; empty if there is none. Shortest first."""
    paths: list[tuple[AppKey, ...]] = [(key,)]
    seen: set[AppKey] = set()
    while paths:
        path = paths.pop(0)
        for follower in depends_on(path[-1]):
            if follower == key:
                return (*path, key)
            if follower not in seen:
                seen.add(follower)
                paths.append((*path, follower))
    return ()

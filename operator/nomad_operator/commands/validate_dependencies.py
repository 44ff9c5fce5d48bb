"""What files say of each other in `dependsOn`, as far as it can be known without a server. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from desired.app import AppKey
from desired.problem import Problem
from desired.state import DesiredApp, DesiredState
from reconcilers.dependencies import circle


def circles(state: DesiredState, apps: Iterable[DesiredApp]) -> list[Problem]:
    """Apps that wait for themselves: none of them is ever deployed."""
    found = []
    for app in apps:
        if path := circle(app.key, lambda key: _depends_on(state, key)):
            told = " → ".join(str(key) for key in path)
            message = f"dependsOn goes in a circle: {told}"
            hint = "none of them is deployed; leave out one dependency"
            found.append(Problem(app.path, app.line, 0, message, hint, rule="depends-on"))
    return found


def strangers(state: DesiredState, apps: Iterable[DesiredApp]) -> list[Problem]:
    """Dependencies that no file asks for. They may be in a part of the repository that was not looked at."""
    known = _spoken_of(state)
    return [
        Problem(
            app.path,
            app.line,
            0,
            f"dependsOn: no file here asks for {key}, and the app waits until one does",
            rule="depends-on",
        )
        for app in apps
        for key in app.policy.depends_on
        if key not in known
    ]


def _depends_on(state: DesiredState, key: AppKey) -> tuple[AppKey, ...]:
    app = state.apps.get(key)
    return app.policy.depends_on if app is not None else ()


def _spoken_of(state: DesiredState) -> Collection[AppKey]:
    broken = {file.key for file in state.unreadable if file.key is not None}
    return state.apps.keys() | state.conflicts.keys() | broken

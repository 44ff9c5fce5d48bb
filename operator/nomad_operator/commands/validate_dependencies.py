"""What files say of each other, in `dependsOn` and as services, as far as it can be known without a server. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from desired.app import AppKey
from desired.problem import Problem
from desired.state import DesiredApp, DesiredState, JsonSource
from reconcilers.dependencies import circle

_NOMAD_SERVICE = re.compile(r'\bnomadService(?:\s+\d+\s+\(env "NOMAD_ALLOC_ID"\))?\s+"([A-Za-z0-9-]+)"')


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


def unserved(state: DesiredState, apps: Iterable[DesiredApp]) -> list[Problem]:
    """Services that are asked for by the name of an app that offers none so. Who is in no file may offer them."""
    return [
        Problem(
            app.path,
            app.line,
            0,
            f"asks for the service {name}, and the app {other} offers none of that name",
            "what is made of a manifest has services where it has `ports`",
            rule="service",
        )
        for app in apps
        for name in sorted(_asked(app.source))
        if (other := AppKey(app.key.namespace, name)) in state.apps
        and name not in _offered(state.apps[other].source, default=name)
    ]


def _asked(source: object) -> set[str]:
    return {name for text in _templates(source) for name in _NOMAD_SERVICE.findall(text)}


def _templates(source: object) -> Iterator[str]:
    for task in (task for group in _groups(source) for task in group.get("Tasks") or ()):
        yield from (str(template.get("EmbeddedTmpl") or "") for template in task.get("Templates") or ())


def _offered(source: object, *, default: str) -> set[str]:
    """Of a job that is not read here, whatever is asked for."""
    if not isinstance(source, JsonSource):
        return {default}
    groups = [*_groups(source)]
    services = [one for group in groups for one in group.get("Services") or ()]
    services += [one for group in groups for task in group.get("Tasks") or () for one in task.get("Services") or ()]
    names = {str(one.get("Name")) for one in services}
    return names if not any("${" in name for name in names) else {default}


def _groups(source: object) -> Iterable[Mapping[str, Any]]:
    return (source.body.get("TaskGroups") or ()) if isinstance(source, JsonSource) else ()


def _depends_on(state: DesiredState, key: AppKey) -> tuple[AppKey, ...]:
    app = state.apps.get(key)
    return app.policy.depends_on if app is not None else ()


def _spoken_of(state: DesiredState) -> Collection[AppKey]:
    broken = {file.key for file in state.unreadable if file.key is not None}
    return state.apps.keys() | state.conflicts.keys() | broken

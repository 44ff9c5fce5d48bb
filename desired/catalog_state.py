"""From what became of every file to the state of a revision: who claims which app. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable

from desired.app import AppKey
from desired.state import DesiredApp, DesiredState, UnreadableFile


def state_of(revision: str, apps: Collection[DesiredApp], unreadable: Collection[UnreadableFile]) -> DesiredState:
    """An app that two files claim is in conflict, and neither is applied.

    A file that cannot be read claims what it speaks of as well: else a mistake in one file would hand its app over to
    another.
    """
    claims: defaultdict[AppKey, list[str]] = defaultdict(list)
    for app in apps:
        claims[app.key].append(app.path)
    for file in unreadable:
        if file.key is not None:
            claims[file.key].append(file.path)
    conflicts = {key: tuple(sorted(paths)) for key, paths in sorted(claims.items()) if len(paths) > 1}
    return DesiredState(
        revision,
        {app.key: app for app in sorted(apps, key=lambda app: app.key) if app.key not in conflicts},
        tuple(sorted(unreadable, key=lambda file: (file.path, str(file.key), file.problems))),
        conflicts,
    )


def with_keys_of_before(
    apps: Iterable[DesiredApp], unreadable: Iterable[UnreadableFile], before: Callable[[str], frozenset[AppKey]]
) -> list[UnreadableFile]:
    """The same files; those that do not say which app they are, once for each that they were when last read.

    `before` tells the apps of a path. What the readable part of a file still names is not taken for the broken part.
    """
    named: defaultdict[str, set[AppKey]] = defaultdict(set)
    nameless: defaultdict[str, list[UnreadableFile]] = defaultdict(list)
    told: list[UnreadableFile] = []
    for app in apps:
        named[app.path].add(app.key)
    for file in unreadable:
        if file.key is None:
            nameless[file.path].append(file)
        else:
            named[file.path].add(file.key)
            told.append(file)
    for path, files in nameless.items():
        problems = tuple(dict.fromkeys(problem for file in files for problem in file.problems))
        transient = all(file.transient for file in files)
        keys = sorted(before(path) - named[path])
        told += [UnreadableFile(path, problems, key, transient) for key in keys] or files
    return told

"""From what became of every file to the state of a revision: who claims which app. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable

from desired.admission.rule_set import RuleSet
from desired.app import AppKey
from desired.state import Claim, DesiredApp, DesiredState, UnreadableFile


def state_of(
    revision: str,
    apps: Collection[DesiredApp],
    unreadable: Collection[UnreadableFile],
    wrapped: Collection[str] = (),
    policies: Iterable[RuleSet] = (),
) -> DesiredState:
    """An app that two files claim is in conflict, and neither is applied.

    A file that cannot be read claims what it speaks of as well: else a mistake in one file would hand its app over to
    another.
    """
    found: defaultdict[AppKey, list[Claim]] = defaultdict(list)
    for app in apps:
        found[app.key].append(Claim(app.path, app.line))
    for file in unreadable:
        if file.key is not None:
            found[file.key].append(Claim(file.path, min((one.line for one in file.problems), default=0)))
    claims = {key: tuple(sorted(each)) for key, each in sorted(found.items()) if len(each) > 1}
    conflicts = {key: tuple(claim.path for claim in each) for key, each in claims.items()}
    return DesiredState(
        revision,
        {app.key: app for app in sorted(apps, key=lambda app: app.key) if app.key not in conflicts},
        tuple(sorted(unreadable, key=lambda file: (file.path, str(file.key), file.problems))),
        conflicts,
        claims,
        frozenset(wrapped),
        tuple(sorted(policies, key=lambda rules: (rules.path, rules.line))),
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

"""Every reading of a variable put together by its name, without what the platform sets itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from desired.facts.app_code.address_kinds import value_kind
from desired.facts.app_code.seen import EnvSeen
from desired.facts.fact import Fact
from desired.facts.facts import EnvUse
from desired.secret_literals import secret_by_name, secret_kind

_MOST = 400
# Set by the system, the container's runtime, Nomad, the language's own tools, a CI: nothing that an app is told.
_PLATFORM = re.compile(
    r"PATH|HOME|USER|LOGNAME|USERNAME|USERPROFILE|SHELL|PWD|OLDPWD|LANG|LANGUAGE|LC_\w+|TERM\w*|TZ|TMPDIR|TMP|TEMP"
    r"|HOSTNAME|DISPLAY|EDITOR|VISUAL|PAGER|COLUMNS|LINES|NO_COLOR|FORCE_COLOR|COLORTERM|SHLVL|INVOCATION_ID"
    r"|NOTIFY_SOCKET|XDG_\w+|APPDATA|LOCALAPPDATA|PROGRAMFILES|SYSTEMROOT|COMSPEC|WINDIR|OS|SSH_\w+|DBUS_\w+"
    r"|NOMAD_\w+|KUBERNETES_\w+|CI|GITHUB_(?:ACTIONS?|REF\w*|SHA|WORKFLOW|RUN_\w+|EVENT\w*|OUTPUT|WORKSPACE)"
    r"|GITLAB_CI|CI_\w+|TRAVIS\w*|JENKINS\w*|CIRCLECI|BUILDKITE\w*|TEAMCITY\w*|APPVEYOR|VERCEL\w*|NETLIFY\w*|DYNO"
    r"|PYTHON(?:PATH|HOME|UNBUFFERED|DONTWRITEBYTECODE|HASHSEED|WARNINGS|BREAKPOINT|ASYNCIODEBUG)|VIRTUAL_ENV|CONDA_\w+"
    r"|PYTEST_\w+|NODE_(?:PATH|OPTIONS|DEBUG|V8_COVERAGE)|NODE_APP_INSTANCE|JEST_WORKER_ID|VITEST\w*|npm_\w+"
    r"|GO(?:PATH|ROOT|OS|ARCH|MAXPROCS|GC|FLAGS|PROXY|DEBUG)|CGO_ENABLED|CARGO\w*|RUST_BACKTRACE|RUSTFLAGS|OUT_DIR"
    r"|JAVA_HOME|JAVA_OPTS|JAVA_TOOL_OPTIONS|MAVEN_\w+|GRADLE_\w+|GEM_\w+|BUNDLE_\w+|RUBYOPT|RUBYLIB|COMPOSER_\w+"
    r"|DOTNET_RUNNING_IN_CONTAINER|LD_\w+|WERKZEUG_RUN_MAIN|WERKZEUG_SERVER_FD|RUN_MAIN|NEXT_RUNTIME|NEXT_PHASE|ANALYZE"
    r"|CUDA_VISIBLE_DEVICES|LOCAL_RANK|RANK|WORLD_SIZE|MASTER_ADDR|MASTER_PORT|SPEC_OPTS|SPRING_PROFILES_ACTIVE"
)
# Which environment the app is in: read by everything, never what it fails without.
_MODES = re.compile(
    r"NODE_ENV|(?:RAILS|RACK|HANAMI|APP|MIX|FLASK|GO|GIN|PYTHON)_ENV|GIN_MODE|ENV|ENVIRONMENT"
    r"|ASPNETCORE_ENVIRONMENT|DOTNET_ENVIRONMENT|DJANGO_SETTINGS_MODULE|DEBUG|LOG_LEVEL|RUST_LOG|PORT|HOST"
)
_LONGEST_DEFAULT = 200


@dataclass(frozen=True, slots=True)
class Environment:
    """`uses` by name. `secrets` are those whose default in the code looks like a secret, with what it looks like.

    `kinds` are the services that a default's scheme names, by variable; `defaults` are numbers for ports, by variable.
    """

    uses: dict[str, Fact[EnvUse]]
    secrets: dict[str, Fact[str]]
    kinds: dict[str, str]


def environment(seen: Iterable[EnvSeen], *, extractor: str) -> Environment:
    """The variables in the order of their first reading; those that only an example file names come last."""
    grouped: dict[str, list[EnvSeen]] = {}
    for one in sorted(seen, key=lambda item: item.documented):
        if _PLATFORM.fullmatch(one.name) is None and (one.name in grouped or len(grouped) < _MOST):
            grouped.setdefault(one.name, []).append(one)
    found = Environment({}, {}, {})
    for name, readings in grouped.items():
        _add(found, name, readings, extractor)
    return found


def _add(found: Environment, name: str, readings: list[EnvSeen], extractor: str) -> None:
    first = readings[0]
    given = next((one for one in readings if one.default is not None), None)
    default = given.default if given is not None else None
    by_mode = _MODES.fullmatch(name) is not None and not any(one.shell for one in readings)
    required = any(one.required for one in readings) and not by_mode
    shown = default if default is None or len(default) <= _LONGEST_DEFAULT else ""
    if given is not None and default:
        kind = "a secret by its name" if secret_by_name(name, default) else secret_kind(default)
        if kind is not None:
            shown = ""
            found.secrets[name] = Fact(kind, extractor, given.confidence, given.place)
    # What people are told to set says more than what the code takes without.
    example = next((one.example for one in readings if one.example), "")
    service = value_kind(name, example) or (value_kind(name, default) if not example else None)
    if service is not None:
        found.kinds[name] = service
    strongest = next((one for one in readings if one.required), first) if required else first
    use = EnvUse(required, None if required and not any(one.fallback for one in readings) else shown)
    found.uses[name] = Fact(use, extractor, strongest.confidence, first.place, _reason(readings))


def _reason(readings: list[EnvSeen]) -> str:
    if not all(one.documented for one in readings):
        return ""
    example = next((one.example for one in readings if one.example), "")
    return f"documented, with `{example}` as the example" if example else "documented"

"""Django's health routes: `path("health/", …)` in the project's own urls, and in those that it includes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from desired.facts.app_code.ecosystem import Project
from desired.facts.app_code.health_paths import is_health, joined
from desired.facts.app_code.python_syntax import Module
from desired.facts.app_code.seen import HealthSeen


def read_urls(module: Module, project: Project) -> Iterator[HealthSeen]:
    """The health paths of the root urls, which stand beside the settings; others have a prefix from elsewhere."""
    if not module.source.path.endswith("urls.py") or not _is_root(module, project):
        return
    for node in module.nodes:
        if not (isinstance(node, ast.Call) and module.called(node.func).rpartition(".")[2] in ("path", "re_path")):
            continue
        route = module.text(node.args[0]) if node.args else None
        if route is None:
            continue
        route = route.removeprefix("^").removesuffix("$").removesuffix("/?")
        if _includes_health_check(module, node):
            yield HealthSeen(joined(route), module.place(node), reason="django-health-check")
        elif is_health(route) and not _includes(module, node):
            yield HealthSeen(joined(route), module.place(node))


def _is_root(module: Module, project: Project) -> bool:
    folder = module.source.folder
    beside = {f"{folder}/{name}" if folder else name for name in ("settings.py", "settings/__init__.py", "wsgi.py")}
    return not beside.isdisjoint(project.code)


def _includes(module: Module, node: ast.Call) -> bool:
    return len(node.args) > 1 and isinstance(node.args[1], ast.Call) and _name(module, node.args[1]) == "include"


def _includes_health_check(module: Module, node: ast.Call) -> bool:
    if not _includes(module, node):
        return False
    included = node.args[1]
    assert isinstance(included, ast.Call)
    return bool(included.args) and module.text(included.args[0]) == "health_check.urls"


def _name(module: Module, call: ast.Call) -> str:
    return module.called(call.func).rpartition(".")[2]

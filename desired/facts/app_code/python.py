"""Python: every file that may say something, parsed once, and what it says put together."""

from __future__ import annotations

import re
from collections.abc import Iterator

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.django_urls import read_urls
from desired.facts.app_code.ecosystem import Ecosystem, Project
from desired.facts.app_code.python_env import read_env
from desired.facts.app_code.python_manifests import MANIFEST, read_manifests
from desired.facts.app_code.python_server import Mount, Route, made_apps, read_ports, read_routes, whole_path
from desired.facts.app_code.python_settings import SettingsClass, settings_classes, variables
from desired.facts.app_code.python_syntax import Module, parse
from desired.facts.app_code.seen import USUAL, EnvSeen, HealthSeen, Seen, SignSeen, StartSeen
from desired.facts.app_code.sources import Sources, is_aside
from desired.facts.fact import Place
from desired.problem import Problem

# Parsing takes most of the time there is: a file without any of these says nothing that is asked for.
_WORTH = bounded(
    r"environ|getenv|Settings\b|decouple|\benv[.(]|Env\(|envvar|dj_database_url|\.(?:run|listen|bind|launch|serve)\(|run_app"
    r"|\bserve\(|run_simple|make_server|HTTPServer|TCPServer|WSGIServer|_port\(|start_server|start_http_server|include_router"
    r"|register_blueprint|while True|while 1|cuda|['\"]s3['\"]|(?:FastAPI|Flask|Starlette|Litestar|Quart|Sanic|Dash)\("
    r"|['\"/^](?:_?health|ready|live|alive|ping|heartbeat|up/?['\"])"
)
# What serves the app of a framework, the first that is there.
_SERVERS = {
    "FastAPI": ("uvicorn",),
    "Starlette": ("uvicorn",),
    "Litestar": ("uvicorn",),
    "Quart": ("hypercorn", "uvicorn"),
    "Flask": ("gunicorn",),
    "Dash": ("gunicorn",),
}
# Health routes and included routers of one app.
_MOST = 300
_MAINS = ("main.py", "app.py", "server.py", "run.py", "wsgi.py", "asgi.py", "api.py", "worker.py", "bot.py")
_DEVELOPMENT_SETTINGS = bounded(r"(?:^|/)(?:settings|config)/(?:dev|development|local|test|testing|tests|ci)\w*\.py$")


def _code(sources: Sources, project: Project) -> Iterator[Seen]:
    classes: dict[str, SettingsClass] = {}
    routes: list[Route] = []
    mounts: list[Mount] = []
    apps: list[tuple[str, str, str, int]] = []
    for path in project.code:
        if _DEVELOPMENT_SETTINGS.search(path):
            continue
        source = sources.read(path)
        if source is None or _WORTH.search(source.text) is None:
            continue
        module = parse(source)
        if isinstance(module, Problem):
            yield module
            continue
        aside = is_aside(path, sources.root)
        yield from _env(module, aside=aside)
        if aside:
            continue
        for found in settings_classes(module):
            classes.setdefault(found.name, found)
        yield from read_ports(module)
        apps += [(name, path, kind, line) for name, kind, line in made_apps(module) if len(apps) < _MOST]
        if "django" in project.known:
            yield from read_urls(module, project)
        for item in read_routes(module):
            if isinstance(item, Route) and len(routes) < _MOST:
                routes.append(item)
            elif isinstance(item, Mount) and len(mounts) < _MOST:
                mounts.append(item)
    yield from variables(classes)
    for route in routes:
        path_found = whole_path(route, mounts)
        if path_found is not None:
            yield HealthSeen(path_found, route.module.place(route.node))
    yield from _start(project, apps)


def _env(module: Module, *, aside: bool) -> Iterator[EnvSeen | SignSeen]:
    for seen in read_env(module):
        if not aside:
            yield seen
        elif seen.required is False or aside:
            yield EnvSeen(seen.name, seen.place, False, seen.default, seen.fallback, confidence=USUAL)


def _start(project: Project, apps: list[tuple[str, str, str, int]]) -> Iterator[StartSeen]:
    """The file that is most likely what is run, or the app that a server is given, where nothing says so."""
    prefix = f"{project.folder}/" if project.folder else ""
    inside = {path.removeprefix(prefix): path for path in project.code}
    for name, path, kind, line in apps:
        server = _SERVERS.get(kind, ())
        known = next((one for one in server if one in project.known), None)
        module = path.removeprefix(prefix).removesuffix(".py").removeprefix("src/").replace("/", ".")
        if known is not None and module.isascii():
            bind = ("--host", "0.0.0.0", "--port", "8000") if known == "uvicorn" else ("--bind", "0.0.0.0:8000")
            command = (known, f"{module.removesuffix('.__init__')}:{name}", *bind)
            yield StartSeen(command, Place(path, line), "guess", USUAL, f"{kind} with {known}")
            return
    if "manage.py" in inside and "django" in project.known:
        wsgi = next((p for p in inside if p.endswith("/wsgi.py") and p.count("/") == 1), None)
        if wsgi is not None and "gunicorn" in project.known:
            module = wsgi.removesuffix(".py").replace("/", ".")
            command = ("gunicorn", f"{module}:application", "--bind", "0.0.0.0:8000")
            yield StartSeen(command, Place(inside[wsgi]), "guess", USUAL, "Django with gunicorn")
        return
    for name in _MAINS:
        for candidate in (name, f"src/{name}", f"app/{name}"):
            if candidate in inside:
                command = ("streamlit", "run", candidate) if "streamlit" in project.known else ("python", candidate)
                yield StartSeen(command, Place(inside[candidate]), "guess", USUAL, "the file is called as what is run")
                return


PYTHON = Ecosystem(
    name="pypi",
    language="python",
    manifest=MANIFEST,
    suffixes=(".py",),
    image=re.compile(
        r"(?:.*/)?(?:python|pypy|django|uvicorn-gunicorn\S*|uv|pytorch|tensorflow|miniconda3?|jupyter\S*)"
    ),
    manifests=read_manifests,
    code=_code,
)

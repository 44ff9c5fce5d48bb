"""What Python code serves: the ports it listens on, its health routes, and signs of what it is.

A route counts only with everything in front of it: a router's own prefix and the one it is included under. Where that
cannot be followed the route is left out, for a check on half a path fails for ever.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.health_paths import is_health, joined
from desired.facts.app_code.python_syntax import Module, keyword
from desired.facts.app_code.seen import LIKELY, LITERAL, PortSeen, Sign, SignSeen, port_number

_APPS = ("FastAPI", "Flask", "Starlette", "Quart", "Sanic", "Litestar", "Bottle", "Dash", "APIFlask", "Connexion")
_ROUTERS = ("APIRouter", "Blueprint", "Router", "APIBlueprint", "Namespace", "Api", "NinjaAPI")
_GETS = ("get", "route", "api_route")
_PREFIXES = ("prefix", "url_prefix", "path")
_ADDRESS = bounded(r"(?:\[::\]|[\w.*-]*):(?P<port>\d{1,5})")


@dataclass(frozen=True, slots=True)
class Route:
    """A health route, with the router it stands on: "" for the app itself."""

    path: str
    router: str
    module: Module
    node: ast.AST


@dataclass(frozen=True, slots=True)
class Mount:
    """A router that is included under a prefix; `target` is what the code calls it, resolved by the imports."""

    target: str
    prefix: str


def read_ports(module: Module) -> Iterator[PortSeen | SignSeen]:
    """Where the file's code listens."""
    for node in module.nodes:
        if isinstance(node, ast.Call):
            yield from _listening(module, node)
        elif isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and node.test.value:
            yield SignSeen(Sign.LOOPS, module.place(node))
        elif isinstance(node, ast.Assign) and module.source.path.endswith(("gunicorn.conf.py", "gunicorn_conf.py")):
            yield from _gunicorn(module, node)


def made_apps(module: Module) -> Iterator[tuple[str, str, int]]:
    """The apps that the file makes at its top, unless it runs them itself: name, class, line."""
    if any(_is_run(module, node) for node in module.nodes):
        return
    for statement in module.tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=func)):
                kind = module.called(func).rpartition(".")[2]
                if kind in _APPS:
                    yield name, kind, statement.lineno


def _is_run(module: Module, node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and (
        module.called(node.func) == "uvicorn.run" or _runs_app(module, node, _attribute(node.func))
    )


def _attribute(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else ""


def _gunicorn(module: Module, node: ast.Assign) -> Iterator[PortSeen]:
    match node:
        case ast.Assign(targets=[ast.Name(id="bind")], value=value):
            port = _address(module, value)
            if port is not None:
                yield PortSeen(port, module.place(node), "gunicorn's bind", LITERAL)


def _listening(module: Module, node: ast.Call) -> Iterator[PortSeen | SignSeen]:
    called = module.called(node.func)
    name = called.rpartition(".")[2] or (node.func.attr if isinstance(node.func, ast.Attribute) else "")
    given = keyword(node, "port") or keyword(node, "server_port")
    if called == "uvicorn.run" or name in ("run_app", "serve", "run_simple", "launch") or _runs_app(module, node, name):
        yield SignSeen(Sign.LISTENS, module.place(node))
        if called.endswith("web.run_app"):
            yield SignSeen(Sign.AIOHTTP_SERVER, module.place(node))
        given = given or (node.args[1] if name == "run_simple" and len(node.args) > 1 else None)
        yield from _port(module, given, node)
    elif name.endswith(("HTTPServer", "TCPServer", "WSGIServer", "UDPServer")) and node.args:
        match node.args[0]:
            case ast.Tuple(elts=[_, second]):
                yield SignSeen(Sign.LISTENS, module.place(node))
                yield from _port(module, second, node)
    elif name == "make_server" and len(node.args) >= 2:
        yield from _port(module, node.args[1], node)
    elif called.endswith("start_http_server") and (node.args or given):
        for seen in _port(module, given or node.args[0], node):
            yield PortSeen(seen.port, seen.place, "metrics", LIKELY)
    elif name in ("add_insecure_port", "add_secure_port") and node.args:
        yield SignSeen(Sign.GRPC_SERVER, module.place(node))
        port = _address(module, node.args[0])
        if port is not None:
            yield PortSeen(port, module.place(node), "gRPC")
    elif name == "start_server" and called.startswith("asyncio") and len(node.args) >= 3:
        yield from _port(module, node.args[2], node)
    elif name == "listen" and "tornado" in module.packages and node.args:
        yield from _port(module, node.args[0], node)
    elif name == "bind" and len(node.args) == 1:
        match node.args[0]:
            case ast.Tuple(elts=[_, second]) if "socket" in module.packages:
                yield from _port(module, second, node)
    elif module.text(keyword(node, "device")) == "cuda" or (
        name == "cuda" and not node.args and isinstance(node.func, ast.Attribute)
    ):
        yield SignSeen(Sign.CUDA, module.place(node))
    elif called in ("boto3.client", "boto3.resource") and node.args and module.text(node.args[0]) == "s3":
        yield SignSeen(Sign.S3, module.place(node))


def _runs_app(module: Module, node: ast.Call, name: str) -> bool:
    """`app.run(…)` of an app that the file makes, or that is called as apps are."""
    if name != "run" or not isinstance(node.func, ast.Attribute):
        return False
    if isinstance(node.func.value, ast.Call):
        return module.called(node.func.value.func).rpartition(".")[2] in ("create_app", "make_app", "get_app", *_APPS)
    if not isinstance(node.func.value, ast.Name):
        return False
    made = _made(module, node.func.value.id)
    return made in _APPS or (made == "" and node.func.value.id in ("app", "application", "server"))


def _made(module: Module, name: str) -> str:
    """The class that a name of the file is made of; "" for a name that comes from elsewhere."""
    value = module.assigned.get(name)
    return module.called(value.func).rpartition(".")[2] if isinstance(value, ast.Call) else ""


def _port(module: Module, value: ast.expr | None, node: ast.AST) -> Iterator[PortSeen]:
    port, variable = number(module, value)
    if port is not None:
        reason = f"the default of {variable}" if variable else ""
        yield PortSeen(port, module.place(node), reason, LITERAL)


def number(module: Module, value: ast.expr | None, depth: int = 0) -> tuple[int | None, str]:
    """The port that an expression comes to, and the variable whose default it is."""
    if value is None or depth > 8:
        return None, ""
    match value:
        case ast.Name(id=name) if name in module.assigned:
            return number(module, module.assigned[name], depth + 1)
        case ast.Call(func=ast.Name(id="int" | "str"), args=[inner]):
            return number(module, inner, depth + 1)
        case ast.BoolOp(op=ast.Or(), values=[first, *_, last]):
            return number(module, last, depth + 1)[0], number(module, first, depth + 1)[1]
        case ast.Call(func=func, args=[name, default]) if module.called(func) in _READS:
            return port_number(module.constant(default)), module.text(name) or ""
        case ast.Call(func=func, args=[name]) if module.called(func) in _READS or _is_reader(func):
            return port_number(module.constant(keyword(value, "default"))), module.text(name) or ""
        case ast.Call(func=func, args=[name, default]) if _is_reader(func):
            return port_number(module.constant(default)), module.text(name) or ""
    return port_number(module.constant(value)), ""


_READS = frozenset(("os.getenv", "os.environ.get", "environ.get", "os.environ.setdefault"))


def _is_reader(func: ast.expr) -> bool:
    match func:
        case ast.Name(id="config" | "env"):
            return True
        case ast.Attribute(value=ast.Name(id="env"), attr="int" | "str"):
            return True
    return False


def _address(module: Module, value: ast.expr) -> int | None:
    """The port of `"0.0.0.0:8000"`, of the first of several, or of an f-string that ends in one."""
    if isinstance(value, ast.List | ast.Tuple) and value.elts:
        value = value.elts[0]
    if isinstance(value, ast.JoinedStr) and value.values:
        last = value.values[-1]
        return number(module, last.value)[0] if isinstance(last, ast.FormattedValue) else None
    text = module.text(value)
    match = _ADDRESS.fullmatch(text) if text else None
    return port_number(match["port"]) if match else None


# -- routes


def read_routes(module: Module) -> Iterator[Route | Mount]:
    """The health routes of a file, and which routers it includes where."""
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call):
                    yield from _decorated(module, decorator)
        elif isinstance(node, ast.Call):
            yield from _routed(module, node)


def _decorated(module: Module, call: ast.Call) -> Iterator[Route]:
    func = call.func
    if not (isinstance(func, ast.Attribute) and func.attr in _GETS and isinstance(func.value, ast.Name)):
        return
    path = module.text(call.args[0] if call.args else keyword(call, "path") or keyword(call, "rule"))
    if path is None or not is_health(path) or not _gets(module, call):
        return
    yield from _on(module, func.value.id, path, call)


def _on(module: Module, owner: str, path: str, node: ast.AST) -> Iterator[Route]:
    made = _made(module, owner)
    if made in _ROUTERS:
        value = module.assigned[owner]
        assert isinstance(value, ast.Call)
        prefix = next((text for key in _PREFIXES[:2] if (text := module.text(keyword(value, key)))), "")
        yield Route(joined(prefix, path), owner, module, node)
    elif made in _APPS or owner in ("app", "application", "server"):
        yield Route(joined(path), "", module, node)


def _gets(module: Module, call: ast.Call) -> bool:
    methods = keyword(call, "methods")
    if not isinstance(methods, ast.List | ast.Tuple | ast.Set):
        return True
    return any(module.text(item) == "GET" for item in methods.elts)


def _routed(module: Module, node: ast.Call) -> Iterator[Route | Mount]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else module.called(node.func).rpartition(".")[2]
    if name in ("include_router", "register_blueprint", "add_router") and node.args:
        target = next((arg for arg in node.args if not isinstance(arg, ast.Constant)), None)
        first = node.args[0] if isinstance(node.args[0], ast.Constant) else None
        prefix = next((text for key in _PREFIXES[:2] if (text := module.text(keyword(node, key)))), None)
        dynamic = any(keyword(node, key) is not None for key in _PREFIXES[:2]) and prefix is None
        if target is not None:
            yield Mount(module.called(target), "\0" if dynamic else prefix or module.text(first) or "")
    elif name in ("add_url_rule", "add_api_route", "add_route", "add_get") and node.args:
        path = module.text(node.args[0])
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        if path is not None and is_health(path):
            if name == "add_get" or (isinstance(owner, ast.Attribute) and owner.attr == "router"):
                yield Route(joined(path), "", module, node)
            elif isinstance(owner, ast.Name):
                yield from _on(module, owner.id, path, node)
    elif name == "Route" and node.args and "starlette" in module.called(node.func):
        path = module.text(node.args[0])
        nested = any(isinstance(a, ast.Call) and module.called(a.func).endswith("Mount") for a in module.above(node))
        if path is not None and is_health(path) and not nested:
            yield Route(joined(path), "", module, node)
    elif name == "get" and len(node.args) >= 2 and module.called(node.func) == "aiohttp.web.get":
        path = module.text(node.args[0])
        if path is not None and is_health(path):
            yield Route(joined(path), "", module, node)


def whole_path(route: Route, mounts: list[Mount]) -> str | None:
    """The route's path from the app's root; None where its router is included in a way that cannot be followed."""
    if not route.router:
        return route.path
    stem = route.module.source.stem
    package = route.module.source.folder.rpartition("/")[2]
    own = {f"{stem}.{route.router}", route.router if stem in ("main", "app", "server", "__init__") else ""}
    if stem == "__init__":
        own.add(f"{package}.{route.router}")
    matching = [m for m in mounts if any(name and (m.target == name or m.target.endswith(f".{name}")) for name in own)]
    if not matching:
        # A router of routers, or one that nobody includes in sight: only where no prefix is about is it sure.
        return None if not mounts or any(mount.prefix for mount in mounts) else route.path
    prefixes = {mount.prefix for mount in matching}
    if len(prefixes) != 1 or "\0" in prefixes:
        return None
    return joined(prefixes.pop(), route.path)

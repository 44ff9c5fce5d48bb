"""Which variables Python code reads: `os.environ`, decouple, environs, django-environ, starlette's Config, click."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.python_syntax import Module, keyword
from desired.facts.app_code.seen import LIKELY, EnvSeen

NAME = bounded(r"[A-Za-z_][A-Za-z0-9_]{0,120}")
_UPPER = bounded(r"[A-Z][A-Z0-9_]{1,120}")
_ENVIRON = ("os.environ", "environ")
_GETENV = ("os.getenv", "getenv", "os.environ.get", "environ.get", "os.environ.pop")
# The kinds that environs and django-environ read; those with a variable of their own where none is named.
_TYPED_NAMES = """
str bool int float json list dict tuple url path bytes unicode decimal date datetime time timedelta uuid enum
    log_level dj_db_url dj_email_url dj_cache_url db db_url cache cache_url email email_url search_url channels
channels_url subcast
"""
_TYPED = frozenset(_TYPED_NAMES.split())
_OWN = {
    "db": "DATABASE_URL",
    "db_url": "DATABASE_URL",
    "cache": "CACHE_URL",
    "cache_url": "CACHE_URL",
    "email": "EMAIL_URL",
    "email_url": "EMAIL_URL",
    "search_url": "SEARCH_URL",
    "channels": "CHANNELS_URL",
    "channels_url": "CHANNELS_URL",
}
_DECOUPLE = ("decouple.config", "decouple.AutoConfig", "prettyconf.config")


def read_env(module: Module) -> Iterator[EnvSeen]:
    """Every reading in the file, in the order of its text."""
    tested = set(_tested(module))
    demanded = set(_demanded(module))
    readers = dict(_readers(module))
    schemes = dict(_schemes(module)) if "env" in readers.values() else {}
    for node in module.nodes:
        seen = _read(module, node, readers)
        if seen is not None and seen.required and seen.name in schemes:
            seen = EnvSeen(seen.name, seen.place, default=_shown(module, schemes[seen.name]), fallback=True)
        if seen is None or NAME.fullmatch(seen.name) is None:
            continue
        required = (seen.required and seen.name not in tested and not _conditional(module, node)) or (
            seen.name in demanded and not seen.fallback
        )
        yield EnvSeen(seen.name, seen.place, required, seen.default, seen.fallback, confidence=seen.confidence)


def _read(module: Module, node: ast.AST, readers: dict[str, str]) -> EnvSeen | None:
    match node:
        case ast.Subscript(value=value, slice=key, ctx=ast.Load()) if module.called(value) in _ENVIRON:
            name = module.text(key)
            return None if name is None else EnvSeen(name, module.place(node), required=True)
        case ast.Call(func=func, args=args):
            called = module.called(func)
            if called == "dj_database_url.config":
                return _database_url(module, node)
            if called in ("os.environ.setdefault", "environ.setdefault") and len(args) == 2:
                return _with_default(module, node, args[0], args[1])
            if called in _GETENV and args:
                return _getenv(module, node, args)
            return _from_reader(module, node, readers) or _option(module, node)
    return None


def _database_url(module: Module, node: ast.Call) -> EnvSeen:
    """dj-database-url reads DATABASE_URL unless it is told another name, and gives nothing without."""
    name = module.text(keyword(node, "env")) or "DATABASE_URL"
    default = keyword(node, "default")
    return EnvSeen(name, module.place(node), False, _shown(module, default) if default else None, default is not None)


def _getenv(module: Module, node: ast.Call, args: list[ast.expr]) -> EnvSeen | None:
    default = args[1] if len(args) > 1 else keyword(node, "default")
    if default is not None:
        return _with_default(module, node, args[0], default)
    name = module.text(args[0])
    if name is None:
        return None
    parent = module.parents.get(node)
    if isinstance(parent, ast.BoolOp) and isinstance(parent.op, ast.Or) and parent.values[0] is node:
        return _with_default(module, node, args[0], parent.values[-1])
    return EnvSeen(name, module.place(node))


def _with_default(module: Module, node: ast.AST, name: ast.expr, default: ast.expr) -> EnvSeen | None:
    named = module.text(name)
    if named is None:
        return None
    if isinstance(default, ast.Constant) and default.value is None:
        return EnvSeen(named, module.place(node))
    value = _shown(module, default)
    return EnvSeen(named, module.place(node), default=value, fallback=True)


def _shown(module: Module, default: ast.expr) -> str | None:
    """A default as the environment would hold it; None where only running the code would tell."""
    constant = module.constant(default)
    if constant is None and isinstance(default, ast.List | ast.Tuple):
        items = [module.constant(item) for item in default.elts[:50]]
        return ",".join(str(item) for item in items) if all(item is not None for item in items) else None
    return None if constant is None else str(constant)


def _readers(module: Module) -> Iterator[tuple[str, str]]:
    """Names that read variables when called, and what they are: `config` of decouple, `env` of environs."""
    for name, full in module.imported.items():
        if full in _DECOUPLE:
            yield name, "config"
        elif name == "env" and full.startswith((".", "config", "settings", "core", "app", "src")):
            yield name, "env"
    for name, value in module.assigned.items():
        if isinstance(value, ast.Call):
            called = module.called(value.func)
            if called in ("environs.Env", "environ.Env", "environ.FileAwareEnv", "Env", "environs.FileAwareEnv"):
                yield name, "env"
            elif called in ("starlette.config.Config", "decouple.Config", "decouple.AutoConfig"):
                yield name, "config"


def _from_reader(module: Module, node: ast.Call, readers: dict[str, str]) -> EnvSeen | None:
    func: ast.expr = node.func
    if isinstance(func, ast.Name):
        reader, kind = readers.get(func.id), ""
    elif isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
        reader, kind = readers.get(func.value.id), func.attr
    else:
        return None
    if reader is None or (kind and (reader != "env" or kind not in _TYPED)):
        return None
    positional = node.args[1] if len(node.args) > 1 else None
    default = keyword(node, "default") or positional
    name = module.text(node.args[0] if node.args else keyword(node, "var")) if node.args or node.keywords else None
    name = name or (_OWN.get(kind) if not node.args else None)
    if name is None or _UPPER.fullmatch(name) is None:
        return None
    name = _prefixed(module, node) + name
    if default is None:
        return EnvSeen(name, module.place(node), required=True)
    if isinstance(default, ast.Constant) and default.value is None:
        return EnvSeen(name, module.place(node))
    return EnvSeen(name, module.place(node), default=_shown(module, default), fallback=True)


def _prefixed(module: Module, node: ast.AST) -> str:
    """What `with env.prefixed("X_"):` puts in front, the outermost first."""
    prefix = ""
    for above in module.above(node):
        if isinstance(above, ast.With):
            for item in above.items:
                match item.context_expr:
                    case ast.Call(func=ast.Attribute(attr="prefixed"), args=[ast.Constant(value=str() as text)]):
                        prefix = text + prefix
    return prefix


def _schemes(module: Module) -> Iterator[tuple[str, ast.expr]]:
    """django-environ's schemes: `Env(DEBUG=(bool, False))` gives the defaults where it is made."""
    for value in module.assigned.values():
        if isinstance(value, ast.Call) and module.called(value.func).endswith("Env"):
            for word in value.keywords:
                if word.arg and isinstance(word.value, ast.Tuple) and len(word.value.elts) == 2:
                    yield word.arg, word.value.elts[1]


def _option(module: Module, node: ast.Call) -> EnvSeen | None:
    """An option of click or typer that a variable may stand for."""
    name = module.text(keyword(node, "envvar"))
    if name is None or _UPPER.fullmatch(name) is None:
        return None
    demanded = keyword(node, "required")
    default = keyword(node, "default")
    value = None if default is None else _shown(module, default)
    required = isinstance(demanded, ast.Constant) and demanded.value is True and default is None
    return EnvSeen(name, module.place(node), required, value, default is not None, confidence=LIKELY)


# -- whether the code really fails


def _conditional(module: Module, node: ast.AST) -> bool:
    """Whether it is read only where something else holds, or where a failure is caught."""
    child = node
    for above in module.above(node):
        match above:
            case ast.If(test=test) if child is not test and not _is_main(test):
                return True
            case ast.IfExp(test=test) if child is not test:
                return True
            case ast.Try(handlers=handlers, body=body) if handlers and child in body:
                return not _raises(handlers)
            case ast.ExceptHandler():
                return True
            case ast.BoolOp(values=values) if values[0] is not child:
                return True
        child = above
    return False


def _is_main(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _raises(handlers: list[ast.ExceptHandler]) -> bool:
    return all(any(_fails(statement) for statement in handler.body) for handler in handlers)


def _fails(statement: ast.stmt) -> bool:
    """Whether a statement ends what runs: `raise`, `sys.exit(…)`, with any status but 0."""
    match statement:
        case ast.Raise():
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id="exit" | "quit"), args=args)):
            return not _is_zero(args)
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="exit" | "_exit"), args=args)):
            return not _is_zero(args)
    return False


def _is_zero(args: list[ast.expr]) -> bool:
    return bool(args) and isinstance(args[0], ast.Constant) and args[0].value == 0


def _tested(module: Module) -> Iterator[str]:
    """Variables that the file asks for before it reads them: `if "X" in os.environ`."""
    for node in module.nodes:
        match node:
            case ast.Compare(left=left, ops=[ast.In()], comparators=[right]) if module.called(right) in _ENVIRON:
                if (name := module.text(left)) is not None:
                    yield name
            case ast.Call(func=func, args=[first, _]) if module.called(func).endswith("environ.setdefault"):
                if (name := module.text(first)) is not None:
                    yield name
            case ast.Subscript(value=value, slice=key, ctx=ast.Store()) if module.called(value) in _ENVIRON:
                if (name := module.text(key)) is not None:
                    yield name


def _demanded(module: Module) -> Iterator[str]:
    """Variables without which the code gives up: `if not X: raise`, `assert X`, `if "X" not in os.environ: exit`."""
    for node in module.nodes:
        if isinstance(node, ast.If) and any(_fails(statement) for statement in node.body):
            tests = node.test.values if isinstance(node.test, ast.BoolOp) and _is_or(node.test) else [node.test]
            for test in tests:
                yield from _missing(module, test)
        elif isinstance(node, ast.Assert):
            yield from _variable(module, node.test)


def _is_or(test: ast.BoolOp) -> bool:
    return isinstance(test.op, ast.Or)


def _missing(module: Module, test: ast.expr) -> Iterator[str]:
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from _variable(module, operand)
        case ast.Compare(left=left, ops=[ast.Is() | ast.Eq()], comparators=[ast.Constant(value=None | "")]):
            yield from _variable(module, left)
        case ast.Compare(left=left, ops=[ast.NotIn()], comparators=[right]) if module.called(right) in _ENVIRON:
            if (name := module.text(left)) is not None:
                yield name


def _variable(module: Module, node: ast.expr) -> Iterator[str]:
    """The variable that an expression holds, by its reading or by a name that was given it."""
    if isinstance(node, ast.Name):
        given = module.assigned.get(node.id)
        if given is None or isinstance(given, ast.Name):
            return
        node = given
    if isinstance(node, ast.Call) and module.called(node.func) in _GETENV and node.args:
        name = module.text(node.args[0])
        if name is not None:
            yield name

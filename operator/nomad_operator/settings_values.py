"""How single values of the settings are read: durations, addresses, paths, lists. ValueError says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import BeforeValidator, SecretStr

from desired.errors import UsageError
from desired.git_address import GitAddress
from desired.git_commit import Author
from desired.git_source import checked_path, checked_ref
from desired.operations.operation import Kind
from desired.operations.table import ROWS, Tier
from nomad_operator.news.notice import Kind as News
from nomad_operator.news.target import Form, targets
from nomad_operator.variable_names import SCHEME, VariablePlace


def _to_seconds(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return timedelta(seconds=float(value))
        except (ValueError, OverflowError):
            raise ValueError("is not a number of seconds") from None
    return value


Seconds = Annotated[timedelta, BeforeValidator(_to_seconds)]


def comma_separated(value: Any) -> Any:
    """`a, b` as a tuple; what is not text is left alone."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


# Source: nomad/structs validNamespaceName.
_NAMESPACE = re.compile(r"[a-zA-Z0-9-]{1,128}")


def namespace_names(value: Any) -> Any:
    """The same for namespaces; one that cannot exist would be watched without a word."""
    names = comma_separated(value)
    if isinstance(value, str):
        if not names:
            raise ValueError("names no namespace")
        if wrong := [name for name in names if name != "*" and not _NAMESPACE.fullmatch(name)]:
            raise ValueError(f"names {wrong[0]!r}, which is no namespace: letters, digits and dashes, or * for all")
    return names


def one_namespace(value: str) -> str:
    if not _NAMESPACE.fullmatch(value):
        raise ValueError("is no namespace: letters, digits and dashes, 128 at most")
    return value


def git_ref(value: str) -> str:
    try:
        return checked_ref(value)
    except UsageError:
        raise ValueError("cannot be a git branch, tag or commit") from None


def git_folder(value: str) -> str:
    try:
        return checked_path(value)
    except UsageError:
        raise ValueError("is no folder inside the repository: a path such as apps") from None


def unreadable(path: Path) -> str:
    """Why a file that a setting names cannot be read now; "" if it can."""
    try:
        # A pipe is read once, by whoever needs it.
        if not path.is_fifo():
            with path.open("rb"):
                pass
        return ""
    except OSError as error:
        return f"cannot be read: {(error.strerror or type(error).__name__).lower()}"


def repair_kinds(value: Any) -> Any:
    """`safe` is none, `all` is every kind that needs approval by itself; else kinds by name."""
    if not isinstance(value, str):
        return value
    told = [part.strip().lower() for part in value.split(",") if part.strip()]
    if told == ["safe"]:
        return frozenset[Kind]()
    if told == ["all"]:
        return frozenset(kind for kind, row in ROWS.items() if row.tier is Tier.APPROVE)
    unknown = sorted(set(told) - {kind.value for kind in Kind})
    if unknown:
        raise ValueError(f"names no kind of operation: {', '.join(unknown)}")
    return frozenset(Kind(one) for one in told)


def notify_urls(value: Any) -> Any:
    """Checked here, and read where they are used: an address is a secret, so the setting is one."""
    if isinstance(value, SecretStr):
        targets(value.get_secret_value())
    return value


def news_kinds(value: Any) -> Any:
    """`all`, or kinds of news by name."""
    if not isinstance(value, str):
        return value
    told = [part.strip().lower() for part in value.split(",") if part.strip()]
    if told == ["all"]:
        return frozenset(News)
    if unknown := sorted(set(told) - {kind.value for kind in News}):
        raise ValueError(f"names no kind of news: {', '.join(unknown)}")
    return frozenset(News(one) for one in told)


def news_template(value: Any) -> Any:
    """A file that can be rendered for every receiver; it is tried on made-up news."""
    # Only who has a template pays for what reads it.
    from nomad_operator.news.words import TemplateProblem, Words, read_template

    try:
        template = read_template(value)
        for form in Form:
            Words(form=form, template=template)
    except TemplateProblem as problem:
        raise ValueError(f"cannot be used: {problem}") from None
    return value


def resource_limits(value: Any) -> Any:
    """`memory=4096,cpu=2000` as a dict."""
    if not isinstance(value, str):
        return value
    limits: dict[str, int] = {}
    for part in (part.strip() for part in value.split(",") if part.strip()):
        match = re.fullmatch(r"(memory|cpu|disk)\s*=\s*([1-9]\d{0,8})", part)
        if not match:
            raise ValueError(f"{part!r} is not memory=…, cpu=… or disk=… with a whole number")
        limits[match[1]] = int(match[2])
    return limits


# Source: langfuse/langfuse, PromptLabelSchema: lower case, digits, _ - and ., at most 36.
_LABEL = re.compile(r"[a-z0-9_.-]{1,36}")
LABEL_WORDS = "lower case letters, digits, _ - and ."


def label_name(value: Any) -> Any:
    """A label of Langfuse's."""
    if isinstance(value, str) and not _LABEL.fullmatch(value):
        raise ValueError(f"is no label: {LABEL_WORDS}")
    return value


@dataclass(frozen=True, slots=True)
class Compared:
    """A label that is compared live, and its share, from 0 to 1; empty where none is."""

    label: str = ""
    share: float = 0.0

    def __str__(self) -> str:
        return f"{self.label}={self.share:g}" if self.label else ""


def compared(value: Any) -> Any:
    """`candidate=0.2`; nothing is compared where it is empty."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(rf"({_LABEL.pattern})\s*=\s*(\d(?:\.\d{{1,6}})?)", value.strip())
    if not value.strip():
        return Compared()
    if not match or float(match[2]) > 1:
        raise ValueError("is not label=share with a share from 0 to 1, such as candidate=0.2")
    return Compared(match[1], float(match[2]))


# What git cuts off at both ends of a name: it would not be ours any more when it is read again.
# Source: git's ident.c, crud.
_CRUD = " .,:;<>\"\\'"


def commit_author(value: Any) -> Any:
    """`Name <mail>` as git writes it."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"([^<>]+?) *<([^<>\s]+)>", value.strip())
    if not match or not value.strip().isprintable() or any(part != part.strip(_CRUD) for part in match.groups()):
        raise ValueError("is not `Name <mail>`")
    return Author(match[1], match[2])


def stripped(value: Any) -> Any:
    """Secrets come out of files and templates, with a line break at the end that no header may hold."""
    return value.strip() if isinstance(value, str) else value


def expand_user(value: Any) -> Any:
    """`~` at the start of a path is the home folder, as in a shell."""
    try:
        return Path(value).expanduser() if isinstance(value, str) else value
    except RuntimeError:
        raise ValueError("names the home of a user who is not known") from None


def check_address(value: str, *, sockets: bool) -> str:
    """A base URL without a trailing slash; `host:port` is http, as Nomad's own command takes it."""
    if re.fullmatch(r"[\w.-]+:\d+", value):
        value = f"http://{value}"
    schemes = ("http", "https", "unix") if sockets else ("http", "https")
    parts = urlsplit(value)
    if parts.scheme not in schemes or not (parts.netloc or parts.scheme == "unix"):
        raise ValueError(f"does not start with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if parts.password is not None or parts.username is not None:
        raise ValueError("holds a user name: an address is shown to people, credentials do not belong there")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("has a port that is not a number between 0 and 65535") from None
    return value.rstrip("/")


def check_listen(value: str) -> str:
    """`host:port`; an IPv6 host stands in brackets."""
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]\s]*):(\d{1,5})", value)
    if not match or int(match[2]) > 65535:
        raise ValueError("is not host:port")
    return value


def git_address(url: str) -> GitAddress:
    """The repository's place; what is wrong with it is told without showing it."""
    try:
        return GitAddress.parse(url)
    except UsageError as error:
        raise ValueError(f"cannot be used: {error.message} ({error.hint})") from None


def credentials_of(url: str) -> tuple[str, str]:
    """User name and token that stand in a git URL; empty where there are none, or the URL is no URL.

    A user name alone is a token: that is how such URLs are copied from git servers.
    """
    try:
        address = GitAddress.parse(url)
    except UsageError:
        return "", ""
    return (address.username, address.password) if address.password else ("", address.username)


def variables_of(url: str | None) -> VariablePlace | None:
    """Where in Nomad's variables a state URL points; None where it points to a file. ValueError for a wrong one."""
    if url is None or not url.startswith(f"{SCHEME}:"):
        return None
    return VariablePlace.parse(url)


def state_file_of(url: str | None, environ: Mapping[str, str]) -> Path:
    """The file a state URL names; where it names none, the one in the XDG state folder. ValueError for a wrong URL."""
    if url is None or variables_of(url) is not None:
        state_home = environ.get("XDG_STATE_HOME", "")
        # Source: XDG Base Directory Specification: a relative value is to be ignored.
        folder = Path(state_home) if state_home.startswith("/") else Path("~/.local/state").expanduser()
        return folder / "nomad-operator" / "state.db"
    match = re.fullmatch(r"sqlite://(/.*[^/])", url)
    if not match:
        raise ValueError("is neither sqlite:///path/of/a/file nor nomad://path/of/variables")
    path = unquote(match[1])
    if path.startswith("/~/"):
        return Path(path[1:]).expanduser()
    if path.startswith(("/./", "/../")):
        return Path(path[1:]).resolve()
    return Path("/" + path.lstrip("/"))

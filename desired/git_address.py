"""A git URL, taken apart: what git is given, what people are shown, and the credentials that stood in it.

Whatever a person may write is read here and nowhere else. Credentials leave the URL at once, so that nothing that is
built from `url` or `canonical` can show them.
"""

from __future__ import annotations

import os.path
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from desired.errors import UsageError

_DEFAULT_PORTS = {"https": 443, "http": 80, "ssh": 22, "git": 9418}
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\]")
_SCP = re.compile(r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@)?(?P<host>[^/:@]+|\[[^\]/]+\]):(?P<path>[^:].*)")
_HINT = "https://host/path, ssh://git@host/path, git@host:path, git://host/path, file:///path, or a folder"


@dataclass(frozen=True, slots=True)
class GitAddress:
    """Where a repository is. `url` and `canonical` hold no credentials; `canonical` is equal for equal places.

    `scheme` is https, http, ssh, git or file. `server` is `host[:port]`, empty for a file. `folder` is set for a file.
    """

    url: str
    canonical: str
    scheme: str
    server: str = ""
    folder: Path | None = None
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str) -> GitAddress:
        """Read what a person wrote. Raises UsageError, which shows nothing that may be a credential."""
        if not text or text != text.strip() or not text.isprintable():
            raise UsageError("the git URL is empty or holds spaces or control characters", hint=_HINT)
        scheme, separator, _ = text.partition("://")
        if separator:
            return cls._from_url(text, scheme.lower())
        if re.match(r"[A-Za-z0-9+.-]+::", text):
            raise UsageError("the git URL names a transport helper, which could run any program", hint=_HINT)
        scp = _SCP.fullmatch(text)
        if scp and "/" not in text.partition(":")[0]:
            return cls._from_scp(scp)
        if text.startswith("-"):
            raise UsageError("the git URL starts with a dash", hint=_HINT)
        return cls._from_folder(text)

    @classmethod
    def _from_folder(cls, text: str) -> GitAddress:
        try:
            home = Path(text).expanduser()
        except RuntimeError as error:
            raise UsageError(f"the git URL {text!r} names the home of a user who is not known", hint=_HINT) from error
        folder = Path(os.path.normpath(home.absolute()))
        return cls(url=str(folder), canonical=f"file://{folder}", scheme="file", folder=folder)

    @classmethod
    def _from_scp(cls, match: re.Match[str]) -> GitAddress:
        host = match["host"]
        if not _HOST.fullmatch(host) or match["path"].startswith("-"):
            raise UsageError("the git URL's host or path is not one", hint=_HINT)
        user = f"{match['user']}@" if match["user"] else ""
        place = f"{user}{host.lower()}:{match['path'].rstrip('/')}"
        return cls(url=place, canonical=place, scheme="ssh", server=host.lower())

    @classmethod
    def _from_url(cls, text: str, scheme: str) -> GitAddress:
        parts = _split(text)
        if scheme == "file":
            if parts.netloc not in ("", "localhost"):
                raise UsageError(f"a file:// URL on another machine ({parts.hostname}) cannot be read", hint=_HINT)
            return cls._from_folder(unquote(parts.path))
        if scheme not in _DEFAULT_PORTS:
            raise UsageError(f"git over {scheme}:// is not supported", hint=_HINT)
        if parts.query or parts.fragment:
            raise UsageError(
                "the git URL holds a query or a fragment",
                hint="a token belongs into NOMAD_OPERATOR_GIT_TOKEN or NOMAD_OPERATOR_GIT_TOKEN_FILE",
            )
        userinfo, _, place = parts.netloc.rpartition("@")
        try:
            port = parts.port
        except ValueError as error:
            raise UsageError("the git URL's port is not a number below 65536", hint=_HINT) from error
        host = place.removesuffix(f":{port}") if port is not None else place.removesuffix(":")
        if not _HOST.fullmatch(host) or not parts.path.strip("/"):
            raise UsageError(f"the git URL has no host or no path ({scheme}://…)", hint=_HINT)
        server = host.lower() if port in (None, _DEFAULT_PORTS[scheme]) else f"{host.lower()}:{port}"
        username, _, password = userinfo.partition(":")
        if scheme in ("https", "http"):
            url = f"{scheme}://{server}{parts.path}"
            return cls(
                url=url,
                canonical=url.rstrip("/"),
                scheme=scheme,
                server=server,
                username=unquote(username),
                password=unquote(password),
            )
        if password or (username and scheme == "git") or username.startswith("-"):
            raise UsageError(
                f"a {scheme}:// URL takes no password",
                hint="name a key with NOMAD_OPERATOR_GIT_SSH_KEY_FILE, or use https with a token",
            )
        url = f"{scheme}://{username + '@' if username else ''}{server}{parts.path}"
        return cls(url=url, canonical=url.rstrip("/"), scheme=scheme, server=server)


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError as error:
        # The cause quotes the URL, credentials and all.
        del error
        raise UsageError("the git URL cannot be read", hint=_HINT) from None

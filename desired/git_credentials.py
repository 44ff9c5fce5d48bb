"""How a git process is let in, without a secret ever being an argument, a file of ours, or part of a URL.

https and http: a credential helper that is asked only by the server it belongs to (git names the host; a redirect to
another one gets nothing) and that reads the secret from its environment, so that no command line holds it.
ssh: a key file by name. A host's key must be known beforehand, always: on first use nobody would be there to compare
it. Without a key or known-hosts file of ours, those of the user (agent, `~/.ssh`) count.
"""

from __future__ import annotations

import base64
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from desired.errors import Forbidden
from desired.git_address import GitAddress

# GitHub's name for a token's user; GitLab and Gitea take any.
DEFAULT_USERNAME = "x-access-token"

# Run by git as `sh -c '<this> get'`; the shell's own printf, so that no process gets the values as arguments.
_HELPER = (
    '!f() { test "$1" = get && '
    'printf "username=%s\\npassword=%s\\n" "$NOMAD_OPERATOR_GIT_LOGIN" "$NOMAD_OPERATOR_GIT_SECRET"; }; f'
)


@dataclass(frozen=True, slots=True)
class Access:
    """What one git process is given to get in; `secrets` are the texts that must not leave the process."""

    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    config: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class GitCredentials:
    """What the settings say. A token wins over a token file, both over what stands in the URL.

    `token_file` is read again for every access, so that a rotated token counts from the next poll on. Without
    `own_keys` nothing of the user's is shown to an ssh server: neither an agent's keys nor those of `~/.ssh`.
    """

    username: str = ""
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    ssh_key_file: Path | None = None
    known_hosts_file: Path | None = None
    own_keys: bool = True

    def access(self, address: GitAddress) -> Access:
        """For one git process. Raises Forbidden if a file that was named cannot be used."""
        if address.scheme in ("https", "http"):
            return self._basic(address)
        if address.scheme == "ssh":
            return Access(environment=(("GIT_SSH_COMMAND", self._ssh_command()), ("GIT_SSH_VARIANT", "ssh")))
        return Access()

    def _basic(self, address: GitAddress) -> Access:
        token = self.token or self._token_from_file()
        if token:
            username, password = self.username or address.username or DEFAULT_USERNAME, token
        elif address.username or address.password:
            username, password = address.username, address.password
        else:
            return Access()
        if not (username + password).isprintable():
            raise Forbidden(
                f"the credentials for {address.canonical} hold a line break or a control character",
                hint="a token is one line of printable characters",
            )
        # A lone user name is how some forges take a token: then the name is the secret.
        secret = password or username
        basic = base64.b64encode(f"{username}:{password}".encode()).decode()
        return Access(
            environment=(("NOMAD_OPERATOR_GIT_LOGIN", username), ("NOMAD_OPERATOR_GIT_SECRET", password)),
            config=((f"credential.{address.scheme}://{address.server}.helper", _HELPER),),
            secrets=tuple(dict.fromkeys((basic, secret, quote(secret, safe="")))),
        )

    def _token_from_file(self) -> str:
        if self.token_file is None:
            return ""
        try:
            token = self.token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            what = error.strerror if isinstance(error, OSError) else "it is not text"
            raise Forbidden(
                f"the git token file {self.token_file} cannot be read: {what}",
                hint="NOMAD_OPERATOR_GIT_TOKEN_FILE names a file that holds the token alone",
            ) from error
        if not token:
            raise Forbidden(
                f"the git token file {self.token_file} is empty",
                hint="NOMAD_OPERATOR_GIT_TOKEN_FILE names a file that holds the token alone",
            )
        return token

    def _ssh_command(self) -> str:
        words = ["ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]
        # A shared connection would outlive the deadline, and the process group that is ended with it.
        words += ["-o", "ControlMaster=no", "-o", "ControlPath=none"]
        if self.ssh_key_file is not None:
            _readable(self.ssh_key_file, "the ssh key", "NOMAD_OPERATOR_GIT_SSH_KEY_FILE")
            words += ["-F", "/dev/null", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"]
            words += ["-o", f"IdentityFile={_ssh_path(self.ssh_key_file)}"]
        elif not self.own_keys:
            words += ["-F", "/dev/null", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"]
            words += ["-o", "IdentityFile=none"]
        if self.known_hosts_file is not None:
            _readable(self.known_hosts_file, "the known-hosts file", "NOMAD_OPERATOR_GIT_KNOWN_HOSTS_FILE")
            words += ["-o", f"UserKnownHostsFile={_ssh_path(self.known_hosts_file)}"]
            words += ["-o", "GlobalKnownHostsFile=/dev/null", "-o", "UpdateHostKeys=no"]
        return shlex.join(words)


def _readable(file: Path, what: str, setting: str) -> None:
    try:
        file.open("rb").close()
    except OSError as error:
        raise Forbidden(f"{what} {file} cannot be read: {error.strerror}", hint=f"{setting} names it") from error


def _ssh_path(file: Path) -> str:
    """A path as ssh's options take it: quoted, for spaces separate several; `%` starts a token."""
    return '"' + str(file.absolute()).replace("%", "%%") + '"'

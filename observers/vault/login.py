"""How the operator comes to a token of Vault: it was given one, or shows its workload identity and is given one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from desired.errors import Forbidden

NOMAD_MOUNT = "jwt-nomad"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenToken:
    """`VAULT_TOKEN`: renewed where it can be, never replaced."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadIdentity:
    """A signed identity in a file, as Nomad writes it for a task and keeps it fresh.

    An empty role is the auth method's own default. Source: vault-on-nomad, measured with Nomad 2.0.5 and OpenBao 2.6.2.
    """

    file: Path
    role: str = ""
    mount: str = NOMAD_MOUNT

    def identity(self) -> str:
        """The identity as it is now; read anew for every login. Raises Forbidden where it cannot be read."""
        try:
            return self.file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Forbidden(
                f"the workload identity for Vault cannot be read from {self.file}: {type(error).__name__}",
                hint="give the task an `identity` block with `file = true` and an audience that the role wants",
            ) from error


Login = GivenToken | WorkloadIdentity

"""Where one service answers and how long it may take: plain values, for the clients of Vault, Consul and Fabio alike.

Nothing here opens a connection, and nothing here is secret: tokens belong to the clients.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from desired.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One service. `setting` is the name under which people gave the address; hints name it.

    `ca_setting` is the setting of the CA, empty where there is none. A deadline covers a whole call, from the wait for
    a free connection to the last byte.
    """

    service: str
    setting: str
    address: str
    ca_setting: str = ""
    ca_cert: Path | None = None
    tls_skip_verify: bool = False
    connect_timeout: timedelta = timedelta(seconds=5)
    deadline: timedelta = timedelta(seconds=10)
    max_calls: int = 8

    @property
    def base_url(self) -> str:
        """What request paths are put behind; without a slash at its end."""
        return self.address.rstrip("/")

    @property
    def secure(self) -> bool:
        return urlsplit(self.address).scheme == "https"

    @property
    def shown(self) -> str:
        """The address as people may see it: without a user or a password."""
        parts = urlsplit(self.address)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()

    def ssl_context(self) -> ssl.SSLContext:
        """Trusts `ca_cert` alone where it is given, else what the system trusts."""
        try:
            context = ssl.create_default_context(cafile=self.ca_cert)
        except OSError as error:  # ssl.SSLError is one, too
            raise UsageError(
                f"the CA certificate for {self.service} cannot be used ({self.ca_cert}): {error}",
                hint=f"{self.ca_setting} names a PEM file that this user can read",
            ) from error
        if self.tls_skip_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

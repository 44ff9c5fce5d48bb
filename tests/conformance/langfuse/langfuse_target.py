"""Where the suite asks: the double, or the real Langfuse of LANGFUSE_TEST_HOST."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from nomad_operator.langfuse.api import Langfuse
from nomad_operator.langfuse.http import LangfuseHttp
from observers.reach.address import Reach

HOST = os.environ.get("LANGFUSE_TEST_HOST", "")
PUBLIC = os.environ.get("LANGFUSE_TEST_PUBLIC_KEY", "")
SECRET = os.environ.get("LANGFUSE_TEST_SECRET_KEY", "")


@dataclass(frozen=True, slots=True)
class Target:
    """`mark` keeps the names of one run apart from those of others."""

    host: str
    public_key: str
    secret_key: str
    mark: str = field(default_factory=lambda: secrets.token_hex(4))

    def client(self, *, seconds: float = 20.0, secret_key: str = "") -> Langfuse:
        reach = Reach(
            service="Langfuse", setting="LANGFUSE_HOST", address=self.host, deadline=timedelta(seconds=seconds)
        )  # fmt: skip
        keys = {"public_key": self.public_key, "secret_key": secret_key or self.secret_key}
        return Langfuse(http=LangfuseHttp(reach=reach, **keys))

"""Every service beside Nomad and git, as the settings name it: asked all at once, told in a fixed order."""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import time
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from desired.errors import UsageError
from nomad_operator.doctor import Finding
from nomad_operator.model_from_settings import model_address, model_client
from nomad_operator.probes.attempt import Attempt, not_set
from nomad_operator.probes.consul import probe_consul
from nomad_operator.probes.fabio import probe_fabio
from nomad_operator.probes.json_api import JsonApi
from nomad_operator.probes.plain_services import probe_langfuse, probe_model, probe_models, probe_qdrant
from nomad_operator.probes.vault import probe_vault
from nomad_operator.service_clients import consul_client, fabio_client, vault_client, vault_login
from nomad_operator.settings import Settings
from observers.reach.address import Reach
from observers.redaction import Placeholders
from prompts.uses import USES

# So that it is the model's client that says what was waited for.
_SHARE = 0.9


class _Nobody:
    """Doctor's own question is in no account."""

    def model_asked(self, prompt: str, outcome: str, seconds: float) -> None: ...

    def model_tokens(self, prompt: str, tokens_in: int, tokens_out: int) -> None: ...


async def probe_services(settings: Settings, *, timeout: timedelta, question: bool = True) -> list[Finding]:
    """What is not set is not asked. Nothing takes longer than `timeout`.

    Without a `question` a model is only asked what it is: an answer costs tokens.
    """

    async def model(settings: Settings, timeout: timedelta) -> list[Finding]:
        return await _model(settings, timeout, question=question)

    groups = await asyncio.gather(
        *(
            _guarded(name, work(settings, timeout))
            for name, work in (
                ("consul", _consul), ("vault", _vault), ("fabio", _fabio),
                ("qdrant", _qdrant), ("langfuse", _langfuse), ("model", model),
            )
        )
    )  # fmt: skip
    return [finding for group in groups for finding in group]


async def _guarded(name: str, work: Awaitable[list[Finding]]) -> list[Finding]:
    """A file of certificates that cannot be used is a finding about one service."""
    try:
        return await work
    except UsageError as error:
        return [Finding(name, False, "", error.message, error.hint)]


async def _vault(settings: Settings, timeout: timedelta) -> list[Finding]:
    client = vault_client(settings, deadline=timeout)
    if client is None:
        return [not_set("vault", "VAULT_ADDR")]
    login = vault_login(settings) is not None
    return await _asked(client, probe_vault(client, _attempt("vault", settings.vault_addr, timeout), login=login))


async def _consul(settings: Settings, timeout: timedelta) -> list[Finding]:
    client = consul_client(settings, deadline=timeout)
    if client is None:
        return [not_set("consul", "CONSUL_HTTP_ADDR")]
    attempt = _attempt("consul", settings.consul_http_addr, timeout)
    return await _asked(client, probe_consul(client, attempt, token=settings.consul_http_token is not None))


async def _fabio(settings: Settings, timeout: timedelta) -> list[Finding]:
    client = fabio_client(settings, deadline=timeout)
    if client is None:
        return [not_set("fabio", "NOMAD_OPERATOR_FABIO_URL")]
    attempt = _attempt("fabio", settings.fabio_url, timeout)
    consul = consul_client(settings, deadline=timeout)
    if consul is None:
        return await _asked(client, probe_fabio(client, attempt, consul=None))
    return await _asked(client, _asked(consul, probe_fabio(client, attempt, consul=consul)))


async def _qdrant(settings: Settings, timeout: timedelta) -> list[Finding]:
    if settings.qdrant_url is None:
        return [not_set("qdrant", "QDRANT_URL")]
    key = _plain(settings.qdrant_api_key)
    api = JsonApi(
        reach=_reach("Qdrant", "QDRANT_URL", settings.qdrant_url, timeout),
        headers={"api-key": key} if key else {}, credentials="QDRANT_API_KEY",
    )  # fmt: skip
    return await probe_qdrant(api, _attempt("qdrant", settings.qdrant_url, timeout))


async def _langfuse(settings: Settings, timeout: timedelta) -> list[Finding]:
    if settings.langfuse_host is None:
        return [not_set("langfuse", "LANGFUSE_HOST")]
    public, secret = _plain(settings.langfuse_public_key), _plain(settings.langfuse_secret_key)
    basic = base64.b64encode(f"{public}:{secret}".encode()).decode()
    api = JsonApi(
        reach=_reach("Langfuse", "LANGFUSE_HOST", settings.langfuse_host, timeout),
        headers={"Authorization": f"Basic {basic}"}, credentials="LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY keys",
    )  # fmt: skip
    attempt = _attempt("langfuse", settings.langfuse_host, timeout)
    return await probe_langfuse(
        api, attempt, keys=bool(public and secret), label=settings.prompt_label, names=tuple(USES),
        tracing=importlib.util.find_spec("opentelemetry.sdk") is not None,
    )  # fmt: skip


async def _model(settings: Settings, timeout: timedelta, *, question: bool) -> list[Finding]:
    key = _plain(settings.openai_api_key)
    address = model_address(settings)
    if address is None:
        return [not_set("model", "OPENAI_BASE_URL")]
    api = JsonApi(
        reach=_reach("The model's endpoint", "OPENAI_BASE_URL", address, timeout),
        headers={"Authorization": f"Bearer {key}"} if key else {}, credentials="OPENAI_API_KEY a key",
    )  # fmt: skip
    attempt = _attempt("model", address, timeout)
    if not question:
        return await probe_models(api, attempt)
    model = model_client(
        settings, accounts=_Nobody(), watch=lambda _: None, placeholders=Placeholders(), deadline=timeout * _SHARE
    )  # fmt: skip
    return await _asked(model, probe_model(api, attempt, model=model))


async def _asked(client: Any, findings: Awaitable[list[Finding]]) -> list[Finding]:
    try:
        return await findings
    finally:
        await client.aclose()


def _attempt(service: str, address: str | None, timeout: timedelta) -> Attempt:
    return Attempt(
        service=service, address=address or "", timeout_seconds=timeout.total_seconds(), clock=time.monotonic
    )


def _reach(service: str, setting: str, address: str, timeout: timedelta) -> Reach:
    return Reach(service=service, setting=setting, address=address, deadline=timeout, connect_timeout=timeout)


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""

"""What the settings mean to the parts: a repository, a connection, a policy. Pure but for the environment of git."""

from __future__ import annotations

import hashlib
import os
from urllib.parse import urlsplit

from pydantic import SecretStr

from desired.app import AppKey
from desired.edited_file import FileEditor
from desired.errors import UsageError
from desired.git_credentials import GitCredentials
from desired.git_source import GitSource
from desired.policy import Policy, Repair, Verify
from desired.write_back import WriteBack
from nomad_operator.news.target import targets
from nomad_operator.settings import Settings
from nomad_operator.source import Repository
from observers.nomad.connection import Connection
from reconcilers.repair.owed import WriteBackTo
from reconcilers.situation import Mode, Rules


def repository(settings: Settings) -> GitSource:
    """The git source that the settings name."""
    if settings.git_url is None:
        raise UsageError(
            "NOMAD_OPERATOR_GIT_URL is not set: there is nothing to follow",
            hint="name the repository that holds your apps; `nomad-operator settings` explains every setting",
        )
    # One folder a source: another URL or ref must not find what this one left.
    named = hashlib.sha256(f"{settings.git_url}\0{settings.git_ref}\0{settings.git_path}".encode()).hexdigest()[:16]
    return GitSource(
        url=settings.git_url,
        ref=settings.git_ref,
        path=settings.git_path,
        cache=settings.state_file.with_name("git") / named,
        credentials=credentials(settings),
        environment=os.environ,
    )


def credentials(settings: Settings) -> GitCredentials:
    return GitCredentials(
        username=settings.git_username,
        token=settings.git_token.get_secret_value() if settings.git_token else "",
        token_file=settings.git_token_file,
        ssh_key_file=settings.git_ssh_key_file,
        known_hosts_file=settings.git_known_hosts_file,
    )


def connection(settings: Settings) -> Connection:
    address = f"unix://{settings.nomad_unix_socket}" if settings.nomad_unix_socket else settings.nomad_addr
    return Connection(
        address=address,
        token=settings.nomad_token.get_secret_value() if settings.nomad_token else None,
        token_file=settings.nomad_token_file,
        namespace=settings.nomad_namespace,
        region=settings.nomad_region or None,
        ca_cert=settings.nomad_cacert,
        client_cert=settings.nomad_client_cert,
        client_key=settings.nomad_client_key,
        tls_skip_verify=settings.nomad_skip_verify,
    )


def policy(settings: Settings) -> Policy:
    """What an app has that says nothing else."""
    return Policy(
        prune=True,
        drift=settings.drift,
        on_failure=settings.on_failure,
        repair=Repair(mode=settings.repair_mode, max_attempts=settings.repair_max_attempts),
        verify=Verify(soak=settings.verify_soak, timeout=settings.verify_timeout),
    )


def rules(settings: Settings, own_job: AppKey | None) -> Rules:
    return Rules(
        mode=settings.mode,
        adopt=settings.adopt,
        prune_grace=settings.prune_grace,
        own_job=None if settings.manage_self else own_job,
        defaults=policy(settings),
    )


def write_back(settings: Settings, followed: Repository) -> WriteBack | None:
    """The way of repairs back to git; None where nothing is ever written."""
    if settings.write_back is WriteBackTo.OFF or settings.mode is Mode.OBSERVE or not isinstance(followed, GitSource):
        return None
    editor = FileEditor(defaults=policy(settings), namespace=settings.nomad_namespace)
    return WriteBack(push=followed.push(settings.write_back_author), editor=editor)


def secrets_of(settings: Settings) -> list[str]:
    """What this process knows and nobody may be told."""
    values = (getattr(settings, name) for name in Settings.model_fields)
    told = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    # Several in one setting: each by itself, and what is secret in each.
    urls = targets(settings.notify_urls.get_secret_value()) if settings.notify_urls is not None else ()
    parts = [(one.url, urlsplit(one.url)) for one in urls]
    return [
        *told,
        *(piece for url, split in parts for piece in (url, split.path, split.query, split.password) if piece),
    ]


def own_job_of(environment: dict[str, str]) -> AppKey | None:
    """The job this process runs in, as Nomad tells every task; None outside Nomad."""
    name = environment.get("NOMAD_JOB_ID")
    return AppKey(environment.get("NOMAD_NAMESPACE", "default"), name) if name else None

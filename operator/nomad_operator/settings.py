"""Every setting of the process: its name, its type, its range, its default and what it means.

`settings_load` fills this from the environment and `.env`; `settings_show` prints it. A `Settings` that is constructed
directly (`Settings(git_url=...)`) reads nothing from outside. Secrets are `SecretStr`: they show as asterisks.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from desired.git_commit import Author
from desired.operations.operation import Kind
from desired.policy import Drift, OnFailure, RepairMode
from nomad_operator.news.notice import Kind as News
from nomad_operator.settings_values import (
    LABEL_WORDS,
    Compared,
    Seconds,
    check_address,
    check_listen,
    comma_separated,
    commit_author,
    compared,
    credentials_of,
    expand_user,
    git_address,
    git_folder,
    git_ref,
    label_name,
    namespace_names,
    news_kinds,
    news_template,
    notify_urls,
    one_namespace,
    repair_kinds,
    resource_limits,
    state_file_of,
    stripped,
    variables_of,
)
from nomad_operator.variable_names import VariablePlace
from reconcilers.repair.owed import WriteBackTo
from reconcilers.situation import Adopt, Mode

PREFIX = "NOMAD_OPERATOR_"


class Lease(StrEnum):
    """Who decides which copy acts."""

    NONE = "none"
    NOMAD = "nomad"


class Memory(StrEnum):
    """Where repairs are remembered. `auto` is a server where QDRANT_URL is set, else a folder beside the state, and
    nowhere without the extra `memory`."""

    AUTO = "auto"
    OFF = "off"
    LOCAL = "local"
    SERVER = "server"


class LogFormat(StrEnum):
    """`auto` is text on a terminal and JSON elsewhere."""

    AUTO = "auto"
    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """The least important lines that are still written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def setting(
    name: str,
    default: Any,
    meaning: str,
    *,
    allowed: str = "",
    unit: str = "",
    low: float | timedelta | None = None,
    high: float | timedelta | None = None,
    secret: bool = False,
) -> Any:
    """One documented field. `allowed` says in words what is accepted; bounds are added to it."""
    if low is not None and high is not None:
        allowed = f"{_plain(low)} to {_plain(high)}"
    about: dict[str, str | bool] = {"allowed": allowed, "unit": unit, "secret": secret}
    return Field(
        default=default, validation_alias=name, description=meaning, ge=low, le=high,
        json_schema_extra=dict(about),
    )  # fmt: skip


def _plain(bound: float | timedelta) -> str:
    return f"{bound.total_seconds() if isinstance(bound, timedelta) else bound:g}"


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


File = Annotated[Path, BeforeValidator(expand_user)]
Secret = Annotated[SecretStr, BeforeValidator(stripped)]
_HTTP = "http:// or https://"


class Settings(BaseSettings):
    """Environment over `.env` over these defaults; `settings_load.load` is the way in."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, case_sensitive=True, extra="ignore", frozen=True, populate_by_name=True,
        hide_input_in_errors=True, validate_default=False,
    )  # fmt: skip

    # Nomad: the standard names.
    nomad_addr: str = setting(
        "NOMAD_ADDR", "http://127.0.0.1:4646", "Where Nomad's HTTP API answers.", allowed="http://, https:// or unix://"
    )
    nomad_unix_socket: File | None = setting(
        "NOMAD_UNIX_SOCKET", None, "Unix socket of Nomad's API; comes before the address.", allowed="a path"
    )
    nomad_token: Secret | None = setting(
        "NOMAD_TOKEN", None, "ACL token for Nomad.", allowed="a secret id", secret=True
    )
    nomad_token_file: File | None = setting(
        "NOMAD_TOKEN_FILE", None, "File that holds the ACL token; read again when it changes.", allowed="a path"
    )
    nomad_namespace: str = setting(
        "NOMAD_NAMESPACE", "default", "Namespace of apps that name none.", allowed="letters, digits and dashes"
    )
    nomad_region: str = setting("NOMAD_REGION", "", "Region that is asked; the agent's own if not set.")
    nomad_cacert: File | None = setting(
        "NOMAD_CACERT", None, "CA certificate (PEM) that signed Nomad's; the system's own if not set.", allowed="a path"
    )
    nomad_client_cert: File | None = setting(
        "NOMAD_CLIENT_CERT", None, "Client certificate (PEM) for mutual TLS.", allowed="a path"
    )
    nomad_client_key: File | None = setting(
        "NOMAD_CLIENT_KEY", None, "Key (PEM) of the client certificate.", allowed="a path"
    )
    nomad_skip_verify: bool = setting(
        "NOMAD_SKIP_VERIFY", False, "Accept any TLS certificate from Nomad. Not for production.",
        allowed="true or false",
    )  # fmt: skip
    namespaces: Annotated[tuple[str, ...], NoDecode, BeforeValidator(namespace_names)] = setting(
        f"{PREFIX}NAMESPACES", ("*",), "Namespaces that are watched; apps in others are refused.",
        allowed="names, separated by commas; * is all of them",
    )  # fmt: skip

    # Git.
    git_url: str | None = setting(
        f"{PREFIX}GIT_URL", None, "Repository that holds the desired apps. Credentials in it are taken out of it.",
        allowed="https, ssh, git or file URL, or a path",
    )  # fmt: skip
    git_ref: str = setting(f"{PREFIX}GIT_REF", "main", "Branch, tag or commit that is followed.")
    git_path: str = setting(
        f"{PREFIX}GIT_PATH", ".", "Folder of the repository that is read.", allowed="a relative path"
    )
    git_username: str = setting(f"{PREFIX}GIT_USERNAME", "", "User name that goes with the token over https.")
    git_token: Secret | None = setting(
        f"{PREFIX}GIT_TOKEN", None, "Token or password for https.", allowed="a secret", secret=True
    )
    git_token_file: File | None = setting(
        f"{PREFIX}GIT_TOKEN_FILE", None, "File that holds the token; read again at each poll.", allowed="a path"
    )
    git_ssh_key_file: File | None = setting(f"{PREFIX}GIT_SSH_KEY_FILE", None, "Private key for ssh.", allowed="a path")
    git_known_hosts_file: File | None = setting(
        f"{PREFIX}GIT_KNOWN_HOSTS_FILE", None, "Host keys that ssh accepts; ssh's own file if not set.",
        allowed="a path",
    )  # fmt: skip
    git_poll: Seconds = setting(
        f"{PREFIX}GIT_POLL_SECONDS", _seconds(15), "Time between two looks at the repository.", unit="seconds",
        low=_seconds(1), high=_seconds(86400),
    )  # fmt: skip
    source_poll: Seconds = setting(
        f"{PREFIX}SOURCE_POLL_SECONDS", _seconds(60),
        "Time between two looks at another repository that an app has its code in.", unit="seconds",
        low=_seconds(5), high=_seconds(86400),
    )  # fmt: skip
    source_max_urls: int = setting(
        f"{PREFIX}SOURCE_MAX_URLS", 50, "Other repositories that apps may have their code in.", unit="repositories",
        low=0, high=1000,
    )  # fmt: skip
    source_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(comma_separated)] = setting(
        f"{PREFIX}SOURCE_HOSTS", ("*",), "Git servers that code may be fetched from, besides that of GIT_URL.",
        allowed="host or host:port, separated by commas; * is any",
    )  # fmt: skip

    # Rules.
    policy_file: File | None = setting(
        f"{PREFIX}POLICY_FILE", None, "Rules that every job has to keep (`kind: Policy`); read again when it changes.",
        allowed="a path",
    )  # fmt: skip

    # The loop.
    mode: Mode = setting(
        f"{PREFIX}MODE", Mode.ACT, "Whether anything is written to Nomad; observe only tells what it would do.",
        allowed="act or observe",
    )  # fmt: skip
    resync: Seconds = setting(
        f"{PREFIX}RESYNC_SECONDS", _seconds(300), "Time between two looks at every app.", unit="seconds",
        low=_seconds(5), high=_seconds(86400),
    )  # fmt: skip
    concurrency: int = setting(
        f"{PREFIX}CONCURRENCY", 8, "Apps that are worked on at the same time.", unit="apps", low=1, high=64
    )
    adopt: Adopt = setting(
        f"{PREFIX}ADOPT", Adopt.ASK, "What to do about a job that was there before and differs from its file.",
        allowed="ask or always",
    )  # fmt: skip
    drift: Drift = setting(
        f"{PREFIX}DRIFT", Drift.CORRECT, "What to do when somebody changed a job by hand.", allowed="correct or warn"
    )
    on_failure: OnFailure = setting(
        f"{PREFIX}ON_FAILURE", OnFailure.ROLLBACK, "What to do when a new spec fails verification.",
        allowed="rollback or hold",
    )  # fmt: skip
    manage_self: bool = setting(
        f"{PREFIX}MANAGE_SELF", False, "Let the operator change its own job.", allowed="true or false"
    )
    prune: bool = setting(
        f"{PREFIX}PRUNE", True, "Stop the jobs of apps whose file was removed.", allowed="true or false"
    )
    prune_max_share: float = setting(
        f"{PREFIX}PRUNE_MAX_SHARE", 0.3, "Share of all apps that may be pruned at once; 3 are always allowed.",
        unit="share of 1", low=0, high=1,
    )  # fmt: skip
    prune_grace: Seconds = setting(
        f"{PREFIX}PRUNE_GRACE_SECONDS", _seconds(600), "Time between a file's removal and the stop of its job.",
        unit="seconds", low=_seconds(0), high=_seconds(604800),
    )  # fmt: skip
    verify_soak: Seconds = setting(
        f"{PREFIX}VERIFY_SOAK_SECONDS", _seconds(60), "Time an app must stay healthy before it counts as good.",
        unit="seconds", low=_seconds(0), high=_seconds(86400),
    )  # fmt: skip
    verify_timeout: Seconds = setting(
        f"{PREFIX}VERIFY_TIMEOUT_SECONDS", _seconds(300), "Time without progress after which a deployment has failed.",
        unit="seconds", low=_seconds(1), high=_seconds(86400),
    )  # fmt: skip

    # Repairs.
    repair_mode: RepairMode = setting(
        f"{PREFIX}REPAIR_MODE", RepairMode.AUTO,
        "What to do about an app that failed: repair it, propose a repair and wait for a person, or neither.",
        allowed="auto, propose or off",
    )  # fmt: skip
    repair_auto: Annotated[frozenset[Kind], NoDecode, BeforeValidator(repair_kinds)] = setting(
        f"{PREFIX}REPAIR_AUTO", frozenset(), "Changes that need no approval although they are risky.",
        allowed="safe (none), all, or kinds of operations separated by commas",
    )  # fmt: skip
    repair_max_attempts: int = setting(
        f"{PREFIX}REPAIR_MAX_ATTEMPTS", 3, "Repairs that are tried for one failure.", unit="attempts", low=1, high=10
    )
    repair_max_per_hour: int = setting(
        f"{PREFIX}REPAIR_MAX_PER_HOUR", 30, "Repairs that are tried in an hour, in the whole fleet.", unit="repairs",
        low=0, high=1000,
    )  # fmt: skip
    repair_concurrency: int = setting(
        f"{PREFIX}REPAIR_CONCURRENCY", 5, "Apps that are under repair at the same time.", unit="apps", low=0, high=100
    )
    repair_limits: Annotated[dict[str, int], NoDecode, BeforeValidator(resource_limits)] = setting(
        f"{PREFIX}REPAIR_LIMITS", {}, "The most that a repair may give a task; a manifest may set lower limits.",
        allowed="memory=MB,cpu=MHz,disk=MB, any of them",
    )  # fmt: skip
    write_back: WriteBackTo = setting(
        f"{PREFIX}WRITE_BACK", WriteBackTo.OFF,
        "Where repairs that were verified are committed: nowhere, on a branch for each app, or on the followed branch.",
        allowed="off, branch or push",
    )  # fmt: skip
    write_back_author: Annotated[Author, NoDecode, BeforeValidator(commit_author)] = setting(
        f"{PREFIX}WRITE_BACK_AUTHOR", Author(), "Who those commits are by, for servers that only take known people.",
        allowed="Name <mail>",
    )  # fmt: skip
    image_lookup: bool = setting(
        f"{PREFIX}IMAGE_LOOKUP", True,
        "Whether registries are asked if an image is there, and what it says of itself (ports, command).",
        allowed="true or false",
    )  # fmt: skip
    docker_config: File | None = setting(
        "DOCKER_CONFIG", None, "Folder of the `config.json` that `docker login` writes: credentials for registries.",
        allowed="a path",
    )  # fmt: skip
    insecure_registries: Annotated[tuple[str, ...], NoDecode, BeforeValidator(comma_separated)] = setting(
        f"{PREFIX}INSECURE_REGISTRIES", (), "Registries that are asked without TLS, as the loopback always is.",
        allowed="host:port, separated by commas",
    )  # fmt: skip
    repairs_stopped: bool = setting(
        f"{PREFIX}REPAIRS_STOPPED", False, "The kill switch: nothing is written for any repair.",
        allowed="true or false",
    )  # fmt: skip

    # The services beside Nomad: standard names, and all of them optional.
    vault_addr: str | None = setting(
        "VAULT_ADDR", None, "Where Vault answers; asked for names of secrets, never for values.", allowed=_HTTP
    )
    vault_token: Secret | None = setting("VAULT_TOKEN", None, "Token for Vault.", allowed="a secret", secret=True)
    vault_namespace: str = setting("VAULT_NAMESPACE", "", "Namespace of Vault (Enterprise, or OpenBao's).")
    vault_cacert: File | None = setting(
        "VAULT_CACERT", None, "CA certificate (PEM) that signed Vault's; the system's own if not set.", allowed="a path"
    )
    vault_identity_file: File | None = setting(
        f"{PREFIX}VAULT_IDENTITY_FILE", None,
        "File with the workload identity that is shown to Vault where there is no token; read at each login.",
        allowed="a path",
    )  # fmt: skip
    vault_role: str = setting(f"{PREFIX}VAULT_ROLE", "", "Role for that login; the auth method's default if not set.")
    vault_auth_path: str = setting(f"{PREFIX}VAULT_AUTH_PATH", "jwt-nomad", "Where Vault's auth method for it is.")
    consul_http_addr: str | None = setting(
        "CONSUL_HTTP_ADDR", None, "Where Consul's HTTP API answers.", allowed="http://, https:// or host:port"
    )
    consul_http_token: Secret | None = setting(
        "CONSUL_HTTP_TOKEN", None, "ACL token for Consul.", allowed="a secret", secret=True
    )
    consul_cacert: File | None = setting(
        "CONSUL_CACERT", None, "CA certificate (PEM) that signed Consul's; the system's own if not set.",
        allowed="a path",
    )  # fmt: skip
    fabio_url: str | None = setting(
        f"{PREFIX}FABIO_URL", None, "Fabio's own page, where its routing table is (port 9998).", allowed=_HTTP
    )
    fabio_strict: bool = setting(
        f"{PREFIX}FABIO_STRICT", False, "Do not deploy an app whose route, or a part of it, somebody else has.",
        allowed="true or false",
    )  # fmt: skip
    qdrant_url: str | None = setting("QDRANT_URL", None, "Where Qdrant answers.", allowed=_HTTP)
    qdrant_api_key: Secret | None = setting(
        "QDRANT_API_KEY", None, "API key for Qdrant.", allowed="a secret", secret=True
    )
    memory: Memory = setting(
        f"{PREFIX}MEMORY", Memory.AUTO,
        "Where repairs are remembered: in a folder beside the state, on the server of QDRANT_URL, or nowhere.",
        allowed="auto, off, local or server",
    )  # fmt: skip
    cluster_id: str = setting(
        f"{PREFIX}CLUSTER_ID", "", "Name of this cluster in the memory; Nomad's region if not set. Clusters that share "
        "a Qdrant need names of their own.",
    )  # fmt: skip
    embedding_model: str = setting(
        f"{PREFIX}EMBEDDING_MODEL", "", "Model of OPENAI_BASE_URL that the memory compares failures by; a built-in "
        "comparison of words if not set.",
    )  # fmt: skip
    langfuse_host: str | None = setting("LANGFUSE_HOST", None, "Where Langfuse answers.", allowed=_HTTP)
    langfuse_public_key: Secret | None = setting(
        "LANGFUSE_PUBLIC_KEY", None, "Public key of the Langfuse project.", allowed="pk-lf-...", secret=True
    )
    langfuse_secret_key: Secret | None = setting(
        "LANGFUSE_SECRET_KEY", None, "Secret key of the Langfuse project.", allowed="a secret", secret=True
    )
    openai_base_url: str | None = setting(
        "OPENAI_BASE_URL", None, "Where a model's OpenAI-compatible API answers, as a rule ending in /v1.",
        allowed=_HTTP,
    )  # fmt: skip
    openai_api_key: Secret | None = setting(
        "OPENAI_API_KEY", None, "API key for that model.", allowed="a secret", secret=True
    )
    model: str = setting(
        f"{PREFIX}MODEL",
        "",
        "Model that is asked there; the only one that is listed if not set. A prompt may name another.",
    )
    model_timeout: Seconds = setting(
        f"{PREFIX}MODEL_TIMEOUT_SECONDS", _seconds(60), "The longest that one question to the model takes, in all.",
        unit="seconds", low=_seconds(1), high=_seconds(600),
    )  # fmt: skip
    model_tokens_per_hour: int = setting(
        f"{PREFIX}MODEL_TOKENS_PER_HOUR", 200_000, "Tokens that the model may cost in an hour, questions and answers.",
        unit="tokens", low=0, high=1_000_000_000,
    )  # fmt: skip
    model_tokens_per_episode: int = setting(
        f"{PREFIX}MODEL_TOKENS_PER_EPISODE", 60_000, "Tokens that the model may cost for one failure of an app.",
        unit="tokens", low=0, high=1_000_000_000,
    )  # fmt: skip
    model_concurrency: int = setting(
        f"{PREFIX}MODEL_CONCURRENCY", 4, "Questions to the model at the same time.", unit="questions", low=1, high=64
    )
    model_answers: bool = setting(
        f"{PREFIX}MODEL_ANSWERS", True,
        "Whether the daemon asks the model what words of manifests mean and what code leaves open, where one is set.",
        allowed="true or false",
    )  # fmt: skip

    # Prompts.
    prompt_label: Annotated[str, BeforeValidator(label_name)] = setting(
        f"{PREFIX}PROMPT_LABEL", "production", "Label of the prompts that are fetched from Langfuse.",
        allowed=LABEL_WORDS,
    )  # fmt: skip
    prompt_compare: Annotated[Compared, NoDecode, BeforeValidator(compared)] = setting(
        f"{PREFIX}PROMPT_COMPARE", Compared(), "Another label, and its share of the episodes, to compare it live.",
        allowed="label=share, the share from 0 to 1",
    )  # fmt: skip
    prompts_path: File | None = setting(
        f"{PREFIX}PROMPTS_PATH", None, "Folder of prompt files that take the place of those of the same name here.",
        allowed="a path",
    )  # fmt: skip

    traces: bool = setting(
        f"{PREFIX}TRACES", True,
        "Whether traces go to Langfuse, and to the collector of OTEL_EXPORTER_OTLP_ENDPOINT, where these are set.",
        allowed="true or false",
    )  # fmt: skip

    # State.
    state_url: str | None = setting(
        f"{PREFIX}STATE_URL", None, "Where the operator's records are; a file in the XDG state folder if not set.",
        allowed="sqlite:///absolute/path, sqlite:///./relative, sqlite:///~/in-home or nomad://path/of/variables",
    )  # fmt: skip
    lease: Lease | None = setting(
        f"{PREFIX}LEASE", None, "Who decides which copy acts; nomad if the state is in Nomad, else none.",
        allowed="none or nomad",
    )  # fmt: skip
    lease_ttl: Seconds = setting(
        f"{PREFIX}LEASE_TTL_SECONDS", _seconds(10), "How long a copy acts after its lease was last renewed.",
        unit="seconds", low=_seconds(10), high=_seconds(600),
    )  # fmt: skip
    advertise: str | None = setting(
        f"{PREFIX}ADVERTISE", None, "Where the other copies reach this one; taken from Nomad or LISTEN if not set.",
        allowed="http:// or https://",
    )  # fmt: skip

    # HTTP.
    listen: str = setting(
        f"{PREFIX}LISTEN", "127.0.0.1:9650", "Where the daemon serves its API, metrics and webhooks.",
        allowed="host:port; port 0 takes a free one",
    )  # fmt: skip
    addr: str | None = setting(
        f"{PREFIX}ADDR", None, "Daemon that the commands talk to; the one of LISTEN if not set.",
        allowed="http:// or https://",
    )  # fmt: skip
    api_token: Secret | None = setting(
        f"{PREFIX}API_TOKEN", None, "Bearer token for whatever changes something; made at first start if not set.",
        allowed="a secret; make it long", secret=True,
    )  # fmt: skip
    api_token_file: File | None = setting(
        f"{PREFIX}API_TOKEN_FILE", None, "File that holds that token; `api-token` beside the state if not set.",
        allowed="a path",
    )  # fmt: skip
    read_token: Secret | None = setting(
        f"{PREFIX}READ_TOKEN", None,
        "Token for reading the page and the API, as the API token may too; without one whoever reaches the port reads.",
        allowed="a secret; make it long", secret=True,
    )  # fmt: skip
    hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(comma_separated)] = setting(
        f"{PREFIX}HOSTS", (),
        "Names that the page and the API may be asked by, besides addresses and localhost; if not set, any, and on the "
        "loopback none.",
        allowed="names, separated by commas; * is any",
    )  # fmt: skip
    webhook_secret: Secret | None = setting(
        f"{PREFIX}WEBHOOK_SECRET", None, "Secret of the git server's webhook; without one a webhook needs the token.",
        allowed="a secret", secret=True,
    )  # fmt: skip

    # Telling people.
    notify_urls: Secret | None = setting(
        f"{PREFIX}NOTIFY_URLS", None, "Webhooks that are told what happens; whoever knows one can write there.",
        allowed="https://…, slack+https://…, mattermost+https://… or discord+https://…, separated by commas",
        secret=True,
    )  # fmt: skip
    notify_on: Annotated[frozenset[News], NoDecode, BeforeValidator(news_kinds)] = setting(
        f"{PREFIX}NOTIFY_ON", frozenset(News), "What they are told.",
        allowed="all, or kinds of news separated by commas",
    )  # fmt: skip
    notify_interval: Seconds = setting(
        f"{PREFIX}NOTIFY_INTERVAL_SECONDS", _seconds(10), "Least time between two messages to one webhook.",
        unit="seconds", low=_seconds(2), high=_seconds(3600),
    )  # fmt: skip
    notify_template_file: File | None = setting(
        f"{PREFIX}NOTIFY_TEMPLATE_FILE", None, "Jinja template of a message's text.", allowed="a path"
    )

    # Logs.
    log_format: LogFormat = setting(
        f"{PREFIX}LOG_FORMAT", LogFormat.AUTO, "Form of the log lines; auto is text on a terminal, else JSON.",
        allowed="auto, text or json",
    )  # fmt: skip
    log_level: LogLevel = setting(
        f"{PREFIX}LOG_LEVEL", LogLevel.INFO, "Least important lines that are written.",
        allowed="debug, info, warning or error",
    )  # fmt: skip

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # The loader asks the other sources itself: it must know where each value came from.
        return (init_settings,)

    @field_validator(
        "nomad_addr", "addr", "advertise", "vault_addr", "consul_http_addr", "fabio_url", "qdrant_url", "langfuse_host",
        "openai_base_url",
    )  # fmt: skip
    @classmethod
    def _address(cls, value: str | None, info: Any) -> str | None:
        return value if value is None else check_address(value, sockets=info.field_name == "nomad_addr")

    @field_validator("listen")
    @classmethod
    def _listen(cls, value: str) -> str:
        return check_listen(value)

    @field_validator("state_url")
    @classmethod
    def _state_url(cls, value: str | None) -> str | None:
        if value is not None:
            state_file_of(value, {})
        return value

    @field_validator(
        "log_format",
        "log_level",
        "mode",
        "adopt",
        "drift",
        "on_failure",
        "lease",
        "repair_mode",
        "write_back",
        "memory",
        mode="before",
    )
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("notify_urls")
    @classmethod
    def _notify_urls(cls, value: SecretStr | None) -> SecretStr | None:
        return None if value is None else notify_urls(value)

    @field_validator("notify_template_file")
    @classmethod
    def _notify_template(cls, value: Path | None) -> Path | None:
        return None if value is None else news_template(value)

    @field_validator("nomad_namespace")
    @classmethod
    def _namespace(cls, value: str) -> str:
        return one_namespace(value)

    @field_validator("git_ref")
    @classmethod
    def _git_ref(cls, value: str) -> str:
        return git_ref(value)

    @field_validator("git_path")
    @classmethod
    def _git_path(cls, value: str) -> str:
        return git_folder(value)

    @field_validator("git_url")
    @classmethod
    def _git_url(cls, value: str | None) -> str | None:
        return None if value is None else git_address(value).url

    @model_validator(mode="before")
    @classmethod
    def _credentials_out_of_the_url(cls, values: dict[str, Any]) -> dict[str, Any]:
        """So that nothing which shows the URL can show them. What is set by its own name comes first."""
        for name in ("git_url", f"{PREFIX}GIT_URL"):
            url = values.get(name)
            if isinstance(url, str):
                username, token = credentials_of(url)
                found = {"git_username": username, "git_token": token}
                given = {key: value for key, value in found.items() if value and not _given(values, key)}
                return {**values, **given}
        return values

    @model_validator(mode="after")
    def _lease_for_the_state(self) -> Settings:
        in_nomad = self.state_variables is not None
        if self.lease is Lease.NOMAD and not in_nomad:
            raise ValueError(
                f"{PREFIX}LEASE is nomad, and the state is a file, which other copies cannot read: "
                f"set {PREFIX}STATE_URL to something like nomad://nomad-operator/state"
            )
        if self.lease is Lease.NONE and in_nomad:
            raise ValueError(
                f"{PREFIX}LEASE is none, and the state is in Nomad, where a second copy would write it as well: "
                "leave it out, or say nomad"
            )
        return self

    @property
    def leased(self) -> bool:
        """Whether only the copy that holds the lease acts."""
        return self.state_variables is not None

    @property
    def state_variables(self) -> VariablePlace | None:
        """Where in Nomad's variables the records are; None where they are in `state_file`."""
        found = variables_of(self.state_url)
        return None if found is None else replace(found, namespace=found.namespace or self.nomad_namespace)

    @property
    def state_file(self) -> Path:
        """Where the records are kept, if it is a file; what else is kept lies beside it in any case. Absolute."""
        return state_file_of(self.state_url, os.environ)

    @property
    def token_file(self) -> Path:
        """Where the daemon writes, and the commands read, the API token."""
        return self.api_token_file or self.state_file.with_name("api-token")

    @property
    def daemon_addr(self) -> str:
        """Base URL of the daemon for the commands. A daemon that listens everywhere is asked on loopback."""
        if self.addr is not None:
            return self.addr
        host, port = self.listen_at
        here = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        return f"http://[{here}]:{port}" if ":" in here else f"http://{here}:{port}"

    @property
    def listen_at(self) -> tuple[str, int]:
        """Host and port; an IPv6 host without its brackets."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


def _given(values: Mapping[str, Any], field: str) -> bool:
    names = (field, PREFIX + field.upper(), f"{field}_file", f"{PREFIX}{field.upper()}_FILE")
    return any(values.get(name) for name in names)

"""What can be answered about one value of a manifest: suggestions first, then the kinds of answers. Pure."""

from __future__ import annotations

from desired.draft.answers import NONE, TCP, YES
from desired.draft.value import Draft
from desired.facts.facts import Facts
from desired.route_conflicts import free_hostname
from desired.secret_literals import secret_by_name
from nomad_operator.interview.asked import Option
from nomad_operator.interview.knowledge import Knowledge
from nomad_operator.interview.suggestions import suggestions

PATH_AND_FIELD = "path#field"
_VAULT = Option("vault", "a field of a secret in Vault", PATH_AND_FIELD)
_NOMAD = Option("nomad", "a field of a Nomad variable", PATH_AND_FIELD)
_CONSUL = Option("consul", "a key of Consul", "key")
_ANY = "any value of the right length"


def options_for(at: str, app: str, facts: Facts, draft: Draft, knowledge: Knowledge) -> tuple[Option, ...]:
    head, _, rest = at.partition(".")
    match head:
        case "env":
            return (*suggestions(rest, app, facts, draft, knowledge), *_sources(rest))
        case "files":
            found = suggestions(rest.rpartition("/")[2].upper(), app, facts, draft, knowledge)
            return (*found, _VAULT, _NOMAD, _CONSUL, Option(NONE, "nothing is put there"))
        case "volumes":
            return (
                Option("csi", "a CSI volume of the cluster", "its id"),
                Option("host", "a host volume of the nodes", "its name"),
                Option(NONE, "what is written there is gone with the container"),
            )
        case "check":
            return (
                Option("http", "a path that answers when the app is healthy", "path, such as /healthz"),
                Option(TCP, "it is healthy when a connection can be made"),
                Option(NONE, "no check"),
            )
        case "type":
            return (
                Option("service", "runs until it is stopped"),
                Option("batch", "runs to its end"),
                Option("system", "runs on every node"),
                Option("sysbatch", "runs to its end on every node"),
            )
        case "job":
            return (Option(YES, "as it is"), Option(NONE, "leave it out"))
        case "routes":
            return (*_free_host(app, knowledge), Option(NONE, "none"))
        case "ports" | "dependsOn" | "datacenters" | "args" | "count" | "resources":
            return (Option(NONE, "none"),) if head in ("ports", "dependsOn", "args") else ()
    return ()


def _free_host(app: str, knowledge: Knowledge) -> tuple[Option, ...]:
    """Where the cluster agreed on how hosts end."""
    suffix = knowledge.conventions.hostname_suffix
    return (Option(free_hostname(app, knowledge.hosts, suffix=suffix), "nobody has it yet"),) if suffix else ()


def holds_secret(name: str) -> bool:
    """By its name alone: the value of such a variable is not even asked for."""
    return secret_by_name(name, _ANY)


def _sources(name: str) -> tuple[Option, ...]:
    fixed = () if holds_secret(name) else (Option("fixed", "the value itself, in the manifest", "value"),)
    service = Option("service", "an address of another app", "text with {app}, {app.host} or {app.port}")
    return (*fixed, _CONSUL, _VAULT, _NOMAD, service, Option(NONE, "the job does not set it"))

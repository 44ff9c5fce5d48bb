"""Failures that a job will have, named before it is registered: by the job and by what was looked up. Pure.

Only what can be named without a doubt and may be mended in the job; the same classes and facts as after the failure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from desired.cause import Cause
from desired.secret_reads import secret_reads
from desired.secret_traps import Looked
from desired.state import JobBody
from desired.template_examiner import templates_of
from desired.variable_sources import Source
from observers.evidence import Cluster
from observers.failures import job_words
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from observers.failures.silent import wrong_values
from observers.failures.table import TABLE, cause_of
from observers.look_up import LookedUp


def seen(cluster: Cluster, looked: LookedUp) -> Cluster:
    """What is known of the cluster, with the names that were looked up."""
    of_vault = [(path, one) for (source, path), one in looked.looks.items() if source is Source.VAULT]
    of_nomad = [(path, one) for (source, path), one in looked.looks.items() if source is Source.NOMAD]
    of_consul = [(path, one) for (source, path), one in looked.looks.items() if source is Source.CONSUL]
    keys = {path: one.keys for path, one in of_vault if one.keys is not None}
    versions = {one.mount: one.version for _, one in of_vault if one.mount and one.version is not None}
    return replace(
        cluster,
        kv_versions={**cluster.kv_versions, **versions},
        secret_keys={**cluster.secret_keys, **keys},
        secret_paths=_listed(cluster.secret_paths, of_vault),
        variable_keys={**cluster.variable_keys, **{path: one.keys for path, one in of_nomad if one.keys is not None}},
        consul_keys=_listed(cluster.consul_keys, of_consul),
    )


def foreseen(body: JobBody, cluster: Cluster) -> tuple[Diagnosis, ...]:
    """In the job's order; empty where nothing is known that the job could mend."""
    return tuple(one for one in _foreseen(body, cluster) if one.cause is Cause.SPEC)


def _foreseen(body: JobBody, cluster: Cluster) -> Iterator[Diagnosis]:
    reads = secret_reads(body)
    for group, task in job_words.tasks(body):
        name = job_words.named(task)
        own = [one for one in reads if one.source is Source.VAULT and (one.group, one.task) == (group, name)]
        if own and not isinstance(task.get("Vault"), dict):
            words = f"it reads {own[0].path} of Vault and has no `vault` block"
            yield _named(FailureClass.VAULT_BLOCK_MISSING, group, name, words, {"path": own[0].path})
        for template in templates_of({"TaskGroups": [{"Name": group, "Tasks": [task]}]}):
            for mistake in template.mistakes:
                if mistake.sure:
                    facts = {"destination": template.destination, "problem": mistake.message}
                    facts |= {"function": mistake.function} if mistake.function else {}
                    yield _named(FailureClass.TEMPLATE_SYNTAX, group, name, mistake.message, facts)
        for facts in wrong_values(cluster, task):
            words = f"{facts['path']} is read in the shape of another version, or has no field {facts['field']}"
            yield _named(FailureClass.SECRET_FIELD_MISSING, group, name, words, facts)


def _named(failure: FailureClass, group: str, task: str, words: str, facts: dict[str, str]) -> Diagnosis:
    cause = cause_of(TABLE[failure], facts, timedelta(0))
    return Diagnosis(failure, cause, words, group=group, task=task, facts=facts, conclusive=True)


def _listed(known: tuple[str, ...] | None, found: list[tuple[str, Looked]]) -> tuple[str, ...] | None:
    """What is there, and what is beside what is not."""
    there = {path for path, one in found if one.there}
    listed = there.union(*(one.near for _, one in found))
    return tuple(sorted({*(known or ()), *listed})) if listed or known is not None else None

"""`doctor`: every service, whether it answers, and what to do where it does not."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

from desired.admission.rule_file import RuleFile
from desired.errors import OperatorError
from desired.git_command import OLDEST_GIT, GitCommand
from desired.git_source import GitSource
from desired.git_version import installed_git
from nomad_operator.commands.table import Style, columns, plain
from nomad_operator.doctor import Doctor, Finding
from nomad_operator.from_settings import connection, credentials
from nomad_operator.memory_from_settings import kept
from nomad_operator.probes.attempt import Attempt
from nomad_operator.probes.memory import probe_memory
from nomad_operator.probes.services import probe_services
from nomad_operator.settings import Settings
from nomad_operator.settings_load import load
from nomad_operator.state_from_settings import nomad_store
from nomad_operator.supported import OLDEST_NOMAD, TESTED_NOMAD
from observers.nomad.client import NomadClient
from observers.nomad.stream import EventStream

_TIMEOUT = timedelta(seconds=10)
# A first fetch brings a whole commit.
_GIT_TIMEOUT = timedelta(seconds=60)


def doctor(arguments: argparse.Namespace) -> int:
    settings = load().settings
    findings = asyncio.run(_examine(settings))
    if arguments.json:
        told = [{**asdict(finding), "seconds": round(finding.seconds, 3)} for finding in findings]
        supported = {"oldest": OLDEST_NOMAD, "tested": list(TESTED_NOMAD)}
        print(json.dumps({"findings": told, "nomad": supported, "git": {"oldest": OLDEST_GIT}}))
    else:
        print("\n".join(_shown(findings, Style.of(sys.stdout))))
    return 1 if any(finding.failed for finding in findings) else 0


async def _examine(settings: Settings) -> list[Finding]:
    nomad, command, git, state, services, memory = await asyncio.gather(
        _nomad(settings), _git_command(), _git(settings), _state(settings),
        probe_services(settings, timeout=_TIMEOUT), _memory(settings),
    )  # fmt: skip
    return [*nomad, command, git, *_rules(settings), state, *services, *memory]


async def _memory(settings: Settings) -> list[Finding]:
    attempt = Attempt(
        service="memory", address=kept(settings), timeout_seconds=_TIMEOUT.total_seconds(), clock=time.monotonic
    )
    return await probe_memory(settings, attempt)


async def _nomad(settings: Settings) -> list[Finding]:
    way = replace(connection(settings), read_deadline=_TIMEOUT, connect_timeout=_TIMEOUT)
    doctor = _doctor()
    used = [settings.nomad_namespace] if "*" in settings.namespaces else sorted(set(settings.namespaces))
    client = NomadClient(connection=way, namespaces=settings.namespaces)
    try:
        findings, stream = await asyncio.gather(
            doctor.nomad(client, address=way.shown, namespaces=used, parsed_in=settings.nomad_namespace),
            doctor.stream(
                EventStream(connection=way, namespaces=settings.namespaces),
                address=way.shown,
                subscriptions=1 if "*" in settings.namespaces else len(set(settings.namespaces)),
            ),
        )
    finally:
        await client.aclose()
    unreachable = not findings[0].ok and all(finding.ok is None for finding in findings[1:])
    if unreachable:
        stream = replace(stream, ok=None, found=findings[1].found, hint="")
    return [*findings, stream]


async def _state(settings: Settings) -> Finding:
    if (place := settings.state_variables) is None:
        return await _doctor().state(settings.state_file)
    store = nomad_store(settings)
    try:
        return await _doctor().variables(store, address=str(place))
    finally:
        await store.close()


async def _git_command() -> Finding:
    command = GitCommand(environment=os.environ)
    return await _doctor().git_command(lambda: installed_git(command), address=shutil.which("git") or "")


async def _git(settings: Settings) -> Finding:
    if settings.git_url is None:
        return Finding("git", False, "", "NOMAD_OPERATOR_GIT_URL is not set", "name the repository of your apps")
    with tempfile.TemporaryDirectory(prefix="nomad-operator-doctor-") as folder:
        try:
            repository = GitSource(
                url=settings.git_url, ref=settings.git_ref, path=settings.git_path, cache=Path(folder),
                environment=os.environ, credentials=credentials(settings), timeout=_TIMEOUT, clone_timeout=_GIT_TIMEOUT,
            )  # fmt: skip
        except OperatorError as error:
            return Finding("git", False, settings.git_url, error.message, error.hint)
        doctor = Doctor(timeout_seconds=_GIT_TIMEOUT.total_seconds(), clock=time.monotonic)
        return await doctor.git(repository, address=repository.shown_url, ref=settings.git_ref)


def _rules(settings: Settings) -> list[Finding]:
    """Those of the repository are told where its files are: by `validate` and `status`."""
    if settings.policy_file is None:
        return []
    found, address = RuleFile(path=settings.policy_file).rules(), str(settings.policy_file)
    if found.spec is None:
        hint = "mend the file: nothing is registered by rules that cannot be read"
        return [Finding("rules", False, address, "; ".join(map(str, found.problems)), hint)]
    return [Finding("rules", True, address, "every job has to keep them")]


def _doctor() -> Doctor:
    return Doctor(timeout_seconds=_TIMEOUT.total_seconds(), clock=time.monotonic)


def _shown(findings: list[Finding], style: Style) -> list[str]:
    words = {True: "True", False: "False", None: "-"}
    rows = [
        (finding.name, words[finding.ok], f"{finding.seconds * 1000:.0f} ms", finding.address, finding.found)
        for finding in findings
    ]
    lines = columns(("SERVICE", "OK", "TOOK", "ADDRESS", "FOUND"), rows, style)
    for finding in findings:
        if finding.ok is False:
            lines += ["", f"{finding.name}: {plain(finding.found)}"]
            if finding.hint:
                lines.append(f"hint: {plain(finding.hint)}")
    tested = ", ".join(TESTED_NOMAD)
    return [*lines, "", f"Nomad {OLDEST_NOMAD} or newer is supported, tested with {tested}; git {OLDEST_GIT} or newer"]

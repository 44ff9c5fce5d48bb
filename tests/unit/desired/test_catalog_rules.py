"""Rules among the files of the watched repository: found wherever they stand, and never lost without a word."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

import pytest

from desired.app import AppKey
from desired.catalog import Catalog
from desired.file_tree import FileEntry, FileTree
from desired.job.hcl_read import LocalParser
from desired.policy import Policy
from desired.problem import Problem
from desired.state import DesiredState

RULES = "apiVersion: nomad-operator/v1\nkind: Policy\nspec: {drivers: [docker]}\n"
APP = "apiVersion: nomad-operator/v1\nkind: App\nmetadata: {name: web}\nspec: {image: 'busybox:local'}\n"
WEB = AppKey("default", "web")


class Repository:
    """Files in memory."""

    def __init__(self) -> None:
        self.catalog = Catalog(parser=LocalParser(), defaults=Policy())
        self._blobs: dict[str, bytes] = {}

    async def read(self, files: Mapping[str, str | bytes], refused: Collection[str] = ()) -> DesiredState:
        entries = {}
        for path, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            blob = hashlib.sha256(data).hexdigest()
            self._blobs[blob] = data
            entries[path] = FileEntry(path, blob, len(data))
        tree = FileTree("r", entries, tuple(Problem(path, message="is too large") for path in refused))
        return await self.catalog.read(tree, self, {})

    async def contents(self, blobs: Collection[str]) -> Mapping[str, bytes]:
        return {blob: self._blobs[blob] for blob in blobs}


def in_force(state: DesiredState) -> list[tuple[str, bool]]:
    return [(rules.origin, rules.spec is not None) for rules in state.policies]


async def test_rules_are_found_wherever_they_stand_and_are_no_app() -> None:
    state = await Repository().read(
        {"rules.yaml": RULES, "a/b/more.yml": RULES, "both.yaml": f"{APP}---\n{RULES}", "r.json": '{"apiVersion": '
        '"nomad-operator/v1", "kind": "Policy", "spec": {}}'}
    )  # fmt: skip
    assert in_force(state) == [("a/b/more.yml", True), ("both.yaml:6", True), ("r.json", True), ("rules.yaml", True)]
    assert set(state.apps) == {WEB}
    assert state.complete


async def test_other_peoples_policies_are_none() -> None:
    text = "apiVersion: kyverno.io/v1\nkind: Policy\nspec: {rules: []}\n"
    state = await Repository().read({"kyverno.yaml": text, "both.yaml": f"{text}---\n{APP}"})
    assert in_force(state) == []
    assert (set(state.apps), state.complete) == ({WEB}, True)


@pytest.mark.parametrize(
    "content",
    [
        RULES.replace("drivers", "driver"),
        RULES.replace("{drivers: [docker]}", "{drivers: [docker]"),
        RULES.replace("nomad-operator/v1", "nomad-operator/v2"),
        RULES.replace("nomad-operator/v1", "nomad-opertor/v1"),
        RULES.replace("Policy", "Polciy"),
        RULES.replace("Policy", "policy"),
        RULES.replace("spec: {drivers: [docker]}\n", ""),
        RULES.replace("nomad-operator/v1", "'nomad-operator/v1"),
        "kind: Policy\n" + RULES.replace("apiVersion: ", "apiVersion: ]"),
        RULES.encode() + b"# \xff\n",
        RULES.encode("utf-16"),
        f"{APP}---\n" + RULES.replace("[docker]", "["),
    ],
)
async def test_rules_that_cannot_be_read_are_a_problem_of_their_file_and_are_not_passed_over(
    content: str | bytes,
) -> None:
    state = await Repository().read({"rules.yaml": content})
    ((origin, readable),) = in_force(state)
    assert (origin.split(":")[0], readable) == ("rules.yaml", False)
    assert {file.path for file in state.unreadable} == {"rules.yaml"}
    assert state.policies[0].problems
    assert not state.complete


async def test_a_commit_that_mends_or_changes_or_removes_them_is_another_state() -> None:
    repository = Repository()
    seen = []
    for content in (RULES, RULES.replace("docker", "exec"), RULES.replace("docker", "{}"), RULES):
        seen.append((await repository.read({"rules.yaml": content})).policies)
    assert [rules[0].spec is not None for rules in seen] == [True, True, False, True]
    assert seen[0] != seen[1] and seen[0] == seen[3]
    assert in_force(await repository.read({})) == []


async def test_rules_in_a_file_that_is_refused_by_now_are_not_taken_for_withdrawn() -> None:
    """It has grown too large, or was swapped for a link."""
    repository = Repository()
    await repository.read({"rules.yaml": RULES})
    for _ in range(2):
        state = await repository.read({}, refused=["rules.yaml", "other.yaml"])
        assert in_force(state) == [("rules.yaml", False)]
    assert in_force(await repository.read({"rules.yaml": RULES})) == [("rules.yaml", True)]
    await repository.read({})
    assert in_force(await repository.read({}, refused=["rules.yaml"])) == []

"""Writes operations into a YAML manifest that a person wrote: its own fields where they say it, else under `spec.job`.

An edited manifest always makes the job with the operations applied, under the same settings; where no edit does,
NotLiteral says so, and the text is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from desired.app import AppKey
from desired.errors import InvalidDesired, UsageError
from desired.manifest_file import Manifest, completed, read_manifests
from desired.operations import words
from desired.operations.apply import apply, holds
from desired.operations.manifest_edits import edits
from desired.operations.not_literal import NotLiteral
from desired.operations.operation import Operation
from desired.operations.same_job import same_job
from desired.operations.yaml_tree import YamlTree
from desired.policy import Policy
from desired.state import Fill, JobBody
from desired.yaml_text import read_yaml

# Edits that are tried together; each costs reading the manifest once.
_TRIES = 200


@dataclass(frozen=True, slots=True)
class ManifestEditor:
    """Edits the manifest of one app in a file. `defaults` and `namespace` are those that the file is read with.

    `fill` adds what the manifest leaves to its code.
    """

    key: AppKey
    defaults: Policy
    namespace: str
    fill: Fill | None = None

    def edit(self, text: str, operations: tuple[Operation, ...]) -> str:
        """The file with the operations written into the app's document.

        Raises NotLiteral, PreconditionGone, and UsageError where the file holds no manifest of the app that makes a
        job: one with a `jobFile` is edited in that file.
        """
        before = self._read(text)
        if before is None or before.source is None:
            raise UsageError(f"the file holds no manifest of {self.key} that makes a job", hint="Edit its job file.")
        found = self._search(text, before, before.source.body, operations)
        if found is None:
            raise NotLiteral(self._culprit(text, before, operations), "nothing written in the manifest makes just this")
        return found

    def patch(self, text: str, operations: tuple[Operation, ...]) -> str:
        """What the operations come to, as a diff of the job as HCL without secrets."""
        before = self._read(text)
        return words.diff(before.source.body, operations) if before is not None and before.source is not None else ""

    def _search(self, text: str, before: Manifest, body: JobBody, operations: tuple[Operation, ...]) -> str | None:
        """Operations are written one after the other; only all together have to make the job that is wanted.

        One field of a manifest may be several values of the job, so that one edit may be all that two operations ask:
        what is found is tried again without each of its edits.
        """
        wanted = apply(body, operations)
        bodies = [apply(body, operations[:number]) for number in range(len(operations))]
        left = [_TRIES]

        def written(choices: list[int]) -> str:
            made = text
            for each, choice, operation in zip(bodies, choices, operations, strict=False):
                made = _candidates(made, self._document(made), each, operation)[choice]
            return made

        def deeper(made: str, choices: list[int]) -> list[int] | None:
            if len(choices) == len(operations):
                left[0] -= 1
                return choices if self._makes(made, before, wanted) else None
            number = len(choices)
            for choice, candidate in enumerate(
                _candidates(made, self._document(made), bodies[number], operations[number])
            ):
                found = deeper(candidate, [*choices, choice])
                if found is not None or left[0] <= 0:
                    return found
            return None

        choices = deeper(text, [])
        if choices is None:
            return None
        for number in range(len(choices) if len(choices) > 1 else 0):
            fewer = [*choices[:number], -1, *choices[number + 1 :]]
            if self._makes(written(fewer), before, wanted):
                choices = fewer
        return written(choices)

    def _makes(self, text: str, before: Manifest, wanted: JobBody) -> bool:
        after = self._read(text)
        if after is None or after.source is None or after.policy != before.policy:
            return False
        return same_job(after.source.body, wanted)

    def _culprit(self, text: str, before: Manifest, operations: tuple[Operation, ...]) -> Operation:
        """The first that cannot be written by itself."""
        assert before.source is not None
        for operation in operations:
            alone = holds(before.source.body, operation)
            if alone and self._search(text, before, before.source.body, (operation,)) is None:
                return operation
        return operations[-1]

    def _read(self, text: str) -> Manifest | None:
        file = read_manifests(
            text, "manifest", defaults=self.defaults, namespace=self.namespace, with_code=self.fill is not None
        )
        found = next((each for each in file.manifests if each.key == self.key), None)
        if found is None or found.code is None or self.fill is None:
            return found
        try:
            return completed(found, self.fill(found.said), "manifest", defaults=self.defaults)
        except InvalidDesired:
            return None

    def _document(self, text: str) -> tuple[int, int]:
        """Where the app's document stands in the file."""
        at = 0
        for document in read_yaml(text, "manifest"):
            at = max(text.find(document.text, at), 0)
            metadata = document.root.value.get("metadata") if document.root is not None else None
            if not isinstance(metadata, dict) or metadata.get("name") != self.key.name:
                continue
            if (metadata.get("namespace") or self.namespace) == self.key.namespace:
                return at, at + len(document.text)
        return 0, len(text)


def _candidates(text: str, place: tuple[int, int], body: JobBody, operation: Operation) -> list[str]:
    """Texts in which the operation may be written, the plainest first; last, the text as it is."""
    start, end = place
    tree = YamlTree.of(text[start:end])
    ways = edits(tree, body, operation) if tree is not None else iter(())
    made = [text[:start] + tree.spliced(splices) + text[end:] for splices in ways if tree is not None and splices]
    return [*made, text]

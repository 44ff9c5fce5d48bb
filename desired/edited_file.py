"""The file in which an app's operations are to be written, and its text with them. Pure but for reading.

It is the job file, or the manifest where that makes the job itself. Variables, and what stands in other files, are
never changed: an operation on a value that comes from there is told, to be made by hand.
"""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from desired.app import DEFAULT_NAMESPACE
from desired.errors import InvalidDesired, OperatorError, UsageError
from desired.file_tree import FileSource, FileTree
from desired.job_file import variables_beside
from desired.manifest_file import read_manifests
from desired.operations import edit_hcl
from desired.operations.edit_manifest import ManifestEditor
from desired.operations.not_literal import NotLiteral
from desired.operations.operation import Operation
from desired.operations.precondition import PreconditionGone
from desired.policy import Policy
from desired.state import DesiredApp, Kind
from desired.variable_text import overridden

_BOM = "\ufeff"
# A patch is read by a person, and kept in the record.
_PATCH_LENGTH = 8000


@dataclass(frozen=True, slots=True)
class ByHand:
    """An operation that has no literal to change, and why; fit to be shown."""

    operation: Operation
    why: str


@dataclass(frozen=True, slots=True)
class Edited:
    """`path` is relative to the subfolder. `patch` shows what the operations `by_hand` come to, without secrets."""

    path: str
    data: bytes
    done: tuple[Operation, ...]
    by_hand: tuple[ByHand, ...] = ()
    patch: str = ""


@dataclass(frozen=True, slots=True)
class _Text:
    """One file and the way to edit it."""

    path: str
    text: str
    edit: Callable[[str, tuple[Operation, ...]], str]
    patch: Callable[[str, tuple[Operation, ...]], str]


@dataclass(frozen=True, slots=True)
class FileEditor:
    """`defaults` and `namespace` are those that manifests are read with."""

    defaults: Policy
    namespace: str = DEFAULT_NAMESPACE

    async def edited(
        self, app: DesiredApp, operations: tuple[Operation, ...], *, files: FileSource, revision: str
    ) -> Edited | None:
        """The app's file of that revision with the operations; None where it says something else than the operations
        were made for, or is gone: then they are judged anew once that revision is in force."""
        tree = await files.tree(revision)
        found = await self._find(app, tree, files)
        if found is None:
            return None
        # Reading a job again and again takes long enough to be felt by everybody else.
        return await asyncio.to_thread(_edited, found, operations)

    async def _find(self, app: DesiredApp, tree: FileTree, files: FileSource) -> _Text | None:
        if app.path not in tree.files:
            return None
        text = await _read(app.path, tree, files)
        if app.kind is Kind.JOB_FILE:
            return await self._job_file(app.path, text, "", tree, files)
        file = read_manifests(
            _plain(text), app.path, defaults=self.defaults, namespace=self.namespace, with_code=app.fill is not None
        )
        manifest = next((one for one in file.manifests if one.key == app.key), None)
        if manifest is None:
            return None
        if manifest.job_file is None:
            editor = ManifestEditor(key=app.key, defaults=self.defaults, namespace=self.namespace, fill=app.fill)
            return _Text(app.path, text, editor.edit, editor.patch)
        path = posixpath.normpath(posixpath.join(posixpath.dirname(app.path), manifest.job_file))
        if path not in tree.files:
            return None
        return await self._job_file(path, await _read(path, tree, files), manifest.variables, tree, files)

    async def _job_file(self, path: str, text: str, given: str, tree: FileTree, files: FileSource) -> _Text:
        beside = variables_beside(path, tree.files)
        there = _plain(await _read(beside, tree, files)) if beside is not None else ""
        variables = overridden(there, given)

        def edit(text: str, operations: tuple[Operation, ...]) -> str:
            return edit_hcl.edit(text, operations, variables=variables)

        def patch(text: str, operations: tuple[Operation, ...]) -> str:
            return edit_hcl.patch(text, operations, variables=variables)

        return _Text(path, text, edit, patch)


async def _read(path: str, tree: FileTree, files: FileSource) -> str:
    blob = tree.files[path].blob
    found: Mapping[str, bytes] = await files.contents([blob])
    try:
        return found[blob].decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no UTF-8 text", hint="save it as UTF-8") from error


def _plain(text: str) -> str:
    return text.removeprefix(_BOM)


def _edited(found: _Text, operations: tuple[Operation, ...]) -> Edited | None:
    """All together, for some are only one edit together; else one by one, and what cannot be written is told."""
    head, text = (_BOM, found.text[1:]) if found.text.startswith(_BOM) else ("", found.text)
    try:
        made = found.edit(text, operations)
        return Edited(found.path, (head + made).encode(), operations)
    except PreconditionGone:
        return None
    except (NotLiteral, InvalidDesired, UsageError):
        pass
    made = text
    done: list[Operation] = []
    by_hand: list[ByHand] = []
    for operation in operations:
        try:
            made = found.edit(made, (operation,))
            done.append(operation)
        except NotLiteral as error:
            by_hand.append(ByHand(operation, _words(error)))
        except PreconditionGone:
            if not by_hand:
                return None
            by_hand.append(ByHand(operation, "it builds on a change that has to be made by hand"))
        except InvalidDesired as error:
            by_hand.append(ByHand(operation, f"{found.path} cannot be read without a server: {_words(error)}"))
        except UsageError as error:
            by_hand.append(ByHand(operation, _words(error)))
    return Edited(found.path, (head + made).encode(), tuple(done), tuple(by_hand), _patch(found, text, operations))


def _patch(found: _Text, text: str, operations: tuple[Operation, ...]) -> str:
    try:
        return found.patch(text, operations)[:_PATCH_LENGTH]
    except OperatorError:
        return ""


def _words(error: OperatorError) -> str:
    return f"{error.message}. {error.hint}" if error.hint else error.message

"""What one revision asks for: every file read into apps, or into the reason why it is none.

What was read is kept by content, so that after a commit which touches one file only that file is read and parsed,
whatever the number of others. One bad file never holds back the others, and a file that cannot be read, for whatever
reason, is never taken for one that was removed.
"""

from __future__ import annotations

import asyncio
import hashlib
import posixpath
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from desired.app import DEFAULT_NAMESPACE, AppKey
from desired.errors import InvalidDesired, OperatorError, TransientError
from desired.file_tree import FileSource, FileTree
from desired.job_file import FileKind, decoded, kind_of, source_of, variables_beside
from desired.manifest_file import Manifest, ManifestFile, holds_manifest, read_manifests
from desired.policy import Policy
from desired.problem import Problem
from desired.state import DesiredApp, DesiredState, HclSource, JobParser, JsonSource, Kind, UnreadableFile

# Parses at once; the parser is a server that answers in milliseconds.
_PARSES = 8


@dataclass(frozen=True, slots=True)
class _Unit:
    """What makes one app: a job file, or one document of a manifest with the job file it names.

    `blobs` are the contents it was made of: while all stand, what was made of them stands.
    """

    path: str
    job_path: str | None
    variables_path: str | None
    manifest: Manifest | None
    blobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Made:
    """What became of a unit: an app, a file that cannot be read, or neither (it holds no app)."""

    blobs: tuple[str, ...]
    app: DesiredApp | None = None
    unreadable: UnreadableFile | None = None


class Catalog:
    """Keeps what it read between calls; calls must not overlap. `defaults` is the policy of apps that name none."""

    def __init__(self, *, parser: JobParser, defaults: Policy, namespace: str = DEFAULT_NAMESPACE) -> None:
        self._parser = parser
        self._defaults = defaults
        self._namespace = namespace
        self._manifests: dict[str, tuple[str, ManifestFile]] = {}
        self._made: dict[tuple[str, int], _Made] = {}
        self._keys: dict[str, AppKey] = {}
        self._parsing = asyncio.Semaphore(_PARSES)

    async def read(self, tree: FileTree, source: FileSource, known: Mapping[tuple[str, str], AppKey]) -> DesiredState:
        """The state of a revision. `known` maps path and source hash of applied apps to their key: no parse is needed.

        Raises only what `source` raises: then nothing is known of this revision, and nothing changed.
        """
        for (path, _), key in known.items():
            self._keys.setdefault(path, key)
        kinds = {path: kind for path in tree.files if (kind := kind_of(path)) is not FileKind.OTHER}
        texts = _Texts(tree, source)
        await self._read_manifests(tree, kinds, texts)
        units = list(self._units(tree, kinds))
        stale = [unit for unit in units if not self._stands(unit)]
        await texts.fetch(path for unit in stale for path in (unit.job_path, unit.variables_path) if path)
        made = await asyncio.gather(*(self._make(unit, texts, known) for unit in stale))
        for unit, one in zip(stale, made, strict=True):
            self._made[_name(unit)] = one
        self._made = {_name(unit): self._made[_name(unit)] for unit in units}
        return self._state(tree)

    # -- manifests

    async def _read_manifests(self, tree: FileTree, kinds: Mapping[str, FileKind], texts: _Texts) -> None:
        possible = [path for path, kind in kinds.items() if kind in (FileKind.YAML, FileKind.JSON)]
        fresh = [path for path in possible if self._manifests.get(path, ("",))[0] != tree.files[path].blob]
        await texts.fetch(fresh)
        kept = {path: self._manifests[path] for path in possible if path not in set(fresh)}
        for path in fresh:
            kept[path] = (tree.files[path].blob, self._manifest_file(path, texts))
        self._manifests = kept

    def _manifest_file(self, path: str, texts: _Texts) -> ManifestFile:
        """A file that is no manifest has no documents and no problems; it may still be a job in JSON."""
        try:
            text = texts.of(path)
        except InvalidDesired as error:
            return ManifestFile((), (UnreadableFile(path, error.problems, self._keys.get(path)),), holds_any=True)
        if not holds_manifest(text):
            return ManifestFile((), (), holds_any=False)
        return read_manifests(text, path, defaults=self._defaults, namespace=self._namespace)

    # -- units

    def _units(self, tree: FileTree, kinds: Mapping[str, FileKind]) -> Iterable[_Unit]:
        wrapped = set()
        for path, (_, file) in self._manifests.items():
            for manifest in file.manifests:
                job_path = None
                if manifest.job_file is not None:
                    job_path = posixpath.normpath(posixpath.join(posixpath.dirname(path), manifest.job_file))
                    wrapped.add(job_path)
                yield self._unit(tree, path, job_path, manifest)
        for path, kind in kinds.items():
            is_manifest = path in self._manifests and self._manifests[path][1].holds_any
            if path not in wrapped and kind is not FileKind.YAML and not is_manifest:
                yield self._unit(tree, path, path, None)

    def _unit(self, tree: FileTree, path: str, job_path: str | None, manifest: Manifest | None) -> _Unit:
        variables_path = variables_beside(job_path, tree.files) if job_path else None
        read = dict.fromkeys(one for one in (path, job_path, variables_path) if one is not None)
        blobs = tuple(tree.files[one].blob if one in tree.files else "" for one in read)
        return _Unit(path, job_path, variables_path, manifest, blobs)

    def _stands(self, unit: _Unit) -> bool:
        made = self._made.get(_name(unit))
        return made is not None and made.blobs == unit.blobs and not (made.unreadable and made.unreadable.transient)

    async def _make(self, unit: _Unit, texts: _Texts, known: Mapping[tuple[str, str], AppKey]) -> _Made:
        try:
            app = await self._app(unit, texts, known)
        except InvalidDesired as error:
            return _Made(unit.blobs, unreadable=UnreadableFile(unit.path, error.problems, self._key_of(unit)))
        except OperatorError as error:
            # Not the file's fault: it is read again at the next look, and meanwhile it is not absent.
            problem = Problem(unit.path, message=f"cannot be parsed now: {error.message}", hint=error.hint)
            transient = isinstance(error, TransientError)
            return _Made(unit.blobs, unreadable=UnreadableFile(unit.path, (problem,), self._key_of(unit), transient))
        if app is not None:
            self._keys[unit.path] = app.key
        return _Made(unit.blobs, app=app)

    def _key_of(self, unit: _Unit) -> AppKey | None:
        """The app that a file speaks of although it cannot be read: by its manifest, or by what it was before."""
        return unit.manifest.key if unit.manifest else self._keys.get(unit.path)

    async def _app(self, unit: _Unit, texts: _Texts, known: Mapping[tuple[str, str], AppKey]) -> DesiredApp | None:
        manifest = unit.manifest
        policy = manifest.policy if manifest else self._defaults
        job: HclSource | JsonSource | None = manifest.source if manifest else None
        if unit.job_path is not None:
            job = self._job_source(unit, unit.job_path, texts)
        if job is None:
            if manifest is None:
                return None
            raise InvalidDesired((Problem(unit.path, message=f"{unit.job_path} holds no job"),))
        digest = _digest(job, policy, manifest)
        if manifest is None:
            key = known.get((unit.path, digest)) or await self._parsed_key(job, unit.path)
            return DesiredApp(key, Kind.JOB_FILE, unit.path, job, digest, policy)
        if unit.job_path is not None and (unit.path, digest) not in known:
            await self._check_names(manifest, job, unit)
        return DesiredApp(manifest.key, Kind.APP, unit.path, job, digest, policy)

    def _job_source(self, unit: _Unit, job_path: str, texts: _Texts) -> HclSource | JsonSource | None:
        if job_path.startswith("..") or not texts.has(job_path):
            message = f"spec.jobFile: there is no file {job_path}"
            raise InvalidDesired((Problem(unit.path, message=message, hint="the path counts from the manifest"),))
        given = unit.manifest.variables if unit.manifest else ""
        beside = texts.of(unit.variables_path) if unit.variables_path else ""
        variables = f"{beside}\n{given}" if beside and given else beside or given
        kind = kind_of(job_path)
        return source_of(texts.of(job_path), variables, job_path, FileKind.JOB if unit.manifest else kind)

    async def _parsed_key(self, job: HclSource | JsonSource, path: str) -> AppKey:
        if isinstance(job, JsonSource):
            body = job.body
        else:
            async with self._parsing:
                try:
                    body = await self._parser.parse(job)
                except InvalidDesired as error:
                    raise InvalidDesired(tuple(_at(problem, path) for problem in error.problems)) from error
        try:
            return AppKey.parse(f"{body.get('Namespace') or self._namespace}/{body['ID']}")
        except ValueError as error:
            raise InvalidDesired((Problem(path, message=str(error)),)) from error

    async def _check_names(self, manifest: Manifest, job: HclSource | JsonSource, unit: _Unit) -> None:
        """A wrapped job must be the app that its manifest names, or two apps would share one job."""
        key = await self._parsed_key(job, unit.job_path or unit.path)
        if key != manifest.key:
            message = f"spec.jobFile: {unit.job_path} is the job {key}, and the manifest names {manifest.key}"
            hint = "give both the same name and namespace"
            raise InvalidDesired((Problem(unit.path, manifest.line, message=message, hint=hint),))

    # -- the state

    def _state(self, tree: FileTree) -> DesiredState:
        claims: defaultdict[AppKey, list[DesiredApp]] = defaultdict(list)
        unreadable = [file for _, read in self._manifests.values() for file in read.unreadable]
        for made in self._made.values():
            if made.app is not None:
                claims[made.app.key].append(made.app)
            if made.unreadable is not None:
                unreadable.append(made.unreadable)
        for problem in tree.refused:
            if kind_of(problem.path) is not FileKind.OTHER:
                unreadable.append(UnreadableFile(problem.path, (problem,), self._keys.get(problem.path)))
        apps = {key: found[0] for key, found in sorted(claims.items()) if len(found) == 1}
        conflicts = {
            key: tuple(sorted(one.path for one in found)) for key, found in sorted(claims.items()) if len(found) > 1
        }
        return DesiredState(tree.revision, apps, tuple(sorted(unreadable, key=lambda file: file.path)), conflicts)


class _Texts:
    """The contents that a read needs, fetched together and decoded once."""

    def __init__(self, tree: FileTree, source: FileSource) -> None:
        self._tree = tree
        self._source = source
        self._contents: dict[str, bytes] = {}

    def has(self, path: str) -> bool:
        return path in self._tree.files

    async def fetch(self, paths: Iterable[str]) -> None:
        """Paths that the tree does not hold are left out."""
        blobs = {self._tree.files[path].blob for path in paths if path in self._tree.files}
        if missing := blobs - self._contents.keys():
            self._contents.update(await self._source.contents(missing))

    def of(self, path: str) -> str:
        """The text of a fetched file; InvalidDesired if it is none."""
        return decoded(self._contents[self._tree.files[path].blob], path)


def _name(unit: _Unit) -> tuple[str, int]:
    """A file may hold several documents; they are told apart by where they begin."""
    return unit.path, unit.manifest.line if unit.manifest else 0


def _at(problem: Problem, path: str) -> Problem:
    """The parser names its input; people know the file."""
    return Problem(path, problem.line, problem.column, problem.message, problem.hint)


def _digest(job: HclSource | JsonSource, policy: Policy, manifest: Manifest | None) -> str:
    """The source hash: everything that a person wrote about the app, and the defaults that fill the rest."""
    variables = job.variables if isinstance(job, HclSource) else ""
    parts = (job.text, variables, repr(policy), "App" if manifest else "JobFile")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

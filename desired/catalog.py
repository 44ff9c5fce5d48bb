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
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from desired.admission.document import may_state_rules
from desired.admission.rule_set import RuleSet
from desired.app import DEFAULT_NAMESPACE, AppKey, name_problem
from desired.catalog_code import apps_beside, filling, unread, with_its_code
from desired.catalog_history import History
from desired.catalog_state import state_of, with_keys_of_before
from desired.catalog_texts import Texts
from desired.code_place import CodeWish
from desired.errors import InvalidDesired, OperatorError, StillReading
from desired.file_tree import FileSource, FileTree
from desired.help import Help, Wanting
from desired.job_file import FileKind, decoded, is_text, kind_of, may_hold_app, source_of, variables_beside
from desired.manifest_file import Manifest, ManifestFile, holds_manifest, read_manifests
from desired.policy import Policy
from desired.problem import Problem
from desired.source_app import Asked
from desired.source_code import Code, Codes
from desired.state import (
    DesiredApp,
    DesiredState,
    HclSource,
    JobBody,
    JobParser,
    JsonSource,
    Kind,
    UnreadableFile,
)
from desired.variable_text import overridden

# Parses at once; the parser is a server that answers in milliseconds.
_PARSES = 8
_NO_MANIFEST = ManifestFile((), (), holds_any=False)


@dataclass(frozen=True, slots=True)
class _Read:
    """A file that may hold manifests, at one content. `job_files` are the paths of the job files that it wraps."""

    blob: str
    file: ManifestFile
    job_files: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Unit:
    """What makes one app: a job file, or one document of a manifest with the job file it names.

    `blobs` are the contents it was made of: while all stand, what was made of them stands. `code` is what is known of
    the code that a manifest leaves things to, `beside` the apps that this code may name.
    """

    path: str
    job_path: str | None
    variables_path: str | None
    manifest: Manifest | None
    blobs: tuple[str, ...]
    code: Code | None = None
    beside: frozenset[str] = frozenset()

    @property
    def read(self) -> tuple[str | None, ...]:
        """The files whose text it is made of."""
        return self.path if self.manifest else None, self.job_path, self.variables_path

    @property
    def name(self) -> tuple[str, int]:
        """A file may hold several documents; they are told apart by where they begin."""
        return self.path, self.manifest.line if self.manifest else 0


@dataclass(frozen=True, slots=True)
class _Made:
    """What became of a unit: an app, a file that cannot be read, or neither (it holds no app)."""

    blobs: tuple[str, ...]
    app: DesiredApp | None = None
    unreadable: UnreadableFile | None = None


class Catalog:
    """Keeps what it read between calls; calls must not overlap. `defaults` is the policy of apps that name none.

    `codes` reads the code of apps that have a source. Without it a manifest has to say everything itself. `help` is
    asked about what stays open then.
    """

    def __init__(
        self,
        *,
        parser: JobParser,
        defaults: Policy,
        namespace: str = DEFAULT_NAMESPACE,
        namespaces: Collection[str] = ("*",),
        codes: Codes | None = None,
        help: Help | None = None,
    ) -> None:
        self._parser = parser
        self._defaults = defaults
        self._namespace = namespace
        self._namespaces = frozenset(namespaces)
        self._codes = codes
        self._help = help
        self._kinds: dict[str, FileKind] = {}
        self._manifests: dict[str, _Read] = {}
        self._made: dict[tuple[str, int], _Made] = {}
        self._history = History()
        self._parsing = asyncio.Semaphore(_PARSES)

    async def read(self, tree: FileTree, source: FileSource, known: Mapping[tuple[str, str], AppKey]) -> DesiredState:
        """The state of a revision. `known` maps path and source hash of applied apps to their key: no parse is needed.

        Raises only what `source` raises: then nothing is known of this revision, and the next call reads it anew.
        """
        texts = Texts(tree, source)
        paths = tree.files.keys() | {problem.path for problem in tree.refused}
        self._kinds = {path: self._kinds.get(path) or kind_of(path) for path in paths}
        self._history.learn(known)
        self._history.keep(paths)
        await self._read_manifests(tree, texts)
        wrapped = self._wrapped(tree)
        found = await self._code(tree.revision)
        units = list(self._units(tree, texts, wrapped, found))
        stale = [unit for unit in units if not self._stands(unit)]
        await texts.fetch(path for unit in stale for path in unit.read if path)
        made = await asyncio.gather(*(self._make(unit, texts, known) for unit in stale))
        for unit, one in zip(stale, made, strict=True):
            before = self._made.get(unit.name)
            if before is None or before.app is None or one.unreadable is None or not one.unreadable.pending:
                self._made[unit.name] = one
        self._made = {unit.name: self._made[unit.name] for unit in units}
        return self._state(tree, wrapped)

    # -- manifests

    async def _read_manifests(self, tree: FileTree, texts: Texts) -> None:
        possible = [path for path in tree.files if self._kinds[path] in (FileKind.YAML, FileKind.JSON)]
        kept = {
            path: read
            for path in possible
            if (read := self._manifests.get(path)) is not None and read.blob == tree.files[path].blob
        }
        fresh = [path for path in possible if path not in kept]
        await texts.fetch(fresh)
        self._manifests = kept | {path: self._manifest_file(path, texts) for path in fresh}

    def _manifest_file(self, path: str, texts: Texts) -> _Read:
        """A file that is no manifest has no documents and no problems; it may still be a job in JSON."""
        blob, data = texts.blob(path), texts.data(path)
        held = bool(self._history.keys(path))
        try:
            text = decoded(data, path)
        except InvalidDesired as error:
            if not held and not may_hold_app(data):
                return _Read(blob, _NO_MANIFEST)
            text = data.decode(errors="replace")
            rules = (RuleSet(path, problems=error.problems),) if may_state_rules(text.replace("\0", "")) else ()
            file = ManifestFile((), (UnreadableFile(path, error.problems),), policies=rules)
        else:
            # A manifest that was cut off may no longer say that it is one.
            if not holds_manifest(text) and not (held and self._kinds[path] is FileKind.YAML):
                return _Read(blob, _NO_MANIFEST)
            file = read_manifests(
                text, path, defaults=self._defaults, namespace=self._namespace, with_code=self._codes is not None
            )
        self._history.states_rules(path, bool(file.policies))
        whole = not file.unreadable
        named = [manifest.job_file for manifest in file.manifests if manifest.job_file is not None]
        wrapped = self._history.wraps(path, named, whole=whole, text="" if whole else text)
        return _Read(blob, file, frozenset(_beside(path, name) for name in wrapped))

    def _wrapped(self, tree: FileTree) -> set[str]:
        """Job files that are no apps of their own."""
        found = {path for read in self._manifests.values() for path in read.job_files}
        for problem in tree.refused:
            names = self._history.wraps(problem.path, (), whole=False)
            found |= {_beside(problem.path, name) for name in names}
        return found

    # -- units

    async def _code(self, revision: str) -> Mapping[CodeWish, Code]:
        wishes = {one.code for read in self._manifests.values() for one in read.file.manifests if one.code is not None}
        return {} if self._codes is None else await self._codes.found(wishes, revision)

    def _units(
        self, tree: FileTree, texts: Texts, wrapped: set[str], found: Mapping[CodeWish, Code]
    ) -> Iterable[_Unit]:
        named = {manifest.key for read in self._manifests.values() for manifest in read.file.manifests}
        for path, read in self._manifests.items():
            for manifest in read.file.manifests:
                job_path = None if manifest.job_file is None else _beside(path, manifest.job_file)
                unit = self._unit(texts, path, job_path, manifest)
                if manifest.code is not None:
                    code = found[manifest.code]
                    beside = apps_beside(manifest, code, named)
                    helped = () if self._help is None else (self._help.version(manifest.key),)
                    blobs = (*unit.blobs, code.identity, *helped, *sorted(beside))
                    unit = replace(unit, code=code, beside=beside, blobs=blobs)
                yield unit
        for path in tree.files:
            kind = self._kinds[path]
            if kind in (FileKind.OTHER, FileKind.YAML) or path in wrapped:
                continue
            if path not in self._manifests or not self._manifests[path].file.holds_any:
                yield self._unit(texts, path, path, None)

    def _unit(self, texts: Texts, path: str, job_path: str | None, manifest: Manifest | None) -> _Unit:
        variables_path = variables_beside(job_path, self._kinds) if job_path else None
        parts = dict.fromkeys(one for one in (path, job_path, variables_path) if one is not None)
        return _Unit(path, job_path, variables_path, manifest, tuple(texts.blob(one) for one in parts))

    def _stands(self, unit: _Unit) -> bool:
        made = self._made.get(unit.name)
        if made is None:
            return False
        if unit.code is not None and unit.code.pending:
            # Until its code is read it is what it was: nobody wants it back at the last good version for that while.
            return True
        return made.blobs == unit.blobs and not (made.unreadable and made.unreadable.transient)

    async def _make(self, unit: _Unit, texts: Texts, known: Mapping[tuple[str, str], AppKey]) -> _Made:
        key = unit.manifest.key if unit.manifest else None
        place = unit.manifest.code.place if unit.manifest and unit.manifest.code else None
        try:
            if unit.manifest is not None and unit.code is not None and unit.code.analysis is None:
                return _Made(unit.blobs, unreadable=unread(unit.path, unit.manifest, unit.code))
            return _Made(unit.blobs, app=await self._app(unit, texts, known))
        except InvalidDesired as error:
            return _Made(unit.blobs, unreadable=UnreadableFile(unit.path, error.problems, key, code=place))
        except StillReading as error:
            problem = Problem(unit.path, message=error.message, hint=error.hint)
            return _Made(unit.blobs, unreadable=UnreadableFile(unit.path, (problem,), key, True, place, pending=True))
        except OperatorError as error:
            # Not the file's fault, also where the parser refuses us for good (a token that may not parse): it is read
            # again at the next look, and meanwhile it is not absent.
            problem = Problem(unit.path, message=f"cannot be parsed now: {error.message}", hint=error.hint)
        except Exception as error:
            # A bug that one file's content brings out must not take the others along. It is told with the file.
            problem = Problem(unit.path, message=f"cannot be read: {type(error).__name__} inside the operator")
        return _Made(unit.blobs, unreadable=UnreadableFile(unit.path, (problem,), key, transient=True, code=place))

    async def _app(self, unit: _Unit, texts: Texts, known: Mapping[tuple[str, str], AppKey]) -> DesiredApp | None:
        manifest, found, fill = unit.manifest, None, None
        if manifest is not None and unit.code is not None and unit.code.analysis is not None:
            asked = self._asked(manifest, unit.code)
            fill = filling(manifest, unit.code.analysis, unit.beside, asked)
            manifest, found = with_its_code(
                manifest, unit.code.analysis, path=unit.path, apps=unit.beside, defaults=self._defaults, help=asked
            )
        policy = manifest.policy if manifest else self._defaults
        job: HclSource | JsonSource | None = manifest.source if manifest else None
        if unit.job_path is not None:
            job = self._job_source(unit, unit.job_path, texts)
        if job is None:
            if manifest is None:
                return None
            raise InvalidDesired((Problem(unit.path, manifest.line, message=f"{unit.job_path} holds no job"),))
        digest = _digest(job, policy, manifest)
        if manifest is None:
            key = self._watched(known.get((unit.path, digest)) or await self._parsed_key(job, unit), unit)
            return DesiredApp(key, Kind.JOB_FILE, unit.path, job, digest, policy)
        if unit.job_path is not None and known.get((unit.path, digest)) != manifest.key:
            await self._check_names(manifest, job, unit)
        return DesiredApp(
            self._watched(manifest.key, unit),
            Kind.APP,
            unit.path,
            job,
            digest,
            policy,
            manifest.line,
            unit.job_path or "",
            unit.manifest.code.place if unit.manifest and unit.manifest.code else None,
            found.origins if found is not None else (),
            fill,
            # For the places of what is said about its app later.
            texts.of(unit.path),
            found.values if found is not None else (),
            found.facts if found is not None else None,
        )

    def _asked(self, manifest: Manifest, code: Code) -> Asked | None:
        who, key, wish = self._help, manifest.key, manifest.code
        if who is None or wish is None:
            return None
        return lambda app, draft, words: who.helped(Wanting(key, wish, code.identity, app, draft, words))

    def _watched(self, key: AppKey, unit: _Unit) -> AppKey:
        """An app that nobody listens for would never be told of what happens to it."""
        if "*" in self._namespaces or key.namespace in self._namespaces:
            return key
        line = unit.manifest.line if unit.manifest else 0
        message = f"the namespace {key.namespace} of {key} is not among those that are watched"
        hint = f"NOMAD_OPERATOR_NAMESPACES is {','.join(sorted(self._namespaces))}"
        raise InvalidDesired((Problem(unit.path, line, 0, message, hint),))

    def _job_source(self, unit: _Unit, job_path: str, texts: Texts) -> HclSource | JsonSource | None:
        if job_path.startswith("../") or not texts.has(job_path):
            hint = "the path counts from the manifest's folder, and stays inside the repository"
            line = unit.manifest.line if unit.manifest else 0
            raise InvalidDesired((Problem(unit.path, line, 0, f"spec.jobFile: there is no file {job_path}", hint),))
        held = bool(self._history.keys(unit.path))
        kind = FileKind.JOB if unit.manifest else self._kinds[job_path]
        data = texts.data(job_path)
        if kind is not FileKind.JOB and not held and not is_text(data) and not may_hold_app(data):
            return None
        text = decoded(data, job_path)
        given = unit.manifest.variables if unit.manifest else ""
        beside = texts.of(unit.variables_path) if unit.variables_path else ""
        job = source_of(text, overridden(beside, given), job_path, kind, held=held)
        if given and isinstance(job, JsonSource):
            message = f"spec.variables: {job_path} is a job of the HTTP API, which has no variables"
            hint = "write the values into it, or write it in HCL with `variable` blocks"
            raise InvalidDesired((Problem(unit.path, unit.manifest.line if unit.manifest else 0, 0, message, hint),))
        return job

    async def _parsed_key(self, job: HclSource | JsonSource, unit: _Unit) -> AppKey:
        if isinstance(job, JsonSource):
            return self._key_of(job.body, unit)
        async with self._parsing:
            try:
                body = await self._parser.parse(job)
            except InvalidDesired as error:
                raise InvalidDesired(tuple(_at(problem, unit) for problem in error.problems)) from error
        return self._key_of(body, unit)

    def _key_of(self, body: JobBody, unit: _Unit) -> AppKey:
        """The key that a job itself names; InvalidDesired if it names none that Nomad allows."""
        path = unit.job_path or unit.path
        name, namespace = str(body.get("ID") or ""), str(body.get("Namespace") or self._namespace)
        try:
            key = AppKey.parse(f"{namespace}/{name}")
            str(key).encode()
        except UnicodeEncodeError as error:
            raise InvalidDesired((Problem(path, message="the job's name is no text"),)) from error
        except ValueError as error:
            raise InvalidDesired((Problem(path, message=str(error)),)) from error
        if problem := name_problem(key.name):
            raise InvalidDesired((Problem(path, message=f"{key.name!r}: {problem}"),))
        if key.namespace != namespace:
            # The part of a namespace before a slash would pass for all of it.
            message = f"{namespace!r} is not a namespace (letters, digits and dashes)"
            raise InvalidDesired((Problem(path, message=message),))
        return key

    async def _check_names(self, manifest: Manifest, job: HclSource | JsonSource, unit: _Unit) -> None:
        """A wrapped job must be the app that its manifest names, or two apps would share one job."""
        key = await self._parsed_key(job, unit)
        if key != manifest.key:
            message = f"spec.jobFile: {unit.job_path} is the job {key}, and the manifest names {manifest.key}"
            hint = "give both the same name and namespace"
            raise InvalidDesired((Problem(unit.path, manifest.line, message=message, hint=hint),))

    # -- the state

    def _state(self, tree: FileTree, wrapped: set[str]) -> DesiredState:
        apps = [made.app for made in self._made.values() if made.app is not None]
        found = [file for read in self._manifests.values() for file in read.file.unreadable]
        found += [made.unreadable for made in self._made.values() if made.unreadable is not None]
        found += [
            UnreadableFile(problem.path, (problem,))
            for problem in dict.fromkeys(tree.refused)
            if (problem.hides or self._kinds[problem.path] is not FileKind.OTHER) and problem.path not in wrapped
        ]
        unreadable = with_keys_of_before(apps, found, self._history.keys)
        self._remember(apps, unreadable)
        return state_of(tree.revision, apps, unreadable, wrapped, self._rules(tree))

    def _rules(self, tree: FileTree) -> list[RuleSet]:
        """What stood in a file that is refused now is not taken for rules that were withdrawn."""
        refused = (one for one in tree.refused if one.path not in tree.files and self._history.stated_rules(one.path))
        unread = [RuleSet(path, problems=(problem,)) for path, problem in {one.path: one for one in refused}.items()]
        return [rules for read in self._manifests.values() for rules in read.file.policies] + unread

    def _remember(self, apps: Iterable[DesiredApp], unreadable: Iterable[UnreadableFile]) -> None:
        keys: defaultdict[str, set[AppKey]] = defaultdict(set)
        for app in apps:
            keys[app.path].add(app.key)
        for file in unreadable:
            if file.key is not None:
                keys[file.path].add(file.key)
        for path in self._kinds:
            if path in keys or self._history.keys(path):
                self._history.read(path, keys[path])


def _beside(path: str, name: str) -> str:
    """A name as it is written in the file at `path`."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), name))


def _at(problem: Problem, unit: _Unit) -> Problem:
    """The parser names its input; people know the file."""
    path = unit.job_path or unit.path
    if problem.path.endswith("(variables)"):
        path = unit.variables_path or unit.path
    return replace(problem, path=path)


def _digest(job: HclSource | JsonSource, policy: Policy, manifest: Manifest | None) -> str:
    """The source hash: everything that a person wrote about the app, and the defaults that fill the rest."""
    variables = job.variables if isinstance(job, HclSource) else ""
    parts = (job.text, variables, repr(policy), "App" if manifest else "JobFile")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

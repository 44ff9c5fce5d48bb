"""The local copy of a source: a bare repository without a work tree, and beside it which revision is good.

    FOLDER/source.json    what the copy is of, and the last good revision: kept apart, so that damage to the
                          repository does not lose it
    FOLDER/repository/    objects of a few commits; anything in it can be fetched again
    FOLDER/lock           held by the process that changes any of this
    FOLDER/gitconfig      which local folders git may read though they belong to somebody else
    FOLDER/writing-*      objects of a commit that is being pushed; see `git_commit`

Holds no credentials and no URL with any. Several processes may use one folder: readers need no lock.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from desired.errors import DeadlineExceeded, Unavailable
from desired.git_command import Ended, GitCommand
from desired.git_errors import scrubbed
from desired.git_objects import Damaged

# git slows down with every pack it has to look into; its own limit is 50 as well (gc.autoPackLimit).
_MAX_PACKS = 50
_LOCK_RETRY_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class CacheRecord:
    """What `source.json` says. `max_file_bytes` is the limit under which the objects were fetched."""

    url: str = ""
    ref: str = ""
    path: str = ""
    max_file_bytes: int = 0
    revision: str | None = None
    previous: str | None = None


class GitCache:
    """The folder. `timeout` bounds every local git command and the wait for another process's lock."""

    def __init__(self, *, folder: Path, command: GitCommand, timeout: timedelta) -> None:
        self._folder = folder
        self._command = command
        self._timeout = timeout
        self._changing = asyncio.Lock()

    @property
    def folder(self) -> Path:
        """Where all of it stands; it may be missing until the first change."""
        return self._folder

    @property
    def repository(self) -> Path:
        """Where the objects are; the folder may be missing or damaged."""
        return self._folder / "repository"

    def record(self) -> CacheRecord:
        """The record; an empty one where there is none that can be read (then the first poll writes it anew)."""
        try:
            return CacheRecord(**json.loads((self._folder / "source.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return CacheRecord()

    def remember(self, record: CacheRecord) -> None:
        """Replace the record at once: a crash leaves the old one or the new one."""
        new = self._folder / f"source.json.{os.getpid()}"
        new.write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")
        new.replace(self._folder / "source.json")

    @contextlib.asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        """Be the only one, of all processes, that changes the cache. Raises DeadlineExceeded."""
        async with self._changing:
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise Unavailable(
                    f"the git cache {self._folder} cannot be written: {error.strerror}",
                    hint="make the folder writable, or free space",
                ) from error
            try:
                await self._locked(lock)
                with _disk(self._folder):
                    yield
            finally:
                os.close(lock)

    async def _locked(self, lock: int) -> None:
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                while True:
                    try:
                        return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        await asyncio.sleep(_LOCK_RETRY_SECONDS)
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"the git cache {self._folder} was in use by another process for {self._timeout.total_seconds():g} s",
                hint="give each operator a cache of its own",
            ) from error

    # Below: only inside `changing()`.

    async def create(self, repository: Path, *, object_format: str) -> None:
        """An empty repository at that place; what was there is removed."""
        await asyncio.to_thread(shutil.rmtree, repository, ignore_errors=True)
        arguments = ["init", "--quiet", "--bare", "--template=", f"--object-format={object_format}"]
        ended = await self.git(arguments, repository=repository)
        if ended.code != 0:
            raise Unavailable(f"creating the git cache in {self._folder} failed: {scrubbed(ended.errors)}")

    def fresh(self) -> Path:
        """Where the successor of a damaged repository is built."""
        return self._folder / "repository.new"

    async def swap(self) -> None:
        """Put the fresh repository in the place of the old one."""
        old = self._folder / "repository.old"
        await asyncio.to_thread(shutil.rmtree, old, ignore_errors=True)
        if self.repository.exists():
            self.repository.rename(old)
        self.fresh().rename(self.repository)
        await asyncio.to_thread(shutil.rmtree, old, ignore_errors=True)

    def trust(self, folders: Iterable[Path]) -> None:
        """Let git read local repositories that belong to somebody else: the named ones, no others.

        In a file of its own because git drops settings of the environment before it starts the server's side.
        Source: git's environment.c, local_repo_env.
        """
        quoted = (str(folder).replace("\\", "\\\\").replace('"', '\\"') for folder in folders)
        text = "".join(f'[safe]\n\tdirectory = "{folder}"\n' for folder in quoted)
        file = self._folder / "gitconfig"
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            new = file.with_name(f"gitconfig.{os.getpid()}")
            new.write_text(text, encoding="utf-8")
            new.replace(file)

    def unlock(self) -> None:
        """Remove git's own lock files: whoever left them was killed, since we hold the folder's lock."""
        for pattern in ("*.lock", "refs/nomad-operator/*.lock"):
            for left in self.repository.glob(pattern):
                left.unlink(missing_ok=True)

    async def tidy(self, keep: Iterable[str | None]) -> None:
        """Once there are many packs: one pack of what the kept commits and our refs hold instead, and nothing else.

        A failure changes nothing; the next time tries again.
        """
        packs = self.repository / "objects" / "pack"
        if sum(1 for _ in packs.glob("*.pack")) <= _MAX_PACKS:
            return
        named = await self.git(["for-each-ref", "--format=%(objectname)", "refs/nomad-operator"])
        wanted = {*filter(None, keep), *named.output.decode().split()}
        before = set(packs.iterdir())
        ended = await self.git(
            [
                *("pack-objects", "--quiet", "--revs", "--missing=allow-any", "--delta-base-offset"),
                *("--end-of-options", str(packs / "pack")),
            ],
            stdin="".join(f"{commit}\n" for commit in sorted(wanted)).encode(),
        )
        name = ended.output.decode("utf-8", "replace").strip()
        if ended.code != 0 or not (packs / f"pack-{name}.pack").exists():
            return
        # Marks the pack as one from which files may have been left out, as fetched packs are.
        (packs / f"pack-{name}.promisor").touch()
        for file in before:
            if not file.name.startswith(f"pack-{name}."):
                file.unlink(missing_ok=True)
        await self._forget_shallow()

    async def _forget_shallow(self) -> None:
        """Drop the commits that are gone from the list of those without parents, which git reads at every start."""
        shallow = self.repository / "shallow"
        if not shallow.exists():
            return
        known = await self.git(["cat-file", "--batch-check=%(objectname)"], stdin=shallow.read_bytes())
        left = [line for line in known.output.decode().splitlines() if not line.endswith(" missing")]
        new = shallow.with_name("shallow.new")
        new.write_text("".join(f"{line}\n" for line in left), encoding="ascii")
        new.replace(shallow)

    # Below: reading, no lock needed.

    async def git(
        self, arguments: list[str], *, repository: Path | None = None, stdin: bytes = b"", max_output: int = 1 << 26
    ) -> Ended:
        """One local git command, to its end."""
        return await self._command.run(
            arguments,
            repository=repository or self.repository,
            stdin=stdin,
            max_output=max_output,
            deadline=self._timeout,
            doing=f"reading the git cache {self._folder}",
        )

    async def kinds(self, names: list[str], *, repository: Path | None = None) -> list[tuple[str, str] | None]:
        """Object id and type of each name, None where there is no such object. Raises Damaged."""
        stdin = "".join(f"{name}\n" for name in names).encode()
        ended = await self.git(["cat-file", "--batch-check"], repository=repository, stdin=stdin)
        lines = ended.output.decode("utf-8", "replace").splitlines()
        if ended.code != 0 or len(lines) != len(names):
            raise Damaged(scrubbed(ended.errors))
        answers = [line.split(" ") for line in lines]
        return [(words[0], words[1]) if len(words) == 3 and words[2].isdigit() else None for words in answers]


@contextlib.contextmanager
def _disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"the git cache {folder} cannot be written: {error.strerror}",
            hint="make the folder writable, or free space",
        ) from error

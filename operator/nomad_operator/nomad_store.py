"""The store in Nomad's variables: the adapter of `reconcilers.store.Store` for many copies of the operator.

One variable a document, written by Nomad's own compare-and-set; a revision is the variable's index, which grows with
every write in the cluster. A document that does not fit into one variable lies in parts beside it: the parts are
written first, under a name of their own, and the document that names them last, so that a kill at any point leaves the
old one or the new one. Which copy may write is not decided here (`nomad_operator.lease`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Protocol

from desired.errors import (
    Conflict,
    Forbidden,
    LeaseLost,
    OperatorError,
    StateUnavailable,
    StateUnusable,
    TransientError,
)
from nomad_operator.variable_names import VariablePlace
from observers.nomad.variables import Listing, Variable
from reconcilers.store import Document, Stored

_FORMAT = "1"
# Below Nomad's 64 KiB, with room for the names and what stands beside the text.
_PIECE = 60_000
_READS_AT_ONCE = 8
# A large document that is read while others write it is read anew; they cannot all be slower than each time.
_TRIES = 5
_NOW = timedelta(0)


class Variables(Protocol):
    """What is asked of Nomad; `observers.nomad.variables.NomadVariables` is one."""

    async def under(self, prefix: str, *, after: int = 0, wait: timedelta = _NOW) -> Listing: ...

    async def read(self, path: str, *, after: int = 0, wait: timedelta = _NOW) -> Variable | None: ...

    async def write(self, path: str, items: Mapping[str, str], *, expected: int) -> int: ...

    async def delete(self, path: str, *, expected: int) -> None: ...

    async def aclose(self) -> None: ...


class NomadStore:
    """`new_id` tells the parts of one write from those of another: 12 characters of a path at most."""

    def __init__(self, *, variables: Variables, place: VariablePlace, new_id: Callable[[], str]) -> None:
        self._variables = variables
        self._place = place
        self._new_id = new_id
        self._writing: set[asyncio.Task[int]] = set()
        # Documents that lay in parts when they were last read or written here.
        self._large: set[str] = set()

    async def load(self) -> Mapping[str, Stored]:
        return await self.load_named("")

    async def load_named(self, beginning: str) -> Mapping[str, Stored]:
        """The documents whose names begin like this; complete or an error."""
        async with self._meant("reading the state"):
            paths = (await self._variables.under(self._place.documents_named(beginning))).indexes
            at_once = asyncio.Semaphore(_READS_AT_ONCE)

            async def read(path: str) -> tuple[str, Stored] | None:
                async with at_once:
                    return await self._document(path)

            async with asyncio.TaskGroup() as group:
                reading = [group.create_task(read(path)) for path in paths]
        found = (task.result() for task in reading)
        return dict(one for one in found if one is not None)

    async def get(self, name: str) -> Stored | None:
        async with self._meant(f"reading {name}"):
            found = await self._document(self._place.document(name))
        return found[1] if found is not None else None

    async def put(self, name: str, document: Document, *, expected: int) -> int:
        body = json.dumps(document, separators=(",", ":"), allow_nan=False)
        async with self._meant(f"writing {name}"):
            return await self._whole(self._put(name, body, expected))

    async def delete(self, name: str, *, expected: int) -> None:
        async with self._meant(f"deleting {name}"):
            await self._whole(self._delete(name, expected))

    async def changed(self, beginning: str, *, after: int, wait: timedelta) -> int:
        """An index to ask with next time; returns once a document so named was written or deleted since `after`.

        With 0 at once, and at the latest after `wait`. Others' writes may end it early.
        """
        async with self._meant("watching the state"):
            return (await self._variables.under(self._place.documents_named(beginning), after=after, wait=wait)).index

    async def close(self) -> None:
        """Writes that are under way end first. Closing twice is no error."""
        if self._writing:
            await asyncio.wait(self._writing)
        await self._variables.aclose()

    async def _whole(self, write: Coroutine[Any, Any, int]) -> int:
        """A write goes on where its pass is cut off: half of it would leave parts behind for nothing."""
        task = asyncio.create_task(write)
        self._writing.add(task)
        task.add_done_callback(self._written)
        return await asyncio.shield(task)

    def _written(self, task: asyncio.Task[int]) -> None:
        self._writing.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked has gone, or has it

    async def _put(self, name: str, body: str, expected: int) -> int:
        path = self._place.document(name)
        if len(body) <= _PIECE:
            items = {"format": _FORMAT, "name": name, "body": body}
            before = await self._parts(name) if name in self._large else {}
            index = await self._variables.write(path, items, expected=expected)
            self._large.discard(name)
        else:
            # Listed before the document is written: whoever writes parts after that expects a later revision.
            before = await self._parts(name)
            written, number = self._new_id(), 0
            mine: dict[str, int] = {}
            try:
                for number, start in enumerate(range(0, len(body), _PIECE)):
                    part = f"{self._place.parts(name)}{written}/{number}"
                    mine[part] = await self._variables.write(
                        part, {"body": body[start : start + _PIECE]}, expected=0
                    )  # fmt: skip
                items = {"format": _FORMAT, "name": name, "write": written, "parts": str(number + 1)}
                index = await self._variables.write(path, items, expected=expected)
                self._large.add(name)
            except Conflict:
                await self._swept(mine)
                raise
        await self._swept(before)
        return index

    async def _delete(self, name: str, expected: int) -> int:
        path = self._place.document(name)
        before = await self._parts(name) if name in self._large else {}
        try:
            await self._variables.delete(path, expected=expected)
        except Conflict:
            if await self._variables.read(path) is not None:
                raise
            return 0
        await self._swept(before)
        return 0

    async def _parts(self, name: str) -> Mapping[str, int]:
        return (await self._variables.under(self._place.parts(name))).indexes

    async def _swept(self, parts: Mapping[str, int]) -> None:
        """Parts that nothing names any more. What cannot be removed now is removed with the next write."""
        for path, index in parts.items():
            with suppress(OperatorError):
                await self._variables.delete(path, expected=index)

    async def _document(self, path: str) -> tuple[str, Stored] | None:
        for _ in range(_TRIES):
            head = await self._variables.read(path)
            if head is None:
                return None
            self._known_format(path, head)
            if "parts" not in head.items:
                self._large.discard(head.items["name"])
                return _read(path, head, head.items.get("body", ""))
            self._large.add(head.items["name"])
            pieces = await self._pieces(head)
            if all(piece is not None for piece in pieces):
                return _read(path, head, "".join(piece.items.get("body", "") for piece in pieces if piece is not None))
            again = await self._variables.read(path)
            if again is not None and again.index == head.index:
                raise StateUnusable(
                    f"the state in Nomad's variables lacks parts of {head.items.get('name', path)}",
                    hint=f"restore Nomad from a snapshot, or delete the variable {path} to start anew with that app",
                )
        raise StateUnavailable(f"{path} is written faster than it can be read", hint="it is read again")

    async def _pieces(self, head: Variable) -> Iterable[Variable | None]:
        count = head.items.get("parts", "")
        beginning = f"{self._place.parts(head.items.get('name', ''))}{head.items.get('write', '')}/"
        numbers = range(int(count)) if count.isdecimal() else range(0)
        return await asyncio.gather(*(self._variables.read(f"{beginning}{number}") for number in numbers))

    def _known_format(self, path: str, head: Variable) -> None:
        found = head.items.get("format", "")
        if found != _FORMAT or "name" not in head.items:
            raise StateUnusable(
                f"the variable {path} is of format {found or 'unknown'}, this operator knows {_FORMAT}",
                hint="run the newer nomad-operator again, or point NOMAD_OPERATOR_STATE_URL at another path",
            )

    @asynccontextmanager
    async def _meant(self, doing: str) -> AsyncIterator[None]:
        """What Nomad said, as what it means for the state."""
        try:
            yield
        except ExceptionGroup as group:
            raise self._meaning(doing, _first(group)) from group
        except (OperatorError, UnicodeEncodeError) as error:
            meaning = self._meaning(doing, error)
            if meaning is error:
                raise
            raise meaning from error

    def _meaning(self, doing: str, error: BaseException) -> BaseException:
        match error:
            case Conflict():
                return Conflict(
                    f"{doing}: it is not at the revision that was expected",
                    hint="somebody else wrote it; it is read and decided again",
                )
            case Forbidden():
                return Forbidden(
                    f"{doing} at {self._place} is forbidden: {error.message}",
                    hint=f'its policy needs variables {{ path "{self._place.path}/*" {{ capabilities = '
                    '["read", "write", "list", "destroy"] } }; ' + error.hint,
                )
            case StateUnavailable() | StateUnusable() | LeaseLost():
                return error
            case TransientError():
                return StateUnavailable(f"{doing} at {self._place}: {error.message}", hint=error.hint)
            case OperatorError():
                return StateUnusable(f"{doing} at {self._place}: {error.message}", hint=error.hint)
        return error


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Reads that fail together fail for one reason."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _read(path: str, head: Variable, body: str) -> tuple[str, Stored]:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise StateUnusable(
            f"the variable {path} holds a document that is not JSON",
            hint="restore Nomad from a snapshot, or delete the variable to start anew with that app",
        ) from error
    return head.items["name"], Stored(document, head.index)

"""Whether repairs can be remembered: the extra, the folder, the embeddings. A server's part is that of Qdrant's probe.

Nothing is opened: Qdrant in a folder is for one process, and a daemon may be about to be it.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from desired.errors import OperatorError, Unsupported
from nomad_operator.doctor import Finding
from nomad_operator.memory_from_settings import embedding, installed, place
from nomad_operator.probes.attempt import Attempt, Told
from nomad_operator.settings import Memory, Settings
from prompts.memory.mem0_library import EXTRA
from prompts.memory.place import Folder


async def probe_memory(settings: Settings, attempt: Attempt) -> list[Finding]:
    """`attempt.address` is where the memory is kept."""
    where = place(settings)
    if where is None:
        told = "off" if settings.memory is Memory.OFF else f"not installed ({EXTRA})"
        return [Finding(attempt.service, None, "", told, required=False)]

    async def kept() -> Told:
        if not installed():
            raise Unsupported("the extra memory is not installed", hint=EXTRA)
        if not isinstance(where, Folder):
            return Told("kept on the server of QDRANT_URL")
        if not _writable(where.path):
            raise OperatorError(
                f"{where.path} cannot be written",
                hint="let this user write it, or set NOMAD_OPERATOR_MEMORY=off; repairs go on without",
            )
        return Told("kept in a folder" if where.path.exists() else "will be made when there is something to remember")

    async def compared() -> Told:
        found = await asyncio.to_thread(embedding(settings).vector, "how long it is")
        return Told(f"{settings.embedding_model or 'built in'}, {len(found)} numbers")

    return await attempt.first(kept, ("embeddings", compared))


def _writable(path: Path) -> bool:
    nearest = next(one for one in (path, *path.parents) if one.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)

"""The memory as the settings name it: where it is, by which embedding, and what its cluster is called."""

from __future__ import annotations

import importlib.util
from collections.abc import Awaitable, Callable
from typing import Protocol

from desired.errors import OperatorError
from nomad_operator import __version__
from nomad_operator.log import Log, Outages
from nomad_operator.metrics import Metrics
from nomad_operator.settings import Memory, Settings
from observers.running import Agent
from prompts.memory.endpoint_embedding import EndpointEmbedding
from prompts.memory.hashing import Hashing
from prompts.memory.mem0_library import EXTRA, Embedding
from prompts.memory.mem0_notes import Mem0Notes
from prompts.memory.place import Folder, Place, Server
from reconcilers.repair.experience import Experience
from reconcilers.repair.learned import Where

# Nomad's own name for a region that nobody named.
_REGION = "global"
_SERVICE = "qdrant"


class Agents(Protocol):
    """Whom to ask which cluster it is."""

    async def agent(self) -> Agent: ...


def place(settings: Settings) -> Place | None:
    """Where the memory is kept; None where there is none.

    Where nothing is said, the extra `memory` decides whether there is a memory, and QDRANT_URL where it is.
    """
    wanted = settings.memory
    if wanted is Memory.OFF or (wanted is Memory.AUTO and not installed()):
        return None
    if wanted is not Memory.LOCAL and settings.qdrant_url is not None:
        key = settings.qdrant_api_key
        return Server(settings.qdrant_url, key.get_secret_value() if key is not None else "")
    return Folder(settings.state_file.with_name("memory") / "qdrant")


def kept(settings: Settings) -> str:
    """The same for people."""
    where = place(settings)
    return where.shown if where is not None else "nowhere"


def installed() -> bool:
    """Whether the extra is there, without importing it."""
    return all(importlib.util.find_spec(name) is not None for name in ("mem0", "qdrant_client"))


def embedding(settings: Settings) -> Embedding:
    if not settings.embedding_model:
        return Hashing()
    key = settings.openai_api_key
    return EndpointEmbedding(
        base_url=settings.openai_base_url,
        api_key=key.get_secret_value() if key is not None else "",
        model=settings.embedding_model,
    )


def memory(
    settings: Settings,
    *,
    nomad: Agents,
    clock: Callable[[], float],
    heard: Callable[[OperatorError | None], None] = lambda _problem: None,
) -> Experience | None:
    """Nothing is opened or imported before it is asked for something."""
    where = place(settings)
    if where is None:
        return None
    home = settings.state_file.with_name("memory") / "mem0"
    notes = Mem0Notes(place=where, home=home, embedding=embedding(settings), clock=clock, heard=heard)
    return Experience(notes=notes, where=cluster(settings, nomad))


def cluster(settings: Settings, nomad: Agents) -> Callable[[], Awaitable[Where]]:
    """Which cluster it is: as it is called by the settings, else the region that Nomad says. Asked once."""
    known: list[Where] = []

    async def where() -> Where:
        if not known:
            agent = await nomad.agent()
            name = settings.cluster_id or settings.nomad_region or agent.region or _REGION
            known.append(Where(name, __version__, agent.version))
        return known[0]

    return where


def heard(outages: Outages, metrics: Metrics) -> Callable[[OperatorError | None], None]:
    """Told once when it goes and once when it is back, however often it is asked meanwhile."""

    def told(problem: OperatorError | None) -> None:
        outages.report(_SERVICE, problem.message if problem else None, hint=problem.hint if problem else "")
        metrics.dependency_up(_SERVICE, up=problem is None)

    return told


def tell_missing(settings: Settings, log: Log) -> None:
    """Who said nothing about a memory and has not the extra may not know that there could be one."""
    if settings.memory is Memory.AUTO and not installed():
        log.info("no memory", reason="the extra memory is not installed", hint=EXTRA)

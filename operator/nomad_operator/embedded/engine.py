"""The embedded Nomad: a core without I/O, threads or a clock. Time comes in as an argument, ids and chance too.

`handle` answers a request as of now; `advance` lets time pass, and everything happen that is due by then. One lock
makes both safe to call from several threads.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import datetime
from random import Random

from nomad_operator.embedded.api import Inside, Read
from nomad_operator.embedded.api_cluster import new_namespace
from nomad_operator.embedded.client import Clients
from nomad_operator.embedded.deployments import Deployments
from nomad_operator.embedded.events import Broker, Subscription
from nomad_operator.embedded.instant import SECOND, from_datetime, to_datetime
from nomad_operator.embedded.jobs import Jobs
from nomad_operator.embedded.messages import Fault, Request, Response, Streaming, Waiting
from nomad_operator.embedded.nodes import node_value
from nomad_operator.embedded.pace import Pace, Usual
from nomad_operator.embedded.plan_parts import Mapped
from nomad_operator.embedded.routes import JOB_LEFT_OUT, LEFT_OUT, ROUTES, Route
from nomad_operator.embedded.scheduler import Scheduler
from nomad_operator.embedded.state import State
from nomad_operator.embedded.timers import Timers
from nomad_operator.embedded.tokens import Tokens
from nomad_operator.embedded.usage import UsageTable
from nomad_operator.embedded.validation import Validation, validate
from nomad_operator.embedded.variables import Variables
from nomad_operator.embedded.waits import topics_of, wait_of
from nomad_operator.embedded.world import World

_HEARTBEAT = 30 * SECOND


class EmbeddedNomad:
    """A Nomad of one server, and the nodes of its world."""

    def __init__(
        self, *, world: World, start: datetime, seed: int = 0, new_id: Callable[[], str] | None = None,
        first_index: int = 100, pace: Pace | None = None,
    ) -> None:  # fmt: skip
        """Ids are random but the same for the same seed, unless `new_id` makes them; `pace` None: the usual one."""
        pace = pace or Usual()
        chance = Random(seed)
        self._lock = threading.RLock()
        self._timers = Timers(now=from_datetime(start))
        self._new_id = new_id or (lambda: str(uuid.UUID(int=chance.getrandbits(128), version=4)))
        self.world = world
        self.tokens = Tokens(world)
        self._broker = Broker(size=world.event_buffer_size)
        self._state = State(
            first_index=first_index,
            now=lambda: self._timers.now,
            publish=self._broker.publish,
            signing_key=self._new_id(),
        )
        usage = UsageTable(self._state)
        scheduler = Scheduler(
            state=self._state, timers=self._timers, usage=usage.of, new_id=self._new_id, random=chance.random,
            pace=pace,
        )  # fmt: skip
        deployments = Deployments(state=self._state, timers=self._timers, scheduler=scheduler)
        clients = Clients(
            state=self._state, timers=self._timers, world=world, scheduler=scheduler, deployments=deployments,
            random=chance.random, pace=pace,
        )  # fmt: skip
        jobs = Jobs(
            state=self._state, timers=self._timers, scheduler=scheduler, new_id=self._new_id,
            validation=self._validate,
        )  # fmt: skip
        self._inside = Inside(
            world=world, state=self._state, timers=self._timers, scheduler=scheduler, deployments=deployments,
            clients=clients, jobs=jobs,
            variables=Variables(state=self._state, timers=self._timers, new_id=self._new_id),
            broker=self._broker, validation=self._validate, new_id=self._new_id,
        )  # fmt: skip
        self._begin()
        self._timers.after(_HEARTBEAT, self._beat)

    def _begin(self) -> None:
        """What the world declares."""
        with self._state.write("NamespaceUpserted") as write:
            for name in self.world.namespaces:
                description = "Default shared namespace" if name == "default" else ""
                write.put_namespace(new_namespace(name, description))
        for node in self.world.nodes:
            with self._state.write("NodeRegistration") as write:
                id_ = node.id or self._new_id()
                value = node_value(node, self.world, id_=id_, now=self._timers.now, index=write.index)
                write.put_node(value, id_=id_)
        for variable in self.world.variables:
            self._inside.variables.put((variable.namespace, variable.path), {"Items": variable.items}, cas=None)
        self._broker.forget()

    def _validate(self, job: Mapped) -> Validation:
        return validate(
            job,
            namespaces=self._state.namespaces,
            node_pools=self.world.node_pools,
            vault_clusters=("default",) if self.world.vault else (),
            vault_identities=("default",) if self.world.vault else (),
            memory_oversubscription=self.world.memory_oversubscription,
        )

    # Time

    @property
    def now(self) -> datetime:
        return to_datetime(self._timers.now)

    def next_due(self) -> datetime | None:
        """When something happens by itself next."""
        with self._lock:
            due = self._timers.next_due()
            return None if due is None else to_datetime(due)

    def advance(self, to: datetime) -> None:
        """Let everything happen that is due by then; an earlier time changes nothing."""
        with self._lock:
            self._timers.advance(from_datetime(to))

    def _beat(self) -> None:
        self._broker.beat()
        self._timers.after(_HEARTBEAT, self._beat)

    # Requests

    def handle(self, request: Request) -> Response | Waiting | Streaming:
        """Answer it now, or say what it waits for. Never raises for what a request says."""
        with self._lock:
            try:
                if request.path == "/v1/event/stream":
                    return self._stream(request)
                return self._answer(request)
            except Fault as fault:
                return fault.response

    def _answer(self, request: Request) -> Response | Waiting:
        route, id_ = self._route(request)
        region = request.one("region")
        if region not in (None, "", self.world.region):
            raise Fault(500, "No path to region")
        namespace = request.one("namespace") or "default"
        if not self.tokens.allows(request.token, route.capability, namespace):
            raise Fault(403, "Permission denied")
        arguments = () if route.whole else (id_,)
        index, wait = wait_of(request)
        found = route.handler(self._inside, request, *arguments)
        if not isinstance(found, Read):
            return _response(found)
        if index == 0 or found.index > index:
            return found.response()

        def again() -> Response | None:
            with self._lock:
                try:
                    fresh = route.handler(self._inside, request, *arguments)
                except Fault as fault:
                    return fault.response
                late = self._timers.now >= deadline
                return fresh.response() if fresh.index > index or late else None

        deadline = self._timers.now + wait
        return Waiting(deadline, again)

    def _route(self, request: Request) -> tuple[Route, str]:
        path = request.path
        known = False
        for route in ROUTES:
            id_ = route.id_in(path)
            if id_ is None or (path.startswith("/v1/job/") and path.endswith(JOB_LEFT_OUT)):
                continue
            if request.method in route.methods:
                return route, id_
            known = True
        if known:
            raise Fault(405, "Invalid method")
        if path.startswith(LEFT_OUT):
            raise Fault(
                501, f"the embedded Nomad does not implement {request.method} {path}: the operator needs it not"
            )
        raise Fault(404, "")

    def _stream(self, request: Request) -> Streaming:
        if request.method != "GET":
            raise Fault(405, "Invalid method")
        index = request.one("index") or "0"
        if not index.lstrip("-").isdigit():
            raise Fault(400, f'Unable to parse index: strconv.Atoi: parsing "{index}": invalid syntax')
        topics = topics_of(request)
        namespace = request.one("namespace") or "default"
        refused = not self.tokens.may_listen(request.token, topics, namespace, list(self._state.namespaces))
        elsewhere = request.one("region") not in (None, "", self.world.region)
        existing = frozenset(self._state.namespaces)
        subscription = Subscription(topics, namespace, self.tokens.may_see, existing, silent=refused or elsewhere)
        self._broker.subscribe(subscription, index=int(index))
        return Streaming(subscription, lambda: self._close(subscription))

    def _close(self, subscription: Subscription) -> None:
        with self._lock:
            self._broker.unsubscribe(subscription)

    # For tests: what happens to a real server

    def forget_events(self) -> None:
        """As after a restart of the server: the buffer is empty, and nobody is told anything any more."""
        with self._lock:
            self._broker.forget()

    @property
    def raft_index(self) -> int:
        """How much has been written."""
        return self._state.index


def _response(found: object) -> Response:
    assert isinstance(found, Response), found
    return found

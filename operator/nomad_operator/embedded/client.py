"""The clients of all nodes: they run what is placed on them, and tell the servers, many changes at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nomad_operator.embedded import rescheduling
from nomad_operator.embedded.allocation_run import AllocationRun
from nomad_operator.embedded.deployments import Deployments, health
from nomad_operator.embedded.derived import client_terminal
from nomad_operator.embedded.instant import MILLISECOND
from nomad_operator.embedded.pace import Pace
from nomad_operator.embedded.scheduler import Scheduler
from nomad_operator.embedded.state import State, Transaction, group_of
from nomad_operator.embedded.task_states import client_status
from nomad_operator.embedded.timers import Timer, Timers
from nomad_operator.embedded.world import World

Value = dict[str, Any]
Mapped = Mapping[str, Any]

# Changes are gathered for this long: quick ones coalesce.
_BATCH = 200 * MILLISECOND


def _undecided(allocation: Mapped) -> bool:
    return (allocation.get("DeploymentStatus") or {}).get("Healthy") is None


class Clients:
    """Owns every running allocation."""

    def __init__(
        self,
        *,
        state: State,
        timers: Timers,
        world: World,
        scheduler: Scheduler,
        deployments: Deployments,
        random: Callable[[], float],
        pace: Pace,
    ) -> None:
        self.world = world
        self.pace = pace
        self.timers = timers
        self.random = random
        self.runs: dict[str, AllocationRun] = {}
        self._state = state
        self._scheduler = scheduler
        self._deployments = deployments
        self._waiting: dict[str, list[AllocationRun]] = {}
        self._dirty: dict[str, int] = {}
        self._health: dict[str, tuple[bool, int]] = {}
        self._sync: Timer | None = None
        self._declared = {node.name: node for node in world.nodes}
        state.on_write(self._on_write)

    # What servers say

    def _on_write(self, write: Transaction) -> None:
        if write.type != "AllocationUpdated":
            for id_ in dict.fromkeys(write.allocations):
                self._heed(id_)
        if write.variables:
            for run in list(self.runs.values()):
                run.reconsider()
        if write.nodes:
            self._scheduler.retry_blocked(node_changed=True)

    def _heed(self, id_: str) -> None:
        allocation = self._state.allocations.get(id_)
        run = self.runs.get(id_)
        if allocation is None:
            if run is not None:
                run.forget()
                del self.runs[id_]
            self._scheduler.retry_blocked(node_changed=False)
            return
        group = group_of(allocation["Job"], allocation["TaskGroup"])
        if run is None:
            if allocation["DesiredStatus"] == "run" and not client_terminal(allocation) and group is not None:
                self._run(allocation, group)
        elif allocation["DesiredStatus"] != "run":
            run.allocation = allocation
            run.stop()
        elif group is not None:
            run.update(allocation, group)

    def _run(self, allocation: Mapped, group: Mapped) -> None:
        node = self._state.nodes[allocation["NodeID"]]
        run = AllocationRun(
            allocation=allocation,
            group=group,
            node=node,
            client=self,
            privileged=self._declared[node["Name"]].allow_privileged,
            foreign_ports=frozenset(self._declared[node["Name"]].ports_in_use),
        )
        self.runs[allocation["ID"]] = run
        before = self.runs.get(allocation.get("PreviousAllocation", ""))
        if before is not None and not before.over and before.node["ID"] == node["ID"]:
            run.wait()
            self._waiting.setdefault(before.allocation["ID"], []).append(run)

    # What allocations tell

    def variable_exists(self, namespace: str, path: str) -> bool:
        return (namespace, path) in self._state.variables

    def dirty(self, allocation: str) -> None:
        now, run = self.timers.now, self.runs.get(allocation)
        if run is None:
            return
        gathered = self._sync is not None and self._sync.live
        usual = self._sync.due - now if self._sync is not None and gathered else _BATCH
        due = now + self.pace.told(
            run.allocation,
            events=sum(task.happened for task in run.tasks),
            judged=allocation in self._health,
            now=now,
            usual=usual,
        )
        self._dirty[allocation] = due = min(due, max(now, self._dirty.get(allocation, due)))
        if self._sync is None or not self._sync.live or due < self._sync.due:
            self._set_sync(due)

    def _set_sync(self, due: int) -> None:
        if self._sync is not None:
            self._sync.cancel()
        self._sync = self.timers.at(due, self._tell)

    def healthy(self, allocation: str, healthy: bool) -> None:
        self._health[allocation] = (healthy, self.timers.now)
        self.dirty(allocation)

    def ended(self, allocation: str) -> None:
        for run in self._waiting.pop(allocation, ()):
            run.proceed()
        self.dirty(allocation)

    def register(self, services: list[Value]) -> None:
        with self._state.write("ServiceRegistration") as write:
            for service in services:
                write.put_service(service)

    def deregister(self, services: list[Value]) -> None:
        with self._state.write("ServiceDeregistration") as write:
            for service in services:
                if service["ID"] in self._state.services:
                    write.delete_service(service["ID"])

    # Telling the servers

    def _tell(self) -> None:
        now = self.timers.now
        due = [id_ for id_, at in self._dirty.items() if at <= now]
        settled = [id_ for id_ in due if id_ not in self.runs or self.runs[id_].settled]
        for id_ in settled:
            del self._dirty[id_]
        if later := [at for at in self._dirty.values() if at > now]:
            self._set_sync(min(later))
        ids = [id_ for id_ in settled if id_ in self.runs and id_ in self._state.allocations]
        if not ids:
            return
        evaluations = []
        freed = False
        with self._state.write("AllocationUpdated") as write:
            for id_ in ids:
                old = self._state.allocations[id_]
                new = self._update(write, old, self.runs[id_])
                freed = freed or (client_terminal(new) and not client_terminal(old))
                evaluation = self._evaluation(old, new)
                if evaluation is not None:
                    evaluations.append(write.put_evaluation(evaluation))
        for evaluation in evaluations:
            self._scheduler.enqueue(evaluation["ID"])
        if freed:
            self._scheduler.retry_blocked(node_changed=False)

    def _update(self, write: Transaction, old: Mapped, run: AllocationRun) -> Value:
        status, description = client_status(task.state for task in run.tasks)
        new: Value = {
            **old,
            "TaskStates": {task.name: task.state for task in run.tasks},
            "ClientStatus": status,
            "ClientDescription": description,
            "NetworkStatus": {"Address": "", "AddressIPv6": "", "DNS": None, "InterfaceName": ""},
        }
        if (decided := self._health.pop(old["ID"], None)) is not None:
            new["DeploymentStatus"] = health(old, *decided)
        elif status == "failed" and old.get("DeploymentID") and _undecided(old):
            new["DeploymentStatus"] = health(old, False, None)
        new = self._deployments.count_health(write, old, new)
        new = write.put_allocation(new, by_server=False)
        run.allocation = new
        return new

    def _evaluation(self, old: Mapped, new: Mapped) -> Value | None:
        """A failed allocation that may be tried again asks for it."""
        if new["ClientStatus"] != "failed" or client_terminal(old) or new["DesiredStatus"] != "run":
            return None
        record = self._state.jobs.get((new["Namespace"], new["JobID"]))
        if record is None or record.job["Stop"] or new.get("FollowupEvalID"):
            return None
        group = group_of(new["Job"], new["TaskGroup"])
        policy = group["ReschedulePolicy"] if group else None
        if not rescheduling.eligible(policy, new.get("RescheduleTracker"), self.timers.now):
            return None
        return self._scheduler.new_evaluation(record.job, "alloc-failure")

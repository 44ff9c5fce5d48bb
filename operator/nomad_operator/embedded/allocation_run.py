"""One allocation on its node: its tasks in the order of their lifecycle, its services, its checks, its health."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from nomad_operator.embedded import task_states
from nomad_operator.embedded.checks import WAITING, Check, Result, checks_of, judge, port_of, services_of, shown
from nomad_operator.embedded.gotext import quoted
from nomad_operator.embedded.health_watch import HealthWatch
from nomad_operator.embedded.instant import MILLISECOND
from nomad_operator.embedded.pace import Pace
from nomad_operator.embedded.task_run import TaskRun
from nomad_operator.embedded.timers import Timer, Timers
from nomad_operator.embedded.world import World

Mapped = Mapping[str, Any]
Value = dict[str, Any]

_RECEIVED = 5 * MILLISECOND
_SET_UP = 2 * MILLISECOND
_FIRST_CHECK = 50 * MILLISECOND
_LOOKS_AGAIN = 500 * MILLISECOND


class Client(Protocol):
    """What an allocation's run needs of its node's client."""

    world: World
    timers: Timers
    random: Callable[[], float]
    pace: Pace

    def variable_exists(self, namespace: str, path: str) -> bool: ...
    def dirty(self, allocation: str) -> None: ...
    def healthy(self, allocation: str, healthy: bool) -> None: ...
    def ended(self, allocation: str) -> None: ...
    def register(self, services: list[Value]) -> None: ...
    def deregister(self, services: list[Value]) -> None: ...


class AllocationRun:
    """Runs until every task is dead; `stop` ends it."""

    def __init__(
        self,
        *,
        allocation: Mapped,
        group: Mapped,
        node: Mapped,
        client: Client,
        privileged: bool,
        foreign_ports: frozenset[int],
    ) -> None:
        """`foreign_ports` are held on the node by what Nomad knows nothing of."""
        self.allocation = allocation
        self.group = group
        self.node = node
        self.world, self.timers, self.random = client.world, client.timers, client.random
        self.pace = client.pace
        self.privileged_allowed = privileged
        self.foreign_ports = foreign_ports
        self._client = client
        self.tasks = [TaskRun(task, self) for task in group["Tasks"] or ()]
        self.checks: list[Check] = []
        self.began_at: int | None = None
        self._watch: HealthWatch | None = None
        self._registered: list[Value] = []
        self._stopping = False
        self._over = False
        self._restart_checks: list[Timer] = []
        self._starting: Timer | None = self.timers.after(_RECEIVED, self._receive)
        self._waits_for_other = False

    # The life of the whole

    def wait(self) -> None:
        """The allocation that this one replaces still runs here: begin when it has ended."""
        self._waits_for_other = True

    def proceed(self) -> None:
        """The other one has ended."""
        if self._waits_for_other:
            self._waits_for_other = False
            if self.tasks and self.tasks[0].state["Events"]:
                self._set_up()

    def _receive(self) -> None:
        for task in self.tasks:
            task.receive()
        if not self._waits_for_other:
            self._starting = self.timers.after(_SET_UP, self._set_up)

    def _set_up(self) -> None:
        if self._stopping:
            return
        if error := self._unknown_port():
            for task in self.tasks:
                task.refuse(error)
            return
        self.began_at = self.timers.now
        self.checks = checks_of(self.allocation, self.group)
        self._register()
        self.watch_health()
        self._watch_check_restarts()
        self._advance()

    def _unknown_port(self) -> Value | None:
        for service in self.group["Services"] or ():
            label = service["PortLabel"]
            if label and service["AddressMode"] in ("auto", "host") and port_of(self.allocation, label)[1] == 0:
                text = (
                    'failed to setup alloc: pre-run hook "group_services" failed: 1 error occurred:\n\t* unable to get'
                    f' address for service "{service["Name"]}": invalid port "{label}": port label not found\n\n'
                )
                details = {"kill_reason": "Failed Restoring Task", "fails_task": "true"}
                return task_states.event("Setup Failure", self.timers.now, shown=text, **details)
        return None

    def _advance(self) -> None:
        """Begin every task whose time has come: prestart, then main and poststart; poststop at the end."""
        prestart = [task for task in self.tasks if _hook(task) == "prestart"]
        for task in prestart:
            task.begin()
        if all(task.running if _sidecar(task) else task.dead and not task.failed for task in prestart):
            for task in self._main():
                task.begin()
        if all(task.running or task.dead for task in self._main()):
            for task in self.tasks:
                if _hook(task) == "poststart" and not any(one.failed for one in self.tasks):
                    task.begin()

    def _main(self) -> list[TaskRun]:
        return [task for task in self.tasks if not _hook(task)]

    # What its tasks tell

    def variable_exists(self, namespace: str, path: str) -> bool:
        return self._client.variable_exists(namespace, path)

    def changed(self) -> None:
        self._client.dirty(self.allocation["ID"])

    def runs(self, task: TaskRun) -> None:
        self._advance()
        self._tell_watch()

    def faltered(self) -> None:
        self._tell_watch()

    def ended(self, task: TaskRun) -> None:
        now = self.timers.now
        if task.failed:
            why = task_states.event(
                "Sibling Task Failed", now, shown=f'Task\'s sibling "{task.name}" failed', failed_sibling=task.name
            )
            self._kill_others(why)
        elif task.task["Leader"]:
            self._kill_others(task_states.event("Leader Task Dead", now, shown="Leader Task in Group dead"))
        elif all(one.dead for one in self._main()) and not self._stopping:
            self._kill_others(task_states.event("Main Tasks Dead", now, shown="Main tasks in the group died"))
        self._advance()
        if all(one.dead for one in self.tasks if _hook(one) != "poststop"):
            waiting = [one for one in self.tasks if _hook(one) == "poststop" and not one.dead]
            for one in waiting:
                one.begin()
            if not waiting:
                self._end()
        self._tell_watch()

    def _kill_others(self, why: Value) -> None:
        for one in self.tasks:
            if not one.dead and _hook(one) != "poststop":
                one.kill(why)

    def _tell_watch(self) -> None:
        if self._watch is not None:
            self._watch.tasks_changed()

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self._deregister()
            for timer in self._restart_checks:
                timer.cancel()
            self._client.ended(self.allocation["ID"])

    # What its client asks

    @property
    def over(self) -> bool:
        return self._over

    @property
    def settled(self) -> bool:
        """Whether its status may be told: while a failed task's siblings are being killed, it is not."""
        failed = any(task.dead and task.failed for task in self.tasks)
        return not failed or all(task.dead for task in self.tasks if _hook(task) != "poststop")

    def update(self, allocation: Mapped, group: Mapped) -> None:
        """The server has changed it in place; a new deployment wants its health anew."""
        moved = allocation.get("DeploymentID") != self.allocation.get("DeploymentID")
        services = self.group["Services"] != group["Services"]
        self.allocation, self.group = allocation, group
        # A service whose new port is unknown fails the whole change: what was registered stays, and nothing tells it.
        if services and self.began_at is not None and not self._over and self._unknown_port() is None:
            self._deregister()
            self._register()
        if moved and not self._over and self.began_at is not None:
            self.checks = checks_of(allocation, group, self.checks)
            self.watch_health()

    def stop(self) -> None:
        """The server wants it stopped."""
        if self._stopping or self._over:
            return
        self._stopping = True
        if self._watch is not None:
            self._watch.stop()
        self._deregister()
        if self._starting is not None:
            self._starting.cancel()
        for task in self.tasks:
            if _hook(task) != "poststop":
                task.kill()

    def forget(self) -> None:
        """It has been purged: nothing more is told of it."""
        self._over = True
        for timer in (self._starting, *self._restart_checks):
            if timer is not None:
                timer.cancel()
        if self._watch is not None:
            self._watch.stop()
        for task in self.tasks:
            task.forget()
        self._deregister()

    def reconsider(self) -> None:
        """A variable has changed, for which a template may wait."""
        for task in self.tasks:
            task.reconsider()

    # Services, checks, health

    def _register(self) -> None:
        self._registered = [
            self._service(task, service) for task, service in services_of(self.group) if service["Provider"] == "nomad"
        ]
        if self._registered:
            self._client.register(self._registered)

    def _deregister(self) -> None:
        gone, self._registered = self._registered, []
        if gone:
            self._client.deregister(gone)

    def _service(self, task: str, service: Mapped) -> Value:
        address, port, _ = port_of(self.allocation, service["PortLabel"])
        where = task or f"group-{self.group['Name']}"
        id_ = self.allocation["ID"]
        return {
            "Address": service["Address"] or address,
            "AllocID": id_,
            "Datacenter": self.node["Datacenter"],
            "ID": f"_nomad-task-{id_}-{where}-{service['Name']}-{service['PortLabel']}",
            "JobID": self.allocation["JobID"],
            "Namespace": self.allocation["Namespace"],
            "NodeID": self.node["ID"],
            "Port": port,
            "ServiceName": service["Name"],
            "Tags": list(service["Tags"] or ()),
        }

    def watch_health(self) -> None:
        """For its deployment, if it has one."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
        job, update = self.allocation["Job"], self.group["Update"]
        # The health of batch jobs is nobody's business, and of deployments of people's own judgement theirs.
        manual = self.allocation.get("DeploymentID") and (update is None or update["HealthCheck"] == "manual")
        known = (self.allocation.get("DeploymentStatus") or {}).get("Healthy") is not None
        if job["Type"] not in ("service", "system") or manual or known or self._stopping:
            return
        looks_in = self.pace.step(self.allocation, "", "Healthy", now=self.timers.now, usual=_LOOKS_AGAIN)
        self._watch = HealthWatch(
            timers=self.timers,
            allocation=self.allocation,
            group=self.group,
            tasks=self.tasks,
            checks=self.checks,
            passes=lambda one: bool(self._last_result(one, self.timers.now)[0].passed),
            decided=lambda healthy: self._client.healthy(self.allocation["ID"], healthy),
            client_judges=self.world.failures_judged_by == "client",
            looks_in=looks_in,
        )
        self._watch.tasks_changed()

    def check_results(self, now: int) -> Value | None:
        """Native checks as they are now; None without any."""
        native = [one for one in self.checks if one.service["Provider"] == "nomad"]
        found: Value = {}
        for one in native:
            result, at = self._last_result(one, now)
            found[one.id] = shown(one, self.allocation, result, at)
        return found or None

    def _last_result(self, one: Check, now: int) -> tuple[Result, int]:
        """Of the last round of the check, and when that was."""
        first = (self.began_at or 0) + _FIRST_CHECK
        if self.began_at is None or now < first:
            return WAITING, now
        at = first + (now - first) // one.check["Interval"] * one.check["Interval"]
        return judge(one, self.allocation, self.tasks, at), at

    def _watch_check_restarts(self) -> None:
        for one in self.checks:
            policy = one.check["CheckRestart"]
            if policy and policy["Limit"] > 0:
                self._tick_restart(one, policy, 0, self.timers.now + policy["Grace"])

    def _tick_restart(self, one: Check, policy: Mapped, failed: int, grace: int) -> None:
        def look() -> None:
            now, misses, until = self.timers.now, failed, grace
            if not judge(one, self.allocation, self.tasks, now).passed and now >= until:
                misses += 1
            elif now >= until:
                misses = 0
            if misses >= policy["Limit"]:
                misses, until = 0, now + policy["Grace"]
                reason = f"healthcheck: check {quoted(one.check['Name'])} unhealthy"
                # A restart takes the services out of the catalog and puts them back.
                self._deregister()
                self._register()
                for task in self.tasks:
                    if one.task in ("", task.name):
                        task.restart(reason, by_check=True)
            self._tick_restart(one, policy, misses, until)

        if not self._over and not self._stopping:
            self._restart_checks = [timer for timer in self._restart_checks if timer.live]
            self._restart_checks.append(self.timers.after(one.check["Interval"], look))


def _hook(task: TaskRun) -> str:
    return str((task.task["Lifecycle"] or {}).get("Hook") or "")


def _sidecar(task: TaskRun) -> bool:
    return bool((task.task["Lifecycle"] or {}).get("Sidecar"))

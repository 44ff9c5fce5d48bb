"""One task on its node: prepared, started, ended, restarted or not, killed.

Its steps and their words are those of the recordings; times are about those of a real client.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from nomad_operator.embedded import docker_faults, task_states, templates
from nomad_operator.embedded.instant import MILLISECOND, SECOND, rfc3339
from nomad_operator.embedded.mock_driver import mocked
from nomad_operator.embedded.pace import Pace
from nomad_operator.embedded.restarts import Restarts, Verdict
from nomad_operator.embedded.timers import Timer, Timers
from nomad_operator.embedded.world import Behaviour, Registry, World

Mapped = Mapping[str, Any]
Value = dict[str, Any]

_PREPARE = 40 * MILLISECOND
_DOWNLOAD = 50 * MILLISECOND
_RECORD = 10 * MILLISECOND
_MISSING_TOLD = 3 * SECOND
# Vault is asked twelve times, ever less often.
_VAULT_GIVES_UP = 304 * SECOND
# A client takes its time to tell that a task which never ran has ended.
_NEVER_RAN = 4 * SECOND
_OOM_AFTER = 500 * MILLISECOND
_STOPS_WITHIN = 250 * MILLISECOND


class Surroundings(Protocol):
    """What a task's run needs of its allocation's."""

    world: World
    timers: Timers
    random: Callable[[], float]
    pace: Pace
    allocation: Mapped
    group: Mapped
    node: Mapped
    privileged_allowed: bool
    foreign_ports: frozenset[int]

    def variable_exists(self, namespace: str, path: str) -> bool: ...
    def changed(self) -> None: ...
    def ended(self, task: TaskRun) -> None: ...
    def runs(self, task: TaskRun) -> None: ...
    def faltered(self) -> None: ...


@dataclass(slots=True)
class Logs:
    """What a task has written, over all of its starts."""

    stdout: str = ""
    stderr: str = ""


class TaskRun:
    """The life of one task. `state` is what its client reports."""

    def __init__(self, task: Mapped, around: Surroundings) -> None:
        self.task = task
        self.name: str = task["Name"]
        self.state = task_states.new_state()
        self.logs = Logs()
        self.behaviour = Behaviour()
        self.started_at: int | None = None
        self.happened = 0  # task events so far, also those that are not kept
        self._around = around
        job = around.allocation["Job"]
        self._restarts = Restarts(
            task["RestartPolicy"] or around.group["RestartPolicy"],
            on_success=job["Type"] in ("service", "system"),
            random=around.random,
        )
        self._timer: Timer | None = None
        self._late: Timer | None = None
        self._attempt = 0
        self._prepared = False
        self._begun = False
        self._killed = False
        self._restart_asked = ""
        self._waits: list[str] = []

    # What others ask

    @property
    def running(self) -> bool:
        return bool(self.state["State"] == "running")

    @property
    def dead(self) -> bool:
        return bool(self.state["State"] == "dead")

    @property
    def failed(self) -> bool:
        return bool(self.state["Failed"])

    def tell(self, event: Value) -> None:
        """Add an event; only the newest are kept."""
        self.happened += 1
        before = self.state["Events"]
        if before and event["Time"] <= before[-1]["Time"]:
            # No two things happen to a task at the same nanosecond.
            event = {**event, "Time": before[-1]["Time"] + 1000}
        events = [*before, event][-task_states.MOST_EVENTS :]
        self.state = {**self.state, "Events": events}
        self._around.changed()

    def listens_on(self, port: int, now: int) -> bool:
        """Whether something in it accepts connections on a container's port."""
        if not self.running or self.started_at is None or now < self.started_at + self.behaviour.ready_after:
            return False
        return self.behaviour.listens is None or port in self.behaviour.listens

    # Starting

    def receive(self) -> None:
        self.tell(task_states.received(self._now))

    def begin(self) -> None:
        """Prepare and start it."""
        if self._begun or self.dead:
            return
        self._begun = True
        self.tell(task_states.set_up(self._now))
        self._after(_PREPARE, self._prepare)

    def refuse(self, event: Value) -> None:
        """The allocation cannot be set up: the task has failed before it began."""
        self.tell(event)
        self._end(failed=True)

    def reconsider(self) -> None:
        """A variable has appeared."""
        if self._waits:
            self._templates()

    def _prepare(self) -> None:
        sources = [one["GetterSource"] for one in self.task["Artifacts"] or ()]
        if self._prepared or not sources:
            self._templates()
            return
        self.tell(task_states.event("Downloading Artifacts", self._now, shown="Client is downloading artifacts"))
        self._after(_DOWNLOAD, lambda: self._downloaded(sources))

    def _downloaded(self, sources: list[str]) -> None:
        for source in sources:
            if error := self._around.world.download_error(source):
                shown = f'failed to download artifact "{source}": {error}'
                self.tell(task_states.event("Failed Artifact Download", self._now, shown=shown, download_error=shown))
                self._judge(self._restarts.verdict(self._now))
                return
        self._templates()

    def _templates(self) -> None:
        if self._prepared:
            self._drive()
            return
        world = self._around.world
        if error := templates.error_of(self.task, world):
            self._give_up(error if error.startswith("Template failed") else f"Template failed: {error}")
            return
        needs = templates.needs_of(
            self.task,
            world=world,
            namespace=self._around.allocation["Namespace"],
            variable_exists=self._around.variable_exists,
        )
        missing = [need for need in needs if not need.there]
        if not missing and (error := templates.secrets_error(self.task, world.fields_of)):
            self.tell(task_states.event("Task hook failed", self._now, shown=error))
            self._judge(self._restarts.verdict(self._now))
            return
        first, self._waits = not self._waits, [need.name for need in missing]
        if not missing:
            self._prepared = True
            self._drop(late=True)
            self._after(0 if first else 300 * MILLISECOND, self._drive)
        elif first:
            self._after(_MISSING_TOLD, self._tell_missing)
            if vault := next((need.vault_path for need in missing if need.vault_path), ""):
                self._late = self._around.timers.after(_VAULT_GIVES_UP, lambda: self._vault_fails(vault))

    def _tell_missing(self) -> None:
        if self._waits:
            shown = templates.missing_text(self._waits)
            self.tell(task_states.event("Template", self._now, shown=shown))

    def _vault_fails(self, path: str) -> None:
        self._give_up(f"Template failed: vault.read({path}): no secret exists at {path}")

    def _give_up(self, shown: str) -> None:
        """The client kills a task that it cannot prepare: it is failed at once, and dead a little later."""
        self.tell(task_states.event("Killing", self._now, shown=shown, fails_task="true"))
        self.state = {**self.state, "Failed": True}
        self._waits = []
        self._around.changed()
        self._around.faltered()
        self._after(_NEVER_RAN, lambda: self._end(failed=True))

    def _drive(self) -> None:
        """Have the driver start it."""
        self._prepared = True
        around, task = self._around, self.task
        config = task["Config"] or {}
        image = str(config.get("image", ""))
        command = " ".join([str(config.get("command", "")), *map(str, config.get("args") or ())]).strip()
        job = around.allocation["Job"]
        self.behaviour = around.world.behaviour(
            image=image, job=job["ID"], driver=task["Driver"], command=command, version=job["Version"],
            attempt=self._attempt, age=around.timers.age,
        )  # fmt: skip
        self._attempt += 1
        if task["Driver"] == "mock_driver":
            self.behaviour = mocked(config)
        if task["Driver"] == "docker":
            if error := docker_faults.config_error(config):
                self.tell(task_states.event("Failed Validation", self._now, shown=error, validation_error=error))
                self._judge(self._restarts.verdict(self._now, recoverable=False))
                return
            registry = around.world.registry(image)
            if registry is not None:
                self.tell(task_states.downloading(self._now, image))
                self._after(registry.pull_takes, lambda: self._pulled(image, registry))
                return
        self._start(image)

    def _pulled(self, image: str, registry: Registry) -> None:
        if error := docker_faults.pull_error(image, registry, age=self._around.timers.age):
            self.tell(task_states.driver_failure(self._now, error))
            self._judge(self._restarts.verdict(self._now))
        else:
            self._start(image)

    def _start(self, image: str) -> None:
        around = self._around
        error, recoverable = self.behaviour.start_error, self.behaviour.start_error_recoverable
        if self.task["Driver"] == "docker" and not error:
            privileged = around.privileged_allowed
            error = docker_faults.create_error(self.task, around.group, image=image, privileged_allowed=privileged)
            error = error or docker_faults.program_error(self.task["Config"] or {}, self.behaviour)
            error = error or docker_faults.port_error(self.task, around.allocation, around.foreign_ports)
        if error:
            self._after(_RECORD, lambda: self._refused(error, recoverable))
        else:
            self._paced("Started", self.behaviour.starts_after, self._started)

    def _refused(self, error: str, recoverable: bool) -> None:
        self.tell(task_states.driver_failure(self._now, error))
        self._judge(self._restarts.verdict(self._now, recoverable=recoverable))

    # Running

    def _started(self) -> None:
        now = self._now
        self.started_at = now
        self.state = {**self.state, "State": "running", "StartedAt": rfc3339(now)}
        self.tell(task_states.started(now))
        behaviour, task = self.behaviour, self.task
        self.logs.stdout += behaviour.stdout
        given = templates.environment_of(task, self._around.world.fields_of)
        lacks = [name for name in behaviour.needs_env if name not in given]
        memory = task["Resources"]["MemoryMB"]
        if self._around.world.memory_oversubscription:
            memory = max(memory, task["Resources"]["MemoryMaxMB"])
        if lacks:
            self.logs.stderr += behaviour.stderr or f"{lacks[0]} is not set\n"
            self._after(2 * MILLISECOND, lambda: self._exit(1, 0))
        elif behaviour.needs_memory > memory:
            self.logs.stderr += behaviour.stderr
            self._after(behaviour.runs_for or _OOM_AFTER, lambda: self._exit(137, 0, oom=True))
        else:
            self.logs.stderr += "" if behaviour.needs_env else behaviour.stderr
            if behaviour.runs_for is not None:
                ended = partial(self._exit, behaviour.exit_code, behaviour.exit_signal)
                self._paced("Terminated", behaviour.runs_for, ended)
        self._around.runs(self)

    def _exit(self, code: int, signal: int, *, oom: bool = False) -> None:
        self.tell(task_states.terminated(self._now, code, signal, oom=oom, driver=self.task["Driver"]))
        self.started_at = None
        self._around.faltered()
        if self._killed:
            self._paced("Killed", _RECORD, self._was_killed)
        elif self._restart_asked:
            asked, self._restart_asked = self._restart_asked, ""
            verdict = self._restarts.verdict(self._now) if asked == "check" else Verdict(0, "")
            self._after(_RECORD, lambda: self._judge(verdict, ran=True))
        else:
            verdict = self._restarts.verdict(self._now, success=code == 0 and signal == 0)
            self._after(_RECORD, lambda: self._judge(verdict, ran=True))

    def _judge(self, verdict: Verdict, *, ran: bool = False) -> None:
        if verdict.delay is not None:
            self._again(verdict)
            return
        if not verdict.reason:
            self._end(failed=False)
            return
        self.tell(task_states.not_restarting(self._now, verdict.reason))
        if ran or self.task["Driver"] == "raw_exec":
            self._end(failed=True)
        else:
            self._after(_NEVER_RAN, lambda: self._end(failed=True))

    def _again(self, verdict: Verdict) -> None:
        delay = verdict.delay or 0
        self.tell(task_states.restarting(self._now, delay, verdict.reason))
        self.state = {
            **self.state,
            "State": "pending",
            "Restarts": self.state["Restarts"] + 1,
            "LastRestart": rfc3339(self._now),
        }
        self._around.changed()
        self._after(delay, self._prepare)

    # Ending

    def restart(self, reason: str, *, by_check: bool = False) -> bool:
        """Stop it to start it again; False if it does not run. Asked again while it stops, it only tells so.

        `by_check`: it counts as a failure, and the restart policy decides.
        """
        if not self.running or self._killed:
            return False
        self.tell(task_states.event("Restart Signaled", self._now, shown=reason, restart_reason=reason))
        if not self._restart_asked:
            self._restart_asked = "check" if by_check else "user"
            self._stop(self._exit)
        return True

    def kill(self, event: Value | None = None) -> None:
        """Stop it for good; `event` tells why, before Killing."""
        if self.dead or self._killed:
            return
        self._killed = True
        if event is not None:
            self.tell(event)
        self.tell(task_states.killing(self._now, self.task["KillTimeout"]))
        if self.running:
            self._stop(self._exit)
        else:
            self._after(_RECORD, lambda: self._end(failed=self.failed))

    def _stop(self, exited: Callable[[int, int], None]) -> None:
        if self.behaviour.stops_on_signal:
            code = self.behaviour.stop_exit_code
            self._paced("Stopped", _STOPS_WITHIN, lambda: exited(code, self.behaviour.exit_signal))
        else:
            self._paced("Stopped", self.task["KillTimeout"] + 200 * MILLISECOND, lambda: exited(137, 0))

    def _was_killed(self) -> None:
        self.tell(task_states.event("Killed", self._now, shown="Task successfully killed"))
        self._end(failed=False)

    def _end(self, *, failed: bool) -> None:
        self._drop(late=True)
        self.state = {**self.state, "State": "dead", "Failed": failed, "FinishedAt": rfc3339(self._now)}
        self._around.changed()
        self._around.ended(self)

    # Time

    @property
    def _now(self) -> int:
        return self._around.timers.now

    def _after(self, delay: int, action: Callable[[], None]) -> None:
        """The next thing that happens; a task has only one."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._around.timers.after(delay, action)

    def _paced(self, kind: str, usual: int, action: Callable[[], None]) -> None:
        around = self._around
        self._after(around.pace.step(around.allocation, self.name, kind, now=self._now, usual=usual), action)

    def _drop(self, *, late: bool = False) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if late and self._late is not None:
            self._late.cancel()

    def forget(self) -> None:
        """Nothing more happens: its allocation is gone."""
        self._drop(late=True)

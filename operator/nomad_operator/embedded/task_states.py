"""Task states and their events in the shape in which a client reports them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nomad_operator.embedded.gotext import duration

Value = dict[str, Any]

# Nomad keeps only the newest events of a task.
MOST_EVENTS = 10

_EMPTY: Mapping[str, Any] = {
    "DiskLimit": 0,
    "DownloadError": "",
    "DriverError": "",
    "DriverMessage": "",
    "ExitCode": 0,
    "FailedSibling": "",
    "FailsTask": False,
    "GenericSource": "",
    "KillError": "",
    "KillReason": "",
    "KillTimeout": 0,
    "RestartReason": "",
    "SetupError": "",
    "Signal": 0,
    "StartDelay": 0,
    "TaskSignal": "",
    "TaskSignalReason": "",
    "ValidationError": "",
    "VaultError": "",
}

# Details that have a field of their own from older times.
_FIELDS: Mapping[str, str] = {
    "driver_error": "DriverError",
    "driver_message": "DriverMessage",
    "validation_error": "ValidationError",
    "download_error": "DownloadError",
    "restart_reason": "RestartReason",
    "setup_error": "SetupError",
    "kill_reason": "KillReason",
    "failed_sibling": "FailedSibling",
}


def event(type_: str, at: int, *, shown: str = "", message: str = "", **details: str) -> Value:
    """One task event; `shown` is the DisplayMessage, where it is not the message."""
    value: Value = {
        **_EMPTY,
        "Type": type_,
        "Time": at,
        "Message": message,
        "DisplayMessage": shown or message,
        "Details": details,
    }
    for name, field in _FIELDS.items():
        if name in details:
            value[field] = details[name]
    if "exit_code" in details:
        value |= {"ExitCode": int(details["exit_code"]), "Signal": int(details["signal"])}
    if "fails_task" in details:
        value["FailsTask"] = True
    if "start_delay" in details:
        value["StartDelay"] = int(details["start_delay"])
    return value


def received(at: int) -> Value:
    return event("Received", at, shown="Task received by client")


def set_up(at: int) -> Value:
    return event("Task Setup", at, message="Building Task Directory") | {
        "Details": {"message": "Building Task Directory"}
    }


def started(at: int) -> Value:
    return event("Started", at, shown="Task started by client")


def downloading(at: int, image: str) -> Value:
    return event("Driver", at, shown="Downloading image", image=image) | {"DriverMessage": "Downloading image"}


def terminated(at: int, code: int, signal: int, *, oom: bool, driver: str) -> Value:
    message = "OOM Killed" if oom else ""
    if code and not oom and driver == "docker":
        message = f"Docker container exited with non-zero exit code: {code}"
    parts = [f"Exit Code: {code}"]
    if signal:
        parts.append(f"Signal: {signal}")
    if message:
        parts.append(f'Exit Message: "{message}"')
    details = {"exit_code": str(code), "signal": str(signal), "oom_killed": str(oom).lower()}
    if message:
        details["exit_message"] = message
    return event("Terminated", at, shown=", ".join(parts), message=message, **details)


def restarting(at: int, delay: int, reason: str) -> Value:
    shown = f"Task restarting in {duration(delay)}"
    if reason not in ("", "Restart within policy"):
        shown = f"{reason} - {shown}"
    return event("Restarting", at, shown=shown, start_delay=str(delay), restart_reason=reason)


def not_restarting(at: int, reason: str) -> Value:
    return event("Not Restarting", at, shown=reason, restart_reason=reason, fails_task="true")


def driver_failure(at: int, error: str) -> Value:
    return event("Driver Failure", at, shown=error, driver_error=error)


def killing(at: int, timeout: int) -> Value:
    shown = f"Sent interrupt. Waiting {duration(timeout)} before force killing"
    return event("Killing", at, shown=shown, kill_timeout=duration(timeout)) | {"KillTimeout": timeout}


def unhealthy(at: int, why: str) -> Value:
    return event("Alloc Unhealthy", at, message=why) | {"Details": {"message": why}}


def new_state() -> Value:
    """A task of which nothing has happened yet."""
    return {
        "Events": [],
        "Failed": False,
        "FinishedAt": None,
        "LastRestart": None,
        "Paused": "",
        "Restarts": 0,
        "StartedAt": None,
        "State": "pending",
    }


def finished_at(allocation: Mapping[str, Any]) -> int | None:
    """When the last of its tasks ended, as its events tell; None if none has."""
    times = [
        one["Time"]
        for state in (allocation.get("TaskStates") or {}).values()
        if state["State"] == "dead"
        for one in state["Events"] or ()
    ]
    return max(times, default=None)


def client_status(states: Iterable[Mapping[str, Any]]) -> tuple[str, str]:
    """ClientStatus and ClientDescription that follow from the states of the tasks."""
    found = list(states)
    if any(one["State"] == "dead" and one["Failed"] for one in found):
        return "failed", "Failed tasks"
    if any(one["State"] == "running" for one in found):
        return "running", "Tasks are running"
    if any(one["State"] == "pending" for one in found):
        return "pending", "No tasks have started"
    return "complete", "All tasks have completed"

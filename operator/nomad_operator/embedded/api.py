"""What the parts of the API share: the embedded Nomad's insides, and how a read is answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nomad_operator.embedded.client import Clients
from nomad_operator.embedded.deployments import Deployments
from nomad_operator.embedded.events import Broker
from nomad_operator.embedded.jobs import Jobs
from nomad_operator.embedded.messages import Fault, Request, Response, answer
from nomad_operator.embedded.scheduler import Scheduler
from nomad_operator.embedded.state import State
from nomad_operator.embedded.stubs import allocation_stub
from nomad_operator.embedded.timers import Timers
from nomad_operator.embedded.validation import Validation
from nomad_operator.embedded.variables import Variables
from nomad_operator.embedded.world import World

Value = dict[str, Any]

_UUID = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """Everything that handlers work on."""

    world: World
    state: State
    timers: Timers
    scheduler: Scheduler
    deployments: Deployments
    clients: Clients
    jobs: Jobs
    variables: Variables
    broker: Broker
    validation: Callable[[Value], Validation]
    new_id: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Read:
    """What a read has found: blocking queries compare its index. `missing` is the text of a 404."""

    value: Any
    index: int
    next_token: str = ""
    missing: str = ""

    def response(self) -> Response:
        if self.missing:
            return Fault(404, self.missing, index=self.index, known=True).response
        more = {"X-Nomad-NextToken": self.next_token} if self.next_token else {}
        return answer(self.value, index=self.index, known=True, **more)


def page(
    request: Request, items: Sequence[Value], token: Callable[[Value], str], *, start: Callable[[str, str], bool]
) -> tuple[list[Value], str]:
    """One page of a sorted list, and the token of the next; `start(token, wanted)`: whether it may begin there."""
    if request.one("filter"):
        raise Fault(501, "the embedded Nomad knows no filter expressions: list, and choose from what comes")
    found = list(items)
    if wanted := request.one("next_token"):
        found = [item for item in found if start(token(item), wanted)]
    size = request.one("per_page")
    if size is None:
        return found, ""
    if not size.isdigit():
        raise Fault(400, "Expect a number for `per_page` query string parameter")
    limit = int(size)
    if not limit or len(found) <= limit:
        return found, ""
    return found[:limit], token(found[limit])


def by_uuid(id_: str, what: str) -> None:
    """Raises Fault for an id that cannot be one."""
    if len(id_) != _UUID:
        raise Fault(500, f"{what} lookup failed: index error: UUID must be 36 characters")


def visible(namespace: str, wanted: str) -> bool:
    """Whether something of `namespace` belongs into a list for `wanted`."""
    return wanted in ("*", namespace)


def numbered(token: str) -> tuple[int, str]:
    """A page token that begins with an index, in its order."""
    number, _, rest = token.partition(".")
    return (int(number) if number.isdigit() else 0, rest)


def listed(request: Request, found: list[Value]) -> list[Value]:
    """Allocations of a list, as the request wants them."""
    states = request.one("task_states") is None or request.flag("task_states")
    return [allocation_stub(one, resources=request.flag("resources"), task_states=states) for one in found]

"""What a request says about waiting: blocking queries, and the topics of the stream."""

from __future__ import annotations

from desired.job.duration import DurationError, parse_duration
from nomad_operator.embedded.instant import MINUTE, SECOND
from nomad_operator.embedded.messages import Fault, Request

_LONGEST = 5 * MINUTE


def wait_of(request: Request) -> tuple[int, int]:
    """The index that is known already (0: answer at once), and how long to wait for a newer one. Raises Fault."""
    wait, index = request.one("wait"), request.one("index")
    length = _LONGEST
    if wait:
        try:
            length = parse_duration(wait)
        except DurationError as error:
            if not wait.isdigit():
                raise Fault(400, "Invalid wait time") from error
            length = int(wait) * SECOND
    if index and not index.isdigit():
        raise Fault(400, "Invalid index")
    length = min(length or _LONGEST, _LONGEST)
    return int(index or 0), length + length // 16


def topics_of(request: Request) -> dict[str, tuple[str, ...]]:
    """The keys of every topic that is asked for, `*` for all of them. Raises Fault."""
    topics: dict[str, tuple[str, ...]] = {}
    for given in request.query.get("topic") or ("*",):
        topic, _, key = given.partition(":")
        if ":" in key:
            wrong = f"Invalid topic query: error parsing topics: Invalid key value pair for topic, topic: {given}"
            raise Fault(400, wrong)
        topics[topic] = (*topics.get(topic, ()), key or "*")
    return topics

"""The queue against a model that is obviously right, on virtual time."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from reconcilers.backoff import Backoff
from reconcilers.queue import WorkQueue

KEYS = st.sampled_from(["a", "b", "c"])


class QueueModel(RuleBasedStateMachine):
    """Woken keys get exactly one pass; a key never has two at once; a failing key waits; nothing is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.backoff = Backoff(random=lambda: 1.0, first=timedelta(seconds=1), cap=timedelta(seconds=8))
        self.queue: WorkQueue[str] = WorkQueue(backoff=self.backoff)
        self.owed: dict[str, float] = {}  # key → the time at which a pass is due at the latest
        self.running: set[str] = set()
        self.floor: dict[str, float] = {}  # a failing key is not looked at before
        self.failures: dict[str, int] = {}

    def owe(self, key: str, due: float) -> None:
        due = max(due, self.floor.get(key, 0.0))
        self.owed[key] = min(due, self.owed.get(key, due))

    @rule(key=KEYS)
    def wake(self, key: str) -> None:
        self.queue.add(key, self.now)
        self.owe(key, self.now)

    @rule(key=KEYS, delay=st.floats(0, 10))
    def wake_later(self, key: str, delay: float) -> None:
        self.queue.add_at(key, self.now + delay)
        self.owe(key, self.now + delay)

    @rule(key=KEYS)
    def hurry(self, key: str) -> None:
        """A person asks: the backoff is over, and the key is woken."""
        self.queue.forget(key)
        self.floor.pop(key, None)
        self.failures.pop(key, None)
        self.queue.add(key, self.now)
        self.owed[key] = self.now

    @rule(seconds=st.floats(0.1, 20))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def take(self) -> None:
        taken = self.queue.take(self.now)
        due = {key for key, at in self.owed.items() if at <= self.now and key not in self.running}
        if taken is None:
            assert not due
            return
        key, waited = taken
        assert key in due
        assert waited >= 0
        assert key not in self.running
        assert self.now >= self.floor.get(key, 0.0)
        self.running.add(key)
        del self.owed[key]

    @precondition(lambda self: self.running)
    @rule(data=st.data(), failed=st.booleans())
    def end(self, data: st.DataObject, failed: bool) -> None:
        key = data.draw(st.sampled_from(sorted(self.running)))
        if failed:
            self.failures[key] = self.failures.get(key, 0) + 1
            delay = self.queue.fail(key, self.now)
            assert delay == self.backoff.delay(self.failures[key]).total_seconds()
            self.floor[key] = self.now + delay
            self.owed[key] = self.now + delay
        else:
            self.queue.forget(key)
            self.floor.pop(key, None)
            self.failures.pop(key, None)
        self.queue.done(key)
        self.running.discard(key)

    @invariant()
    def knows_what_runs(self) -> None:
        assert self.queue.busy == len(self.running)

    @invariant()
    def next_due_never_oversleeps(self) -> None:
        waiting = [at for key, at in self.owed.items() if at > self.now and key not in self.running]
        if waiting and not len(self.queue):
            due = self.queue.next_due()
            assert due is not None
            assert due <= min(waiting)


TestQueueModel = QueueModel.TestCase
TestQueueModel.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_a_key_woken_all_the_time_takes_one_place_like_every_other() -> None:
    queue: WorkQueue[str] = WorkQueue(backoff=Backoff(random=lambda: 0.5))
    queue.add("quiet", 0)
    for _ in range(100):
        queue.add("noisy", 0)
    taken = []
    for _ in range(4):
        found = queue.take(0)
        if found is None:
            break
        taken.append(found[0])
        queue.add("noisy", 0)
        queue.done(found[0])
    assert taken[:2] == ["quiet", "noisy"]


def test_backoff_doubles_up_to_its_cap_and_is_jittered_downwards() -> None:
    full = Backoff(random=lambda: 1.0)
    half = Backoff(random=lambda: 0.0)
    assert [full.delay(n).total_seconds() for n in (1, 2, 3, 20, 5000)] == [1, 2, 4, 300, 300]
    assert half.delay(3).total_seconds() == 2

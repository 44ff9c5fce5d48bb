"""Plays a scene: what was there before, the commit, and what follows until nothing moves any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from nomad_operator.rehearsal.scene import Scene
from nomad_operator.rehearsal.stage import Stage
from reconcilers.requests import Verb

_SETTLED_FOR = timedelta(minutes=2)
_AT_MOST = timedelta(minutes=45)
# Half an hour after a repair it is durable; a minute more for the pass that says so.
_AFTER = timedelta(minutes=31)
_MOST_APPROVALS = 4


def set_up(stage: Stage, scene: Scene) -> datetime:
    """What is there before; the instant at which the scene is committed. ValueError where it is not healthy."""
    for text in scene.others:
        stage.by_hand(text)
    if scene.others:
        stage.cluster.let(timedelta(seconds=30))
    if scene.good:
        stage.commit_text(scene.good, scene.policy)
        stage.live(stage.cluster.now + timedelta(minutes=4))
        if not stage.healthy():
            raise ValueError(f"{scene.name}: the version before is not healthy")
        stage.seen.reasons.clear()
    return stage.cluster.now


def lived(stage: Stage, scene: Scene, committed: datetime, *, approves: bool) -> datetime | None:
    """Until nothing moves any more, a person's approval included, and half an hour beyond; when it became healthy."""
    healthy_at: datetime | None = None
    quiet_since: datetime | None = None
    events = sorted(scene.events, key=lambda one: one.after_seconds)
    approved = 0
    while stage.cluster.now < committed + _AT_MOST:
        step = stage.cluster.now + timedelta(seconds=5)
        while events and committed + timedelta(seconds=events[0].after_seconds) <= step:
            event = events.pop(0)
            stage.live(committed + timedelta(seconds=event.after_seconds))
            event.does(stage)
        stage.live(step)
        healthy = stage.healthy()
        healthy_at = (healthy_at or stage.cluster.now) if healthy else None
        if not stage.quiet or events:
            quiet_since = None
            continue
        quiet_since = quiet_since or stage.cluster.now
        if stage.cluster.now - quiet_since < _SETTLED_FOR:
            continue
        episode = stage.cluster.records.get(stage.key).episode
        if approves and episode is not None and episode.waiting is not None and approved < _MOST_APPROVALS:
            approved += 1
            stage.ask(Verb.APPROVE)
            quiet_since = None
            continue
        break
    stage.live(stage.cluster.now + _AFTER)
    return healthy_at

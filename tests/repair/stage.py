"""The stage of a case: the cluster of the tests of the loop, on a world of its own."""

from __future__ import annotations

from typing import Any

import yaml

from desired.operations.operation import Kind as OperationKind
from nomad_operator.rehearsal.stage import Stage as Played
from reconcilers.repair.guard import GuardSettings
from tests.integration.loop.cluster import Cluster, Rungs


class Stage(Played):
    """`widened` are kinds of operations that the owners allow beyond the table."""

    cluster: Cluster

    def __init__(
        self,
        world: dict[str, Any],
        app: str,
        *,
        widened: frozenset[OperationKind] = frozenset(),
        rungs: Rungs | None = None,
    ) -> None:
        cluster = Cluster(world=yaml.safe_dump(world), guard=GuardSettings(widened=widened), rungs=rungs)
        super().__init__(cluster=cluster, app=app)

"""The scaling policies of a job's groups: what they keep from one version of the job to the next.

Trap: a server writes the indexes of a policy into the job only when it makes the policy. So a job with a `scaling`
block plans as `Edited`, without any field, until it has been registered a second time.

Source: nomad/state/state_store.go (UpsertScalingPoliciesTxn, propagateScalingPolicyIDs); tried on a real server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Value = Mapping[str, Any]


def keep_scaling_ids(old: Value | None, new: dict[str, Any]) -> None:
    """Give each policy of `new` the id that the one of the same group has in `old`: plan and register both do."""
    before = {group["Name"]: group["Scaling"] for group in (old or {}).get("TaskGroups") or ()}
    for group in new["TaskGroups"] or ():
        policy = before.get(group["Name"])
        if policy is not None and group["Scaling"] is not None:
            group["Scaling"]["ID"] = policy["ID"]


def create_scaling_policies(job: dict[str, Any], *, index: int, ids: list[str]) -> None:
    """Number the policies that have no id yet; `ids` holds one new id for each group of the job."""
    for group, new_id in zip(job["TaskGroups"] or (), ids, strict=True):
        if group["Scaling"] is not None and not group["Scaling"]["ID"]:
            group["Scaling"] |= {"ID": new_id, "CreateIndex": index, "ModifyIndex": index}

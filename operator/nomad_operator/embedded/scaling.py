"""The scaling policies of a job's groups: what they keep from one version of the job to the next.

Trap: a server writes the indexes of a policy into the job only when it makes or changes the policy, and a submitted one
has none. So a job with a `scaling` block plans as `Edited`, without any field, until it is registered a second time;
and again after each change of the policy, and after a stop, which disables it.

Source: nomad/state/state_store.go (UpsertScalingPoliciesTxn, propagateScalingPolicyIDs); tried on a real server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Value = Mapping[str, Any]

_BOOKS = ("ID", "CreateIndex", "ModifyIndex")


def keep_scaling_ids(old: Value | None, new: dict[str, Any]) -> None:
    """Give each policy of `new` the id that the one of the same group has in `old`: plan and register both do."""
    before = _policies(old)
    for group in new["TaskGroups"] or ():
        policy = before.get(group["Name"])
        if policy is not None and group["Scaling"] is not None:
            group["Scaling"]["ID"] = policy["ID"]


def store_scaling_policies(old: Value | None, new: dict[str, Any], *, index: int, ids: Sequence[str]) -> None:
    """Write into `new` what the server writes at a register; `ids` holds one new id for each of its groups."""
    keep_scaling_ids(old, new)
    before = _policies(old)
    for group, new_id in zip(new["TaskGroups"] or (), ids, strict=True):
        policy, stored = group["Scaling"], before.get(group["Name"])
        if policy is None:
            continue
        if stored is None:
            policy |= {"ID": new_id, "CreateIndex": index, "ModifyIndex": index}
        elif any(policy[name] != stored[name] for name in policy if name not in _BOOKS):
            policy |= {"CreateIndex": stored["CreateIndex"], "ModifyIndex": index}


def disable_scaling_policies(job: dict[str, Any], *, index: int) -> None:
    """What a stop does to them."""
    for group in job["TaskGroups"] or ():
        if group["Scaling"] is not None:
            group["Scaling"] |= {"Enabled": False, "ModifyIndex": index}


def _policies(job: Value | None) -> dict[str, Value]:
    groups = (job or {}).get("TaskGroups") or ()
    return {group["Name"]: group["Scaling"] for group in groups if group["Scaling"] is not None}

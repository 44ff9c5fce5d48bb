"""The job as it is to be, with the hash by which the operator remembers it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from desired.app import DEFAULT_NAMESPACE, AppKey
from desired.state import JobBody


@dataclass(frozen=True, slots=True)
class Spec:
    """A parsed job and where it came from.

    `hash` is the spec hash: of the parsed job before live counts are copied in, stable over key order and over
    keys that are merely unset. An edited comment is not a new spec.
    `text` and `variables` are what a person wrote; they travel to Nomad as the submission. The body is held as JSON
    text: a thousand last good jobs as Python objects would be ten times the size.
    """

    json: str
    hash: str
    type: str = "service"
    launches_others: bool = False  # periodic or parameterized: it runs nothing itself
    text: str = ""
    format: str = "hcl2"
    variables: str = ""
    revision: str = ""
    path: str = ""

    @classmethod
    def of(
        cls,
        body: JobBody,
        *,
        text: str,
        format: str,
        variables: str = "",
        revision: str = "",
        path: str = "",
    ) -> Spec:
        """Take a parsed job as it is."""
        plain = _compact(body)
        return cls(
            json=plain,
            hash=hashlib.sha256(_compact(_without_unset(body)).encode()).hexdigest()[:32],
            type=str(body.get("Type") or "service"),
            launches_others=bool(body.get("Periodic")) or bool(body.get("ParameterizedJob")),
            text=text,
            format=format,
            variables=variables,
            revision=revision,
            path=path,
        )

    @property
    def body(self) -> JobBody:
        """Decoded anew at each call; a caller may keep it."""
        body: JobBody = json.loads(self.json)
        return body

    @property
    def batch(self) -> bool:
        """It has an end: what is finished is not run again."""
        return self.type in ("batch", "sysbatch") and not self.launches_others

    @property
    def rolls_back(self) -> bool:
        """Only what runs on can go back to what ran before."""
        return self.type in ("service", "system") and not self.launches_others


def key_of(body: JobBody, default_namespace: str = DEFAULT_NAMESPACE) -> AppKey:
    return AppKey(str(body.get("Namespace") or default_namespace), str(body["ID"]))


def counts(body: JobBody) -> dict[str, int]:
    """The wanted count of each group; Nomad's default is 1."""
    return {
        str(group.get("Name")): 1 if group.get("Count") is None else int(group["Count"])
        for group in body.get("TaskGroups") or ()
    }


def with_counts(body: JobBody, live: Mapping[str, int], groups: Collection[str]) -> JobBody:
    """The same job with the live count for `groups`, whose count somebody else owns.

    That is an autoscaler (a `scaling` block) or a person (`count` among the ignored fields).
    Plan knows no PreserveCounts, so the counts are copied in before it is asked.
    """
    if not groups:
        return body
    copied = [
        {**group, "Count": live[group["Name"]]} if group.get("Name") in groups and group.get("Name") in live else group
        for group in body.get("TaskGroups") or ()
    ]
    return {**body, "TaskGroups": copied}


def scaled_groups(body: JobBody) -> frozenset[str]:
    """Groups whose count an autoscaler owns: a `scaling` block that is not switched off.

    Source: Nomad api.ScalingPolicy; `Enabled` is true where it is unset.
    """
    return frozenset(
        str(group.get("Name"))
        for group in body.get("TaskGroups") or ()
        if group.get("Scaling") and group["Scaling"].get("Enabled") is not False
    )


def _compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _without_unset(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_unset(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_unset(item) for item in value]
    return value

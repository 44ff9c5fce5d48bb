"""Which rules a job breaks. Pure: one function a rule, in the order of the rule file's keys.

The job is the body that would be registered, so that a hand-written job file, a manifest and a repair are judged alike.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator
from dataclasses import replace

from desired.admission.images import images
from desired.admission.job_parts import all_services, fits, place_of, tasks, where
from desired.admission.privileges import denied
from desired.admission.resources import resources
from desired.admission.rules import Denied, PolicySpec
from desired.app import AppKey
from desired.literal_examiner import exposed
from desired.objection import Objection
from desired.state import JobBody

Judge = Callable[[JobBody, PolicySpec], Iterator[Objection]]


def judge(key: AppKey, body: JobBody, rules: PolicySpec) -> tuple[Objection, ...]:
    """Everything that the rules do not allow of this job, what only warns included."""
    exempt = [
        name for app, names in (rules.exempt or {}).items() if fnmatch.fnmatchcase(str(key), app) for name in names
    ]
    found = []
    for one in (objection for rule in _RULES for objection in rule(body, rules)):
        if fits(one.rule, exempt):
            continue
        warning = fits(one.rule, rules.warn or ())
        found.append(replace(one, warning=warning))
    return tuple(found)


def _drivers(body: JobBody, rules: PolicySpec) -> Iterator[Objection]:
    for group, task in tasks(body):
        driver = str(task.get("Driver") or "")
        if rules.drivers is not None and not fits(driver, rules.drivers):
            fix = f"allowed are {', '.join(rules.drivers)}"
            at = (*place_of(group, task), "driver")
            yield Objection("drivers", f"{where(group, task)}: the driver {driver} may not be used", fix, at)


def _places(body: JobBody, rules: PolicySpec) -> Iterator[Objection]:
    namespace = str(body.get("Namespace") or "default")
    if rules.namespaces is not None and not fits(namespace, rules.namespaces):
        fix = f"allowed are {', '.join(rules.namespaces)}"
        yield Objection("namespaces", f"jobs may not be in the namespace {namespace}", fix, ("namespace",))
    for name in body.get("Datacenters") or ("*",):
        if rules.datacenters is not None and not fits(name, rules.datacenters):
            fix = f"allowed are {', '.join(rules.datacenters)}"
            yield Objection("datacenters", f"jobs may not be in the datacenter {name}", fix, ("datacenters",))
    pool = str(body.get("NodePool") or "default")
    if rules.node_pools is not None and not fits(pool, rules.node_pools):
        fix = f"allowed are {', '.join(rules.node_pools)}"
        yield Objection("nodePools", f"jobs may not be in the node pool {pool}", fix, ("node_pool",))


def _services(body: JobBody, rules: PolicySpec) -> Iterator[Objection]:
    if rules.services is None:
        return
    for at, service in all_services(body):
        name = str(service.get("Name") or "")
        tags = [str(tag) for tag in service.get("Tags") or ()]
        for wanted in rules.services.tags_required or ():
            if not any(fnmatch.fnmatchcase(tag, wanted) for tag in tags):
                fix = f"add a tag that reads {wanted}"
                yield Objection("services.tagsRequired", f"service {name}: has no tag {wanted}", fix, (*at, "tags"))
        if rules.services.check_required and not service.get("Checks"):
            yield Objection("services.checkRequired", f"service {name}: has no check", "add a check block", at)


def _meta(body: JobBody, rules: PolicySpec) -> Iterator[Objection]:
    for wanted in rules.meta_required or ():
        if not any(fnmatch.fnmatchcase(str(key), wanted) for key in body.get("Meta") or {}):
            yield Objection(
                "metaRequired", f"the job's meta has no {wanted}", f"write meta {{ {wanted} = … }}", ("meta",)
            )


def _literals(body: JobBody, rules: PolicySpec) -> Iterator[Objection]:
    """Without the rule it is only warned of."""
    if Denied.LITERAL_SECRETS in (rules.deny or ()):
        for one in exposed(body):
            yield Objection(f"deny.{Denied.LITERAL_SECRETS.value}", one.message, one.fix, one.at)


_RULES: tuple[Judge, ...] = (images, _drivers, _places, resources, _services, _meta, denied, _literals)

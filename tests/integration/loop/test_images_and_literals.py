"""An image that its registry does not have is not registered; a secret that stands in a job file is told."""

from __future__ import annotations

from desired.literal_examiner import LiteralExaminer
from desired.reasons import Reason
from observers.image_examiner import ImageExaminer, images_of
from observers.images import ImageStanding
from reconcilers.decision import Condition
from reconcilers.result import Settled
from tests.integration.loop.cluster import FAST, Cluster, job, key, run

HOSTED = "registry.example/team/app"
SECRET = "Hunter2Geheim"


class Registry:
    """Has the tags that were pushed."""

    def __init__(self, *tags: str) -> None:
        self.tags = set(tags)
        self.asked = 0

    async def standing(self, image: str) -> ImageStanding:
        self.asked += 1
        there = image.rpartition(":")[2] in self.tags
        return ImageStanding(there=there, near=() if there else tuple(sorted(self.tags)))


def _cluster(registry: Registry) -> Cluster:
    def ran_with(app: object) -> frozenset[str]:
        good = cluster.records.get(key("web")).last_good
        return images_of(good.spec.body) if good is not None else frozenset()

    cluster = Cluster(examiners=[ImageExaminer(registries=registry, ran_with=ran_with)])
    return cluster


def _web(tag: str, value: str = "one") -> str:
    return job(update=FAST, value=value).replace('"app:1"', f'"{HOSTED}:{tag}"')


def test_a_tag_that_is_not_there_is_refused_at_its_place_until_it_is_pushed() -> None:
    registry = Registry("1.4.2")
    cluster = _cluster(registry)
    cluster.commit(_web("1.4.3"))
    last = cluster.live("web", minutes=2)
    assert (last.ready.value, last.reason, cluster.registers) == ("False", Reason.IMAGE_MISSING, 0)
    line = next(number for number, one in enumerate(_web("1.4.3").splitlines(), 1) if "image" in one)
    assert f"web.nomad.hcl:{line}:" in last.message and "such as 1.4.2" in last.message
    registry.tags.add("1.4.3")
    assert cluster.live("web", minutes=3).ready.value == "True"
    assert cluster.registers == 1


def test_what_runs_goes_on_when_a_registry_has_lost_its_image_and_a_new_version_of_it_is_registered() -> None:
    registry = Registry("1")
    cluster = _cluster(registry)
    cluster.commit(_web("1"))
    assert cluster.live("web", minutes=2).ready.value == "True"
    registry.tags.clear()
    cluster.commit(_web("1", value="two"))
    last = cluster.live("web", minutes=2)
    assert (last.ready.value, cluster.registers) == ("True", 2)
    assert Condition.IMAGE_MISSING in last.conditions
    cluster.commit(_web("2", value="two"))
    assert cluster.live("web", minutes=2).reason == Reason.IMAGE_MISSING
    assert cluster.registers == 2


def test_a_secret_in_a_job_file_is_told_and_nobody_looks_again_for_it() -> None:
    cluster = Cluster(examiners=[LiteralExaminer()])
    cluster.commit(job(update=FAST).replace('VALUE = "one"', f'DB_PASSWORD = "{SECRET}"'))
    last = cluster.live("web", minutes=3)
    assert (last.ready.value, cluster.registers) == ("True", 1)
    told = last.conditions[Condition.SECRET_EXPOSED]
    assert told.reason == Reason.SECRET_EXPOSED and "DB_PASSWORD" in told.message and SECRET not in told.message
    result = run(cluster.reconciler.reconcile(key("web")))
    assert isinstance(result, Settled) and result.recheck_in is None

"""Variables of the embedded Nomad: compare-and-set, and locks that outlive their holder for a while."""

from __future__ import annotations

from tests.unit.embedded.embedded_cluster import Cluster

LOCK = {"Lock": {"TTL": "10s", "LockDelay": "1s"}}


def test_compare_and_set_lets_one_writer_through() -> None:
    cluster = Cluster()
    first = cluster.ask("PUT", "/v1/var/a/b", {"Items": {"k": "1"}}, cas="0")
    assert first[0] == 200
    status, current = cluster.ask("PUT", "/v1/var/a/b", {"Items": {"k": "2"}}, cas="0")
    assert (status, current["Items"]) == (409, {"k": "1"})
    assert cluster.ask("PUT", "/v1/var/a/b", {"Items": {"k": "3"}}, cas=str(first[1]["ModifyIndex"]))[0] == 200


def test_a_lock_that_is_not_renewed_is_free_after_twice_its_ttl_and_its_delay() -> None:
    cluster = Cluster()
    assert cluster.ask("PUT", "/v1/var/op/leader", LOCK, lock_acquire="")[0] == 200
    cluster.run(20.9)
    assert cluster.ask("PUT", "/v1/var/op/leader", LOCK, lock_acquire="")[0] == 409
    cluster.run(0.2)
    assert cluster.ask("PUT", "/v1/var/op/leader", LOCK, lock_acquire="")[0] == 200


def test_a_renewal_begins_the_wait_anew_until_it_is_too_late() -> None:
    cluster = Cluster()
    _, held = cluster.ask("PUT", "/v1/var/op/leader", LOCK, lock_acquire="")
    mine = {"Lock": {"ID": held["Lock"]["ID"]}}
    cluster.run(19)
    assert cluster.ask("PUT", "/v1/var/op/leader", mine, lock_renew="")[0] == 200
    cluster.run(19)
    assert cluster.ask("PUT", "/v1/var/op/leader", LOCK, lock_acquire="")[0] == 409
    cluster.run(1.5)
    late = cluster.ask("PUT", "/v1/var/op/leader", mine, lock_renew="")
    assert late == (409, "attempting to modify locked variable")


def test_acquiring_a_lock_wipes_what_the_variable_held() -> None:
    cluster = Cluster()
    cluster.ask("PUT", "/v1/var/op/leader", {"Items": {"k": "1"}})
    cluster.ask("PUT", "/v1/var/op/leader", LOCK, lock_acquire="")
    assert "Items" not in cluster.get("/v1/var/op/leader")

"""What is told beside a draft. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from desired.facts.facts import Facts


def notes(facts: Facts) -> Iterator[str]:
    """What people should know of it, and no value says."""
    for fact in facts.ports.values():
        if fact.value.static is not None:
            yield (
                f"{fact.source} fixes port {fact.value.static} on the host for {fact.value.to}: Nomad chooses one, "
                "unless the manifest says `static`"
            )
    if facts.health is not None and facts.health.value.command:
        yield f"{facts.health.source} checks by a command in the container: a connection is checked instead"
    if facts.image_name is not None and facts.image_tag is None:
        yield f"{facts.image_name.source} names no tag, which means latest: what runs may change by itself"
    if facts.vault_policies is not None:
        names = ", ".join(facts.vault_policies.value)
        yield f"{facts.vault_policies.source} asks for the Vault policies {names}: Nomad's roles decide that now"
    for name, literal in facts.secret_literals.items():
        yield f"{literal.source} holds a secret in {name}: it was not read; take it out of the file"

"""What a daemon remembers of apps that run healthy, for an interview: suggestions with the app that they are from.

Where no daemon answers nothing is known, and nobody is told: an interview needs none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from desired.app import AppKey
from desired.errors import OperatorError
from nomad_operator.api_token import token_for_reading
from nomad_operator.client_api import DaemonClient
from nomad_operator.interview.found_app import FoundApp
from nomad_operator.settings import Settings
from reconcilers.generate.lived import Lived, about, alike
from reconcilers.generate.recalled_apps import AppsRecalled, suggested
from reconcilers.repair.preferences import Decided, preferences
from reconcilers.repair.remembered import Learned

_WITHIN_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class AppsRemembered:
    """Everything that is known of this cluster, and the namespace of the apps that are asked about."""

    namespace: str = ""
    apps: tuple[Lived, ...] = ()
    preferences: tuple[str, ...] = ()

    def like(self, app: FoundApp) -> AppsRecalled:
        kind = next((str(value.data) for value in app.draft({}).values if value.at == ("type",)), "service")
        found = alike(about(app.facts, kind), self.apps, app=str(AppKey(self.namespace, app.name)))
        return AppsRecalled(found, self.preferences)

    def suggesting(self, app: FoundApp) -> FoundApp:
        """The app with what is remembered as suggestions, where there is none."""
        found = suggested(app.draft({}), self.like(app)) if self.apps else {}
        return replace(app, suggested=MappingProxyType({**found, **app.suggested})) if found else app


def remembered(settings: Settings) -> AppsRemembered:
    """What the daemon of the settings knows. Never raises for one that is away, or remembers nothing."""
    try:
        with DaemonClient(
            address=settings.daemon_addr, token=None, asked_for=token_for_reading(settings),
            timeout_seconds=_WITHIN_SECONDS,
        ) as daemon:  # fmt: skip
            answer = daemon.memory()
        apps = tuple(Lived.read(one) for one in answer.get("apps", ()))
        repairs = [_decided(one) for one in answer.get("memories", ())]
    except (OperatorError, KeyError, ValueError, TypeError, AttributeError):
        # Nobody there, or one of another version.
        return AppsRemembered()
    return AppsRemembered(settings.nomad_namespace, apps, preferences(repairs))


def _decided(one: Mapping[str, Any]) -> Decided:
    return Decided(str(one["repair"]), Learned(one["outcome"]), bool(one["approved"]), str(one["app"]))

"""Writes the Grafana dashboards beside it (`charts/grafana/*.json`): `make picture`.

Every query is run against a real Prometheus by the tests, and returns something on an operator that has only just
begun: `or vector(0)` stands where a counter is not there before it counts.
"""

from __future__ import annotations

import sys
from pathlib import Path

from charts.panels import Dashboard, Panel, text

FOLDER = Path(__file__).with_name("grafana")
_PREFIX = "nomad_operator_"
# What could have been repaired: the rest is told beside it, never hidden.
_ELIGIBLE = 'outcome!~"superseded|stopped|healed|not_ours"'


def _p(metric: str, share: float, *, span: str = "$__rate_interval") -> str:
    return f"histogram_quantile({share}, sum by (le) (rate({_PREFIX}{metric}_bucket[{span}])))"


def _so_far(share: float, stage: str, *, by: str = "") -> str:
    """Of all repairs since the operator started: they are few, and a rate would leave out the first of each class."""
    labels = ", ".join(part for part in ("le", by) if part)
    return f'histogram_quantile({share}, sum by ({labels}) ({_PREFIX}repair_seconds_bucket{{stage="{stage}"}}))'


def _grown(metric: str, *, by: str = "", where: str = "") -> str:
    """How much a counter has grown over the time that is looked at; 0 where it is not there yet."""
    summed = f"sum by ({by})" if by else "sum"
    return f"{summed} (increase({_PREFIX}{metric}{where}[$__range])) or vector(0)"


def _share(of: str, all_of: str, *, by: str = "") -> str:
    """0 where there was nothing to be a share of."""
    summed = f"sum by ({by})" if by else "sum"
    part, whole = (f"{summed} (increase({_PREFIX}{one}[$__range]))" for one in (of, all_of))
    # A class of which nothing was durable has a share too: nothing.
    return f"(({part} or 0 * {whole}) / ({whole} > 0)) or vector(0)"


_DURABLE, _EPISODES = "durable_fixes_total", "episodes_total"

FLEET = Dashboard(
    "nomad-operator-fleet",
    "nomad-operator: fleet",
    "Which apps are as they should be, and how long a commit takes.",
    [
        (
            "Now",
            [
                Panel("Apps", {"apps": f"count({_PREFIX}app_info) or vector(0)"}, "stat", width=4),
                Panel(
                    "Ready",
                    {"ready": f'(count({_PREFIX}app_info{{ready="True"}}) / count({_PREFIX}app_info)) or vector(1)'},
                    "stat",
                    "percentunit",
                    4,
                    red_below=0.95,
                ),
                Panel(
                    "Not ready",
                    {"not ready": f'count({_PREFIX}app_info{{ready="False"}}) or vector(0)'},
                    "stat",
                    width=4,
                    red_above=0.5,
                ),
                Panel(
                    "Wait for a person",
                    {
                        "waiting": f'sum({_PREFIX}apps{{condition=~"AwaitingApproval|AdoptionRequired|'
                        'QuestionsOpen"}) or vector(0)'
                    },
                    "stat",
                    width=4,
                    red_above=0.5,
                ),
                Panel(
                    "Stalled",
                    {"stalled": f'sum({_PREFIX}apps{{condition="Stalled"}}) or vector(0)'},
                    "stat",
                    width=4,
                    red_above=0.5,
                ),
                Panel(
                    "Files with problems",
                    {"files": f"max({_PREFIX}source_problems)"},
                    "stat",
                    width=4,
                    red_above=0.5,
                    about="Any of them holds back all pruning.",
                ),
            ],
        ),
        (
            "Apps",
            [
                Panel("Apps by readiness", {"{{ready}}": f"count by (ready) ({_PREFIX}app_info)"}, width=12),
                Panel("Apps by condition", {"{{condition}}": f"sum by (condition) ({_PREFIX}apps)"}, width=12),
                Panel(
                    "Not ready",
                    {"": f'{_PREFIX}app_info{{ready!="True"}} or label_replace(vector(0), "app", "none", "", "")'},
                    "table",
                    width=24,
                ),
            ],
        ),
        (
            "From a commit to a healthy job",
            [
                Panel(
                    "To registered",
                    {
                        "half": _p("commit_to_registered_seconds", 0.5, span="$__range"),
                        "95 %": _p("commit_to_registered_seconds", 0.95, span="$__range"),
                    },
                    unit="s",
                ),
                Panel(
                    "To verified healthy",
                    {
                        "half": _p("commit_to_healthy_seconds", 0.5, span="$__range"),
                        "95 %": _p("commit_to_healthy_seconds", 0.95, span="$__range"),
                    },
                    unit="s",
                ),
                Panel("Changed by hand", {"{{action}}": _grown("drift_total", by="action")}),
            ],
        ),
    ],
)

REPAIR = Dashboard(
    "nomad-operator-repair",
    "nomad-operator: repair",
    "How many failures are repaired, how well, how fast, at what cost.",
    [
        (
            "How good",
            [
                Panel(
                    "Fix rate",
                    {"fix rate": _share(_DURABLE, f"{_EPISODES}{{{_ELIGIBLE}}}")},
                    "stat",
                    "percentunit",
                    4,
                    about="Repairs that held for half an hour, of the failures that could be repaired.",
                ),
                Panel(
                    "Precision",
                    {"precision": _share(_DURABLE, f'{_EPISODES}{{rung!="none"}}')},
                    "stat",
                    "percentunit",
                    4,
                    about="Repairs that held for half an hour, of the failures for which one was put in force.",
                ),
                Panel("Failures", {"failures": _grown(_EPISODES)}, "stat", width=4),
                Panel("Held", {"held": _grown(_DURABLE)}, "stat", width=4),
                Panel(
                    "Failed again", {"failed again": _grown("fix_regressions_total")}, "stat", width=4, red_above=0.5
                ),
                Panel("Taken back", {"taken back": _grown("human_reverted_total")}, "stat", width=4, red_above=0.5),
            ],
        ),
        (
            "By class and rung",
            [
                Panel(
                    "Fix rate by class",
                    {"{{class}}": _share(_DURABLE, f"{_EPISODES}{{{_ELIGIBLE}}}", by="class")},
                    "bargauge",
                    "percentunit",
                ),
                Panel(
                    "Precision by rung",
                    {"{{rung}}": _share(_DURABLE, f'{_EPISODES}{{rung!="none"}}', by="rung")},
                    "bargauge",
                    "percentunit",
                ),
                Panel(
                    "How failures ended",
                    {"{{outcome}}": _grown(_EPISODES, by="outcome")},
                    "bargauge",
                    about="superseded, stopped, healed and not_ours do not count in the fix rate.",
                ),
                Panel("Failures by class", {"{{class}}": _grown(_EPISODES, by="class")}, "bargauge"),
                Panel(
                    "Attempts by rung",
                    {"{{rung}} {{outcome}}": _grown("repair_attempts_total", by="rung, outcome")},
                    "bargauge",
                ),
                Panel("Failed again, by class", {"{{class}}": _grown("fix_regressions_total", by="class")}, "bargauge"),
            ],
        ),
        (
            "How fast",
            [
                Panel(
                    "To a name, by class",
                    {"{{class}}": _so_far(0.5, "detect", by="class")},
                    unit="s",
                    about="From the first sign to the verdict; half of them since the operator started were faster.",
                ),
                Panel(
                    "To a proposal, by rung",
                    {"{{rung}}": _so_far(0.5, "propose", by="rung")},
                    unit="s",
                ),
                Panel(
                    "To healthy, by class",
                    {"{{class}}": _so_far(0.5, "healthy", by="class")},
                    unit="s",
                    about="From the verdict to a verified repair; half of them since the operator started were faster.",
                ),
                Panel(
                    "To healthy, by rung",
                    {"{{rung}}": _so_far(0.5, "healthy", by="rung")},
                    unit="s",
                ),
                Panel(
                    "To healthy, 95 %",
                    {"95 %": _so_far(0.95, "healthy")},
                    unit="s",
                ),
                Panel("Waits for approval", {"apps": f'sum({_PREFIX}apps{{condition="AwaitingApproval"}})'}),
            ],
        ),
        (
            "At what cost",
            [
                Panel("Tokens", {"{{prompt}} {{direction}}": _grown("model_tokens_total", by="prompt, direction")}),
                Panel(
                    "Tokens for a repair that held",
                    {
                        "tokens": "(sum(increase(nomad_operator_model_tokens_total[$__range])) / "
                        "(sum(increase(nomad_operator_durable_fixes_total[$__range])) > 0)) or vector(0)"
                    },
                    "stat",
                ),
                Panel(
                    "Turned down by the guard",
                    {"{{invariant}}": _grown("guard_rejections_total", by="invariant")},
                    "bargauge",
                ),
                Panel("Kill switch", {"repairs are stopped": f"max({_PREFIX}repairs_stopped)"}, "stat", red_above=0.5),
            ],
        ),
    ],
)

HEALTH = Dashboard(
    "nomad-operator-health",
    "nomad-operator: the operator itself",
    "Whether it works, and whether it keeps up.",
    [
        (
            "Now",
            [
                Panel(
                    "Who acts",
                    {"leaders": f"sum({_PREFIX}leader) or vector(0)"},
                    "stat",
                    width=4,
                    red_below=0.5,
                    about="Exactly one copy acts.",
                ),
                Panel(
                    "Events are heard",
                    {"heard": f"max({_PREFIX}event_stream_up) or vector(0)"},
                    "stat",
                    width=4,
                    red_below=0.5,
                ),
                Panel(
                    "Services that answer",
                    {"{{service}}": f"max by (service) ({_PREFIX}dependency_up)"},
                    "stat",
                    width=8,
                    red_below=0.5,
                ),
                Panel("Version", {"{{version}}": f"count by (version) ({_PREFIX}info)"}, "stat", width=4),
                Panel("Up since", {"started": "max(process_start_time_seconds) * 1000"}, "stat", "dateTimeFromNow", 4),
            ],
        ),
        (
            "Does it keep up",
            [
                Panel(
                    "Passes a second",
                    {"{{result}}": f"sum by (result) (rate({_PREFIX}reconcile_total[$__rate_interval]))"},
                ),
                Panel(
                    "A pass takes",
                    {"half": _p("reconcile_duration_seconds", 0.5), "95 %": _p("reconcile_duration_seconds", 0.95)},
                    unit="s",
                ),
                Panel("Apps that wait for a pass", {"apps": f"sum({_PREFIX}queue_depth)"}),
                Panel(
                    "They wait",
                    {"half": _p("queue_wait_seconds", 0.5), "95 %": _p("queue_wait_seconds", 0.95)},
                    unit="s",
                ),
                Panel(
                    "Events arrive after",
                    {
                        "half": _p("event_lag_seconds", 0.5, span="$__range"),
                        "95 %": _p("event_lag_seconds", 0.95, span="$__range"),
                    },
                    unit="s",
                ),
                Panel("Requests of a resync", {"requests": f"max({_PREFIX}resync_nomad_requests)"}),
            ],
        ),
        (
            "What it asks and is asked",
            [
                Panel(
                    "Requests to Nomad a second",
                    {"{{endpoint}}": f"sum by (endpoint) (rate({_PREFIX}nomad_requests_total[$__rate_interval]))"},
                    width=12,
                ),
                Panel(
                    "Requests that failed",
                    {
                        "{{endpoint}} {{result}}": "sum by (endpoint, result) (increase("
                        f'{_PREFIX}nomad_requests_total{{result!~"2.."}}[$__range])) or vector(0)'
                    },
                    width=12,
                ),
                Panel("Webhooks", {"{{server}} {{result}}": _grown("webhook_deliveries_total", by="server, result")}),
                Panel("News that were sent", {"{{form}} {{result}}": _grown("notifications_total", by="form, result")}),
                Panel("Questions to the model", {"{{outcome}}": _grown("model_questions_total", by="outcome")}),
                Panel(
                    "The model answers after",
                    {"half": f"{_p('model_seconds', 0.5, span='$__range')} or vector(0)"},
                    unit="s",
                ),
            ],
        ),
        (
            "Its process",
            [
                Panel(
                    "Memory",
                    {"{{instance}}": "process_resident_memory_bytes * on (instance) group_left nomad_operator_info"},
                    unit="bytes",
                ),
                Panel(
                    "Processor",
                    {
                        "{{instance}}": "rate(process_cpu_seconds_total[$__rate_interval]) * on (instance) group_left "
                        "nomad_operator_info"
                    },
                    unit="percentunit",
                ),
                Panel(
                    "Open files", {"{{instance}}": "process_open_fds * on (instance) group_left nomad_operator_info"}
                ),
            ],
        ),
    ],
)

DASHBOARDS = (FLEET, REPAIR, HEALTH)


def file_of(dashboard: Dashboard) -> Path:
    return FOLDER / f"{dashboard.uid.removeprefix('nomad-operator-')}.json"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in DASHBOARDS:
        file_of(each).write_text(text(each), encoding="utf-8")
    print("charts/grafana: the dashboards are written", file=sys.stderr)

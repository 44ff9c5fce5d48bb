"""Which apps are as they should be, and how long a commit takes."""

from __future__ import annotations

from charts.panels import Dashboard, Panel
from charts.queries import PREFIX, grown, percentile

FLEET = Dashboard(
    "nomad-operator-fleet",
    "nomad-operator: fleet",
    "Which apps are as they should be, and how long a commit takes.",
    [
        (
            "Now",
            [
                Panel("Apps", {"apps": f"count({PREFIX}app_info) or vector(0)"}, "stat", width=4),
                Panel(
                    "Ready",
                    {"ready": f'(count({PREFIX}app_info{{ready="True"}}) / count({PREFIX}app_info)) or vector(1)'},
                    "stat",
                    "percentunit",
                    4,
                    red_below=0.95,
                ),
                Panel(
                    "Not ready",
                    {"not ready": f'count({PREFIX}app_info{{ready="False"}}) or vector(0)'},
                    "stat",
                    width=4,
                    red_above=0.5,
                ),
                Panel(
                    "Wait for a person",
                    {
                        "waiting": f'sum({PREFIX}apps{{condition=~"AwaitingApproval|AdoptionRequired|'
                        'QuestionsOpen"}) or vector(0)'
                    },
                    "stat",
                    width=4,
                    red_above=0.5,
                ),
                Panel(
                    "Stalled",
                    {"stalled": f'sum({PREFIX}apps{{condition="Stalled"}}) or vector(0)'},
                    "stat",
                    width=4,
                    red_above=0.5,
                ),
                Panel(
                    "Files with problems",
                    {"files": f"max({PREFIX}source_problems)"},
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
                Panel("Apps by readiness", {"{{ready}}": f"count by (ready) ({PREFIX}app_info)"}, width=12),
                Panel("Apps by condition", {"{{condition}}": f"sum by (condition) ({PREFIX}apps)"}, width=12),
                Panel(
                    "Not ready",
                    {"": f'{PREFIX}app_info{{ready!="True"}} or label_replace(vector(0), "app", "none", "", "")'},
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
                        "half": percentile("commit_to_registered_seconds", 0.5, span="$__range"),
                        "95 %": percentile("commit_to_registered_seconds", 0.95, span="$__range"),
                    },
                    unit="s",
                ),
                Panel(
                    "To verified healthy",
                    {
                        "half": percentile("commit_to_healthy_seconds", 0.5, span="$__range"),
                        "95 %": percentile("commit_to_healthy_seconds", 0.95, span="$__range"),
                    },
                    unit="s",
                ),
                Panel("Changed by hand", {"{{action}}": grown("drift_total", by="action")}),
            ],
        ),
    ],
)

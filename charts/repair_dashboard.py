"""How many failures are repaired, how well, how fast, at what cost."""

from __future__ import annotations

from charts.panels import Dashboard, Panel
from charts.queries import DURABLE, ELIGIBLE, EPISODES, PREFIX, grown, share, so_far

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
                    {"fix rate": share(DURABLE, f"{EPISODES}{{{ELIGIBLE}}}")},
                    "stat",
                    "percentunit",
                    4,
                    about="Repairs that held for half an hour, of the failures that could be repaired.",
                ),
                Panel(
                    "Precision",
                    {"precision": share(DURABLE, f'{EPISODES}{{rung!="none"}}')},
                    "stat",
                    "percentunit",
                    4,
                    about="Repairs that held for half an hour, of the failures for which one was put in force.",
                ),
                Panel("Failures", {"failures": grown(EPISODES)}, "stat", width=4),
                Panel("Held", {"held": grown(DURABLE)}, "stat", width=4),
                Panel("Failed again", {"failed again": grown("fix_regressions_total")}, "stat", width=4, red_above=0.5),
                Panel("Taken back", {"taken back": grown("human_reverted_total")}, "stat", width=4, red_above=0.5),
            ],
        ),
        (
            "By class and rung",
            [
                Panel(
                    "Fix rate by class",
                    {"{{class}}": share(DURABLE, f"{EPISODES}{{{ELIGIBLE}}}", by="class")},
                    "bargauge",
                    "percentunit",
                ),
                Panel(
                    "Precision by rung",
                    {"{{rung}}": share(DURABLE, f'{EPISODES}{{rung!="none"}}', by="rung")},
                    "bargauge",
                    "percentunit",
                ),
                Panel(
                    "How failures ended",
                    {"{{outcome}}": grown(EPISODES, by="outcome")},
                    "bargauge",
                    about="superseded, stopped, healed and not_ours do not count in the fix rate.",
                ),
                Panel("Failures by class", {"{{class}}": grown(EPISODES, by="class")}, "bargauge"),
                Panel(
                    "Attempts by rung",
                    {"{{rung}} {{outcome}}": grown("repair_attempts_total", by="rung, outcome")},
                    "bargauge",
                ),
                Panel("Failed again, by class", {"{{class}}": grown("fix_regressions_total", by="class")}, "bargauge"),
            ],
        ),
        (
            "How fast",
            [
                Panel(
                    "To a name, by class",
                    {"{{class}}": so_far(0.5, "detect", by="class")},
                    unit="s",
                    about="From the first sign to the verdict; half of them since the operator started were faster.",
                ),
                Panel(
                    "To a proposal, by rung",
                    {"{{rung}}": so_far(0.5, "propose", by="rung")},
                    unit="s",
                ),
                Panel(
                    "To healthy, by class",
                    {"{{class}}": so_far(0.5, "healthy", by="class")},
                    unit="s",
                    about="From the verdict to a verified repair; half of them since the operator started were faster.",
                ),
                Panel(
                    "To healthy, by rung",
                    {"{{rung}}": so_far(0.5, "healthy", by="rung")},
                    unit="s",
                ),
                Panel(
                    "To healthy, 95 %",
                    {"95 %": so_far(0.95, "healthy")},
                    unit="s",
                ),
                Panel("Waits for approval", {"apps": f'sum({PREFIX}apps{{condition="AwaitingApproval"}})'}),
            ],
        ),
        (
            "At what cost",
            [
                Panel("Tokens", {"{{prompt}} {{direction}}": grown("model_tokens_total", by="prompt, direction")}),
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
                    {"{{invariant}}": grown("guard_rejections_total", by="invariant")},
                    "bargauge",
                ),
                Panel("Kill switch", {"repairs are stopped": f"max({PREFIX}repairs_stopped)"}, "stat", red_above=0.5),
            ],
        ),
    ],
)

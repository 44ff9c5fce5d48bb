"""Whether the operator itself works, and whether it keeps up."""

from __future__ import annotations

from charts.panels import Dashboard, Panel
from charts.queries import PREFIX, grown, percentile

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
                    {"leaders": f"sum({PREFIX}leader) or vector(0)"},
                    "stat",
                    width=4,
                    red_below=0.5,
                    about="Exactly one copy acts.",
                ),
                Panel(
                    "Events are heard",
                    {"heard": f"max({PREFIX}event_stream_up) or vector(0)"},
                    "stat",
                    width=4,
                    red_below=0.5,
                ),
                Panel(
                    "Services that answer",
                    {"{{service}}": f"max by (service) ({PREFIX}dependency_up)"},
                    "stat",
                    width=8,
                    red_below=0.5,
                ),
                Panel("Version", {"{{version}}": f"count by (version) ({PREFIX}info)"}, "stat", width=4),
                Panel("Up since", {"started": "max(process_start_time_seconds) * 1000"}, "stat", "dateTimeFromNow", 4),
            ],
        ),
        (
            "Does it keep up",
            [
                Panel(
                    "Passes a second",
                    {"{{result}}": f"sum by (result) (rate({PREFIX}reconcile_total[$__rate_interval]))"},
                ),
                Panel(
                    "A pass takes",
                    {
                        "half": percentile("reconcile_duration_seconds", 0.5),
                        "95 %": percentile("reconcile_duration_seconds", 0.95),
                    },
                    unit="s",
                ),
                Panel("Apps that wait for a pass", {"apps": f"sum({PREFIX}queue_depth)"}),
                Panel(
                    "They wait",
                    {"half": percentile("queue_wait_seconds", 0.5), "95 %": percentile("queue_wait_seconds", 0.95)},
                    unit="s",
                ),
                Panel(
                    "Events arrive after",
                    {
                        "half": percentile("event_lag_seconds", 0.5, span="$__range"),
                        "95 %": percentile("event_lag_seconds", 0.95, span="$__range"),
                    },
                    unit="s",
                ),
                Panel("Requests of a resync", {"requests": f"max({PREFIX}resync_nomad_requests)"}),
            ],
        ),
        (
            "What it asks and is asked",
            [
                Panel(
                    "Requests to Nomad a second",
                    {"{{endpoint}}": f"sum by (endpoint) (rate({PREFIX}nomad_requests_total[$__rate_interval]))"},
                    width=12,
                ),
                Panel(
                    "Requests that failed",
                    {
                        "{{endpoint}} {{result}}": "sum by (endpoint, result) (increase("
                        f'{PREFIX}nomad_requests_total{{result!~"2.."}}[$__range])) or vector(0)'
                    },
                    width=12,
                ),
                Panel("Webhooks", {"{{server}} {{result}}": grown("webhook_deliveries_total", by="server, result")}),
                Panel("News that were sent", {"{{form}} {{result}}": grown("notifications_total", by="form, result")}),
                Panel("Questions to the model", {"{{outcome}}": grown("model_questions_total", by="outcome")}),
                Panel(
                    "The model answers after",
                    {"half": f"{percentile('model_seconds', 0.5, span='$__range')} or vector(0)"},
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

"""The process: command line, settings, wiring, daemon, web, metrics, and an embedded Nomad to run without a cluster."""

__version__ = "0.1.0"

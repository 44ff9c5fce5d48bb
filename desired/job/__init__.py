"""Nomad's job language: the typed spec, and reading and writing it as HCL and as the API's JSON."""

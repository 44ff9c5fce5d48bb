"""Nomad, as the operator sees it: the client for calls, the event stream, and their answers as plain values.

The only package that knows HTTP and Nomad's JSON. It raises the errors of `desired.errors` and nothing else.
"""

"""One pass over one app: observe, decide, act, report. The rules of the reconcile contract live here."""

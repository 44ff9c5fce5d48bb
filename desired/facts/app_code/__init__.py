"""What dependency files and code say of an app: the extractor of last resort, which everything else overrules.

One small module per ecosystem and question; `ecosystems` is the table of them, `frameworks` and `backends` are the
tables of what a dependency means.
"""

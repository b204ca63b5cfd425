"""The use cases: load, decide, write. The only callers of the ports."""

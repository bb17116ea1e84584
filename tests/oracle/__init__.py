"""A naive engine, written apart from docs/reference/semantics.md: what the real one is compared with."""

"""Slot types: one file each, with `find(plain, …)`, and values that `write()` and `read()` themselves."""

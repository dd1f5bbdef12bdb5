"""Benchmarks: compare the service with the fastest possible and with usual ones. See `python -m bench --help`."""

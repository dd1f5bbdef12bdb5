"""Medians and quartiles, as a table."""

from collections.abc import Sequence
from statistics import median, quantiles

from bench.measure import Sample

Rounds = Sequence[dict[str, Sample]]


def ratio(rounds: Rounds, app: str, other: str) -> tuple[float, float, float]:
    """How many times `app` answers for the processor time of `other`: median, and the quartiles around it."""
    ratios = [samples[other].cpu_ms / samples[app].cpu_ms for samples in rounds]
    if len(ratios) < 2:
        return ratios[0], ratios[0], ratios[0]
    low, _, high = quantiles(ratios, n=4, method="inclusive")
    return median(ratios), low, high


def line(samples: Sequence[Sample]) -> str:
    """The medians of an app."""
    cpu, server, database, rate, p50, p99 = (
        median(getattr(sample, name) for sample in samples)
        for name in ("cpu_ms", "server_ms", "database_ms", "per_second", "p50", "p99")
    )
    return (
        f"{cpu:7.3f} ms of processor (server {server:.3f}, database {database:.3f})"
        f" {rate:6.0f}/s, p50 {p50:.2f}, p99 {p99:.2f} ms"
    )

"""Counters for Prometheus. They hold numbers and fixed words only: no prompt, name or key."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from portrayal.service.envelope import Job


class Metrics:
    """The counters of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._submitted = Counter(
            "portrayal_jobs_submitted", "Jobs ordered", ("dialect", "operation"), registry=self.registry
        )
        self._ended = Counter("portrayal_jobs_ended", "Jobs ended", ("operation", "state"), registry=self.registry)
        self._engine = Histogram(
            "portrayal_engine_seconds",
            "Seconds that the engine worked on a job",
            ("operation",),
            registry=self.registry,
        )
        self._judged = Counter(
            "portrayal_policy_decisions", "Decisions of the policy", ("category",), registry=self.registry
        )

    def submitted(self, dialect: str, operation: str) -> None:
        """A job was ordered."""
        self._submitted.labels(dialect, operation).inc()

    def ended(self, job: Job) -> None:
        """A job ended in this process."""
        self._ended.labels(job.operation, job.state).inc()
        if job.pictures:
            self._engine.labels(job.operation).observe(job.engine_seconds)

    def judged(self, category: str) -> None:
        """The policy decided."""
        self._judged.labels(category).inc()

    def page(self) -> bytes:
        """The text format of Prometheus."""
        return generate_latest(self.registry)

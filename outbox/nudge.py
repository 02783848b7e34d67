"""Wake a worker, without ever waiting for the broker."""


def wake() -> None:
    """Ask a worker to look at the outbox now. Failure is nobody's business but the log's."""

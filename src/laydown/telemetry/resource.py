"""Who speaks, as a collector sees it."""

from uuid import uuid4

from opentelemetry.sdk.resources import Resource

from laydown.observe import Process


def resource_of(process: Process, *, version: str) -> Resource:
    """Return what is said of this process with everything that it sends."""
    return Resource(
        {
            "service.name": "laydown",
            "service.version": version,
            "service.instance.id": str(uuid4()),
            "laydown.process": process.value,
        }
    )

"""The object store the settings ask for."""

from laydown.objects.disk import DiskStore
from laydown.objects.flush import FlushMode
from laydown.settings import Settings


def open_store(settings: Settings, *, owner: bool) -> DiskStore:
    """Open the store; the API owns it, a worker is its guest."""
    return DiskStore.open(settings.data / "store", owner=owner, flush=FlushMode(settings.flush))

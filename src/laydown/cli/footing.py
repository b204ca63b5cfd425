"""What a server stands on, seen to be there before it starts."""

from laydown.settings import Settings


async def refuse_unusable(settings: Settings) -> None:
    """Raise `BadSettings` when the store or a queue of the settings is missing, or refuses us.

    Whoever keeps all on one machine starts without loading what talks to others.
    """
    if settings.store or settings.legacy_store or settings.queue or settings.notices:
        from laydown.bootstrap import doctoring  # noqa: PLC0415 - as said

        await doctoring.refuse_unusable(settings)

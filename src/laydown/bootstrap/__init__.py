"""The composition root: the one place where parts are chosen and put together."""

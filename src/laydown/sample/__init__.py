"""A folder that looks like a real construction delivery, to try laydown with."""

from laydown.sample.delivery import FEWEST, MOST, Manifest, SampleError, generate

__all__ = ["FEWEST", "MOST", "Manifest", "SampleError", "generate"]

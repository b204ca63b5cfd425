"""A folder that looks like a real construction delivery, to try laydown with."""

from laydown.sample.delivery import FEWEST, MOST, Manifest, SampleError, generate
from laydown.sample.site import PROJECT, PROJECT_CODE

__all__ = [
    "FEWEST",
    "MOST",
    "PROJECT",
    "PROJECT_CODE",
    "Manifest",
    "SampleError",
    "generate",
]

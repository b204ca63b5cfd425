"""The worker: claims jobs, does them many at a time, and sweeps."""

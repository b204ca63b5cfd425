"""Prometheus and structlog behind what `observe` declares."""

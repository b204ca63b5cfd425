"""Adapters that keep bytes: on a disk of our own."""

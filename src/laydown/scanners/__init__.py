"""Malware scanners that are asked: ClamAV's daemon."""

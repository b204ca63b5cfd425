"""The HTTP face: JSON and bytes in, use cases called, JSON and bytes out."""

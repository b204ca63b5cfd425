"""The peers: how each is installed, started and spoken to."""

"""What laydown knows about files on their way in: pure values and decisions, no I/O."""

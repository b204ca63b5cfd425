"""Real servers for the test session: an S3, an SQS and a virus scanner, on this machine alone."""

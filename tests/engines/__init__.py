"""Real servers for the test session, on this machine alone: S3, SQS, virus scanner, issuer."""

"""SQS: the queue that announces jobs, and the one that brings news of the store."""

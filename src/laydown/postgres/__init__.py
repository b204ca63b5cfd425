"""The ledger, the job feed and the event log on Postgres 15 or later; the only home of SQL."""

"""What `laydown up` needs besides the program: a Postgres of its own and a supervisor."""

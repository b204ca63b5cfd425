"""The SDK: the conversation with a laydown server, and whole folders on top of it."""

"""What the Lab shows: one file an experiment, from its question to its finding."""

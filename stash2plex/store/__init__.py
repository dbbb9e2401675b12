"""All SQL but the queue's and the connection's: one module a table."""

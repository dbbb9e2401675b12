"""The health checks, and the report that they make."""

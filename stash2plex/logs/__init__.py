"""Log handlers, and what hides names and secrets in them."""

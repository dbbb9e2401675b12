"""The page apart from the plugin: written answers of its operations, and a FakeStash around it."""

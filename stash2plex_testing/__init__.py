"""FakeStash and FakePlex, real HTTP servers that behave like the real ones, and their users."""

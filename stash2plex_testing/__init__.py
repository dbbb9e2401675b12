"""FakeStash and FakePlex, real HTTP servers that behave as the real ones do, and what uses them."""

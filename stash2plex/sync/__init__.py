"""Everything that runs: the drain, its stages, and the sweeps."""

"""HTTP and the two servers: what we ask, and what an answer must look like."""

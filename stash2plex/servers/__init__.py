"""HTTP and the two servers: what is asked, and what an answer must look like."""

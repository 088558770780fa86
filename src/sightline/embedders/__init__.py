"""What people look like, as vectors: alike is a large dot product."""

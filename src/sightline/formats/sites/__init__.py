"""Sites as files: cameras, their videos, their pairs of points, and what joins them."""

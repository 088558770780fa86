"""Rows: jobs, cameras, kept files, users and keys, in SQLite or PostgreSQL."""

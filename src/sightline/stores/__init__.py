"""What is kept: rows in SQL, files on disk or in S3, pictures on a shared volume."""

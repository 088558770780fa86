"""Where pictures come from: files, folders, streams."""

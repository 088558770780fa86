"""The server: HTTP and WebSocket surfaces over one set of services."""

"""A drone's video and log to places: what may be asked for, reading what is given, doing it, writing it down."""

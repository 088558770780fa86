"""Logs of flights, whoever wrote them, to one ``Flight``."""

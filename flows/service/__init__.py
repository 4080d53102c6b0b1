"""Prefect as a service: the server inside a command, and the server, worker and deployments of `captchas up`."""

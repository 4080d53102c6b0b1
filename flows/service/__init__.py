"""Prefect as a service: the embedded server of one command, and the server, worker and deployments of `captchas up`."""

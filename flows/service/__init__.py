"""Prefect as a service: the server of a single command, and the server, worker and deployments of `captchas up`.

Nothing here imports Prefect. Commands import embedded_server; `up` and home import deployments, prefect_api, processes.
"""

"""Prefect as a service: the server of a single command, and the server, worker and deployments of `captchas up`.

To import a module of this room imports no Prefect. `prefect_guard`, which runs in the server, `prefect_settings` and
`starting` import it within functions that need it. A command starts with `starting`, `prefect_settings` and
`embedded_server`; `up` uses `deployments`; all talk to the server by `prefect_api`. `database_template` is for setup.
"""

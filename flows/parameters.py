"""What can be said of a parameter's value alone, in types that the shell, Prefect's forms and its server all read.

A server refuses a value outside them before a run exists. What takes a look at files or at another parameter is for
each flow's `check`.
"""

from typing import Annotated

from pydantic import Field

Count = Annotated[int, Field(ge=1)]  # of anything that must not be none
Seed = Annotated[int, Field(ge=0, lt=1 << 63)]
ModelSeed = Annotated[int, Field(ge=0, lt=1 << 32)]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]
Port = Annotated[int, Field(ge=0, le=65535)]
Name = Annotated[str, Field(min_length=1)]

# SPDX-License-Identifier: Apache-2.0
"""What annotations need of Python 3.11's typing, also in those before."""

import sys

if sys.version_info >= (3, 11):
    from typing import Concatenate, ParamSpec, Self, TypeGuard, Unpack
else:
    from typing_extensions import Concatenate, ParamSpec, Self, TypeGuard, Unpack

__all__ = ["Concatenate", "ParamSpec", "Self", "TypeGuard", "Unpack"]

## SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += tests/servers/postgres.py tests/servers/requirements-postgres.txt

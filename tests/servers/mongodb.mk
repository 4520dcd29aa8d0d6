## SPDX-License-Identifier: Apache-2.0
## MongoDB, for the FiftyOne adapter
EXTRA_DIST += tests/servers/mongodb.py tests/servers/requirements-mongodb.txt

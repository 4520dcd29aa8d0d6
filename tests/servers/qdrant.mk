## SPDX-License-Identifier: Apache-2.0
## the stand-in for a Qdrant server
EXTRA_DIST += tests/servers/qdrant.py tests/servers/test_qdrant.py tests/servers/test_qdrant_stand_in.py \
	tests/servers/qdrant_rig.py tests/servers/requirements-qdrant.txt \
	tests/servers/qdrant_server/__init__.py tests/servers/qdrant_server/__main__.py \
	tests/servers/qdrant_server/app.py tests/servers/qdrant_server/catalog.py \
	tests/servers/qdrant_server/endpoints.py tests/servers/qdrant_server/errors.py \
	tests/servers/qdrant_server/faults.py tests/servers/qdrant_server/filters.py \
	tests/servers/qdrant_server/models.py tests/servers/qdrant_server/optimize.py \
	tests/servers/qdrant_server/queries.py \
	tests/servers/qdrant_server/requests.py tests/servers/qdrant_server/settings.py \
	tests/servers/qdrant_server/shards.py

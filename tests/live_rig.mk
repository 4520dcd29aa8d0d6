## what the tests against real servers share
live_rig_sources = tests/live_rig.c tests/live_rig.h tests/live_points.c tests/live_main.c \
	tests/live_child.c

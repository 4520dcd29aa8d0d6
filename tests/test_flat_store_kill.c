/* SPDX-License-Identifier: Apache-2.0 */
/* A writer is killed at random points: what it had acknowledged is there, the rest is whole. */
#include "config.h"

#include "store_model.h"

#define KILLS 200

static char *root;

/* Goes on from operation number `first` until it is killed, and reports each that is done. */
static int child(char **argv)
{
    uint64_t number = strtoull(argv[3], NULL, 10);
    flat_store *store = NULL;

    plug_host = &sp_host;
    flat_block_rows_forced = RIG_BLOCK;
    model_steps(number);
    if (flat_store_open(argv[2], rig_text("kill"), &store, NULL) != SIMPLUGIN_OK)
        return 1;
    for (;; number++)
        if (model_run(store, number) != SIMPLUGIN_OK || write(1, "a", 1) != 1)
            return 2;
}

/* Lets one run for so many operations and a bit, kills it, and counts what it reported. */
static void kill_one(model *state, uint64_t operations, long nanoseconds)
{
    struct timespec bit = {0, nanoseconds};
    char number[24];
    const char *const arguments[] = {"write", root, number, NULL};
    rig_child writer;
    int status;

    snprintf(number, sizeof(number), "%llu", (unsigned long long)state->done);
    rig_spawn(&writer, NULL, arguments);
    for (uint64_t i = 0; i < operations && rig_hear(&writer) == 'a'; i++)
        model_advance(state);
    nanosleep(&bit, NULL); /* the random point */
    kill(writer.pid, SIGKILL);
    while (rig_hear(&writer) == 'a')
        model_advance(state);
    status = rig_wait_for(&writer);
    CU_ASSERT_EQUAL(status, 128 + SIGKILL);
}

static void test_kill(void)
{
    static model state;
    uint64_t seed = 12345, before = 0;
    flat_store *store = rig_create(root, "kill");

    flat_store_close(store);
    for (int i = 0; i < KILLS; i++) {
        uint64_t rows = 0;

        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        kill_one(&state, seed >> 40 & 7, (long)(seed >> 20 & 0x1fffff));
        store = rig_open(root, "kill");
        CU_ASSERT_TRUE(model_settle(store, &state));
        rows = rig_check(store);
        CU_ASSERT_NOT_EQUAL(rows, UINT64_MAX);
        flat_store_close(store);
    }
    before = state.done;
    printf("%llu operations ", (unsigned long long)before);
    CU_ASSERT_TRUE(before > KILLS);
}

static const unit_case cases[] = {
    UNIT_CASE(test_kill, "a writer killed 200 times loses nothing it acknowledged"),
};

int main(int argc, char **argv)
{
    int failed;

    if (argc == 4)
        return child(argv);
    plug_host = &sp_host;
    root = unit_temp_dir();
    failed = unit_run("flat store, killed", cases, sizeof(cases) / sizeof(cases[0]));
    rig_remove(root);
    free(root);
    return failed;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The flat backend's store between processes, after fork, and where it may not be used. */
#include "config.h"

#include <sys/resource.h>

#include "store_rig.h"

#define NOBODY 65534

static char *root;

/* ---- what this program does when it is started as a child ------------------------------ */

/* Takes the turn, says so, and gives it when told. */
static int child_hold(flat_store *store)
{
    char byte;

    if (flat_turn_take(store->env, &rig_wait, NULL) != SIMPLUGIN_OK || write(1, "t", 1) != 1)
        return 1;
    if (read(0, &byte, 1) < 0)
        return 2;
    flat_turn_give(store->env);
    return 0;
}

static int child_add(flat_store *store, const char *from, const char *count)
{
    uint64_t replaced = 0;

    return rig_add_within(store, strtoull(from, NULL, 10), strtoull(count, NULL, 10), 1, &rig_wait,
                          &replaced, NULL);
}

static int child_compact(flat_store *store)
{
    uint64_t before, after;

    return flat_store_compact(store, &rig_wait, NULL, NULL, &before, &after, NULL);
}

static int child_open(const char *folder, const char *name)
{
    simplugin_error *error = NULL;
    flat_store *store = NULL;
    int32_t code;

    if (getuid() == 0 && (setgid(NOBODY) || setuid(NOBODY)))
        return 99;
    code = flat_store_open(folder, rig_text(name), &store, &error);
    if (code == SIMPLUGIN_OK) {
        uint64_t replaced = 0;

        if (!rig_has_all(store, 0, 200, 1))
            code = 98;
        else
            code = rig_add_within(store, 0, 10, 2, &rig_wait, &replaced, &error);
    }
    simplugin_error_free(&error);
    flat_store_close(store);
    return code;
}

/* Every file it writes may grow to so many bytes only. */
static int child_full(flat_store *store, const char *bytes)
{
    struct rlimit limit = {strtoull(bytes, NULL, 10), RLIM_INFINITY};
    uint64_t replaced = 0;
    int32_t code = SIMPLUGIN_OK;

    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit))
        return 99;
    for (uint64_t i = 0; i < 100 && code == SIMPLUGIN_OK; i++)
        code = rig_add_within(store, 1000 + i * 500, 500, 1, &rig_wait, &replaced, NULL);
    if (code != SIMPLUGIN_NO_SPACE)
        return 98;
    /* The next ones do not fit either, and reading goes on. */
    if (rig_add_within(store, 900000, 500, 1, &rig_wait, &replaced, NULL) != SIMPLUGIN_NO_SPACE)
        return 97;
    if (!rig_has_all(store, 0, 200, 1) || rig_check(store) == UINT64_MAX)
        return 96;
    limit.rlim_cur = RLIM_INFINITY;
    if (setrlimit(RLIMIT_FSIZE, &limit))
        return 95;
    return rig_add_within(store, 900000, 500, 1, &rig_wait, &replaced, NULL);
}

static int child(int argc, char **argv)
{
    const char *what = argv[1];
    flat_store *store = NULL;
    int code = 97;

    plug_host = &sp_host;
    flat_block_rows_forced = RIG_BLOCK;
    if (!strcmp(what, "drop"))
        return flat_store_drop(argv[2], rig_text(argv[3]), &rig_wait, NULL);
    if (!strcmp(what, "open"))
        return child_open(argv[2], argv[3]);
    if (getenv("SMALL_MAP"))
        flat_map_size_forced = 1 << 20;
    if (flat_store_open(argv[2], rig_text(argv[3]), &store, NULL) != SIMPLUGIN_OK)
        return 96;
    if (!strcmp(what, "hold"))
        code = child_hold(store);
    else if (!strcmp(what, "add") && argc == 6)
        code = child_add(store, argv[4], argv[5]);
    else if (!strcmp(what, "compact"))
        code = child_compact(store);
    else if (!strcmp(what, "full"))
        code = child_full(store, argv[4]);
    flat_store_close(store);
    return code;
}

/* Runs one to its end. */
static int run(const char *what, const char *name, const char *a, const char *b)
{
    const char *const arguments[] = {what, root, name, a, b, NULL};
    rig_child one;

    rig_spawn(&one, NULL, arguments);
    return rig_wait_for(&one);
}

/* ---- two processes --------------------------------------------------------------------- */

static void test_busy(void)
{
    const char *const arguments[] = {"hold", root, "busy", NULL};
    flat_store *store = rig_create(root, "busy");
    flat_wait soon = rig_within(100);
    simplugin_error *error = NULL;
    uint64_t replaced = 0;
    rig_child other;
    char pid[40];

    rig_spawn(&other, NULL, arguments);
    CU_ASSERT_EQUAL_FATAL(rig_hear(&other), 't');
    snprintf(pid, sizeof(pid), "process %ld is writing", (long)other.pid);
    CU_ASSERT_EQUAL(rig_add_within(store, 0, 1, 1, &soon, &replaced, &error), SIMPLUGIN_BUSY);
    CU_ASSERT_TRUE(sp_clock_now() >= soon.deadline);
    CU_ASSERT_EQUAL(simplugin_error_retryable(error), 1);
    CU_ASSERT_TRUE(rig_error_is(&error, SIMPLUGIN_BUSY, pid));
    CU_ASSERT_EQUAL(rig_count(store), 0); /* readers never wait */
    rig_tell(&other);
    CU_ASSERT_EQUAL(rig_add_within(store, 0, 1, 1, &rig_wait, &replaced, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(rig_wait_for(&other), 0);

    /* The turn of a killed process is free. */
    rig_spawn(&other, NULL, arguments);
    CU_ASSERT_EQUAL_FATAL(rig_hear(&other), 't');
    kill(other.pid, SIGKILL);
    CU_ASSERT_EQUAL(rig_wait_for(&other), 128 + SIGKILL);
    CU_ASSERT_EQUAL(rig_add_within(store, 1, 1, 1, &rig_wait, &replaced, NULL), SIMPLUGIN_OK);

    /* Another thread of this process. */
    CU_ASSERT_EQUAL(flat_turn_take(store->env, &rig_wait, NULL), SIMPLUGIN_OK);
    soon = rig_within(50);
    snprintf(pid, sizeof(pid), "process %ld is writing", (long)getpid());
    CU_ASSERT_EQUAL(rig_add_within(store, 0, 1, 1, &soon, &replaced, &error), SIMPLUGIN_BUSY);
    CU_ASSERT_TRUE(rig_error_is(&error, SIMPLUGIN_BUSY, pid));
    flat_turn_give(store->env);
    flat_store_close(store);
}

static void test_shared(void)
{
    flat_store *store = NULL;
    flat_snapshot *before = NULL;
    uint64_t replaced = 0;

    flat_store_close(rig_create(root, "shared"));
    /* The other process needs more map than this one has. */
    flat_map_size_forced = 1 << 20;
    store = rig_open(root, "shared");
    flat_map_size_forced = 0;
    rig_add(store, 0, 100, 1);
    before = rig_snapshot(store);
    CU_ASSERT_EQUAL(run("add", "shared", "100", "30000"), 0);
    CU_ASSERT_EQUAL(flat_snapshot_count(before), 100);
    CU_ASSERT_TRUE(rig_has(before, 99, 1));
    CU_ASSERT_TRUE(rig_lacks(before, 100));
    flat_snapshot_free(before);
    CU_ASSERT_TRUE(rig_has_all(store, 0, 30100, 1));
    CU_ASSERT_EQUAL(rig_add_within(store, 50000, 1000, 1, &rig_wait, &replaced, NULL), SIMPLUGIN_OK);

    CU_ASSERT_EQUAL(run("compact", "shared", NULL, NULL), 0);
    CU_ASSERT_EQUAL(rig_add_within(store, 0, 10, 1, &rig_wait, &replaced, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(replaced, 10);
    CU_ASSERT_EQUAL(run("add", "shared", "60000", "10"), 0);
    CU_ASSERT_EQUAL(run("compact", "shared", NULL, NULL), 0);
    CU_ASSERT_EQUAL(rig_check(store), 31110);
    flat_store_close(store);
}

static void test_map_of_another(void)
{
    const char *const arguments[] = {"add", root, "small", "30000", "20000", NULL};
    flat_store *store = rig_create(root, "small");
    uint64_t replaced = 0;
    rig_child other;

    /* And the other way round, while both write. */
    rig_spawn(&other, "SMALL_MAP=1", arguments);
    for (uint64_t i = 0; i < 20; i++)
        CU_ASSERT_EQUAL(rig_add_within(store, i * 1000, 1000, 1, &rig_wait, &replaced, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(rig_wait_for(&other), 0);
    CU_ASSERT_EQUAL(rig_check(store), 40000);
    flat_store_close(store);
}

static void test_dropped(void)
{
    flat_store *store = rig_create(root, "dropped");
    simplugin_error *error = NULL;
    flat_snapshot *snapshot = NULL, *none = NULL;
    uint64_t replaced = 0;

    rig_add(store, 0, 100, 1);
    snapshot = rig_snapshot(store);
    CU_ASSERT_EQUAL(run("drop", "dropped", NULL, NULL), 0);
    CU_ASSERT_TRUE(rig_has(snapshot, 7, 1));
    flat_snapshot_free(snapshot);
    CU_ASSERT_EQUAL(flat_snapshot_new(store, &none, &error), SIMPLUGIN_NOT_FOUND);
    CU_ASSERT_TRUE(rig_error_is(&error, SIMPLUGIN_NOT_FOUND, "dropped"));
    CU_ASSERT_EQUAL(rig_add_within(store, 0, 1, 1, &rig_wait, &replaced, &error), SIMPLUGIN_NOT_FOUND);
    CU_ASSERT_TRUE(rig_error_is(&error, SIMPLUGIN_NOT_FOUND, "dropped"));
    flat_store_close(rig_create(root, "dropped")); /* the name is free */
    CU_ASSERT_EQUAL(flat_snapshot_new(store, &none, NULL), SIMPLUGIN_NOT_FOUND);
    flat_store_close(store);
}

/* ---- fork ------------------------------------------------------------------------------ */

static int forked(int (*fn)(flat_store *store, flat_snapshot *snapshot), flat_store *store,
                  flat_snapshot *snapshot)
{
    int status = 0;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        alarm(60);
        _exit(fn(store, snapshot));
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int use_in_child(flat_store *store, flat_snapshot *snapshot)
{
    uint64_t replaced = 0;

    flat_snapshot_free(snapshot); /* the parent's: gives back no place of the parent's */
    if (!rig_has_all(store, 0, 100, 1))
        return 1;
    if (rig_add_within(store, 100, 100, 1, &rig_wait, &replaced, NULL) != SIMPLUGIN_OK)
        return 2;
    if (rig_check(store) != 200)
        return 3;
    flat_store_close(store);
    return 0;
}

static int close_in_child(flat_store *store, flat_snapshot *snapshot)
{
    flat_snapshot_free(snapshot);
    flat_store_close(store);
    return 0;
}

/* The parent has the turn, and locks are held at the time of the fork. */
static int busy_in_child(flat_store *store, flat_snapshot *snapshot)
{
    flat_wait soon = rig_within(100);
    uint64_t replaced = 0;

    (void)snapshot;
    if (rig_add_within(store, 500, 1, 1, &soon, &replaced, NULL) != SIMPLUGIN_BUSY)
        return 1;
    if (!rig_has_all(store, 0, 200, 1))
        return 2;
    flat_store_close(store);
    return 0;
}

static void test_fork(void)
{
    flat_store *store = rig_create(root, "fork"), *second = rig_open(root, "fork");
    flat_snapshot *snapshot = NULL;

    rig_add(store, 0, 100, 1);
    snapshot = rig_snapshot(store);
    CU_ASSERT_EQUAL(forked(use_in_child, store, snapshot), 0);
    CU_ASSERT_EQUAL(forked(close_in_child, store, snapshot), 0);
    CU_ASSERT_EQUAL(flat_snapshot_count(snapshot), 100);
    CU_ASSERT_TRUE(rig_has(snapshot, 50, 1));
    CU_ASSERT_TRUE(rig_has_all(store, 0, 200, 1));
    flat_snapshot_free(snapshot);

    CU_ASSERT_EQUAL(flat_turn_take(store->env, &rig_wait, NULL), SIMPLUGIN_OK);
    pthread_mutex_lock(&store->env->lock);
    CU_ASSERT_EQUAL(forked(busy_in_child, second, NULL), 0);
    pthread_mutex_unlock(&store->env->lock);
    flat_turn_give(store->env);

    /* The parent's environment is as good as before. */
    rig_add(store, 200, 100, 1);
    CU_ASSERT_EQUAL(rig_check(second), 300);
    flat_store_close(second);
    flat_store_close(store);
}

/* ---- where it may not be used ----------------------------------------------------------- */

static void set_modes(const char *folder, mode_t file_mode, mode_t folder_mode)
{
    DIR *dir = opendir(folder);
    struct dirent *entry = NULL;

    chmod(folder, 0700);
    while (dir && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            fchmodat(dirfd(dir), entry->d_name, file_mode, 0);
    if (dir)
        closedir(dir);
    chmod(folder, folder_mode);
}

static void test_rights(void)
{
    flat_store *store = rig_create(root, "rights");
    char *folder = strdup(store->folder);

    rig_add(store, 0, 200, 1);
    flat_store_close(store);
    chmod(root, 0755);
    /* Not as root, who may everything. */
    if (getuid() == 0)
        CU_ASSERT_EQUAL(chown(root, NOBODY, NOBODY), 0);
    set_modes(folder, 0644, 0755);
    if (getuid())
        set_modes(folder, 0444, 0555);
    CU_ASSERT_EQUAL(run("open", "rights", NULL, NULL), SIMPLUGIN_READ_ONLY);
    CU_ASSERT_EQUAL(run("open", "rights", NULL, NULL), SIMPLUGIN_READ_ONLY);
    set_modes(folder, 0600, 0755);
    if (getuid())
        set_modes(folder, 0, 0755);
    CU_ASSERT_EQUAL(run("open", "rights", NULL, NULL), SIMPLUGIN_PERMISSION_DENIED);
    set_modes(folder, 0644, getuid() ? 0 : 0700);
    CU_ASSERT_EQUAL(run("open", "rights", NULL, NULL), SIMPLUGIN_PERMISSION_DENIED);
    set_modes(folder, 0600, 0700);
    store = rig_open(root, "rights");
    CU_ASSERT_EQUAL(rig_check(store), 200);
    flat_store_close(store);
    free(folder);
}

static void test_full(void)
{
    flat_store *store = rig_create(root, "full");

    rig_add(store, 0, 200, 1);
    CU_ASSERT_EQUAL(run("full", "full", "1000000", NULL), SIMPLUGIN_OK);
    CU_ASSERT_NOT_EQUAL(rig_check(store), UINT64_MAX);
    CU_ASSERT_TRUE(rig_has_all(store, 900000, 500, 1));
    flat_store_close(store);
}

static const unit_case cases[] = {
    UNIT_CASE(test_busy, "the second writer waits until its deadline, then BUSY names the first"),
    UNIT_CASE(test_shared, "processes share a collection, its growth and its compaction"),
    UNIT_CASE(test_map_of_another, "two processes with maps of different size write in turns"),
    UNIT_CASE(test_dropped, "a collection that another process dropped is NOT_FOUND"),
    UNIT_CASE(test_fork, "R275 a store that is used after fork is opened anew, and never hangs"),
    UNIT_CASE(test_rights, "a read-only store is read, an unreadable one is PERMISSION_DENIED"),
    UNIT_CASE(test_full, "a full disk is NO_SPACE and loses nothing"),
};

int main(int argc, char **argv)
{
    int failed;

    if (argc > 3)
        return child(argc, argv);
    plug_host = &sp_host;
    root = unit_temp_dir();
    failed = unit_run("flat store between processes", cases, sizeof(cases) / sizeof(cases[0]));
    rig_remove(root);
    free(root);
    return failed;
}

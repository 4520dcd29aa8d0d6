/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A writer's file operations are written down by tests/preload_journal.c. Then its files
 * are made anew as a machine that lost power after some of these operations could have
 * left them, and must hold what the writer had acknowledged by then.
 */
#include "config.h"

#include "journal.h"
#include "store_model.h"

#define OPERATIONS 90
#define PREFIXES 240
#define NODES 256
#define FDS 4096
#define PAGE 4096

/* What can be lost. */
#define LOSE_ALL 0       /* all writes and all names that were not synced */
#define LOSE_WRITES 1    /* writes only */
#define LOSE_SOME 2      /* some pages of some writes */
#define VARIANTS 3

static char *root; /* holds "live", where the writer writes, and "replay" */

/* ---- the writer ---------------------------------------------------------------------- */

static int child(const char *live)
{
    flat_store *store = NULL;
    char *acks = flat_path(live, "acks");
    int fd = open(acks, O_WRONLY | O_CREAT, 0600);

    plug_host = &sp_host;
    store = rig_create(live, "journal");
    for (uint64_t number = 0; number <= OPERATIONS; number++) {
        model_steps(number);
        if (write(fd, "a", 1) != 1 || (number < OPERATIONS && model_run(store, number) != SIMPLUGIN_OK))
            return 1;
    }
    flat_store_close(store);
    close(fd);
    free(acks);
    return 0;
}

/* ---- files and folders in memory ------------------------------------------------------- */

typedef struct pending {
    struct pending *next;
    uint32_t what;
    uint64_t offset;
    uint64_t size;
    const uint8_t *data;
} pending;

typedef struct place {
    int parent; /* -1: nowhere */
    char name[128];
} place;

typedef struct node {
    int is_folder;
    place now, durable;
    uint8_t *data; /* what is on the disk for sure */
    uint64_t size;
    uint64_t capacity;
    pending *first, **last;
} node;

typedef struct machine {
    node nodes[NODES]; /* 0: the folder "live" */
    int count;
    int fds[FDS];      /* the node + 1 */
    int synchronous[FDS];
} machine;

static machine m;

static int find(int parent, const char *name)
{
    for (int i = 1; i < m.count; i++)
        if (m.nodes[i].now.parent == parent && !strcmp(m.nodes[i].now.name, name))
            return i;
    return -1;
}

/* The folder a path below "live" is in, and its last part. */
static int walk(const char *path, size_t size, char *name)
{
    char copy[1024];
    char *at = copy, *slash = NULL;
    int folder = 0;

    if (size >= sizeof(copy))
        abort();
    memcpy(copy, path, size);
    copy[size] = 0;
    at += strlen(root) + strlen("/live");
    at += *at == '/';
    while ((slash = strchr(at, '/')) != NULL) {
        *slash = 0;
        folder = find(folder, at);
        at = slash + 1;
    }
    strcpy(name, at);
    return folder;
}

static int node_new(int parent, const char *name, int is_folder)
{
    node *fresh = &m.nodes[m.count];

    if (m.count == NODES)
        abort();
    fresh->is_folder = is_folder;
    fresh->now.parent = parent;
    strcpy(fresh->now.name, name);
    fresh->durable.parent = -1;
    fresh->last = &fresh->first;
    return m.count++;
}

static void resize(node *file, uint64_t size)
{
    if (size > file->capacity) {
        uint64_t capacity = size * 2;
        uint8_t *data = realloc(file->data, capacity);

        if (!data)
            abort();
        memset(data + file->capacity, 0, capacity - file->capacity);
        file->data = data;
        file->capacity = capacity;
    }
    if (size < file->size)
        memset(file->data + size, 0, file->size - size);
    file->size = size;
}

static void apply(node *file, const pending *op, uint64_t from, uint64_t to)
{
    if (op->what == JOURNAL_TRUNCATE || (op->what == JOURNAL_ALLOCATE && op->offset > file->size))
        resize(file, op->offset);
    if (op->what != JOURNAL_WRITE)
        return;
    if (op->offset + to > file->size)
        resize(file, op->offset + to);
    memcpy(file->data + op->offset + from, op->data + from, to - from);
}

static void sync_node(int index)
{
    node *file = &m.nodes[index];

    for (pending *op = file->first, *next; op; op = next) {
        next = op->next;
        apply(file, op, 0, op->size);
        free(op);
    }
    file->first = NULL;
    file->last = &file->first;
    for (int i = 1; file->is_folder && i < m.count; i++)
        if (m.nodes[i].now.parent == index || m.nodes[i].durable.parent == index)
            m.nodes[i].durable = m.nodes[i].now;
}

static void add_pending(int fd, const journal_entry *entry, const uint8_t *data)
{
    node *file = &m.nodes[m.fds[fd] - 1];
    pending *op = calloc(1, sizeof(*op));

    if (!op)
        abort();
    op->what = entry->what;
    op->offset = entry->offset;
    op->size = entry->size;
    op->data = data;
    if (m.synchronous[fd] && op->what == JOURNAL_WRITE) {
        apply(file, op, 0, op->size);
        free(op);
        return;
    }
    *file->last = op;
    file->last = &op->next;
}

static void do_open(const journal_entry *entry, const char *path)
{
    char name[1024];
    int folder = walk(path, entry->size, name);
    int index = *name ? find(folder, name) : 0;

    if (index < 0)
        index = node_new(folder, name, 0);
    m.fds[entry->fd] = index + 1;
    m.synchronous[entry->fd] = (entry->offset & O_DSYNC) != 0;
}

static void do_rename(const journal_entry *entry, const char *paths)
{
    char from[1024], to[1024];
    size_t size = strlen(paths);
    int from_folder = walk(paths, size, from);
    int to_folder = walk(paths + size + 1, entry->size - size - 1, to);
    int index = find(from_folder, from), over = find(to_folder, to);

    if (index < 0)
        abort();
    if (over >= 0)
        m.nodes[over].now.parent = -1;
    m.nodes[index].now.parent = to_folder;
    strcpy(m.nodes[index].now.name, to);
}

static void play(const journal_entry *entry, const uint8_t *data)
{
    char name[1024];
    int folder, index;

    switch (entry->what) {
    case JOURNAL_OPEN:
        do_open(entry, (const char *)data);
        break;
    case JOURNAL_CLOSE:
        m.fds[entry->fd] = 0;
        break;
    case JOURNAL_SYNC:
        sync_node(m.fds[entry->fd] - 1);
        break;
    case JOURNAL_RENAME:
        do_rename(entry, (const char *)data);
        break;
    case JOURNAL_UNLINK:
        folder = walk((const char *)data, entry->size, name);
        index = find(folder, name);
        if (index > 0)
            m.nodes[index].now.parent = -1;
        break;
    case JOURNAL_MKDIR:
        folder = walk((const char *)data, entry->size, name);
        if (*name)
            node_new(folder, name, 1);
        break;
    default:
        add_pending(entry->fd, entry, data);
    }
}

/* ---- what a lost machine leaves -------------------------------------------------------- */

static uint64_t seed = 99;

static uint64_t random_below(uint64_t limit)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 24) % limit;
}

/* Half of the pages that were not synced. */
static void apply_some(node *file)
{
    for (const pending *op = file->first; op; op = op->next) {
        if (op->what != JOURNAL_WRITE) {
            if (random_below(2))
                apply(file, op, 0, 0);
            continue;
        }
        for (uint64_t from = 0; from < op->size; from += PAGE)
            if (random_below(2))
                apply(file, op, from, from + PAGE < op->size ? from + PAGE : op->size);
    }
}

static void make_file(const node *from, const char *path, int variant)
{
    node copy = *from;
    size_t length = strlen(path);
    FILE *out = NULL;

    if (length > 5 && !strcmp(path + length - 5, "-lock"))
        return; /* shared memory, of no meaning afterwards */
    copy.data = calloc(1, copy.capacity + 1);
    if (!copy.data)
        abort();
    if (copy.size)
        memcpy(copy.data, from->data, copy.size);
    if (variant == LOSE_SOME)
        apply_some(&copy);
    out = fopen(path, "wb");
    if (!out || fwrite(copy.data, 1, copy.size, out) != copy.size || fclose(out))
        abort();
    free(copy.data);
}

static void make_folder(int index, const char *path, int variant)
{
    if (mkdir(path, 0700))
        abort();
    for (int i = 1; i < m.count; i++) {
        const place *at = variant == LOSE_ALL ? &m.nodes[i].durable : &m.nodes[i].now;
        char *inside = NULL;

        if (at->parent != index)
            continue;
        inside = flat_path(path, at->name);
        if (m.nodes[i].is_folder)
            make_folder(i, inside, variant);
        else
            make_file(&m.nodes[i], inside, variant);
        free(inside);
    }
}

static void check_prefix(model *state, uint64_t acks, int variant)
{
    char *replay = flat_path(root, "replay");
    model settled = *state;
    flat_store *store = NULL;
    simplugin_error *error = NULL;
    int32_t code;

    make_folder(0, replay, variant);
    code = flat_store_open(replay, rig_text("journal"), &store, &error);
    if (acks == 0 && code == SIMPLUGIN_NOT_FOUND) {
        simplugin_error_free(&error);
    } else {
        CU_ASSERT_EQUAL(code, SIMPLUGIN_OK);
        if (code != SIMPLUGIN_OK)
            printf("\n    %s\n", simplugin_error_message(error, NULL));
    }
    if (code == SIMPLUGIN_OK) {
        uint64_t replaced = 0;

        CU_ASSERT_TRUE(model_settle(store, &settled));
        CU_ASSERT_NOT_EQUAL(rig_check(store), UINT64_MAX);
        /* And it goes on from there. */
        CU_ASSERT_EQUAL(rig_add_within(store, 0, 3, 1, &rig_wait, &replaced, NULL), SIMPLUGIN_OK);
        CU_ASSERT_TRUE(rig_has_all(store, 0, 3, 1));
    }
    simplugin_error_free(&error);
    flat_store_close(store);
    rig_remove(replay);
    free(replay);
}

static uint8_t *load(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    struct stat info;

    if (!file || fstat(fileno(file), &info))
        abort();
    *size = (size_t)info.st_size;
    bytes = malloc(*size + 1);
    if (!bytes || fread(bytes, 1, *size, file) != *size)
        abort();
    fclose(file);
    return bytes;
}

static void record(const char *live, const char *file)
{
    const char *const arguments[] = {"write", live, NULL};
    char preload[4096], *journal_root = NULL, *journal_file = NULL;
    const char *asan = getenv("ASAN_OPTIONS");
    char options[1024];
    rig_child writer;

    /* Sanitizers want to be first; the shim before them does no harm. */
    snprintf(options, sizeof(options), "%s%sverify_asan_link_order=0", asan ? asan : "", asan ? ":" : "");
    setenv("ASAN_OPTIONS", options, 1);
    if (asprintf(&journal_root, "JOURNAL_ROOT=%s", live) < 0 ||
        asprintf(&journal_file, "JOURNAL_FILE=%s", file) < 0)
        abort();
    putenv(journal_root);
    putenv(journal_file);
    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", PRELOAD_JOURNAL);
    rig_spawn(&writer, preload, arguments);
    CU_ASSERT_EQUAL_FATAL(rig_wait_for(&writer), 0);
    unsetenv("JOURNAL_ROOT");
    unsetenv("JOURNAL_FILE");
    free(journal_root);
    free(journal_file);
}

static void test_journal(void)
{
    static model state;
    char *live = flat_path(root, "live"), *file = flat_path(root, "journal");
    uint64_t entries = 0, position = 0, acks = 0, checked = 0, wanted = 0;
    size_t size = 0, at = 0;
    uint8_t *bytes = NULL;

    CU_ASSERT_EQUAL_FATAL(mkdir(live, 0700), 0);
    record(live, file);
    bytes = load(file, &size);
    m.count = 1;
    m.nodes[0].is_folder = 1;
    for (size_t i = 0; i < size; entries++) {
        journal_entry entry;

        memcpy(&entry, bytes + i, sizeof(entry));
        i += sizeof(entry) + entry.size;
    }
    CU_ASSERT_TRUE_FATAL(entries > PREFIXES);
    for (; at < size; position++) {
        journal_entry entry;
        int is_ack;

        if (position >= wanted) {
            check_prefix(&state, acks, (int)(checked % VARIANTS));
            checked++;
            /* Anywhere, on average so far apart that they cover all. */
            wanted = position + 1 + random_below(2 * entries / PREFIXES - 1);
        }
        memcpy(&entry, bytes + at, sizeof(entry));
        is_ack = entry.what == JOURNAL_WRITE && m.fds[entry.fd] &&
                 !strcmp(m.nodes[m.fds[entry.fd] - 1].now.name, "acks");
        play(&entry, bytes + at + sizeof(entry));
        at += sizeof(entry) + entry.size;
        if (is_ack && ++acks > 1)
            model_advance(&state);
    }
    CU_ASSERT_EQUAL(acks, OPERATIONS + 1);
    for (int variant = 0; variant < VARIANTS; variant++, checked++)
        check_prefix(&state, acks, variant);
    printf("%llu operations on files, %llu prefixes ", (unsigned long long)entries,
           (unsigned long long)checked);
    CU_ASSERT_TRUE(checked >= 200);
    for (int i = 0; i < m.count; i++) {
        sync_node(i);
        free(m.nodes[i].data);
    }
    free(bytes);
    free(live);
    free(file);
}

static const unit_case cases[] = {
    UNIT_CASE(test_journal, "what was acknowledged survives a loss of power at any of 200 points"),
};

int main(int argc, char **argv)
{
    int failed;

    if (argc == 3)
        return child(argv[2]);
    plug_host = &sp_host;
    root = unit_temp_dir();
    failed = unit_run("flat store, power lost", cases, sizeof(cases) / sizeof(cases[0]));
    rig_remove(root);
    free(root);
    return failed;
}

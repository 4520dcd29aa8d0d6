/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LMDB 0.9 follows the numbers in its pages without looking whether they make sense. This
 * reads the same pages with plain reads and looks: are all within the file, of the right
 * kind, in order, and used once?
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_internal.h"

#define HEAD 16      /* of a page: number, pad, flags, lower, upper */
#define NODE_HEAD 8  /* size or child in two halves, flags, key size */
#define TREE_SIZE 48 /* what describes a tree */
#define TREE_ROOT 40
#define TREE_FLAGS 4

#define PAGE_BRANCH 1
#define PAGE_LEAF 2
#define PAGE_OVERFLOW 4
#define NODE_BIG 1
#define NODE_TREE 2
#define DEPTH_MAX 32
#define NO_PAGE UINT64_MAX
#define INTEGER_KEYS 8

typedef struct walk {
    const flat_env *env;
    const flat_wait *wait;
    simplugin_error **error;
    int fd;
    int deep;
    uint64_t page_size;
    uint64_t last;
    uint8_t *used; /* a bit a page */
} walk;

typedef struct node {
    uint16_t flags;
    uint16_t key_size;
    uint64_t size;       /* of the value, or the number of the child */
    const uint8_t *key;
    const uint8_t *value;
} node;

static uint16_t half(const uint8_t *at)
{
    uint16_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static uint64_t number(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static int32_t damaged(walk *w, uint64_t page, const char *what)
{
    return plug_error(w->error, SIMPLUGIN_CORRUPT, "collection \"%.*s\" is damaged: page %llu: %s",
                      (int)w->env->view.name.size, w->env->view.name.data,
                      (unsigned long long)page, what);
}

static int32_t use(walk *w, uint64_t page, uint64_t count)
{
    if (page < 2 || page > w->last || count > w->last - page + 1)
        return damaged(w, page, "it is not in the file");
    for (uint64_t i = page; i < page + count; i++) {
        if (w->used[i >> 3] >> (i & 7) & 1)
            return damaged(w, i, "it is used twice");
        w->used[i >> 3] |= (uint8_t)(1u << (i & 7));
    }
    return SIMPLUGIN_OK;
}

static int32_t read_at(walk *w, uint64_t page, void *out, size_t size)
{
    ssize_t count = pread(w->fd, out, size, (off_t)(page * w->page_size));

    if (count < 0)
        return plug_error_errno(w->error, errno, "read", w->env->folder);
    return count == (ssize_t)size ? SIMPLUGIN_OK : damaged(w, page, "it is not in the file");
}

/* The head of a value that has pages of its own. */
static int32_t check_overflow(walk *w, const node *item, uint8_t *head)
{
    uint64_t page = number(item->value);
    uint32_t count = 0;
    int32_t code = page < 2 || page > w->last ? damaged(w, page, "it is not in the file")
                                              : read_at(w, page, head, HEAD);

    if (code != SIMPLUGIN_OK)
        return code;
    memcpy(&count, head + 12, sizeof(count));
    if (number(head) != page || !(half(head + 10) & PAGE_OVERFLOW) || count == 0)
        return damaged(w, page, "it is not the value it should be");
    if (item->size + HEAD > count * w->page_size)
        return damaged(w, page, "the value does not fit");
    return use(w, page, count);
}

static const char *node_at(const walk *w, const uint8_t *page, unsigned index, int branch,
                           node *out)
{
    uint64_t at = half(page + HEAD + 2 * index);
    uint64_t low, high, inside;

    if (at < half(page + 14) || at + NODE_HEAD > w->page_size)
        return "a node is out of place";
    low = half(page + at);
    high = half(page + at + 2);
    out->flags = half(page + at + 4);
    out->key_size = half(page + at + 6);
    out->key = page + at + NODE_HEAD;
    out->value = out->key + out->key_size;
    out->size = low | high << 16;
    if (branch)
        out->size |= (uint64_t)out->flags << 32;
    inside = branch ? 0 : out->flags & NODE_BIG ? 8 : out->size;
    if (at + NODE_HEAD + out->key_size + inside > w->page_size)
        return "a node is too long";
    return NULL;
}

static int key_order(const node *a, const node *b, int integers)
{
    sp_text x = {(const char *)a->key, a->key_size}, y = {(const char *)b->key, b->key_size};

    if (integers)
        return a->key_size == 8 && b->key_size == 8 && number(a->key) < number(b->key) ? -1 : 1;
    return flat_text_compare(x, y);
}

static int32_t check_tree(walk *w, const uint8_t *tree, int descend);

/* The pages that a record of the free list names. */
static int32_t check_free(walk *w, const node *item)
{
    uint64_t count, page = number(item->value);
    uint8_t *list = NULL;
    int32_t code = SIMPLUGIN_OK;

    if (!(item->flags & NODE_BIG)) {
        list = malloc((size_t)item->size + 1);
        if (list)
            memcpy(list, item->value, (size_t)item->size);
    } else {
        list = malloc((size_t)item->size + HEAD);
        if (list)
            code = read_at(w, page, list, (size_t)item->size + HEAD);
        if (list && code == SIMPLUGIN_OK)
            memmove(list, list + HEAD, (size_t)item->size);
    }
    if (!list)
        return plug_error_no_memory(w->error);
    count = item->size >= 8 && code == SIMPLUGIN_OK ? number(list) : 0;
    if (code == SIMPLUGIN_OK && (item->size < 8 || count > item->size / 8 - 1))
        code = damaged(w, page, "the list of free pages is damaged");
    for (uint64_t i = 1; i <= count && code == SIMPLUGIN_OK; i++)
        code = use(w, number(list + 8 * i), 1);
    free(list);
    return code;
}

static int32_t check_leaf(walk *w, uint64_t at, const node *item, int descend, int is_free)
{
    uint8_t head[HEAD];
    int32_t code = SIMPLUGIN_OK;

    if (item->flags & NODE_BIG && w->deep)
        code = check_overflow(w, item, head);
    else if (item->flags & NODE_BIG && number(item->value) > w->last)
        code = damaged(w, number(item->value), "it is not in the file");
    if (code != SIMPLUGIN_OK)
        return code;
    if (is_free)
        return w->deep ? check_free(w, item) : SIMPLUGIN_OK;
    if (!(item->flags & NODE_TREE))
        return SIMPLUGIN_OK;
    if (!descend || item->flags & NODE_BIG || item->size != TREE_SIZE)
        return damaged(w, at, "a tree is not one");
    /* The tree of ids is the one large one: too much to read at every opening. */
    if (!w->deep && item->key_size == 3 && !memcmp(item->key, "ids", 3))
        return SIMPLUGIN_OK;
    return check_tree(w, item->value, 0);
}

static int32_t check_page(walk *w, uint64_t at, unsigned depth, int descend, unsigned tree_flags,
                          int is_free)
{
    int32_t code = depth > DEPTH_MAX ? damaged(w, at, "the tree is too deep") : use(w, at, 1);
    uint8_t *page = NULL;
    node before = {0}, item;
    unsigned count = 0, flags = 0, lower = 0, upper = 0;

    if (code != SIMPLUGIN_OK)
        return code;
    page = malloc((size_t)w->page_size);
    if (!page)
        return plug_error_no_memory(w->error);
    code = flat_wait_check(w->wait, w->error);
    if (code == SIMPLUGIN_OK)
        code = read_at(w, at, page, (size_t)w->page_size);
    if (code != SIMPLUGIN_OK)
        goto out;
    flags = half(page + 10);
    lower = half(page + 12);
    upper = half(page + 14);
    if (number(page) != at || (flags & ~0x10u) != (flags & (PAGE_BRANCH | PAGE_LEAF)) ||
        lower < HEAD || lower > upper || upper > w->page_size || lower % 2) {
        code = damaged(w, at, "it is not the page it should be");
        goto out;
    }
    count = (lower - HEAD) / 2;
    if ((flags & 3) != PAGE_BRANCH && (flags & 3) != PAGE_LEAF)
        code = damaged(w, at, "it is not the page it should be");
    else if (flags & PAGE_BRANCH ? count < 2 : count < 1)
        code = damaged(w, at, "it is empty");
    for (unsigned i = 0; i < count && code == SIMPLUGIN_OK; i++) {
        const char *what = node_at(w, page, i, flags & PAGE_BRANCH, &item);

        if (what) {
            code = damaged(w, at, what);
            continue;
        }
        /* The first key of a branch page says nothing. */
        if (i > (flags & PAGE_BRANCH ? 1u : 0u) &&
            key_order(&before, &item, (tree_flags & INTEGER_KEYS) != 0) >= 0)
            code = damaged(w, at, "its keys are out of order");
        else if (flags & PAGE_BRANCH)
            code = check_page(w, item.size, depth + 1, descend, tree_flags, is_free);
        else
            code = check_leaf(w, at, &item, descend, is_free);
        before = item;
    }
out:
    free(page);
    return code;
}

static int32_t check_tree(walk *w, const uint8_t *tree, int descend)
{
    uint64_t root = number(tree + TREE_ROOT);

    return root == NO_PAGE ? SIMPLUGIN_OK
                           : check_page(w, root, 0, descend, half(tree + TREE_FLAGS), 0);
}

int32_t flat_pages_check(const flat_env *env, int fd, uint64_t transaction, int deep,
                         const flat_wait *wait, simplugin_error **error)
{
    walk w = {.env = env, .wait = wait, .error = error, .fd = fd, .deep = deep};
    uint8_t head[152], other[152];
    const uint8_t *meta = head;
    uint32_t page_size = 0;
    int32_t code = SIMPLUGIN_OK;

    if (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head))
        return damaged(&w, 0, "it is not in the file");
    memcpy(&page_size, head + 40, sizeof(page_size));
    w.page_size = page_size;
    if (pread(fd, other, sizeof(other), (off_t)page_size) != (ssize_t)sizeof(other))
        return damaged(&w, 1, "it is not in the file");
    if (number(other + 144) == transaction)
        meta = other;
    else if (number(head + 144) != transaction)
        return SIMPLUGIN_BUSY;
    w.last = number(meta + 136);
    if (page_size < 512 || page_size > 65536 || w.last > UINT64_C(1) << 44)
        return damaged(&w, 0, "it is not a head");
    w.used = calloc((size_t)(w.last / 8 + 1), 1);
    if (!w.used)
        return plug_error_no_memory(error);
    code = check_tree(&w, meta + 88, 1);
    if (code == SIMPLUGIN_OK && number(meta + 80) != NO_PAGE)
        code = check_page(&w, number(meta + 80), 0, 0, INTEGER_KEYS, 1);
    free(w.used);
    return code;
}

int32_t flat_store_check_pages(flat_store *store, const flat_wait *wait, simplugin_error **error)
{
    flat_env *env = NULL;
    MDB_txn *txn = NULL;
    int32_t code = flat_env_hold(store, &env, error);
    int rc = 0, fd = -1;

    if (code != SIMPLUGIN_OK)
        return code;
    do {
        flat_gate_enter(env);
        rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
        if (!rc)
            rc = mdb_env_get_fd(env->mdb, &fd);
        code = rc ? SIMPLUGIN_OK : flat_pages_check(env, fd, mdb_txn_id(txn), 1, wait, error);
        if (txn)
            mdb_txn_abort(txn);
        txn = NULL;
        flat_gate_leave(env);
        if (rc == MDB_MAP_RESIZED)
            code = flat_env_grow(env, 0, wait, error);
        /* Two commits between the transaction's begin and the look at the heads. */
        if (code == SIMPLUGIN_BUSY)
            code = flat_wait_check(wait, error);
        else
            break;
    } while (code == SIMPLUGIN_OK);
    if (rc && rc != MDB_MAP_RESIZED)
        code = flat_mdb_error(env, rc, "read", error);
    flat_env_release(env);
    return code;
}

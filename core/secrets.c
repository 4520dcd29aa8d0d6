/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets.h"

#include <pthread.h>
#include <string.h>

#define MASK "****"
#define MASK_SIZE 4
/* A cut leaves out up to three bytes more, so as not to divide a character. */
#define FULL_LINE (SP_LINE_MAX - 4)

/* Few at a time, each with a handful of texts: as many as there are connections. */
static struct {
    pthread_mutex_t mutex;
    sp_secrets *first;
} registry = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void registry_lock(void) { pthread_mutex_lock(&registry.mutex); }
static void registry_unlock(void) { pthread_mutex_unlock(&registry.mutex); }
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static void fork_prepare(void)
{
    pthread_atfork(registry_lock, registry_unlock, registry_unlock);
}

/* A line and which of its bytes are to go. */
typedef struct masking {
    char *line;
    size_t size;
    uint8_t hidden[SP_LINE_MAX];
} masking;

static void masking_init(masking *m, char *line)
{
    m->line = line;
    m->size = strnlen(line, SP_LINE_MAX);
    memset(m->hidden, 0, m->size);
}

/* How much of the secret stands at that place; lines have blanks for control characters. */
static size_t match(const masking *m, size_t at, const char *secret)
{
    size_t size = 0;

    while (secret[size] && at + size < m->size) {
        unsigned char c = (unsigned char)secret[size];

        if (m->line[at + size] != (c < 0x20 || c == 0x7f ? ' ' : secret[size]))
            break;
        size++;
    }
    return size;
}

static void mark(masking *m, const char *secret)
{
    if (strnlen(secret, MASK_SIZE) < MASK_SIZE)
        return;
    for (size_t at = 0; at + MASK_SIZE <= m->size; at++) {
        size_t size = match(m, at, secret);
        int cut_off = m->size >= FULL_LINE && at + size == m->size;

        if (!secret[size] || (cut_off && size >= MASK_SIZE))
            memset(m->hidden + at, 1, size);
    }
}

/* What is hidden is never shorter than what stands for it. */
static void masking_finish(masking *m)
{
    size_t to = 0, at = 0;

    while (at < m->size) {
        if (!m->hidden[at]) {
            m->line[to++] = m->line[at++];
            continue;
        }
        while (at < m->size && m->hidden[at])
            at++;
        memcpy(m->line + to, MASK, MASK_SIZE);
        to += MASK_SIZE;
    }
    if (to < m->size)
        m->line[to] = '\0';
}

void sp_secrets_hide(char *line, const char *const *texts, size_t count)
{
    masking m;

    masking_init(&m, line);
    for (size_t i = 0; i < count; i++)
        mark(&m, texts[i]);
    masking_finish(&m);
}

void sp_secrets_add(sp_secrets *secrets, const char *const *texts, size_t count)
{
    pthread_once(&fork_once, fork_prepare);
    secrets->texts = texts;
    secrets->count = count;
    registry_lock();
    secrets->next = registry.first;
    secrets->link = &registry.first;
    if (secrets->next)
        secrets->next->link = &secrets->next;
    registry.first = secrets;
    registry_unlock();
}

void sp_secrets_remove(sp_secrets *secrets)
{
    registry_lock();
    if (secrets->link)
        *secrets->link = secrets->next;
    if (secrets->next)
        secrets->next->link = secrets->link;
    secrets->next = NULL;
    secrets->link = NULL;
    registry_unlock();
}

void sp_secrets_hide_all(char *line)
{
    masking m;

    pthread_once(&fork_once, fork_prepare);
    masking_init(&m, line);
    registry_lock();
    for (const sp_secrets *s = registry.first; s; s = s->next)
        for (size_t i = 0; i < s->count; i++)
            mark(&m, s->texts[i]);
    registry_unlock();
    masking_finish(&m);
}

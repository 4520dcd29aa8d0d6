/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must not be read in a message, and the secrets of all connections of the process:
 * a backend may log from any thread, also from one that no call is in.
 */
#ifndef SP_SECRETS_H
#define SP_SECRETS_H

#include <stddef.h>
#include <stdint.h>

/* Messages are lines of at most so many bytes, cut before they are masked. */
#define SP_LINE_MAX 4096

/*
 * Replaces what is one of the texts by "****", in a line of at most SP_LINE_MAX bytes: all
 * that any of them covers, where they overlap too, and the beginning of one that the end
 * of a full line cuts off. Texts of less than 4 bytes are left: they are parts of words.
 */
void sp_secrets_hide(char *line, const char *const *texts, size_t count);

/* Some texts that every logged message is searched for; the caller's storage, zeroed before. */
typedef struct sp_secrets {
    struct sp_secrets *next;
    struct sp_secrets **link; /* what points here; NULL: not added */
    const char *const *texts;
    size_t count;
} sp_secrets;

/* texts are borrowed until sp_secrets_remove, which may be called without an add. */
void sp_secrets_add(sp_secrets *secrets, const char *const *texts, size_t count);
void sp_secrets_remove(sp_secrets *secrets);
/* sp_secrets_hide with all that were added. */
void sp_secrets_hide_all(char *line);

#endif

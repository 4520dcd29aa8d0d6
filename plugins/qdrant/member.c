/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "member.h"

#include <stdio.h>
#include <string.h>

#define PREFIX_SIZE (sizeof QDRANT_MEMBER - 1)

static int has_prefix(sp_text text)
{
    return text.size >= PREFIX_SIZE && memcmp(text.data, QDRANT_MEMBER, PREFIX_SIZE) == 0;
}

static int is_stored_as_is(sp_text name)
{
    return !has_prefix(name) && !memchr(name.data, '"', name.size) &&
           !memchr(name.data, '\\', name.size);
}

void qdrant_member_put(sp_buffer *out, sp_text name)
{
    if (is_stored_as_is(name)) {
        if (name.size)
            sp_buffer_append(out, name.data, name.size);
        return;
    }
    sp_buffer_append_text(out, QDRANT_MEMBER);
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];

        if (c == '"' || c == '\\' || c == '%')
            sp_buffer_printf(out, "%%%02X", (unsigned)c);
        else
            sp_buffer_append(out, &c, 1);
    }
}

const char *qdrant_member_of(const char *name, sp_arena **arena)
{
    sp_text text = {name, strlen(name)};
    const char *member;
    sp_buffer out;

    if (is_stored_as_is(text))
        return name;
    sp_buffer_init(&out);
    qdrant_member_put(&out, text);
    member = out.failed ? NULL : sp_arena_text(arena, (const char *)out.data, out.size);
    sp_buffer_clear(&out);
    return member;
}

/* What stands for "%22" and the like; 0: nothing that is written here. */
static char coded(const char *at, size_t left)
{
    static const char chars[] = {'"', '\\', '%'};
    char code[4];

    for (size_t i = 0; left >= 3 && i < sizeof chars; i++) {
        snprintf(code, sizeof code, "%%%02X", (unsigned)chars[i]);
        if (memcmp(at, code, 3) == 0)
            return chars[i];
    }
    return 0;
}

int qdrant_member_name(sp_text member, sp_arena **arena, sp_text *name)
{
    char *text;
    size_t size = 0;

    *name = member;
    if (!has_prefix(member))
        return 1;
    text = sp_arena_text(arena, member.data + PREFIX_SIZE, member.size - PREFIX_SIZE);
    if (!text)
        return 0;
    for (size_t i = PREFIX_SIZE; i < member.size; i++) {
        char c = member.data[i];

        if (c == '%') {
            c = coded(member.data + i, member.size - i);
            if (!c)
                return 1;
            i += 2;
        }
        text[size++] = c;
    }
    if (!is_stored_as_is((sp_text){text, size}))
        *name = (sp_text){text, size};
    return 1;
}

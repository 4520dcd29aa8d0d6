/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "member.h"

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

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
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
        int is_coded = member.data[i] == '%' && i + 2 < member.size;
        int high = is_coded ? digit_of(member.data[i + 1]) : -1;
        int low = is_coded ? digit_of(member.data[i + 2]) : -1;

        if (high < 0 || low < 0) {
            text[size++] = member.data[i];
            continue;
        }
        text[size++] = (char)(high * 16 + low);
        i += 2;
    }
    *name = (sp_text){text, size};
    return 1;
}

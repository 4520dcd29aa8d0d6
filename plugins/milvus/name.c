/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "name.h"

#include <stdio.h>

#define NAME_MAX_BYTES 255

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Bytes of the UTF-8 character at the beginning of the text, which is UTF-8. */
static int character_size(const char *text)
{
    int size = 1;

    while ((text[size] & 0xc0) == 0x80)
        size++;
    return size;
}

int32_t milvus_name_check(plug_call *call, const char *key, const char *given, const char *what,
                          const char **name)
{
    char *copy;

    if (!*given)
        return plug_fail_argument(call, key, "%s is empty", key);
    if (strlen(given) > NAME_MAX_BYTES)
        return plug_fail_argument(call, key, "%s: the name of %s has at most %d bytes", key, what,
                                  NAME_MAX_BYTES);
    copy = sp_arena_text(&call->scratch, given, strlen(given));
    if (!copy)
        return plug_no_memory(call);
    for (char *at = copy; *at; at++)
        if (*at == '-')
            *at = '_';
    if (is_digit(*copy))
        return plug_fail_argument(call, key,
                                  "%s: \"%s\": Milvus wants the name of %s to begin with a letter "
                                  "or an underscore",
                                  key, given, what);
    for (const char *at = copy; *at; at++)
        if (!is_letter(*at) && !is_digit(*at))
            return plug_fail_argument(call, key,
                                      "%s: \"%s\": Milvus takes no \"%.*s\" in the name of %s: use "
                                      "letters, digits and underscores",
                                      key, given, character_size(at), at, what);
    *name = copy;
    return SIMPLUGIN_OK;
}

int32_t milvus_name_read(milvus_call *call)
{
    const char *given;
    int32_t code = plug_arg_string(&call->base, "collection", &given);

    if (!code && !given)
        code = plug_fail_argument(&call->base, "collection", "collection is a text, and needed");
    if (!code)
        code = milvus_name_check(&call->base, "collection", given, "a collection",
                                 &call->collection);
    if (!code) {
        call->base.name.data = call->collection;
        call->base.name.size = strlen(call->collection);
    }
    return code;
}

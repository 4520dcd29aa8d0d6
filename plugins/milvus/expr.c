/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "expr.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "instance.h"

#define SMALLEST "-9223372036854775808"

/* ---- literals --------------------------------------------------------------------------- */

/*
 * What every server reads the same way: backslash and quote with a backslash before them,
 * line ends and tabs by their letters, and everything else as it is.
 */
void milvus_expr_text(sp_buffer *out, sp_text text)
{
    size_t begin = 0;

    sp_buffer_append(out, "\"", 1);
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        char escaped[2] = {'\\', c};

        if (c == '\n')
            escaped[1] = 'n';
        else if (c == '\r')
            escaped[1] = 'r';
        else if (c == '\t')
            escaped[1] = 't'; /* in the name of a field Milvus 2.3 finds no other */
        else if (c != '"' && c != '\\')
            continue;
        sp_buffer_append(out, text.data + begin, i - begin);
        sp_buffer_append(out, escaped, 2);
        begin = i + 1;
    }
    if (text.size > begin)
        sp_buffer_append(out, text.data + begin, text.size - begin);
    sp_buffer_append(out, "\"", 1);
}

/* Digits with a minus perhaps, as they are printed: no other text is the same key. */
static int number_read(sp_text id, int64_t *key)
{
    char digits[24];
    char *end;

    /* strtoll would take blanks and a plus before them */
    if (!id.size || id.size >= sizeof digits ||
        (id.data[0] != '-' && (id.data[0] < '0' || id.data[0] > '9')))
        return 0;
    memcpy(digits, id.data, id.size);
    digits[id.size] = 0;
    errno = 0;
    *key = strtoll(digits, &end, 10);
    if (errno || end != digits + id.size)
        return 0;
    return (digits[0] != '0' || id.size == 1) &&
           (digits[0] != '-' || (digits[1] >= '1' && digits[1] <= '9'));
}

int32_t milvus_key_number(plug_call *call, sp_text id, int64_t *key)
{
    if (number_read(id, key))
        return SIMPLUGIN_OK;
    return plug_fail_argument(call, "ids",
                              "ids: \"%.*s\" is no key of this collection, whose keys are 64-bit "
                              "integers",
                              (int)(id.size < 255 ? id.size : 255), id.data);
}

int milvus_key_fits(const milvus_schema *schema, sp_text id)
{
    int64_t key;

    return schema->key->type != MILVUS_INT64 || number_read(id, &key);
}

void milvus_expr_key(const milvus_call *call, sp_buffer *out, sp_text id)
{
    int is_number = call->schema->key->type == MILVUS_INT64;

    /* Milvus reads a minus apart from its digits, where there is one integer too many; it
       computes in lists, and Milvus Lite does not */
    if (is_number && !call->instance->is_lite && id.size == sizeof SMALLEST - 1 &&
        memcmp(id.data, SMALLEST, id.size) == 0)
        sp_buffer_printf(out, "%" PRId64 " - 1", INT64_MIN + 1);
    else if (is_number)
        sp_buffer_append(out, id.data, id.size);
    else
        milvus_expr_text(out, id);
}

int32_t milvus_expr_and(milvus_call *call, const char *a, const char *b, const char **expr)
{
    sp_buffer out;
    int32_t code = SIMPLUGIN_OK;

    *expr = *a ? a : b;
    if (!*a || !*b)
        return SIMPLUGIN_OK;
    sp_buffer_init(&out);
    sp_buffer_append(&out, "(", 1);
    sp_buffer_append_text(&out, a);
    sp_buffer_append_text(&out, ") and (");
    sp_buffer_append_text(&out, b);
    sp_buffer_append(&out, ")", 1);
    *expr = out.failed ? NULL
                       : sp_arena_text(&call->base.scratch, (const char *)out.data, out.size);
    if (!*expr)
        code = plug_no_memory(&call->base);
    sp_buffer_clear(&out);
    return code;
}

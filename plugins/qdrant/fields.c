/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "fields.h"

#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "condition.h"
#include "ids.h"
#include "instance.h"
#include "json_write.h"
#include "member.h"
#include "plug_fields_json.h"

#define ROWS_PER_CHECK 1024
#define SAMPLE_POINTS 64 /* that types are learned from */

void qdrant_payload_put(const qdrant_call *call, sp_buffer *out, const plug_names *names,
                        int vectors)
{
    int needs_norm = vectors && qdrant_is_normalised(call->schema);
    int is_first = 1;

    sp_buffer_append_text(out, "\"with_payload\":");
    if (names->all) {
        sp_buffer_append_text(out, "true");
        return;
    }
    sp_buffer_append(out, "[", 1);
    if (call->schema->is_mapped) {
        plug_json_comma(out, &is_first);
        plug_json_string(out, QDRANT_ID);
    }
    if (needs_norm) {
        plug_json_comma(out, &is_first);
        plug_json_string(out, QDRANT_NORM);
    }
    for (uint64_t i = 0; i < names->count; i++) {
        plug_json_comma(out, &is_first);
        qdrant_path_put(out, (sp_text){names->names[i], strlen(names->names[i])}, "");
    }
    sp_buffer_append(out, "]", 1);
}

/* ---- columns ------------------------------------------------------------------------------ */

static int is_shown(const void *context, const char *name)
{
    const qdrant_call *call = context;
    sp_text text = {name, strlen(name)};

    return qdrant_field_is_shown(call->schema, text);
}

/* The rules' context is the call: the name of a member's field, in its memory. */
static int member_name(const void *context, sp_text key, sp_text *name)
{
    qdrant_call *call = (qdrant_call *)(uintptr_t)context;

    return qdrant_member_name(key, &call->base.scratch, name);
}

static uint32_t declared(const void *context, const char *name)
{
    const qdrant_call *call = context;
    sp_text text = {name, strlen(name)};

    return qdrant_declared_type(call->schema, text);
}

static uint32_t declared_whole(const void *context, const char *name)
{
    const qdrant_call *call = context;
    const qdrant_declared *found =
        qdrant_declared_find(call->schema, (sp_text){name, strlen(name)});

    return found && !found->is_index ? found->type : 0;
}

static uint32_t items(const void *context, const char *name)
{
    const qdrant_call *call = context;
    const qdrant_declared *found =
        qdrant_declared_find(call->schema, (sp_text){name, strlen(name)});

    return found && found->is_index ? found->type : 0;
}

static int32_t rows_note(qdrant_call *call, plug_fields *fields, const qdrant_row *rows,
                         uint64_t count)
{
    int32_t code = SIMPLUGIN_OK;

    for (uint64_t i = 0; !code && i < count; i++) {
        const qdrant_page *page = rows[i].page;
        int is_object;

        code = i % ROWS_PER_CHECK ? SIMPLUGIN_OK : plug_check(&call->base);
        if (!code && page && page->points[rows[i].row].payload.size > 2)
            code = plug_fields_note_json(fields, page->points[rows[i].row].payload,
                                         member_name, &is_object);
    }
    return code;
}

int32_t qdrant_fields_write(qdrant_call *call, const qdrant_row *rows, uint64_t count,
                            const plug_names *names)
{
    const plug_fields_rules rules = {
        .context = call, .names = names, .is_shown = is_shown, .declared = declared};
    plug_fields fields;
    plug_columns columns;
    int32_t code;

    plug_fields_init(&fields, &call->base, &rules);
    code = rows_note(call, &fields, rows, count);
    if (!code)
        plug_fields_settle(&fields);
    for (uint64_t i = 0; !code && i < count; i++) {
        const qdrant_page *page = rows[i].page;

        if (page && page->points[rows[i].row].payload.size > 2)
            code = plug_fields_put_json(&fields, i, page->points[rows[i].row].payload,
                                        member_name);
    }
    if (!code)
        code = plug_fields_finish(&fields, count, &columns);
    if (!code)
        plug_columns_write(&call->base, &columns);
    plug_fields_clear(&fields);
    return code;
}

/* ---- what points of the collection have ------------------------------------------------ */

/* Looks at some points: the types of what they hold. */
static int32_t sample(void *context, plug_seen *seen)
{
    static const plug_names all = {.all = 1};
    qdrant_call *call = context;
    const plug_fields_rules rules = {.context = call, .names = &all, .is_shown = is_shown};
    qdrant_page page = {0};
    plug_fields fields;
    sp_buffer body;
    int32_t code;

    plug_fields_init(&fields, &call->base, &rules);
    sp_buffer_init(&body);
    sp_buffer_printf(&body, "{\"limit\":%d,\"with_payload\":true,\"with_vector\":false}",
                     SAMPLE_POINTS);
    code = qdrant_send(call, "POST", qdrant_read_path(call, "/points/scroll", NULL), &body, 1,
                       &page.http);
    if (!code)
        code = qdrant_page_read(call, QDRANT_SHAPE_SCROLL, 0, &page);
    for (uint64_t i = 0; !code && i < page.count; i++) {
        qdrant_row row = {&page, i};

        code = rows_note(call, &fields, &row, 1);
    }
    if (!code)
        code = plug_fields_seen(&fields, seen);
    plug_fields_clear(&fields);
    qdrant_page_clear(&page);
    return code;
}

plug_known_of qdrant_known(qdrant_call *call)
{
    plug_known_of of = {.call = &call->base,
                        .instance = &call->instance->base,
                        .known = &call->instance->known,
                        .collection = call->collection,
                        .context = call,
                        .sample = sample,
                        .declared = declared_whole,
                        .items = items};

    return of;
}

/* ---- vectors --------------------------------------------------------------------------------- */

int32_t qdrant_vectors_write(qdrant_call *call, const qdrant_row *rows, uint64_t count)
{
    uint64_t dimension = call->schema->dimension;
    float *data = plug_reply_array(&call->base, count + 1, dimension * sizeof *data);
    simplugin_tensor tensor;

    if (!data)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < count; i++) {
        const qdrant_page *page = rows[i].page;

        if (!page || !page->points[rows[i].row].has_vector)
            return plug_fail(&call->base, SIMPLUGIN_PROTOCOL,
                             "the server sent points without vectors");
        memcpy(data + i * dimension, page->vectors + rows[i].row * dimension,
               (size_t)dimension * sizeof *data);
    }
    tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT32, data, count, dimension);
    simplugin_write_string(&call->base.out, "vectors");
    simplugin_write_tensor(&call->base.out, &tensor);
    return SIMPLUGIN_OK;
}

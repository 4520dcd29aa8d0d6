/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "plug_parameter.h"

#include <stdlib.h>
#include <string.h>

#include "buffer.h"

static void default_write(simplugin_writer *out, const plug_parameter *p)
{
    if (p->standard && strcmp(p->type, "int") == 0)
        simplugin_write_int(out, strtoll(p->standard, NULL, 10));
    else if (p->standard && strcmp(p->type, "bool") == 0)
        simplugin_write_bool(out, strcmp(p->standard, "true") == 0);
    else
        simplugin_write_string(out, p->standard);
}

void plug_parameters_write(simplugin_writer *out, const plug_parameter *list, size_t count,
                           int is_connection)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t excludes = 0;

        while (excludes < PLUG_EXCLUDES_MAX && list[i].excludes[excludes])
            excludes++;
        simplugin_write_map(out, 8);
        simplugin_write_string(out, "name");
        simplugin_write_string(out, list[i].name);
        simplugin_write_string(out, "type");
        simplugin_write_string(out, list[i].type);
        simplugin_write_string(out, "default");
        default_write(out, &list[i]);
        simplugin_write_string(out, "secret");
        simplugin_write_bool(out, list[i].secret);
        simplugin_write_string(out, "connection");
        simplugin_write_bool(out, is_connection);
        plug_write_texts(out, "aliases", &list[i].alias, list[i].alias ? 1 : 0);
        plug_write_texts(out, "excludes", list[i].excludes, excludes);
        simplugin_write_string(out, "doc");
        simplugin_write_string(out, list[i].doc);
    }
}

const char *plug_parameter_names(plug_call *call, const plug_parameter *list, size_t count)
{
    sp_buffer names;
    const char *text = NULL;

    sp_buffer_init(&names);
    for (size_t i = 0; i < count; i++) {
        if (i)
            sp_buffer_append_text(&names, " ");
        sp_buffer_append_text(&names, list[i].name);
    }
    if (!names.failed)
        text = sp_arena_text(&call->scratch, (const char *)names.data, names.size);
    sp_buffer_clear(&names);
    return text;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the JSON reader share. */
#ifndef PLUG_JSON_INTERNAL_H
#define PLUG_JSON_INTERNAL_H

#include "json_read.h"

static inline void plug_json_space(plug_json *json)
{
    while (json->at < json->end && (*json->at == ' ' || *json->at == '\n' || *json->at == '\r' ||
                                    *json->at == '\t'))
        json->at++;
}

/* At the first byte of a number, of a text. */
int plug_json_skip_number(plug_json *json);
int plug_json_skip_text(plug_json *json);

#endif

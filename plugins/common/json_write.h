/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text at the end of a buffer, in no locale but that of JSON. A buffer's failure
 * sticks: append at will, look at out->failed once at the end.
 *
 * Texts are UTF-8, as the core has checked those of a request. Numbers are the shortest
 * text that reads back as the same number, and one that was no integer never looks like
 * one. JSON has no text for numbers that are not finite: they become null.
 */
#ifndef PLUG_JSON_WRITE_H
#define PLUG_JSON_WRITE_H

#include "buffer.h"
#include "column.h"

void plug_json_text(sp_buffer *out, const char *text, size_t size);
/* The same for a zero-terminated one. */
void plug_json_string(sp_buffer *out, const char *text);
void plug_json_int64(sp_buffer *out, int64_t value);
void plug_json_uint64(sp_buffer *out, uint64_t value);
void plug_json_double(sp_buffer *out, double value);
void plug_json_bool(sp_buffer *out, int value);
void plug_json_null(sp_buffer *out);
/* "[0.1,-2.5e-8,...]", each number the shortest that is this float32 again. */
void plug_json_floats(sp_buffer *out, const float *numbers, uint64_t count);

/*
 * Inside an object or array that the caller opens and closes: what stands between its
 * parts. *is_first is 1 in front of the first.
 */
void plug_json_comma(sp_buffer *out, int *is_first);
/* "name": with the comma in front; a value is to follow. */
void plug_json_key(sp_buffer *out, int *is_first, const char *name);
/* "name": the value in a column's row, null where it has none. */
void plug_json_cell(sp_buffer *out, int *is_first, const char *name, const sp_column *column,
                    uint64_t row);

#endif

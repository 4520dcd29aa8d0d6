/* SPDX-License-Identifier: Apache-2.0 */
/* Tables: cells are collected, then printed in columns as wide as their widest. */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

#define GAP "  "
#define MAX_COLUMNS 64

static void take(cli_cells *cells, char *text)
{
    if (!text)
        cells->failed = 1;
    if (!cells->failed && cells->count == cells->capacity) {
        size_t capacity = cells->capacity ? cells->capacity * 2 : 64;
        char **grown = realloc(cells->cells, capacity * sizeof(*grown));

        if (grown) {
            cells->cells = grown;
            cells->capacity = capacity;
        } else {
            cells->failed = 1;
        }
    }
    if (cells->failed)
        free(text);
    else
        cells->cells[cells->count++] = text;
}

typedef struct text_slice {
    const char *text;
    uint64_t size;
} text_slice;

static void print_slice(FILE *out, const void *context)
{
    const text_slice *text = context;

    cli_print_text(out, text->text, text->size);
}

void cli_cells_add_printed(cli_cells *cells, void (*print)(FILE *out, const void *context),
                           const void *context)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out) {
        cells->failed = 1;
        return;
    }
    print(out, context);
    if (fclose(out) != 0) {
        free(text);
        text = NULL;
    }
    take(cells, text);
}

void cli_cells_add(cli_cells *cells, const char *text, uint64_t size)
{
    text_slice slice = {text, size};

    cli_cells_add_printed(cells, print_slice, &slice);
}

void cli_cells_addf(cli_cells *cells, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    int size;

    va_start(args, format);
    size = vasprintf(&text, format, args);
    va_end(args);
    if (size < 0) {
        cells->failed = 1;
        return;
    }
    cli_cells_add(cells, text, (size_t)size);
    free(text);
}

void cli_cells_init(cli_cells *cells, const char *titles, uint64_t numbers)
{
    memset(cells, 0, sizeof(*cells));
    cells->numbers = numbers;
    while (*titles) {
        size_t size = strcspn(titles, " ");

        cli_cells_title(cells, titles, size);
        titles += size;
        titles += strspn(titles, " ");
    }
}

void cli_cells_title(cli_cells *cells, const char *title, uint64_t size)
{
    cli_cells_add(cells, title, size);
    cells->columns++;
}

/* Characters, as most terminals show them: one column each. */
static size_t width(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

int32_t cli_cells_print(cli_cells *cells, FILE *out)
{
    size_t widths[MAX_COLUMNS] = {0};
    int32_t code = cells->failed ? SIMPLUGIN_OUT_OF_MEMORY : SIMPLUGIN_OK;

    for (size_t i = 0; i < cells->count; i++) {
        size_t column = i % cells->columns, size = width(cells->cells[i]);

        if (column < MAX_COLUMNS && widths[column] < size)
            widths[column] = size;
    }
    for (size_t i = 0; i < cells->count; i++) {
        size_t column = i % cells->columns;
        size_t blanks = column < MAX_COLUMNS ? widths[column] - width(cells->cells[i]) : 0;
        int is_number = column < MAX_COLUMNS && (cells->numbers >> column & 1);
        int is_last = column + 1 == cells->columns;

        fprintf(out, "%*s%s%*s%s", is_number ? (int)blanks : 0, "", cells->cells[i],
                is_number || is_last ? 0 : (int)blanks, "", is_last ? "\n" : GAP);
    }
    cli_cells_clear(cells);
    return code;
}

void cli_cells_clear(cli_cells *cells)
{
    for (size_t i = 0; i < cells->count; i++)
        free(cells->cells[i]);
    free(cells->cells);
    cells->cells = NULL;
    cells->count = 0;
    cells->capacity = 0;
}

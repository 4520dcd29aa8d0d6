/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "contract.h"

#include <stdio.h>
#include <string.h>

/* "| a | `b` c |" to ["a", "b c"]. */
static json_t *row_cells(char *line)
{
    json_t *cells = json_array();
    char *end;

    line++;
    while ((end = strchr(line, '|'))) {
        char text[1024];
        size_t size = 0;
        *end = 0;
        for (const char *p = line; *p && size < sizeof text - 1; p++)
            if (*p != '`' && !(size == 0 && *p == ' '))
                text[size++] = *p;
        while (size && text[size - 1] == ' ')
            size--;
        json_array_append_new(cells, json_stringn(text, size));
        line = end + 1;
    }
    return cells;
}

json_t *doc_table_load(const char *path, const char *name)
{
    FILE *file = fopen(path, "r");
    json_t *rows = json_array();
    char marker[128], line[4096];
    int inside = 0, lines = 0;

    if (!file) {
        json_decref(rows);
        return NULL;
    }
    snprintf(marker, sizeof marker, "<!-- table: %s -->\n", name);
    while (fgets(line, sizeof line, file)) {
        if (!strcmp(line, marker))
            inside = 1;
        else if (inside && line[0] != '|')
            break;
        else if (inside && ++lines > 2) /* behind the head and its rule */
            json_array_append_new(rows, row_cells(line));
    }
    fclose(file);
    return rows;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "copy_journal.h"

#include <stdlib.h>
#include <string.h>

#include "runs_db.h"

#define DOMAIN "copy"

/*
 * A table of its own in the file, made when it is first needed: programs that know nothing
 * of copies read and write the records beside it as ever. Numbers are never used again, as
 * the lock goes by them.
 */
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS copies ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " target TEXT NOT NULL UNIQUE,"
    " source TEXT NOT NULL,"
    " collection TEXT NOT NULL,"
    " phase INTEGER NOT NULL,"
    " merge INTEGER NOT NULL,"
    " cursor BLOB,"
    " copied INTEGER NOT NULL,"
    " total INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL,"
    " updated TEXT NOT NULL,"
    " types TEXT"
    ")";
/* What tables of before have not. */
static const char more[] = "ALTER TABLE copies ADD COLUMN types TEXT";

void sp_copy_row_clear(sp_copy_row *row)
{
    free(row->collection);
    free(row->cursor);
    free(row->types);
    memset(row, 0, sizeof *row);
}

typedef struct work {
    const sp_copy_key *key;
    sp_copy_row *row;
    int64_t id;
    int is_taken;
} work;

static int32_t failed(sp_runs_db *db, int result, simplugin_error **error)
{
    return sp_runs_db_fail(db, result, "use", error);
}

static int has_types(sp_runs_db *db)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(db->sqlite, "SELECT types FROM copies", -1, &statement, NULL);

    sqlite3_finalize(statement);
    return result != SQLITE_ERROR;
}

static int32_t table_make(sp_runs_db *db, simplugin_error **error)
{
    int result = sqlite3_exec(db->sqlite, schema, NULL, NULL, NULL);

    if (result == SQLITE_OK && !has_types(db))
        result = sqlite3_exec(db->sqlite, more, NULL, NULL, NULL);
    return result == SQLITE_OK ? SIMPLUGIN_OK : sp_runs_db_fail(db, result, "write", error);
}

/* A store that nobody has copied with has no table. */
static int32_t table_find(sp_runs_db *db, int *found, simplugin_error **error)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(
        db->sqlite, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'copies'", -1,
        &statement, NULL);

    if (result == SQLITE_OK)
        result = sqlite3_step(statement);
    *found = result == SQLITE_ROW;
    sqlite3_finalize(statement);
    return result == SQLITE_ROW || result == SQLITE_DONE ? SIMPLUGIN_OK : failed(db, result, error);
}

static int bind_string(sqlite3_stmt *statement, int index, const char *text)
{
    return sqlite3_bind_text64(statement, index, text, strlen(text), SQLITE_STATIC, SQLITE_UTF8);
}

static int bind_row(sqlite3_stmt *statement, const sp_copy_row *row)
{
    int result = bind_string(statement, 1, row->collection);

    if (result == SQLITE_OK)
        result = sqlite3_bind_int64(statement, 2, row->phase);
    if (result == SQLITE_OK)
        result = sqlite3_bind_int64(statement, 3, row->merge);
    if (result == SQLITE_OK && row->cursor)
        result = sqlite3_bind_blob64(statement, 4, row->cursor, row->cursor_size, SQLITE_STATIC);
    if (result == SQLITE_OK)
        result = sqlite3_bind_int64(statement, 5, row->copied);
    if (result == SQLITE_OK)
        result = sqlite3_bind_int64(statement, 6, row->total);
    if (result == SQLITE_OK)
        result = sqlite3_bind_int64(statement, 7, row->bytes);
    if (result == SQLITE_OK && row->types)
        result = bind_string(statement, 8, row->types);
    return result;
}

/* One step of a statement that changes; *changes is how many rows it did. */
static int32_t change(sp_runs_db *db, sqlite3_stmt *statement, int result, int *changes,
                      simplugin_error **error)
{
    if (result == SQLITE_OK) {
        result = sqlite3_step(statement);
        if (result == SQLITE_DONE)
            result = SQLITE_OK;
    }
    *changes = sqlite3_changes(db->sqlite);
    sqlite3_finalize(statement);
    return result == SQLITE_OK ? SIMPLUGIN_OK : failed(db, result, error);
}

/* ---- find ------------------------------------------------------------------------------- */

static int32_t row_read(sqlite3_stmt *statement, const sp_copy_key *key, sp_copy_row *row,
                        simplugin_error **error)
{
    const char *source = (const char *)sqlite3_column_text(statement, 1);
    const char *collection = (const char *)sqlite3_column_text(statement, 2);
    const void *cursor = sqlite3_column_blob(statement, 5);
    int size = sqlite3_column_bytes(statement, 5);
    const char *types = (const char *)sqlite3_column_text(statement, 9);

    /* both are NOT NULL */
    if (!source || !collection)
        return sp_error_no_memory(error);
    row->id = sqlite3_column_int64(statement, 0);
    row->is_of_source = strcmp(source, key->source) == 0;
    row->collection = strdup(collection);
    row->phase = sqlite3_column_int64(statement, 3);
    row->merge = sqlite3_column_int64(statement, 4) != 0;
    row->copied = sqlite3_column_int64(statement, 6);
    row->total = sqlite3_column_int64(statement, 7);
    row->bytes = sqlite3_column_int64(statement, 8);
    row->types = types ? strdup(types) : NULL;
    if (cursor && size > 0) {
        row->cursor_size = (uint64_t)size;
        row->cursor = malloc((size_t)size);
        if (row->cursor)
            memcpy(row->cursor, cursor, (size_t)size);
    }
    if (!row->collection || (cursor && size > 0 && !row->cursor) || (types && !row->types))
        return sp_error_no_memory(error);
    /* one that makes no sense is nobody's: it can be overwritten */
    if (row->phase < SP_COPY_BEGUN || row->phase > SP_COPY_VERIFYING || row->copied < 0 ||
        row->total < 0 || row->bytes < 0)
        row->is_of_source = 0;
    return SIMPLUGIN_OK;
}

#define COLUMNS "SELECT id, source, collection, phase, merge, cursor, copied, total, bytes, "

static const char find_now[] = COLUMNS "types FROM copies WHERE target = ?1";
static const char find_before[] = COLUMNS "NULL FROM copies WHERE target = ?1";

static int32_t find_step(sp_runs_db *db, void *context, simplugin_error **error)
{
    work *w = context;
    sqlite3_stmt *statement = NULL;
    int found = 0, result;
    int32_t code = table_find(db, &found, error);

    sp_copy_row_clear(w->row);
    if (code || !found)
        return code;
    result = sqlite3_prepare_v2(db->sqlite, has_types(db) ? find_now : find_before, -1, &statement,
                                NULL);
    if (result == SQLITE_OK)
        result = bind_string(statement, 1, w->key->target);
    if (result == SQLITE_OK)
        result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        code = row_read(statement, w->key, w->row, error);
    else if (result != SQLITE_DONE)
        code = failed(db, result, error);
    sqlite3_finalize(statement);
    return code;
}

int32_t sp_copy_journal_find(sp_runs *runs, const sp_copy_key *key, const sp_runs_wait *wait,
                             sp_copy_row *row, simplugin_error **error)
{
    work w = {.key = key, .row = row};
    int32_t code = sp_runs_db_read(sp_runs_directory(runs), wait, find_step, &w, error);

    if (code)
        sp_copy_row_clear(row);
    return code;
}

/* ---- begin, keep, end ------------------------------------------------------------------- */

static int32_t row_delete(sp_runs_db *db, int64_t id, simplugin_error **error)
{
    sqlite3_stmt *statement = NULL;
    int changes;
    int result = sqlite3_prepare_v2(db->sqlite, "DELETE FROM copies WHERE id = ?1", -1, &statement,
                                    NULL);

    if (result == SQLITE_OK)
        result = sqlite3_bind_int64(statement, 1, id);
    return change(db, statement, result, &changes, error);
}

static int32_t begin_step(sp_runs_db *db, void *context, simplugin_error **error)
{
    work *w = context;
    sqlite3_stmt *statement = NULL;
    int changes, result;
    int32_t code = table_make(db, error);

    if (!code && w->id)
        code = row_delete(db, w->id, error);
    if (code)
        return code;
    result = sqlite3_prepare_v2(db->sqlite,
                                "INSERT OR IGNORE INTO copies (collection, phase, merge, cursor,"
                                " copied, total, bytes, types, target, source, updated) VALUES"
                                " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, datetime('now'))",
                                -1, &statement, NULL);
    if (result == SQLITE_OK)
        result = bind_row(statement, w->row);
    if (result == SQLITE_OK)
        result = bind_string(statement, 9, w->key->target);
    if (result == SQLITE_OK)
        result = bind_string(statement, 10, w->key->source);
    code = change(db, statement, result, &changes, error);
    w->row->id = sqlite3_last_insert_rowid(db->sqlite);
    /* not BUSY from here: that would be tried again */
    w->is_taken = !code && !changes;
    return code;
}

int32_t sp_copy_journal_begin(sp_runs *runs, const sp_copy_key *key, int64_t old,
                              const sp_runs_wait *wait, sp_copy_row *row, simplugin_error **error)
{
    work w = {.key = key, .row = row, .id = old};
    int32_t code;

    row->phase = SP_COPY_BEGUN;
    row->is_of_source = 1;
    code = sp_runs_db_write(sp_runs_directory(runs), wait, begin_step, &w, error);
    if (!code && w.is_taken)
        code = sp_error_set(error, SIMPLUGIN_BUSY, DOMAIN,
                            "another thread or process has just begun to copy into the same "
                            "target: wait for it, or stop it");
    if (code)
        row->id = 0;
    return code;
}

static int32_t keep_step(sp_runs_db *db, void *context, simplugin_error **error)
{
    work *w = context;
    sqlite3_stmt *statement = NULL;
    int changes = 0, result;
    int32_t code = table_make(db, error);

    if (code)
        return code;
    result = sqlite3_prepare_v2(db->sqlite,
                                "UPDATE copies SET collection = ?1, phase = ?2, merge = ?3,"
                                " cursor = ?4, copied = ?5, total = ?6, bytes = ?7,"
                                " types = ?8, updated = datetime('now') WHERE id = ?9",
                                -1, &statement, NULL);
    if (result == SQLITE_OK)
        result = bind_row(statement, w->row);
    if (result == SQLITE_OK)
        result = sqlite3_bind_int64(statement, 9, w->row->id);
    code = change(db, statement, result, &changes, error);
    if (!code && !changes)
        code = sp_error_set(error, SIMPLUGIN_NOT_FOUND, DOMAIN,
                            "what %s knew of this copy is gone: somebody began another one into "
                            "the same target",
                            db->path);
    return code;
}

int32_t sp_copy_journal_keep(sp_runs *runs, const sp_runs_wait *wait, const sp_copy_row *row,
                             simplugin_error **error)
{
    work w = {.row = (sp_copy_row *)(uintptr_t)row};

    return sp_runs_db_write(sp_runs_directory(runs), wait, keep_step, &w, error);
}

static int32_t end_step(sp_runs_db *db, void *context, simplugin_error **error)
{
    work *w = context;
    int32_t code = table_make(db, error);

    return code ? code : row_delete(db, w->id, error);
}

int32_t sp_copy_journal_end(sp_runs *runs, const sp_runs_wait *wait, int64_t id,
                            simplugin_error **error)
{
    work w = {.id = id};

    return sp_runs_db_write(sp_runs_directory(runs), wait, end_step, &w, error);
}

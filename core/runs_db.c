/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "runs_db.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buffer.h"
#include "clock.h"

#define DOMAIN "runs"
#define FILE_NAME "runs.sqlite"
#define APPLICATION_ID 0x73705275 /* "spRu", so that another program's database is noticed */

static const char schema[] =
    "CREATE TABLE runs ("
    " dataset TEXT NOT NULL,"
    " key TEXT NOT NULL,"
    " config TEXT NOT NULL,"
    " created TEXT NOT NULL,"
    " updated TEXT NOT NULL,"
    " version TEXT NOT NULL,"
    " PRIMARY KEY (dataset, key)"
    ") WITHOUT ROWID;"
    "PRAGMA application_id = 1936740981;"
    "PRAGMA user_version = 1;";

_Static_assert(SP_RUNS_SCHEMA == 1, "the schema sets user_version itself");
_Static_assert(APPLICATION_ID == 1936740981, "the schema sets application_id itself");

/* Taken while a connection is open, and held back while the process forks: never both. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t freed;
    int is_taken;
} turn = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
static pthread_once_t turn_once = PTHREAD_ONCE_INIT;
static int turn_error;

static int init_freed(void)
{
    pthread_condattr_t attributes;
    int result = pthread_condattr_init(&attributes);

    if (result == 0) {
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        result = pthread_cond_init(&turn.freed, &attributes);
        pthread_condattr_destroy(&attributes);
    }
    return result;
}

static void before_fork(void)
{
    pthread_mutex_lock(&turn.lock);
    while (turn.is_taken)
        pthread_cond_wait(&turn.freed, &turn.lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&turn.lock);
}

static void after_fork_in_child(void)
{
    /* threads that waited for it are not here any more */
    init_freed();
    pthread_mutex_unlock(&turn.lock);
}

static void init_turn(void)
{
    turn_error = init_freed();
    if (turn_error == 0)
        turn_error = pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

/* ---- waiting ---- */

static int is_cancelled(const sp_runs_wait *wait)
{
    return wait && wait->cancelled && wait->cancelled(wait->cancel);
}

static int is_late(const sp_runs_wait *wait)
{
    return wait && wait->deadline != SP_NO_DEADLINE && sp_clock_now() >= wait->deadline;
}

/* The end of a slice of waiting: the token is looked at between two of them. */
static int64_t slice_end(const sp_runs_wait *wait, int64_t nanoseconds)
{
    int64_t end = sp_clock_now() + nanoseconds;

    return wait && wait->deadline < end ? wait->deadline : end;
}

static int32_t stopped(const sp_runs_wait *wait, const char *path, simplugin_error **error)
{
    if (is_cancelled(wait))
        return sp_error_set(error, SIMPLUGIN_CANCELLED, DOMAIN,
                            "the call was cancelled; the run records in %s are as they were", path);
    return sp_error_set(error, SIMPLUGIN_DEADLINE_EXCEEDED, DOMAIN,
                        "the timeout ran out; the run records in %s are as they were", path);
}

/* Waits for the turn to open a connection; BUSY, with no error set, once wait is over. */
static int32_t take_turn(const sp_runs_wait *wait, const char *path, simplugin_error **error)
{
    int32_t code = SIMPLUGIN_OK;

    pthread_mutex_lock(&turn.lock);
    while (code == SIMPLUGIN_OK && turn.is_taken) {
        struct timespec end = sp_clock_timespec(slice_end(wait, 10000000));

        pthread_cond_timedwait(&turn.freed, &turn.lock, &end);
        if (turn.is_taken && is_cancelled(wait))
            code = stopped(wait, path, error);
        else if (turn.is_taken && is_late(wait))
            code = SIMPLUGIN_BUSY;
    }
    if (code == SIMPLUGIN_OK)
        turn.is_taken = 1;
    pthread_mutex_unlock(&turn.lock);
    return code;
}

static void end_turn(void)
{
    pthread_mutex_lock(&turn.lock);
    turn.is_taken = 0;
    /* all: a fork may be among those that wait */
    pthread_cond_broadcast(&turn.freed);
    pthread_mutex_unlock(&turn.lock);
}

/* SQLite calls this every few hundred steps of a statement. */
static int check_progress(void *context)
{
    const sp_runs_db *db = context;

    return is_cancelled(db->wait) || is_late(db->wait);
}

/* ---- errors ---- */

int32_t sp_runs_db_fail(sp_runs_db *db, int result, const char *action, simplugin_error **error)
{
    int saved = db->sqlite ? sqlite3_system_errno(db->sqlite) : 0;
    int32_t code;

    if (db->sqlite && sqlite3_extended_errcode(db->sqlite) == SQLITE_IOERR_NOMEM)
        result = SQLITE_NOMEM;
    switch (result & 0xff) {
    case SQLITE_BUSY: case SQLITE_LOCKED: case SQLITE_PROTOCOL:
        return SIMPLUGIN_BUSY;
    case SQLITE_INTERRUPT:
        return stopped(db->wait, db->path, error);
    case SQLITE_NOMEM:
        return sp_error_no_memory(error);
    case SQLITE_CORRUPT: case SQLITE_NOTADB: case SQLITE_ERROR:
        /* the last one is a table that is not as we make it: our SQL never changes */
        return sp_error_set(error, SIMPLUGIN_CORRUPT, DOMAIN,
                            "cannot %s: %s is damaged, or no file of run records (%s); restore it "
                            "from a backup, or move it away to start afresh",
                            action, db->path, sqlite3_errstr(result));
    case SQLITE_FULL:
        return sp_error_set(error, SIMPLUGIN_NO_SPACE, DOMAIN,
                            "cannot %s in %s: the disk is full; make room and try again", action,
                            db->path);
    case SQLITE_READONLY:
        return sp_error_set(error, SIMPLUGIN_READ_ONLY, DOMAIN,
                            "cannot %s in %s: the file or its directory cannot be written", action,
                            db->path);
    case SQLITE_TOOBIG:
        return sp_error_set(error, SIMPLUGIN_RESOURCE_EXHAUSTED, DOMAIN,
                            "cannot %s in %s: a value is too large", action, db->path);
    case SQLITE_CANTOPEN: case SQLITE_IOERR: case SQLITE_PERM: case SQLITE_AUTH:
        if (saved)
            return sp_error_set_errno(error, saved, DOMAIN, action, db->path);
        code = SIMPLUGIN_IO;
        break;
    default:
        code = SIMPLUGIN_INTERNAL;
    }
    return sp_error_set(error, code, DOMAIN, "cannot %s in %s: %s", action, db->path,
                        sqlite3_errstr(result));
}

/* ---- opening ---- */

/* Makes directory and what is missing above it, for this user alone. */
static int32_t make_directory(const char *directory, simplugin_error **error)
{
    char *path = strdup(directory);
    int32_t code = SIMPLUGIN_OK;

    if (!path)
        return sp_error_no_memory(error);
    for (char *end = path + 1; code == SIMPLUGIN_OK && end; ) {
        end = strchr(end, '/');
        if (end)
            *end = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST && (!end || errno != EACCES))
            code = sp_error_set_errno(error, errno, DOMAIN, "cannot make", path);
        if (end)
            *end++ = '/';
    }
    free(path);
    return code;
}

static int32_t get_number(sp_runs_db *db, const char *sql, int64_t *number, simplugin_error **error)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(db->sqlite, sql, -1, &statement, NULL);

    if (result == SQLITE_OK) {
        result = sqlite3_step(statement);
        if (result == SQLITE_ROW) {
            *number = sqlite3_column_int64(statement, 0);
            result = SQLITE_OK;
        }
    }
    sqlite3_finalize(statement);
    return result == SQLITE_OK ? SIMPLUGIN_OK : sp_runs_db_fail(db, result, "read", error);
}

static int32_t execute(sp_runs_db *db, const char *sql, const char *action,
                       simplugin_error **error)
{
    int result = sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);

    return result == SQLITE_OK ? SIMPLUGIN_OK : sp_runs_db_fail(db, result, action, error);
}

/* *is_new: nothing is in the database yet. Fails unless it is that, or ours. */
static int32_t check_schema(sp_runs_db *db, int *is_new, simplugin_error **error)
{
    int64_t version = 0, application = 0, tables = 0;
    int32_t code = get_number(db, "PRAGMA user_version", &version, error);

    if (code == SIMPLUGIN_OK)
        code = get_number(db, "PRAGMA application_id", &application, error);
    if (code == SIMPLUGIN_OK)
        code = get_number(db, "SELECT count(*) FROM sqlite_master", &tables, error);
    if (code != SIMPLUGIN_OK)
        return code;
    *is_new = version == 0 && application == 0 && tables == 0;
    if (*is_new)
        return SIMPLUGIN_OK;
    if (application != APPLICATION_ID || version < 1)
        return sp_error_set(error, SIMPLUGIN_CORRUPT, DOMAIN,
                            "%s is a database of another program; move it away", db->path);
    if (version > SP_RUNS_SCHEMA)
        return sp_error_set(error, SIMPLUGIN_VERSION_TOO_NEW, DOMAIN,
                            "%s was written by a newer simplugin (schema %lld, this one knows %d); "
                            "use that one",
                            db->path, (long long)version, SP_RUNS_SCHEMA);
    return SIMPLUGIN_OK;
}

/* The URI of a file that nobody changes, so that SQLite needs no lock file beside it. */
static char *immutable_uri(const char *path)
{
    sp_buffer buffer;

    sp_buffer_init(&buffer);
    sp_buffer_append_text(&buffer, "file:");
    for (const char *c = path; *c; c++)
        if (*c == '%' || *c == '?' || *c == '#')
            sp_buffer_printf(&buffer, "%%%02X", (unsigned int)(unsigned char)*c);
        else
            sp_buffer_append(&buffer, c, 1);
    sp_buffer_append_text(&buffer, "?immutable=1");
    return sp_buffer_steal(&buffer, NULL);
}

/* A closed store leaves no -wal file, so without one and without write access nobody writes. */
static int is_immutable(const char *directory, const char *path)
{
    struct stat status;
    sp_buffer buffer;
    char *wal;
    int result = 0;

    sp_buffer_init(&buffer);
    sp_buffer_printf(&buffer, "%s-wal", path);
    wal = sp_buffer_steal(&buffer, NULL);
    if (wal)
        result = access(directory, W_OK) != 0 &&
                 ((stat(wal, &status) != 0 && errno == ENOENT) || status.st_size == 0);
    free(wal);
    return result;
}

static int32_t open_file(sp_runs_db *db, const char *name, int flags, simplugin_error **error)
{
    int result = sqlite3_open_v2(name, &db->sqlite, flags | SQLITE_OPEN_FULLMUTEX, NULL);

    if (result != SQLITE_OK)
        return sp_runs_db_fail(db, result, "open", error);
    sqlite3_progress_handler(db->sqlite, 500, check_progress, db);
    /* a database is data, also a prepared one: its triggers and views run nothing */
    sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    return SIMPLUGIN_OK;
}

static void close_file(sp_runs_db *db)
{
    /* also where open failed: it leaves an object behind that holds the error */
    sqlite3_close(db->sqlite);
    db->sqlite = NULL;
}

static int32_t open_for_reading(sp_runs_db *db, const char *directory, simplugin_error **error)
{
    char *uri = NULL;
    int is_new = 0;
    int32_t code;

    if (access(db->path, F_OK) != 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            return sp_error_set_errno(error, errno, DOMAIN, "cannot open", db->path);
        is_new = 1;
    } else if (is_immutable(directory, db->path)) {
        uri = immutable_uri(db->path);
        code = uri ? open_file(db, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, error)
                   : sp_error_no_memory(error);
        free(uri);
        if (code == SIMPLUGIN_OK)
            code = execute(db, "BEGIN", "read", error);
        if (code == SIMPLUGIN_OK)
            code = check_schema(db, &is_new, error);
        if (code != SIMPLUGIN_OK)
            return code;
    } else {
        /* for writing too, since the first to open may have to recover after a crash */
        code = open_file(db, db->path, SQLITE_OPEN_READWRITE, error);
        if (code == SIMPLUGIN_OK)
            code = execute(db, "BEGIN", "read", error);
        if (code == SIMPLUGIN_OK)
            code = check_schema(db, &is_new, error);
        if (code != SIMPLUGIN_OK)
            return code;
    }
    if (!is_new)
        return SIMPLUGIN_OK;
    /* an empty store of its own, so that reading needs no special case */
    close_file(db);
    code = open_file(db, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error);
    return code == SIMPLUGIN_OK ? execute(db, schema, "read", error) : code;
}

static int32_t open_for_writing(sp_runs_db *db, const char *directory, simplugin_error **error)
{
    int is_new = 0;
    int fd;
    int32_t code = make_directory(directory, error);

    if (code != SIMPLUGIN_OK)
        return code;
    /* for this user alone; SQLite gives the files beside it the same mode */
    fd = open(db->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    else if (errno != EEXIST)
        return sp_error_set_errno(error, errno, DOMAIN, "cannot make", db->path);
    code = open_file(db, db->path, SQLITE_OPEN_READWRITE, error);
    if (code == SIMPLUGIN_OK && sqlite3_db_readonly(db->sqlite, "main"))
        code = sp_runs_db_fail(db, SQLITE_READONLY, "write", error);
    /* its three questions are about one state */
    if (code == SIMPLUGIN_OK)
        code = execute(db, "BEGIN", "read", error);
    if (code == SIMPLUGIN_OK)
        code = check_schema(db, &is_new, error);
    if (code == SIMPLUGIN_OK)
        code = execute(db, "COMMIT", "read", error);
    /* an acknowledged record is on the disk */
    if (code == SIMPLUGIN_OK)
        code = execute(db, "PRAGMA synchronous = FULL", "write", error);
    if (code == SIMPLUGIN_OK && is_new)
        code = execute(db, "PRAGMA journal_mode = WAL", "make", error);
    if (code == SIMPLUGIN_OK)
        code = execute(db, "BEGIN IMMEDIATE", "write", error);
    /* again, now that nobody else can make it */
    if (code == SIMPLUGIN_OK && is_new)
        code = check_schema(db, &is_new, error);
    if (code == SIMPLUGIN_OK && is_new)
        code = execute(db, schema, "make", error);
    return code;
}

/* ---- transactions ---- */

static int32_t attempt(const char *directory, const char *path, int is_writing,
                       const sp_runs_wait *wait, sp_runs_step step, void *context,
                       simplugin_error **error)
{
    sp_runs_db db = {NULL, path, wait};
    int32_t code = take_turn(wait, path, error);

    if (code != SIMPLUGIN_OK)
        return code;
    code = is_writing ? open_for_writing(&db, directory, error)
                      : open_for_reading(&db, directory, error);
    if (code == SIMPLUGIN_OK)
        code = step(&db, context, error);
    if (code == SIMPLUGIN_OK && is_writing) {
        /* what has come this far is not given up for a deadline */
        sqlite3_progress_handler(db.sqlite, 0, NULL, NULL);
        code = execute(&db, "COMMIT", "write", error);
    }
    close_file(&db);
    end_turn();
    return code;
}

static int32_t run(const char *directory, int is_writing, const sp_runs_wait *wait,
                   sp_runs_step step, void *context, simplugin_error **error)
{
    int64_t pause = 500000;
    char *path = NULL;
    sp_buffer buffer;
    int32_t code;

    pthread_once(&turn_once, init_turn);
    if (turn_error)
        return sp_error_no_memory(error);
    sp_buffer_init(&buffer);
    sp_buffer_printf(&buffer, "%s/" FILE_NAME, directory);
    path = sp_buffer_steal(&buffer, NULL);
    if (!path)
        return sp_error_no_memory(error);

    code = is_cancelled(wait) || is_late(wait) ? stopped(wait, path, error) : SIMPLUGIN_BUSY;
    while (code == SIMPLUGIN_BUSY) {
        code = attempt(directory, path, is_writing, wait, step, context, error);
        if (code != SIMPLUGIN_BUSY)
            break;
        if (is_cancelled(wait)) {
            code = stopped(wait, path, error);
            break;
        }
        if (is_late(wait)) {
            sp_error_set(error, code, DOMAIN,
                         "the run records in %s are being written by another thread or process; "
                         "try again, or give a longer timeout",
                         path);
            break;
        }
        /* with nothing open and nothing locked: SQLite has no way of waiting that wakes up */
        struct timespec end = sp_clock_timespec(slice_end(wait, pause));

        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
        if (pause < 16000000)
            pause += pause / 2;
    }
    free(path);
    return code;
}

int32_t sp_runs_db_read(const char *directory, const sp_runs_wait *wait, sp_runs_step step,
                        void *context, simplugin_error **error)
{
    return run(directory, 0, wait, step, context, error);
}

int32_t sp_runs_db_write(const char *directory, const sp_runs_wait *wait, sp_runs_step step,
                         void *context, simplugin_error **error)
{
    return run(directory, 1, wait, step, context, error);
}

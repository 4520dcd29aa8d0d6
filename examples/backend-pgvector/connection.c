/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "call.h"
#include "cancel.h"
#include "status.h"

/* PostgreSQL 13: the oldest with gen_random_uuid() of its own. */
#define SERVER_MIN 130000
/* How long a call that is over waits for its ROLLBACK. */
#define ROLLBACK_NS INT64_C(2000000000)
/* Of one message of a COPY. */
#define COPY_PIECE ((size_t)1 << 20)

/* ---- waiting -------------------------------------------------------------------------------- */

static int poll_ms(int64_t deadline)
{
    int64_t left;

    if (deadline == INT64_MAX)
        return -1;
    left = deadline - pgv_now();
    if (left <= 0)
        return 0;
    return left / 1000000 >= INT_MAX ? INT_MAX : (int)(left / 1000000) + 1;
}

/* Until the socket is ready for one of the events. */
static int32_t wait_ready(pgv_call *call, pgv_connection *connection, short events)
{
    for (;;) {
        struct pollfd fds[2] = {{.fd = PQsocket(connection->pg), .events = events},
                                {.fd = connection->wake, .events = POLLIN}};
        int32_t code = pgv_check(call);

        if (code) {
            if (!connection->is_broken)
                pgv_cancel(connection->pg);
            connection->is_broken = 1;
            return code;
        }
        if (fds[0].fd < 0) {
            connection->is_broken = 1;
            return pgv_fail_connection(call, connection->pg, "the connection to PostgreSQL broke");
        }
        if (poll(fds, 2, poll_ms(call->info->deadline)) < 0 && errno != EINTR) {
            connection->is_broken = 1;
            return pgv_fail(call, SIMPLUGIN_IO, "waiting for PostgreSQL failed");
        }
        if (fds[0].revents)
            return SIMPLUGIN_OK;
    }
}

/* Sends all that is queued; a server that is answering wants to be read meanwhile. */
static int32_t flush(pgv_call *call)
{
    pgv_connection *connection = call->connection;
    int left;

    while ((left = PQflush(connection->pg)) == 1) {
        int32_t code = wait_ready(call, connection, POLLIN | POLLOUT);

        if (code)
            return code;
        /* of a connection that broke PQgetResult tells */
        if (!PQconsumeInput(connection->pg))
            return SIMPLUGIN_OK;
    }
    return SIMPLUGIN_OK;
}

/*
 * Takes all results of what was sent, and gives the last, or the error of the first that failed.
 * One that asks for the bytes of a COPY is given at once: more comes when they are sent.
 */
static int32_t collect(pgv_call *call, PGresult **result)
{
    PGconn *pg = call->connection->pg;
    PGresult *last = NULL;
    int32_t code = SIMPLUGIN_OK;

    for (;;) {
        PGresult *next;
        ExecStatusType status;

        while (PQisBusy(pg)) {
            int32_t stop = wait_ready(call, call->connection, POLLIN);

            if (stop) {
                PQclear(last);
                return stop;
            }
            if (!PQconsumeInput(pg))
                break;
        }
        next = PQgetResult(pg);
        if (!next)
            break;
        PQclear(last);
        last = next;
        status = PQresultStatus(next);
        if (status == PGRES_COPY_IN)
            break;
        if (!code && status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK &&
            status != PGRES_EMPTY_QUERY)
            code = pgv_fail_result(call, next);
    }
    if (PQstatus(pg) == CONNECTION_BAD) {
        call->connection->is_broken = 1;
        if (!code && !last)
            code = pgv_fail_connection(call, pg, "the connection to PostgreSQL broke");
    }
    if (!code && result && !last)
        code = pgv_fail(call, SIMPLUGIN_PROTOCOL, "PostgreSQL did not answer a statement");
    if (!code && result)
        *result = last;
    else
        PQclear(last);
    return code;
}

static int32_t send_failed(pgv_call *call)
{
    call->connection->is_broken = 1;
    return pgv_fail_connection(call, call->connection->pg, "sending to PostgreSQL failed");
}

/* ---- statements ----------------------------------------------------------------------------- */

static int32_t statement_send(pgv_call *call, const pgv_sql *sql)
{
    Oid *types = pgv_take(call, sql->count, sizeof *types);
    const char **values = pgv_take(call, sql->count, sizeof *values);
    int *lengths = pgv_take(call, sql->count, sizeof *lengths);
    int *formats = pgv_take(call, sql->count, sizeof *formats);

    if (!types || !values || !lengths || !formats)
        return pgv_no_memory(call);
    for (size_t i = 0; i < sql->count; i++) {
        types[i] = sql->bound[i].type;
        values[i] = sql->values.data ? sql->values.data + sql->bound[i].begin : "";
        lengths[i] = (int)sql->bound[i].size;
        formats[i] = 1;
    }
    if (!PQsendQueryParams(call->connection->pg, sql->words.data, (int)sql->count, types, values,
                           lengths, formats, 1))
        return send_failed(call);
    return flush(call);
}

int32_t pgv_run(pgv_call *call, pgv_sql *sql, PGresult **result)
{
    int32_t code;

    if (result)
        *result = NULL;
    pgv_append(&sql->words, "", 1);
    if (sql->too_many)
        code = pgv_fail(call, SIMPLUGIN_RESOURCE_EXHAUSTED,
                        "a statement has at most %d values, of 2 GiB each", PGV_VALUES_MAX);
    else if (sql->words.failed || sql->values.failed)
        code = pgv_no_memory(call);
    else
        code = statement_send(call, sql);
    if (!code)
        code = collect(call, result);
    pgv_sql_clear(sql);
    return code;
}

int32_t pgv_command(pgv_call *call, const char *text)
{
    int32_t code;

    if (!PQsendQuery(call->connection->pg, text))
        return send_failed(call);
    code = flush(call);
    return code ? code : collect(call, NULL);
}

int32_t pgv_copy_begin(pgv_call *call, const char *text) { return pgv_command(call, text); }

static int32_t piece_put(pgv_call *call, const char *data, size_t size)
{
    int taken;

    while ((taken = PQputCopyData(call->connection->pg, data, (int)size)) == 0) {
        int32_t code = wait_ready(call, call->connection, POLLOUT);

        if (code)
            return code;
    }
    if (taken < 0)
        return send_failed(call);
    return flush(call); /* or it would all be in memory twice */
}

/* Rows may be of any size, and the messages that carry them end anywhere. */
int32_t pgv_copy_put(pgv_call *call, pgv_buffer *bytes)
{
    int32_t code = bytes->failed ? pgv_no_memory(call) : SIMPLUGIN_OK;

    for (size_t at = 0; !code && at < bytes->size; at += COPY_PIECE)
        code = piece_put(call, bytes->data + at,
                         bytes->size - at < COPY_PIECE ? bytes->size - at : COPY_PIECE);
    bytes->size = 0;
    return code;
}

int32_t pgv_copy_end(pgv_call *call)
{
    int taken;
    int32_t code = SIMPLUGIN_OK;

    while ((taken = PQputCopyEnd(call->connection->pg, NULL)) == 0) {
        code = wait_ready(call, call->connection, POLLOUT);
        if (code)
            return code;
    }
    if (taken < 0)
        return send_failed(call);
    code = flush(call);
    return code ? code : collect(call, NULL);
}

/* ---- connecting ----------------------------------------------------------------------------- */

static void notice(void *context, const char *message)
{
    size_t size = strcspn(message, "\n");

    (void)context;
    if (simplugin_utf8_check((const uint8_t *)message, size))
        pgv_host->log(SIMPLUGIN_LOG_DEBUG, message, size);
}

static PGconn *start(const pgv_settings *settings)
{
    const char *keys[8] = {NULL};
    const char *values[8] = {NULL};
    int count = 0;

    /* what comes later counts: what is fixed here stands behind the conninfo */
    if (settings->conninfo) {
        keys[count] = "dbname";
        values[count++] = settings->conninfo;
    }
    if (settings->password) {
        keys[count] = "password";
        values[count++] = settings->password;
    }
    if (settings->sslpassword) {
        keys[count] = "sslpassword";
        values[count++] = settings->sslpassword;
    }
    keys[count] = "client_encoding";
    values[count++] = "UTF8";
    keys[count] = "fallback_application_name";
    values[count++] = "simplugin_pgvector";
    return PQconnectStartParams(keys, values, 1);
}

static int32_t connect_wait(pgv_call *call, pgv_connection *connection)
{
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    /* cancelling needs a session to name, which there is not yet: nothing is told the server */
    connection->is_broken = 1;
    while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED) {
        int32_t code =
            wait_ready(call, connection, status == PGRES_POLLING_READING ? POLLIN : POLLOUT);

        if (code)
            return code;
        status = PQconnectPoll(connection->pg);
    }
    connection->is_broken = status == PGRES_POLLING_FAILED;
    return connection->is_broken ? pgv_fail_connection(call, connection->pg, "no connection")
                                 : SIMPLUGIN_OK;
}

/* "0.8.5" is 8, "1.0" is 100. */
static int version_read(const char *text)
{
    int major = 0, minor = 0;

    return sscanf(text, "%d.%d", &major, &minor) == 2 ? major * 100 + minor : 0;
}

/*
 * The extension may be in any schema, so it is named in full wherever it is used; and nothing is
 * found by search_path but PostgreSQL's own, whatever somebody has made in a schema of his.
 */
int32_t pgv_connection_look(pgv_call *call)
{
    pgv_connection *connection = call->connection;
    pgv_sql sql = {0};
    PGresult *found;
    int32_t code;

    pgv_words(&sql,
              "SELECT set_config('search_path', 'pg_catalog', false), n.nspname::text, "
              "t.oid::bigint, e.extversion FROM (SELECT 1) AS one "
              "LEFT JOIN pg_catalog.pg_extension e ON e.extname = 'vector' "
              "LEFT JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace "
              "LEFT JOIN pg_catalog.pg_type t ON t.typnamespace = n.oid AND t.typname = 'vector'");
    code = pgv_run(call, &sql, &found);
    if (code)
        return code;
    free(connection->vector_schema);
    connection->vector_schema = NULL;
    connection->vector_type = 0;
    if (PQntuples(found) == 1 && !PQgetisnull(found, 0, 1) && !PQgetisnull(found, 0, 2)) {
        connection->vector_schema = strdup(PQgetvalue(found, 0, 1));
        connection->vector_type = (uint32_t)pgv_read_int64(PQgetvalue(found, 0, 2));
        connection->vector_version = version_read(PQgetvalue(found, 0, 3));
        if (!connection->vector_schema)
            code = pgv_no_memory(call);
    }
    PQclear(found);
    return code;
}

static int32_t server_check(pgv_call *call, PGconn *pg)
{
    const char *encoding = PQparameterStatus(pg, "server_encoding");

    if (PQserverVersion(pg) < SERVER_MIN)
        return pgv_fail(call, SIMPLUGIN_VERSION_TOO_OLD,
                        "the server is PostgreSQL %d, and 13 is the oldest that will do",
                        PQserverVersion(pg) / 10000);
    if (!encoding || strcmp(encoding, "UTF8") != 0)
        return pgv_fail(call, SIMPLUGIN_CONFIG,
                        "the database is encoded in %s, not in UTF8: make one with "
                        "CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0",
                        encoding ? encoding : "something unknown");
    return SIMPLUGIN_OK;
}

int32_t pgv_connection_open(pgv_call *call, const pgv_settings *settings,
                            pgv_connection *connection)
{
    int32_t code = SIMPLUGIN_OK;

    memset(connection, 0, sizeof *connection);
    connection->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (connection->wake < 0)
        return pgv_fail(call, SIMPLUGIN_RESOURCE_EXHAUSTED, "no file descriptor is left");
    connection->pg = start(settings);
    if (!connection->pg)
        code = pgv_no_memory(call);
    else if (PQstatus(connection->pg) == CONNECTION_BAD)
        code = pgv_fail_connection(call, connection->pg, "no connection");
    if (code)
        goto out;
    PQsetErrorVerbosity(connection->pg, PQERRORS_VERBOSE);
    PQsetNoticeProcessor(connection->pg, notice, NULL);
    pgv_connection_lend(connection, call->info);
    code = connect_wait(call, connection);
    if (!code && PQsetnonblocking(connection->pg, 1))
        code = pgv_no_memory(call);
    if (!code)
        code = server_check(call, connection->pg);
    if (!code) {
        call->connection = connection;
        code = pgv_connection_look(call);
        call->connection = NULL;
    }
out:
    if (code)
        pgv_connection_close(connection);
    return code;
}

void pgv_connection_close(pgv_connection *connection)
{
    if (connection->watch)
        pgv_host->cancel_unwatch(connection->watch);
    PQfinish(connection->pg);
    close(connection->wake);
    free(connection->vector_schema);
    free(connection->staged);
    memset(connection, 0, sizeof *connection);
}

/* PQfinish says goodbye on whatever is its socket: by then that is /dev/null. */
void pgv_connection_drop(pgv_connection *connection)
{
    int nowhere = connection->pg ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;

    if (nowhere >= 0 && PQsocket(connection->pg) >= 0 &&
        dup2(nowhere, PQsocket(connection->pg)) >= 0) {
        connection->watch = 0;
        pgv_connection_close(connection);
    }
    if (nowhere >= 0)
        close(nowhere);
}

/* ---- lending -------------------------------------------------------------------------------- */

static void cancel_fired(void *context)
{
    const pgv_connection *connection = context;
    uint64_t one = 1;

    /* it can only fail where enough is in it already */
    if (write(connection->wake, &one, sizeof one) < 0)
        return;
}

int pgv_connection_lend(pgv_connection *connection, const simplugin_call_info *info)
{
    uint64_t ignored;
    struct pollfd fd = {.fd = PQsocket(connection->pg), .events = POLLIN};

    /* a server that has closed an idle session has said so by now */
    if (PQstatus(connection->pg) == CONNECTION_OK && poll(&fd, 1, 0) > 0 &&
        (!PQconsumeInput(connection->pg) || PQstatus(connection->pg) == CONNECTION_BAD))
        return 0;
    if (read(connection->wake, &ignored, sizeof ignored) < 0 && errno != EAGAIN)
        return 0;
    connection->watch = 0;
    if (info->cancel &&
        pgv_host->cancel_watch(info->cancel, cancel_fired, connection, &connection->watch))
        connection->watch = 0;
    return 1;
}

void pgv_connection_return(pgv_connection *connection)
{
    simplugin_call_info info = {.size = sizeof info, .deadline = pgv_now() + ROLLBACK_NS};
    pgv_call call = {.info = &info, .connection = connection};

    if (connection->watch)
        pgv_host->cancel_unwatch(connection->watch);
    connection->watch = 0;
    if (!connection->is_broken && PQtransactionStatus(connection->pg) != PQTRANS_IDLE) {
        free(connection->staged); /* it may have been made in this transaction */
        connection->staged = NULL;
        if (pgv_command(&call, "ROLLBACK"))
            connection->is_broken = 1;
    }
    pgv_scratch_free(&call);
}

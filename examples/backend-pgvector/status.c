/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <ctype.h>
#include <stdio.h>

#define STATE 5

/* The longest beginning that fits counts; Appendix A of PostgreSQL's manual has all of them. */
static const struct {
    const char *begins;
    int32_t code;
} states[] = {
    {"08", SIMPLUGIN_UNAVAILABLE},       /* connection exception */
    {"0A", SIMPLUGIN_UNIMPLEMENTED},     /* feature not supported */
    {"21", SIMPLUGIN_INVALID_ARGUMENT},  /* cardinality violation: an id twice */
    {"22", SIMPLUGIN_INVALID_ARGUMENT},  /* data exception */
    {"23505", SIMPLUGIN_ALREADY_EXISTS}, /* unique violation */
    {"25006", SIMPLUGIN_READ_ONLY},      /* read only transaction: a standby */
    {"28", SIMPLUGIN_UNAUTHENTICATED},   /* invalid authorization specification */
    {"3D", SIMPLUGIN_CONFIG},            /* there is no such database */
    {"3F", SIMPLUGIN_NOT_FOUND},         /* nor schema */
    {"40", SIMPLUGIN_BUSY},              /* deadlock, serialization failure */
    {"42501", SIMPLUGIN_PERMISSION_DENIED},
    {"42P01", SIMPLUGIN_NOT_FOUND},       /* undefined table: dropped in between */
    {"42703", SIMPLUGIN_BUSY},            /* undefined column: dropped and made anew in between */
    {"42P07", SIMPLUGIN_ALREADY_EXISTS},  /* duplicate table */
    {"53", SIMPLUGIN_RESOURCE_EXHAUSTED}, /* out of memory, too many connections */
    {"53100", SIMPLUGIN_NO_SPACE},
    {"54", SIMPLUGIN_RESOURCE_EXHAUSTED}, /* program limit: too many columns, an index too wide */
    {"55", SIMPLUGIN_BUSY},               /* object in use, lock not available */
    {"57", SIMPLUGIN_UNAVAILABLE},        /* shut down, or starting up */
    {"57014", SIMPLUGIN_DEADLINE_EXCEEDED}, /* by the server's own statement_timeout */
    {"58", SIMPLUGIN_IO},
    {"XX001", SIMPLUGIN_CORRUPT},
    {"XX002", SIMPLUGIN_CORRUPT},
};

int32_t pgv_status_code(const char *state)
{
    size_t longest = 0;
    int32_t code = SIMPLUGIN_INTERNAL;

    for (size_t i = 0; state && i < sizeof states / sizeof states[0]; i++) {
        size_t size = strlen(states[i].begins);

        if (size > longest && strncmp(state, states[i].begins, size) == 0) {
            longest = size;
            code = states[i].code;
        }
    }
    return code;
}

/* The first line, without what libpq puts around it. */
static size_t line_size(const char *text)
{
    size_t size = strcspn(text, "\r\n");

    while (size && text[size - 1] == ' ')
        size--;
    return size;
}

/* A condition is a number of base 36. */
static void add_backend(pgv_call *call, const char *state, const char *message, size_t size)
{
    int64_t number = 0;

    for (int i = 0; state && i < STATE && isalnum((unsigned char)state[i]); i++)
        number =
            number * 36 + (isdigit((unsigned char)state[i]) ? state[i] - '0' : state[i] - 'A' + 10);
    if (!simplugin_utf8_check((const uint8_t *)message, size))
        size = 0; /* a server that is not up yet may not have heard of our encoding */
    pgv_host->error_set_backend(call->error, number, message, size);
    if (state)
        pgv_host->error_add_detail(call->error, "sqlstate", 8, state, STATE);
}

int32_t pgv_fail_result(pgv_call *call, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    int32_t code = pgv_status_code(state);

    if (!state || strlen(state) != STATE)
        return pgv_fail_connection(call, call->connection->pg,
                                   "the connection to PostgreSQL broke");
    message = message ? message : "";
    pgv_fail(call, code, "PostgreSQL says %s: %.*s", state, (int)line_size(message), message);
    add_backend(call, state, message, line_size(message));
    if (code == SIMPLUGIN_RESOURCE_EXHAUSTED && strcmp(state, "53300") == 0)
        pgv_host->error_set_retryable(call->error, 1);
    return code;
}

/*
 * libpq has no field for the condition of a connection that was refused, but writes it, at the
 * highest verbosity, behind the severity: "...failed: FATAL:  28P01: password ...".
 */
static int state_find(const char *text, char *state)
{
    for (const char *at = strstr(text, ":  "); at; at = strstr(at + 1, ":  ")) {
        int i = 0;

        while (i < STATE &&
               (isdigit((unsigned char)at[3 + i]) || isupper((unsigned char)at[3 + i])))
            i++;
        if (i == STATE && at[3 + STATE] == ':') {
            memcpy(state, at + 3, STATE);
            state[STATE] = 0;
            return 1;
        }
    }
    return 0;
}

int32_t pgv_fail_connection(pgv_call *call, PGconn *pg, const char *what)
{
    const char *message = pg ? PQerrorMessage(pg) : "";
    char state[STATE + 1] = "";
    int has_state = state_find(message, state);
    /* without one nobody answered, but that libpq itself found no password to answer with */
    int32_t code = has_state                             ? pgv_status_code(state)
                   : pg && PQconnectionNeedsPassword(pg) ? SIMPLUGIN_UNAUTHENTICATED
                                                         : SIMPLUGIN_UNAVAILABLE;

    pgv_fail(call, code, "%s: %.*s", what, (int)line_size(message), message);
    add_backend(call, has_state ? state : NULL, message, line_size(message));
    if (has_state && strcmp(state, "53300") == 0)
        pgv_host->error_set_retryable(call->error, 1);
    return code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The control port of tests/servers/qdrant.py, by as much HTTP as that takes. */
#include "config.h"

#include "qdrant_live.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#define RULES_MAX 16384

static int control_connect(void)
{
    const char *url = live_variable("FAULTS");
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)(url ? atoi(strrchr(url, ':') + 1) : 0));
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address))
        abort();
    return fd;
}

static void all_send(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);

        if (sent <= 0)
            abort();
        data += sent;
        size -= (size_t)sent;
    }
}

/* All until the end of the connection, zero-terminated. */
static char *all_read(int fd)
{
    size_t size = 0, capacity = 65536;
    char *text = malloc(capacity);
    ssize_t got = 1;

    while (text && got > 0) {
        if (capacity - size < 32768)
            text = realloc(text, capacity *= 2);
        got = text ? recv(fd, text + size, capacity - size - 1, 0) : -1;
        if (got > 0)
            size += (size_t)got;
    }
    if (!text || got < 0)
        abort();
    text[size] = 0;
    return text;
}

/* What the control port answers; to be released. */
static json_t *control(const char *method, const char *body)
{
    int fd = control_connect();
    char head[256];
    char *answer, *content;
    json_t *json;

    snprintf(head, sizeof head,
             "%s / HTTP/1.1\r\nHost: control\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
             method, strlen(body));
    all_send(fd, head, strlen(head));
    all_send(fd, body, strlen(body));
    answer = all_read(fd);
    close(fd);
    content = strstr(answer, "\r\n\r\n");
    json = content ? json_loads(content + 4, JSON_ALLOW_NUL, NULL) : NULL;
    if (!json || strncmp(answer, "HTTP/1.1 200", 12) != 0) {
        fprintf(stderr, "the control port: %s\n", answer);
        abort();
    }
    free(answer);
    return json;
}

void fault(const char *format, ...)
{
    char rules[RULES_MAX] = "[";
    va_list list;

    va_start(list, format);
    vsnprintf(rules + 1, sizeof rules - 2, format, list);
    va_end(list);
    strcat(rules, "]");
    for (char *at = rules; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    json_decref(control("POST", rules));
}

void fault_end(void)
{
    json_decref(control("DELETE", ""));
}

static int ends_so(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

uint64_t asked(const char *method, const char *end)
{
    json_t *seen = control("GET", ""), *one;
    uint64_t count = 0;
    size_t i;

    json_array_foreach(json_object_get(seen, "requests"), i, one)
        if ((!method || strcmp(json_string_value(json_object_get(one, "method")), method) == 0) &&
            ends_so(json_string_value(json_object_get(one, "path")), end))
            count += (uint64_t)json_integer_value(json_object_get(one, "count"));
    json_decref(seen);
    return count;
}

int asked_wait(const char *method, const char *end, uint64_t count)
{
    for (int64_t give_up = live_now() + 20000; asked(method, end) < count; live_sleep(5))
        if (live_now() > give_up)
            return 0;
    return 1;
}

json_t *asked_log(void)
{
    json_t *seen = control("GET", "");
    json_t *log = json_incref(json_object_get(seen, "log"));

    json_decref(seen);
    return log;
}

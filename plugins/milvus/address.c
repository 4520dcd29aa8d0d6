/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "address.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static int is_loopback(const char *host)
{
    /* 127.example.com is somewhere else */
    return (strncmp(host, "127.", 4) == 0 && !host[strspn(host, "0123456789.")]) ||
           strcmp(host, "::1") == 0 || strcasecmp(host, "localhost") == 0;
}

/* Only addresses of IPv6 have colons, two at least. */
static int has_port(const char *host)
{
    const char *colon = strchr(host, ':');

    return colon && (!strchr(colon + 1, ':') || host[strspn(host, "0123456789abcdefABCDEF:.")]);
}

static int host_is_plain(const char *host, size_t size)
{
    return size && size <= MILVUS_HOST_MAX &&
           strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:") >= size;
}

static const char *finish(milvus_address *address, const char *host, size_t size, int port)
{
    if (!host_is_plain(host, size))
        return "the host is no name and no address";
    memcpy(address->host, host, size);
    address->host[size] = 0;
    if (has_port(address->host))
        return "the host is no name and no address: a port stands apart from it";
    address->port = port ? port : MILVUS_PORT;
    address->is_loopback = is_loopback(address->host);
    if (strchr(address->host, ':'))
        snprintf(address->target, sizeof address->target, "[%s]:%d", address->host, address->port);
    else
        snprintf(address->target, sizeof address->target, "%s:%d", address->host, address->port);
    return NULL;
}

/* Digits up to the end, or up to a slash; 0: something else. */
static int port_read(const char *text)
{
    long port = 0;
    size_t digits = strspn(text, "0123456789");

    if (!digits || digits > 5 || (text[digits] && strcmp(text + digits, "/") != 0))
        return 0;
    for (size_t i = 0; i < digits; i++)
        port = port * 10 + (text[i] - '0');
    return port <= 65535 ? (int)port : 0;
}

const char *milvus_address_parse(const char *uri, milvus_address *address)
{
    static const char *const schemes[] = {"http://", "tcp://", "grpc://", "https://"};
    const char *rest = uri;
    const char *end;
    size_t size;
    int port = 0;

    memset(address, 0, sizeof *address);
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strncasecmp(uri, schemes[i], strlen(schemes[i])) == 0) {
            rest = uri + strlen(schemes[i]);
            address->tls = i == 3;
        }
    if (strstr(rest, "://"))
        return "its scheme is none of http, https, tcp and grpc";
    if (strchr(rest, '@'))
        return "it holds a user: give user and password as parameters of their own";
    if (*rest == '[') {
        rest++;
        end = strchr(rest, ']');
        if (!end)
            return "its bracket does not end";
        size = (size_t)(end - rest);
        end++;
    } else {
        size = strcspn(rest, ":/?#");
        end = rest + size;
    }
    if (*end == ':') {
        port = port_read(end + 1);
        if (!port)
            return "its port is no number from 1 to 65535";
    } else if (*end && strcmp(end, "/") != 0) {
        return "nothing can stand behind host and port: a database is named by db_name";
    }
    return finish(address, rest, size, port);
}

const char *milvus_address_of(const char *host, int port, milvus_address *address)
{
    memset(address, 0, sizeof *address);
    if (strstr(host, "://"))
        return "a host has no scheme: use uri";
    return finish(address, host, strlen(host), port);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* A key goes there without TLS: what only looks like it, such as 127.example.com, is none. */
static int is_loopback(const char *host)
{
    struct in_addr four;
    struct in6_addr six;

    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, host, &six) == 1)
        return IN6_IS_ADDR_LOOPBACK(&six);
    return strcasecmp(host, "localhost") == 0;
}

static const char *finish(qdrant_address *address, const char *host, size_t size, int port)
{
    struct in6_addr six;

    if (!size || size > QDRANT_HOST_MAX || strspn(host, LETTERS ".-_:") < size)
        return "the host is no name and no address";
    memcpy(address->host, host, size);
    address->host[size] = 0;
    if (strchr(address->host, ':') && inet_pton(AF_INET6, address->host, &six) != 1)
        return "the host is no name and no address: a port stands apart from it";
    address->port = port ? port : QDRANT_PORT;
    address->is_loopback = is_loopback(address->host);
    if (strchr(address->host, ':'))
        snprintf(address->target, sizeof address->target, "[%s]:%d", address->host, address->port);
    else
        snprintf(address->target, sizeof address->target, "%s:%d", address->host, address->port);
    return NULL;
}

/* Digits up to the end, or up to a slash, where *end is then; 0: something else. */
static int port_read(const char *text, const char **end)
{
    long port = 0;
    size_t digits = strspn(text, "0123456789");

    *end = text + digits;
    if (!digits || digits > 5 || (**end && **end != '/'))
        return 0;
    for (size_t i = 0; i < digits; i++)
        port = port * 10 + (text[i] - '0');
    return port <= 65535 ? (int)port : 0;
}

/* A path without its last slashes. */
static const char *prefix_read(const char *path, qdrant_address *address)
{
    size_t size = strlen(path);

    while (size && path[size - 1] == '/')
        size--;
    if (path[strcspn(path, "?#")])
        return "nothing can stand behind its path";
    if (size > QDRANT_PREFIX_MAX)
        return "its path is longer than 255 bytes";
    if (strspn(path, LETTERS "/-._~!$&'()*+,;=:%") < size)
        return "its path holds a character that is to be percent-encoded";
    memcpy(address->prefix, path, size);
    address->prefix[size] = 0;
    return NULL;
}

const char *qdrant_address_parse(const char *url, qdrant_address *address)
{
    const char *rest = url;
    const char *end, *wrong = NULL;
    size_t size;
    int port = 0;

    memset(address, 0, sizeof *address);
    if (strncasecmp(url, "http://", 7) == 0) {
        rest = url + 7;
    } else if (strncasecmp(url, "https://", 8) == 0) {
        rest = url + 8;
        address->tls = 1;
    }
    if (strstr(rest, "://"))
        return "its scheme is neither http nor https";
    if (strchr(rest, '@'))
        return "it holds a user: Qdrant knows none, a key is given as api_key";
    if (*rest == '[') {
        rest++;
        end = strchr(rest, ']');
        if (!end)
            return "its bracket does not end";
        size = (size_t)(end - rest);
        if (!memchr(rest, ':', size))
            return "only IPv6 addresses stand in brackets";
        end++;
    } else {
        size = strcspn(rest, ":/?#");
        end = rest + size;
    }
    if (*end == ':') {
        port = port_read(end + 1, &end);
        if (!port)
            return "its port is no number from 1 to 65535";
    }
    if (*end && *end != '/')
        return "nothing but a path can stand behind host and port";
    wrong = prefix_read(end, address);
    return wrong ? wrong : finish(address, rest, size, port);
}

const char *qdrant_address_of(const char *host, int port, qdrant_address *address)
{
    memset(address, 0, sizeof *address);
    if (strstr(host, "://"))
        return "a host has no scheme: use url";
    return finish(address, host, strlen(host), port);
}

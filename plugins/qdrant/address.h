/* SPDX-License-Identifier: Apache-2.0 */
/* Where a server is, from what users write: a URL, host:port, or host and port apart. */
#ifndef QDRANT_ADDRESS_H
#define QDRANT_ADDRESS_H

#include <stddef.h>

#define QDRANT_PORT 6333
#define QDRANT_HOST_MAX 255
#define QDRANT_PREFIX_MAX 255

typedef struct qdrant_address {
    char host[QDRANT_HOST_MAX + 1]; /* without brackets */
    int port;
    int tls; /* https */
    int is_loopback;
    char prefix[QDRANT_PREFIX_MAX + 1]; /* of every path: "", or "/qdrant" */
    char target[QDRANT_HOST_MAX + 16];  /* host:port, for messages */
} qdrant_address;

/*
 * http://, https:// or no scheme, which is http; a host name, an IPv4 or a bracketed IPv6
 * address; a port, QDRANT_PORT where there is none; a path that stands before every
 * other, as reverse proxies want. NULL, or what is wrong: a static text that never holds a
 * part of the URL, which may hold a password.
 */
const char *qdrant_address_parse(const char *url, qdrant_address *address);
/* The same from host and port (0: the standard one) apart. */
const char *qdrant_address_of(const char *host, int port, qdrant_address *address);

#endif

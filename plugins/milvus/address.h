/* SPDX-License-Identifier: Apache-2.0 */
/* Where a server is, from what users write: a URI, host:port, or host and port apart. */
#ifndef MILVUS_ADDRESS_H
#define MILVUS_ADDRESS_H

#include <stddef.h>

#define MILVUS_PORT 19530
#define MILVUS_HOST_MAX 255

typedef struct milvus_address {
    char host[MILVUS_HOST_MAX + 1]; /* without brackets */
    int port;
    int tls;     /* https */
    int is_loopback;
    char target[MILVUS_HOST_MAX + 16]; /* host:port as gRPC takes it */
} milvus_address;

/*
 * tcp://, http://, https://, grpc:// or no scheme; a host name, an IPv4 or a bracketed
 * IPv6 address; a port, MILVUS_PORT where there is none. NULL, or what is wrong: a static
 * text that never holds a part of the URI, which may hold a password.
 */
const char *milvus_address_parse(const char *uri, milvus_address *address);
/* The same from host and port (0: the standard one) apart. */
const char *milvus_address_of(const char *host, int port, milvus_address *address);

#endif

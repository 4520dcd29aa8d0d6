/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.1 server of our own on loopback, in threads of this process: it reads requests
 * and lets the test's handler answer them, well or badly. It counts its connections.
 */
#ifndef SP_TESTS_QDRANT_FAKE_H
#define SP_TESTS_QDRANT_FAKE_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAKE_HEAD 16384
#define FAKE_PEERS 256

typedef struct fake fake;

/* One request; the handler answers through peer. */
typedef struct fake_request {
    int peer;
    uint64_t number;      /* of all of the server's, from 1 on */
    char head[FAKE_HEAD]; /* all before the body */
    char *body;
    size_t body_size;
} fake_request;

/* 1: the connection goes on, 0: it is closed. */
typedef int (*fake_handler)(fake *f, const fake_request *request);

struct fake {
    int listener, port;
    fake_handler handler;
    /* called with a connection before anything is read; 1: go on */
    int (*greet)(int peer);
    atomic_ullong connections, requests;
    atomic_int value;           /* the test's */
    pthread_mutex_t lock;       /* guards what follows */
    pthread_cond_t ended;
    int peers[FAKE_PEERS];
    int peer_count, is_closing;
    char last[FAKE_HEAD];       /* the head of the last request */
    size_t last_body;
    pthread_t thread;
};

typedef struct fake_peer {
    fake *f;
    int fd;
} fake_peer;

static inline void fake_send(int peer, const void *data, size_t size)
{
    const char *at = data;

    while (size) {
        ssize_t sent = send(peer, at, size, MSG_NOSIGNAL);

        if (sent <= 0)
            return;
        at += sent;
        size -= (size_t)sent;
    }
}

/* An answer with that body, and further headers ("Retry-After: 1\r\n") or "". */
static inline int fake_answer(int peer, int status, const char *headers, const char *body)
{
    char head[1024];
    int size = snprintf(head, sizeof head,
                        "HTTP/1.1 %d Fake\r\nContent-Type: application/json\r\n%s"
                        "Content-Length: %zu\r\n\r\n",
                        status, headers, strlen(body));

    fake_send(peer, head, (size_t)size);
    fake_send(peer, body, strlen(body));
    return 1;
}

static inline int fake_ok(int peer)
{
    return fake_answer(peer, 200, "", "{\"result\":true,\"status\":\"ok\",\"time\":0.0}");
}

/* A header's value into `value`; 0: it is not there. */
static inline int fake_header(const char *head, const char *name, char *value, size_t size)
{
    for (const char *line = head; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncasecmp(line, name, strlen(name)) != 0 || line[strlen(name)] != ':')
            continue;
        line += strlen(name) + 1;
        line += strspn(line, " ");
        snprintf(value, size, "%.*s", (int)strcspn(line, "\r\n"), line);
        return 1;
    }
    return 0;
}

/* Whether the request is for that method and path: "GET /collections". */
static inline int fake_is(const fake_request *request, const char *line)
{
    size_t size = strlen(line);

    return strncmp(request->head, line, size) == 0 && request->head[size] == ' ';
}

/* The head, byte by byte; 0: the peer is gone. */
static inline int fake_read_head(int peer, char *head)
{
    size_t size = 0;

    while (size < FAKE_HEAD - 1 && recv(peer, head + size, 1, 0) == 1) {
        head[++size] = 0;
        if (size >= 4 && memcmp(head + size - 4, "\r\n\r\n", 4) == 0)
            return 1;
    }
    return 0;
}

static inline int fake_read(fake *f, fake_request *request)
{
    char length[32];
    size_t got = 0;

    if (!fake_read_head(request->peer, request->head))
        return 0;
    request->body_size =
        fake_header(request->head, "Content-Length", length, sizeof length) ? strtoull(length, NULL, 10) : 0;
    free(request->body);
    request->body = malloc(request->body_size + 1);
    if (!request->body)
        abort();
    while (got < request->body_size) {
        ssize_t size = recv(request->peer, request->body + got, request->body_size - got, 0);

        if (size <= 0)
            return 0;
        got += (size_t)size;
    }
    request->body[got] = 0;
    request->number = atomic_fetch_add(&f->requests, 1) + 1;
    pthread_mutex_lock(&f->lock);
    memcpy(f->last, request->head, sizeof f->last);
    f->last_body = got;
    pthread_mutex_unlock(&f->lock);
    return 1;
}

static inline void *fake_serve(void *context)
{
    fake_peer *peer = context;
    fake *f = peer->f;
    fake_request *request = calloc(1, sizeof *request);

    if (!request)
        abort();
    request->peer = peer->fd;
    if (!f->greet || f->greet(peer->fd))
        while (fake_read(f, request) && f->handler(f, request))
            ;
    free(request->body);
    free(request);
    pthread_mutex_lock(&f->lock);
    for (int i = 0; i < f->peer_count; i++)
        if (f->peers[i] == peer->fd) {
            f->peers[i] = f->peers[--f->peer_count];
            break;
        }
    close(peer->fd);
    pthread_cond_broadcast(&f->ended);
    pthread_mutex_unlock(&f->lock);
    free(peer);
    return NULL;
}

static inline void fake_peer_add(fake *f, int fd)
{
    fake_peer *peer = malloc(sizeof *peer);
    pthread_t thread;

    if (!peer)
        abort();
    peer->f = f;
    peer->fd = fd;
    atomic_fetch_add(&f->connections, 1);
    pthread_mutex_lock(&f->lock);
    if (f->peer_count == FAKE_PEERS)
        abort();
    f->peers[f->peer_count++] = fd;
    pthread_mutex_unlock(&f->lock);
    if (pthread_create(&thread, NULL, fake_serve, peer) || pthread_detach(thread))
        abort();
}

static inline void *fake_listen(void *context)
{
    fake *f = context;

    for (;;) {
        int fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
        int one = 1;

        if (fd < 0)
            return NULL;
        /* an answer is sent in parts */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        fake_peer_add(f, fd);
    }
}

/* A listener on loopback, on that port or (0) on any. */
static inline int fake_listener(int *port, int backlog)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)*port);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
        bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, backlog) ||
        getsockname(fd, (struct sockaddr *)&address, &size))
        abort();
    *port = ntohs(address.sin_port);
    return fd;
}

/* A port on which nobody listens. */
static inline int fake_free_port(void)
{
    int port = 0;

    close(fake_listener(&port, 1));
    return port;
}

/* Listens on the port it had before; on any, the first time. */
static inline void fake_begin(fake *f)
{
    f->listener = fake_listener(&f->port, 64);
    if (pthread_create(&f->thread, NULL, fake_listen, f))
        abort();
}

static inline void fake_init(fake *f, fake_handler handler)
{
    memset(f, 0, sizeof *f);
    f->handler = handler;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->ended, NULL);
    fake_begin(f);
}

/* Ends every connection, and listens no more. */
static inline void fake_end(fake *f)
{
    shutdown(f->listener, SHUT_RDWR);
    pthread_join(f->thread, NULL);
    close(f->listener);
    pthread_mutex_lock(&f->lock);
    for (int i = 0; i < f->peer_count; i++)
        shutdown(f->peers[i], SHUT_RDWR);
    while (f->peer_count)
        pthread_cond_wait(&f->ended, &f->lock);
    pthread_mutex_unlock(&f->lock);
}

static inline void fake_clear(fake *f)
{
    fake_end(f);
    pthread_cond_destroy(&f->ended);
    pthread_mutex_destroy(&f->lock);
}

/* Connections that are open now. */
static inline int fake_peers(fake *f)
{
    int count;

    pthread_mutex_lock(&f->lock);
    count = f->peer_count;
    pthread_mutex_unlock(&f->lock);
    return count;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that are not what the plugin wants. */
#include "config.h"

#include "milvus_live.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct fake {
    int listener;
    fake_kind kind;
} fake;

static int listener_make(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 16) ||
        getsockname(fd, (struct sockaddr *)&address, &size))
        abort();
    *port = ntohs(address.sin_port);
    return fd;
}

int fake_port(void)
{
    int port;

    close(listener_make(&port));
    return port;
}

static void text_send(int peer, const void *text, size_t size)
{
    if (send(peer, text, size, MSG_NOSIGNAL) < 0)
        return;
}

static void http_answer(int peer)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n"
                                 "Connection: close\r\n\r\n";
    char asked[4096];

    if (recv(peer, asked, sizeof asked, 0) > 0)
        text_send(peer, answer, sizeof answer - 1);
}

/* ---- HTTP/2, as little of it as one answer takes -------------------------------------------- */

enum { DATA = 0, HEADERS = 1, SETTINGS = 4, PING = 6 };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };

static int exactly(int peer, uint8_t *to, size_t size)
{
    return size == 0 || recv(peer, to, size, MSG_WAITALL) == (ssize_t)size;
}

static void frame_send(int peer, int type, int flags, const uint8_t *stream, const void *data,
                       size_t size)
{
    uint8_t frame[512] = {0, (uint8_t)(size >> 8), (uint8_t)size, (uint8_t)type, (uint8_t)flags};

    if (stream)
        memcpy(frame + 5, stream, 4);
    if (size)
        memcpy(frame + 9, data, size);
    text_send(peer, frame, size + 9);
}

/* A header as a literal that nobody remembers. */
static size_t header_put(uint8_t *at, const char *name, const char *value)
{
    size_t name_size = strlen(name), value_size = strlen(value);

    at[0] = 0;
    at[1] = (uint8_t)name_size;
    memcpy(at + 2, name, name_size);
    at[2 + name_size] = (uint8_t)value_size;
    memcpy(at + 3 + name_size, value, value_size);
    return 3 + name_size + value_size;
}

static void old_answer(int peer, const uint8_t *stream)
{
    /* a message of gRPC's, and in it the second field of GetVersionResponse */
    static const uint8_t message[] = "\0\0\0\0\012\022\010v2.2.16\n";
    uint8_t headers[128];
    size_t size = header_put(headers, ":status", "200");

    size += header_put(headers + size, "content-type", "application/grpc");
    frame_send(peer, HEADERS, END_HEADERS, stream, headers, size);
    frame_send(peer, DATA, 0, stream, message, sizeof message - 1);
    size = header_put(headers, "grpc-status", "0");
    frame_send(peer, HEADERS, END_HEADERS | END_STREAM, stream, headers, size);
}

static atomic_int pings;

int fake_pings(void)
{
    return pings;
}

static void http2_serve(int peer, int answers)
{
    uint8_t head[24], body[16384];

    if (!exactly(peer, head, 24)) /* the preface */
        return;
    frame_send(peer, SETTINGS, 0, NULL, NULL, 0);
    while (exactly(peer, head, 9)) {
        size_t size = (size_t)head[1] << 8 | head[2];
        int type = head[3], flags = head[4];

        if (head[0] || size > sizeof body || !exactly(peer, body, size))
            return;
        if (type == SETTINGS && !(flags & ACK)) {
            frame_send(peer, SETTINGS, ACK, NULL, NULL, 0);
        } else if (type == PING && !(flags & ACK)) {
            pings++;
            frame_send(peer, PING, ACK, NULL, body, size);
        } else if (type == DATA && flags & END_STREAM && answers) {
            old_answer(peer, head + 5);
        }
    }
}

/* ---- serving ---------------------------------------------------------------------------------- */

static void *serve(void *context)
{
    fake *f = context;

    for (;;) {
        int peer = accept(f->listener, NULL, NULL);

        if (peer < 0)
            break;
        if (f->kind == FAKE_HTTP)
            http_answer(peer);
        else
            http2_serve(peer, f->kind == FAKE_OLD);
        close(peer);
    }
    free(f);
    return NULL;
}

int fake_start(fake_kind kind)
{
    fake *f = malloc(sizeof *f);
    pthread_t thread;
    int port;

    if (!f)
        abort();
    f->kind = kind;
    f->listener = listener_make(&port);
    /* connections to a listener that accepts nothing are made all the same */
    if (kind == FAKE_SILENT)
        free(f);
    else if (pthread_create(&thread, NULL, serve, f) || pthread_detach(thread))
        abort();
    return port;
}

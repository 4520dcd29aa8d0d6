/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simplugin/plugin.h - what a similarity backend implements.
 *
 * A backend is one shared object, simplugin_<name>.so, that exports one symbol,
 * simplugin_backend_entry. The host calls it once per process, copies the table it
 * answers with, and from then on talks the backend protocol of docs/protocol.md
 * through four functions: describe, open, call, close.
 *
 * Objects
 *   simplugin_tensor    a matrix or column outside the MessagePack body; 64 bytes, frozen
 *   simplugin_request   a MessagePack map and the tensors it refers to
 *   simplugin_reply     the same in the other direction; its memory is the host's
 *   simplugin_error     opaque, the host's; written through simplugin_host
 *   simplugin_call_info method, deadline, cancel token and trace id of one call
 *   simplugin_host      what the host offers a backend
 *   simplugin_backend   what a backend offers the host
 *   simplugin_instance  opaque, the backend's: one open connection or store
 *
 * Ownership
 *   Everything the host passes in is borrowed until the function returns and must not
 *   be kept: copy what is needed later. Everything a backend returns lives in memory
 *   from simplugin_host.reply_alloc, which the host frees, also when the call fails.
 *   The host table, and the table the entry answers with, live as long as the process.
 *
 * Threads
 *   describe and open may be called from any thread at any time. call and close of one
 *   instance are called from one thread at a time if the backend declares
 *   SIMPLUGIN_THREADS_SERIAL, and call from many at once if it declares
 *   SIMPLUGIN_THREADS_CONCURRENT; close is never called beside a call. There is no
 *   thread affinity. The host holds no lock of its own while it is in a backend. A
 *   backend installs no signal handlers and throws no exception across this line.
 *
 * Versions
 *   The host offers a range of ABI versions, the backend's table names the one it follows,
 *   and every struct that crosses the line carries its size, so that either side may be
 *   older. Structs are only ever appended to; what a field means never changes. Fields
 *   named reserved are zero. docs/abi.md has the whole promise.
 *
 * Since 1.0: everything here.
 *
 * Text is UTF-8 with a length and no terminating zero, unless a comment says otherwise.
 */
#ifndef SIMPLUGIN_PLUGIN_H
#define SIMPLUGIN_PLUGIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SIMPLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define SIMPLUGIN_EXPORT
#endif

/*
 * ABI versions are major << 16 | minor. A backend names the oldest that has all it uses, so that
 * hosts older than the header it was built with take it too; a host offers all it speaks.
 */
#define SIMPLUGIN_ABI_1_0 UINT32_C(0x00010000)
#define SIMPLUGIN_ABI_VERSION SIMPLUGIN_ABI_1_0 /* the newest that this header describes */

/* ---- codes ------------------------------------------------------------------------ */

/* What every function of both headers returns, as int32_t. Numbers never change. */
#define SIMPLUGIN_OK 0
#define SIMPLUGIN_INVALID_ARGUMENT 1   /* a value is wrong; detail "argument" names it */
#define SIMPLUGIN_NOT_FOUND 2          /* no such collection, id, run, key */
#define SIMPLUGIN_ALREADY_EXISTS 3     /* and the caller asked not to replace it */
#define SIMPLUGIN_UNIMPLEMENTED 4      /* this backend cannot, and the core cannot instead */
#define SIMPLUGIN_DEADLINE_EXCEEDED 5  /* the call's timeout ran out */
#define SIMPLUGIN_CANCELLED 6          /* the call's token was fired */
#define SIMPLUGIN_BUSY 7               /* somebody else holds what is needed */
#define SIMPLUGIN_UNAVAILABLE 8        /* the server does not answer */
#define SIMPLUGIN_UNAUTHENTICATED 9    /* credentials missing or refused */
#define SIMPLUGIN_PERMISSION_DENIED 10 /* known, but not allowed to */
#define SIMPLUGIN_RESOURCE_EXHAUSTED 11 /* a limit of the server's or of ours */
#define SIMPLUGIN_OUT_OF_MEMORY 12
#define SIMPLUGIN_IO 13                /* reading or writing failed */
#define SIMPLUGIN_CORRUPT 14           /* stored data is damaged */
#define SIMPLUGIN_READ_ONLY 15
#define SIMPLUGIN_NO_SPACE 16          /* the disk or the quota is full */
#define SIMPLUGIN_VERSION_TOO_OLD 17   /* of a server or a store */
#define SIMPLUGIN_VERSION_TOO_NEW 18
#define SIMPLUGIN_INCOMPATIBLE 19      /* no common ABI version */
#define SIMPLUGIN_STALE_HANDLE 20      /* closed, never opened, or of another kind */
#define SIMPLUGIN_FORKED 21            /* opened by the parent process */
#define SIMPLUGIN_PROMPT_UNSUPPORTED 22 /* text queries need an embedding function */
#define SIMPLUGIN_DIMENSION_MISMATCH 23
#define SIMPLUGIN_MALFORMED 24         /* not MessagePack, too deep, too large, a bad tensor */
#define SIMPLUGIN_CONFIG 25            /* a configuration file or value cannot be used */
#define SIMPLUGIN_UNKNOWN_METHOD 26
#define SIMPLUGIN_UNKNOWN_PARAMETER 27
#define SIMPLUGIN_INTERNAL 28          /* a bug of ours or of the backend's */
#define SIMPLUGIN_PROTOCOL 29          /* a backend or server answered with nonsense */
/* The loader's, one for each way a plugin can be unusable. */
#define SIMPLUGIN_BACKEND_UNKNOWN 40       /* no plugin of that name anywhere */
#define SIMPLUGIN_BACKEND_NAME 41          /* not [a-z0-9_]+ */
#define SIMPLUGIN_PLUGIN_PATH 42           /* a search directory that is not absolute */
#define SIMPLUGIN_PLUGIN_UNSAFE 43         /* others may write the file or its directory */
#define SIMPLUGIN_PLUGIN_UNLOADABLE 44     /* the dynamic linker refused the file */
#define SIMPLUGIN_PLUGIN_NO_ENTRY 45       /* it has no simplugin_backend_entry */
#define SIMPLUGIN_PLUGIN_FOREIGN_ENTRY 46  /* the symbol belongs to another file */
#define SIMPLUGIN_PLUGIN_BAD_TABLE 47      /* a table without size or with empty slots */
#define SIMPLUGIN_PLUGIN_ENTRY_FAILED 48   /* the entry answered with another error */

/* ---- tensors ---------------------------------------------------------------------- */

#define SIMPLUGIN_FLOAT32 UINT32_C(1)
#define SIMPLUGIN_FLOAT64 UINT32_C(2)
#define SIMPLUGIN_FLOAT16 UINT32_C(3)  /* IEEE binary16 */
#define SIMPLUGIN_INT64 UINT32_C(4)
#define SIMPLUGIN_UINT64 UINT32_C(5)
#define SIMPLUGIN_INT32 UINT32_C(6)
#define SIMPLUGIN_UINT8 UINT32_C(7)    /* bytes; also text and booleans (0 or 1) */
#define SIMPLUGIN_BITS UINT32_C(8)     /* rows x cols bits, least significant first, rows padded to bytes */

/*
 * A row-major matrix in the machine's byte order. A column of n values is n rows of one
 * col. data may be NULL only where rows or cols is 0; it is aligned to the element.
 */
typedef struct simplugin_tensor {
    uint32_t dtype;      /* SIMPLUGIN_FLOAT32 ... */
    uint32_t reserved0;  /* 0 */
    const void *data;
    uint64_t rows;
    uint64_t cols;
    uint64_t row_stride; /* bytes from one row to the next; 0: rows follow each other */
    uint64_t reserved[3]; /* 0 */
} simplugin_tensor;

/* ---- envelope --------------------------------------------------------------------- */

/* The extension type by which a body names a tensor: 4 bytes, big-endian index. */
#define SIMPLUGIN_EXT_TENSOR 1

/* Limits that every decoder of the envelope keeps. */
#define SIMPLUGIN_MAX_DEPTH 32
#define SIMPLUGIN_MAX_BODY (UINT64_C(1) << 30)
#define SIMPLUGIN_MAX_TENSORS 1024

typedef struct simplugin_request {
    uint64_t size;            /* sizeof(simplugin_request) */
    const uint8_t *body;      /* one MessagePack map; NULL with body_size 0: an empty one */
    uint64_t body_size;       /* bytes */
    const simplugin_tensor *tensors;
    uint64_t tensor_count;
    uint64_t reserved[3];
} simplugin_request;

typedef struct simplugin_reply {
    uint64_t size;            /* sizeof(simplugin_reply) */
    const uint8_t *body;      /* one MessagePack map; NULL with body_size 0: an empty one */
    uint64_t body_size;
    const simplugin_tensor *tensors;
    uint64_t tensor_count;
    void *owner;              /* the host's: the memory of this reply */
    uint64_t reserved[2];
} simplugin_reply;

typedef struct simplugin_error simplugin_error;
typedef struct simplugin_instance simplugin_instance;

/* What one call carries beside its request. */
typedef struct simplugin_call_info {
    uint64_t size;
    const char *method;
    uint64_t method_size;
    int64_t deadline;         /* CLOCK_MONOTONIC nanoseconds; INT64_MAX: none */
    uint64_t cancel;          /* token for the host's services; 0: cannot be cancelled */
    const char *trace_id;     /* may be NULL with size 0 */
    uint64_t trace_id_size;
    uint64_t progress;        /* for simplugin_host.progress; 0: nobody listens */
    uint64_t reserved[4];
} simplugin_call_info;

/* ---- the host's services ---------------------------------------------------------- */

#define SIMPLUGIN_LOG_ERROR 1
#define SIMPLUGIN_LOG_WARNING 2
#define SIMPLUGIN_LOG_INFO 3
#define SIMPLUGIN_LOG_DEBUG 4

/* All of them may be called from any thread, also from one the backend made. */
typedef struct simplugin_host {
    uint64_t size;
    uint32_t abi_min;         /* the range of ABI versions this host speaks */
    uint32_t abi_max;

    /*
     * bytes of zeroed memory, aligned to 64, that belong to reply and are freed with it.
     * NULL when there is no memory. Not for two threads on one reply at a time.
     */
    void *(*reply_alloc)(simplugin_reply *reply, uint64_t bytes);

    /*
     * Sets *error; an earlier one is replaced. error may be NULL: nothing happens. message
     * is one line: what failed, on which argument, what to do; never a secret. Returns
     * code, so that a backend can write `return host->error_set(...)`.
     */
    int32_t (*error_set)(simplugin_error **error, int32_t code, const char *message,
                         uint64_t message_size);
    /* The server's own code and words, kept as they are beside ours. */
    void (*error_set_backend)(simplugin_error **error, int64_t backend_code,
                              const char *backend_message, uint64_t backend_message_size);
    /* 1: the same call may succeed later; 0: it will not. Set from the code otherwise. */
    void (*error_set_retryable)(simplugin_error **error, int32_t retryable);
    /* A pair such as "id", "4711", or "argument", "nlist". */
    void (*error_add_detail)(simplugin_error **error, const char *key, uint64_t key_size,
                             const char *value, uint64_t value_size);

    void (*log)(int32_t level, const char *message, uint64_t message_size);

    /* 1 if the token was fired. Cheap: meant to be asked between blocks of work. */
    int32_t (*cancelled)(uint64_t cancel);
    /*
     * fn(context) runs once, on the thread that fires the token or, if that has already
     * happened, on this one before the function returns. It must not block. Writes the
     * watch to *watch. Fails with STALE_HANDLE for a token that is gone, and for 0.
     */
    int32_t (*cancel_watch)(uint64_t cancel, void (*fn)(void *context), void *context,
                            uint64_t *watch);
    /* Takes the watch back; returns when fn has ended if it is running. 0 is harmless. */
    void (*cancel_unwatch)(uint64_t watch);

    /*
     * Tells the program how far a long call is, in units of the method's choice; total 0: unknown.
     * During the call and on its thread; other threads are not heard.
     */
    void (*progress)(uint64_t progress, uint64_t done, uint64_t total);
} simplugin_host;

/* ---- a backend -------------------------------------------------------------------- */

#define SIMPLUGIN_THREADS_SERIAL UINT32_C(1)
#define SIMPLUGIN_THREADS_CONCURRENT UINT32_C(2)

typedef struct simplugin_backend {
    uint64_t size;            /* sizeof(simplugin_backend), the first field */
    uint32_t abi;             /* the version it follows, inside the host's range */
    uint32_t threads;         /* SIMPLUGIN_THREADS_SERIAL or _CONCURRENT */

    /*
     * What the backend is and can do, as docs/protocol.md lists under "describe". Connects
     * nowhere, reads no file, blocks on nothing.
     */
    int32_t (*describe)(simplugin_reply *reply, simplugin_error **error);

    /*
     * Makes *instance from the parameters in the request: a map of the names that describe
     * declares, checked and converted by the host. info carries deadline and cancel; its
     * method is "open". A backend that talks to a server may connect here or later.
     */
    int32_t (*open)(const simplugin_call_info *info, const simplugin_request *request,
                    simplugin_instance **instance, simplugin_error **error);

    /*
     * Serves one method of the backend protocol. For a method it does not know:
     * UNKNOWN_METHOD. Ends by info->deadline with DEADLINE_EXCEEDED and soon after the token
     * was fired with CANCELLED. On failure whatever is in reply is dropped by the host.
     */
    int32_t (*call)(simplugin_instance *instance, const simplugin_call_info *info,
                    const simplugin_request *request, simplugin_reply *reply,
                    simplugin_error **error);

    /* Ends the instance. NULL is harmless. In a forked child it frees memory and no more. */
    void (*close)(simplugin_instance *instance);
} simplugin_backend;

/*
 * The one symbol of a plugin. Sets *backend to a table that lives as long as the process and
 * whose version is inside [host->abi_min, host->abi_max], and returns SIMPLUGIN_OK; or
 * returns SIMPLUGIN_INCOMPATIBLE with both ranges in the message. Called once per process
 * and plugin, from one thread, and never again; the plugin is never unloaded.
 */
SIMPLUGIN_EXPORT int32_t simplugin_backend_entry(const simplugin_host *host,
                                                 const simplugin_backend **backend,
                                                 simplugin_error **error);
typedef int32_t (*simplugin_backend_entry_fn)(const simplugin_host *host,
                                              const simplugin_backend **backend,
                                              simplugin_error **error);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches of rows, and what is said of them where some fail; indexes that are refused. The
 * linker puts the functions below in the place of the transport.
 */
#include "config.h"

#include "consistency.h"
#include "known.h"
#include "milvus_rig.h"
#include "numbers.h"
#include "partitions.h"
#include "pb.h"
#include "property.h"
#include "search.h"
#include "upsert.h"

#define LOG_BYTES 4096

/* ---- a server ------------------------------------------------------------------------------ */

static struct {
    uint64_t limit;         /* rows that it takes in one request */
    uint64_t refuses;       /* a request that begins with this row, by this: */
    milvus_status status;
    const char *details;    /* of gRPC's, where it has a (SIZE vs. LIMIT) of its own */
    int32_t ends;           /* the call, instead of an answer to that */
    uint64_t sent, written; /* rows */
    milvus_rpc *queue[64];
    uint64_t first[64], count[64];
    size_t head, tail;
    char log[LOG_BYTES];
    const char *refused;    /* the method that fails */
    int64_t plans_failed, plans_late;
} net;

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
    size_t used = strlen(net.log);
    va_list args;

    va_start(args, format);
    vsnprintf(net.log + used, sizeof net.log - used, format, args);
    va_end(args);
}

static void net_reset(void)
{
    memset(&net, 0, sizeof net);
    net.limit = UINT64_MAX;
    net.refuses = UINT64_MAX;
}

int32_t __wrap_milvus_flight_init(milvus_flight *flight, milvus_link *link, plug_call *call);
int32_t __wrap_milvus_flight_init(milvus_flight *flight, milvus_link *link, plug_call *call)
{
    memset(flight, 0, sizeof *flight);
    flight->link = link;
    flight->call = call;
    return SIMPLUGIN_OK;
}

void __wrap_milvus_flight_clear(milvus_flight *flight);
void __wrap_milvus_flight_clear(milvus_flight *flight)
{
    memset(flight, 0, sizeof *flight);
}

/* The number of rows, and the first one, which is its key: "r7" is row 7. */
static void request_look(const milvus_rpc *rpc, uint64_t *first, uint64_t *count)
{
    const uint8_t *data = GRPC_SLICE_START_PTR(rpc->parts[0]);
    pb_reader reader = pb_reader_of(data, GRPC_SLICE_LENGTH(rpc->parts[0]));
    pb_field field;

    *first = UINT64_MAX;
    while (pb_next(&reader, &field))
        if (field.number == REQUEST_ROWS)
            *count = field.value;
    for (size_t i = 0; *first == UINT64_MAX && i + 1 < GRPC_SLICE_LENGTH(rpc->parts[0]); i++)
        if (data[i] == 'r' && data[i + 1] >= '0' && data[i + 1] <= '9')
            *first = (uint64_t)(data[i + 1] - '0');
}

int32_t __wrap_milvus_flight_start(milvus_flight *flight, milvus_rpc *rpc);
int32_t __wrap_milvus_flight_start(milvus_flight *flight, milvus_rpc *rpc)
{
    size_t at = net.tail++ % 64;

    (void)flight;
    rpc->attempts++;
    net.queue[at] = rpc;
    request_look(rpc, &net.first[at], &net.count[at]);
    net.sent += net.count[at];
    note("%llu+%llu ", (unsigned long long)net.first[at], (unsigned long long)net.count[at]);
    return SIMPLUGIN_OK;
}

static uint64_t bytes_of(const milvus_rpc *rpc)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < rpc->part_count; i++)
        bytes += GRPC_SLICE_LENGTH(rpc->parts[i]);
    return bytes;
}

/* What gRPC says of a message that is too large. */
static void too_large(const milvus_flight *flight, milvus_rpc *rpc, const char *who,
                      uint64_t size, uint64_t limit)
{
    char words[120];

    snprintf(words, sizeof words, "%s message larger than max (%llu vs. %llu)", who,
             (unsigned long long)size, (unsigned long long)limit);
    milvus_status_of_grpc(&rpc->status, GRPC_STATUS_RESOURCE_EXHAUSTED, words, strlen(words));
    milvus_status_sizes(&rpc->status, bytes_of(rpc),
                        ((milvus_call *)(void *)flight->call)->instance->settings.max_receive_bytes);
}

/* Keys 100, 101, ... for rows 0, 1, ... */
static void keys_answer(milvus_rpc *rpc, uint64_t first, uint64_t count)
{
    sp_buffer out;
    size_t ids, kind, packed;

    sp_buffer_init(&out);
    ids = pb_begin(&out, MUTATION_IDS);
    kind = pb_begin(&out, IDS_INT);
    packed = pb_begin(&out, DATA);
    for (uint64_t i = 0; i < count; i++)
        pb_varint(&out, 100 + first + i);
    pb_end(&out, packed);
    pb_end(&out, kind);
    pb_end(&out, ids);
    rpc->reply_size = out.size;
    rpc->reply_slice = grpc_slice_new(out.data, out.size, free);
    rpc->reply = GRPC_SLICE_START_PTR(rpc->reply_slice);
}

int32_t __wrap_milvus_flight_next(milvus_flight *flight, milvus_rpc **rpc);
int32_t __wrap_milvus_flight_next(milvus_flight *flight, milvus_rpc **rpc)
{
    size_t at = net.head++ % 64;
    milvus_rpc *ended = net.queue[at];

    *rpc = NULL;
    if (net.first[at] == net.refuses && net.ends)
        return plug_fail(flight->call, net.ends, "the call's timeout ran out");
    *rpc = ended;
    if (net.count[at] > net.limit) {
        too_large(flight, ended, "grpc: received", bytes_of(ended), 4194304);
    } else if (net.first[at] == net.refuses && net.details) {
        net.written += net.count[at];
        too_large(flight, ended, net.details, 5000, 1 << 30);
    } else if (net.first[at] == net.refuses) {
        ended->status = net.status;
    } else {
        net.written += net.count[at];
        keys_answer(ended, net.first[at], net.count[at]);
    }
    return SIMPLUGIN_OK;
}

/* ---- writing ---------------------------------------------------------------------------------- */

typedef struct writes {
    milvus_rig rig;
    plug_matrix vectors;
    plug_columns fields;
    sp_column ids;
    milvus_rows rows;
} writes;

static void writes_begin(writes *t, int64_t batch_bytes)
{
    static const float numbers[16];
    static char target[] = "server:19530";

    memset(t, 0, sizeof *t);
    net_reset();
    rig_init(&t->rig);
    memcpy(t->rig.instance.settings.address.target, target, sizeof target);
    t->rig.instance.settings.batch_bytes = batch_bytes;
    t->rig.instance.settings.batches_in_flight = 1;
    t->ids = rig_column(&t->rig, SP_TEXT, "r0 r1 r2 r3 r4 r5 r6 r7");
    t->vectors = (plug_matrix){.data = numbers, .rows = 8, .stride = 2};
    t->rows = (milvus_rows){.ids = &t->ids, .vectors = &t->vectors, .fields = &t->fields,
                            .count = 8};
}

static void writes_end(writes *t)
{
    milvus_written_free(&t->rig.instance);
    milvus_known_forget(&t->rig.instance, NULL);
    rig_clear(&t->rig);
}

static const char *detail(const writes *t, const char *key)
{
    for (uint64_t i = 0; i < simplugin_error_detail_count(t->rig.error); i++)
        if (strcmp(simplugin_error_detail_key(t->rig.error, i), key) == 0)
            return simplugin_error_detail_value(t->rig.error, i);
    return "";
}

/* A request that the server does not read is sent again in halves, an insertion too. */
static void request_too_large(void)
{
    for (int insert = 0; insert < 2; insert++) {
        static writes t;

        writes_begin(&t, 1 << 20);
        net.limit = 2;
        CU_ASSERT_EQUAL(insert ? milvus_insert(&t.rig.call, &t.rows)
                               : milvus_upsert(&t.rig.call, &t.rows), SIMPLUGIN_OK);
        rig_same(net.log, "0+8 0+4 0+2 2+2 4+4 4+2 6+2 ", "halves");
        CU_ASSERT_EQUAL(net.written, 8);
        writes_end(&t);
    }
}

/* A row alone has no halves. */
static void row_too_large(void)
{
    static writes t;

    writes_begin(&t, 1 << 20);
    net.limit = 0;
    CU_ASSERT_EQUAL(milvus_insert(&t.rig.call, &t.rows), SIMPLUGIN_RESOURCE_EXHAUSTED);
    CU_ASSERT(strstr(rig_message(&t.rig), "takes no request that large") != NULL);
    CU_ASSERT_STRING_EQUAL(detail(&t, "written"), "0");
    CU_ASSERT_STRING_EQUAL(detail(&t, "unknown_rows"), "");
    writes_end(&t);
}

/* A reply that we do not read comes after the writing: nothing is sent again. */
static void reply_too_large(void)
{
    static const char *const says[] = {"Received", "CLIENT: Received"};

    for (int insert = 0; insert < 2; insert++)
        for (int i = 0; i < 2; i++) {
            static writes t;

            writes_begin(&t, 1 << 20);
            net.refuses = 0;
            net.details = says[i];
            CU_ASSERT_EQUAL(insert ? milvus_insert(&t.rig.call, &t.rows)
                                   : milvus_upsert(&t.rig.call, &t.rows),
                            SIMPLUGIN_RESOURCE_EXHAUSTED);
            CU_ASSERT_EQUAL(net.sent, 8);
            CU_ASSERT(strstr(rig_message(&t.rig), "the rows were written") != NULL);
            CU_ASSERT(strstr(rig_message(&t.rig), "max_receive_bytes") != NULL);
            CU_ASSERT(strstr(rig_message(&t.rig), insert ? "do not insert these rows again"
                                                         : "write the rows again") != NULL);
            CU_ASSERT_EQUAL(simplugin_error_retryable(t.rig.error), 0);
            CU_ASSERT_STRING_EQUAL(detail(&t, "unknown_rows"), "0-7");
            writes_end(&t);
        }
}

/* So that replies stay small enough, batches are no larger than that. */
static void replies_fit(void)
{
    static writes t;

    writes_begin(&t, 1 << 20);
    t.rig.instance.settings.max_receive_bytes = 512 + 3 * 18;
    CU_ASSERT_EQUAL(milvus_insert(&t.rig.call, &t.rows), SIMPLUGIN_OK);
    rig_same(net.log, "0+3 3+3 6+2 ", "batches");
    writes_end(&t);
}

/* ---- failures ------------------------------------------------------------------------------------ */

static void status_set(int32_t code, int arrived, const char *reason)
{
    memset(&net.status, 0, sizeof net.status);
    net.status.code = code;
    net.status.arrived = arrived;
    snprintf(net.status.reason, sizeof net.status.reason, "%s", reason);
}

/* One row a batch; the server refuses the fourth. */
static void refused_batch(void)
{
    static writes t;

    writes_begin(&t, 1);
    net.refuses = 3;
    t.rig.schema.auto_id = 1;
    status_set(SIMPLUGIN_INVALID_ARGUMENT, 1, "no such thing");
    CU_ASSERT_EQUAL(milvus_insert(&t.rig.call, &t.rows), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT(strstr(rig_message(&t.rig), "Insert of 1 rows from row 3 on at server:19530: "
                                          "no such thing") != NULL);
    CU_ASSERT_STRING_EQUAL(detail(&t, "written"), "3");
    CU_ASSERT_STRING_EQUAL(detail(&t, "written_rows"), "0-2");
    CU_ASSERT_STRING_EQUAL(detail(&t, "unknown_rows"), "");
    CU_ASSERT_STRING_EQUAL(detail(&t, "keys"), "100,101,102");
    writes_end(&t);
}

/* Some in flight as one fails: whether they arrive is not known. */
static void others_in_flight(void)
{
    static writes t;

    writes_begin(&t, 1);
    t.rig.instance.settings.batches_in_flight = 3;
    net.refuses = 2;
    status_set(SIMPLUGIN_UNAVAILABLE, 0, "Socket closed");
    CU_ASSERT_EQUAL(milvus_insert(&t.rig.call, &t.rows), SIMPLUGIN_UNAVAILABLE);
    CU_ASSERT_STRING_EQUAL(detail(&t, "written"), "2");
    CU_ASSERT_STRING_EQUAL(detail(&t, "written_rows"), "0-1");
    CU_ASSERT_STRING_EQUAL(detail(&t, "unknown_rows"), "2-4");
    CU_ASSERT_STRING_EQUAL(detail(&t, "keys"), "");
    writes_end(&t);
}

static void out_of_time(void)
{
    static writes t;

    writes_begin(&t, 1);
    net.refuses = 1;
    net.ends = SIMPLUGIN_DEADLINE_EXCEEDED;
    CU_ASSERT_EQUAL(milvus_upsert(&t.rig.call, &t.rows), SIMPLUGIN_DEADLINE_EXCEEDED);
    CU_ASSERT_STRING_EQUAL(detail(&t, "written"), "1");
    CU_ASSERT_STRING_EQUAL(detail(&t, "unknown_rows"), "1-1");
    writes_end(&t);
}

/* ---- indexes --------------------------------------------------------------------------------------- */

int32_t __wrap_milvus_tell(milvus_call *call, const char *method, const ProtobufCMessage *message,
                           int idempotent);
int32_t __wrap_milvus_tell(milvus_call *call, const char *method, const ProtobufCMessage *message,
                           int idempotent)
{
    (void)idempotent;
    note("%s", method);
    if (strcmp(method, "CreateIndex") == 0) {
        const Milvus__IndexRequest *request = (const void *)message;

        note("(%s", request->index_name);
        for (size_t i = 0; i < request->n_extra_params; i++)
            note(" %s=%s", request->extra_params[i]->key, request->extra_params[i]->value);
        note(")");
    }
    if (strcmp(method, "AlterCollection") == 0)
        note("(%s)", ((const Milvus__AlterCollectionRequest *)(const void *)message)
                         ->properties[0]->value);
    note(" ");
    if (net.refused && strcmp(method, net.refused) == 0) {
        net.refused = NULL;
        return plug_fail(&call->base, SIMPLUGIN_INVALID_ARGUMENT, "out of range");
    }
    return SIMPLUGIN_OK;
}

int32_t __wrap_milvus_load(milvus_call *call, const char *const *partitions, uint64_t count,
                           int64_t replicas);
int32_t __wrap_milvus_load(milvus_call *call, const char *const *partitions, uint64_t count,
                           int64_t replicas)
{
    (void)partitions;
    (void)count;
    (void)replicas;
    note("load ");
    return net.refused && strcmp(net.refused, "load") == 0
               ? plug_fail(&call->base, SIMPLUGIN_RESOURCE_EXHAUSTED, "no memory there")
               : SIMPLUGIN_OK;
}

static const char *const old_params[] = {"index_type", "FLAT", "metric_type", "COSINE"};

/* index.create with no parameters, where there is an index of another type. */
static int32_t index_make(milvus_rig *rig, const char *refused)
{
    net_reset();
    net.refused = refused;
    rig_ask(rig);
    return milvus_serve_index_create(&rig->call);
}

static void index_begin(milvus_rig *rig)
{
    rig_init(rig);
    rig->schema.metric = "cosine";
    rig->schema.index_name = "vector";
    rig->schema.index_param_count = 2;
    rig->schema.index_params = old_params;
}

#define REMOVED "ReleaseCollection DropIndex "
#define NEW "CreateIndex( index_type=HNSW metric_type=COSINE params={\"M\": 16, \"efConstruction\": 200}) "
#define OLD "CreateIndex(vector index_type=FLAT metric_type=COSINE) "

static void index_replaced(void)
{
    static milvus_rig rig;

    index_begin(&rig);
    CU_ASSERT_EQUAL(index_make(&rig, NULL), SIMPLUGIN_OK);
    rig_same(net.log, REMOVED NEW "load ", "made");
    rig_clear(&rig);
}

/* What was there is there again, and the server's words are the error. */
static void index_refused(void)
{
    static milvus_rig rig;

    index_begin(&rig);
    CU_ASSERT_EQUAL(index_make(&rig, "CreateIndex"), SIMPLUGIN_INVALID_ARGUMENT);
    rig_same(net.log, REMOVED NEW OLD "LoadCollection ", "refused");
    CU_ASSERT(strstr(rig_message(&rig), "out of range") != NULL);
    rig_reset(&rig);
    CU_ASSERT_EQUAL(index_make(&rig, "load"), SIMPLUGIN_RESOURCE_EXHAUSTED);
    rig_same(net.log, REMOVED NEW "load " REMOVED OLD "LoadCollection ", "not loaded");
    CU_ASSERT(strstr(rig_message(&rig), "no memory there") != NULL);
    rig_clear(&rig);
}

/* One that has none is made by the metric that the collection was made for. */
static void index_lost(void)
{
    static milvus_rig rig;

    index_begin(&rig);
    rig.schema.metric = NULL;
    rig.schema.index_type = rig.schema.index_name = "";
    rig.schema.kept_metric = "cosine";
    rig.schema.property = "{\"fields\":{},\"token\":\"t\"}";
    CU_ASSERT_EQUAL(index_make(&rig, NULL), SIMPLUGIN_OK);
    rig_same(net.log, NEW "AlterCollection({\"fields\":{},\"metric\":\"cosine\",\"token\":\"t\"}) load ",
             "made anew");
    rig_clear(&rig);
}

/* ---- upkeep -------------------------------------------------------------------------------------------- */

int32_t __wrap_milvus_ask(milvus_call *call, const char *method, const ProtobufCMessage *message,
                          const ProtobufCMessageDescriptor *descriptor, void **reply);
int32_t __wrap_milvus_ask(milvus_call *call, const char *method, const ProtobufCMessage *message,
                          const ProtobufCMessageDescriptor *descriptor, void **reply)
{
    Milvus__CompactionStateReply state = MILVUS__COMPACTION_STATE_REPLY__INIT;
    uint8_t packed[64];
    size_t size = 0;

    (void)call;
    (void)message;
    if (strcmp(method, "GetCompactionState") == 0) {
        state.state = 2;
        state.completed = 4;
        state.failed = net.plans_failed;
        state.timed_out = net.plans_late;
        size = protobuf_c_message_pack(&state.base, packed);
    }
    *reply = protobuf_c_message_unpack(descriptor, NULL, size, packed);
    return *reply ? SIMPLUGIN_OK : SIMPLUGIN_PROTOCOL;
}

/* It is over, but some of it came to nothing. */
static void compaction_failed(void)
{
    static milvus_rig rig;

    for (int i = 0; i < 3; i++) {
        rig_init(&rig);
        net_reset();
        net.plans_failed = i == 1 ? 3 : 0;
        net.plans_late = i == 2 ? 2 : 0;
        rig_refused(&rig, milvus_serve_collection_compact(&rig.call),
                    i ? SIMPLUGIN_UNAVAILABLE : SIMPLUGIN_OK,
                    i == 1 ? "3 failed" : i == 2 ? "2 took too long" : NULL, "compaction");
        rig_clear(&rig);
    }
}

/* An index by a metric of the server's own is not none. */
static void unknown_metric(void)
{
    static milvus_rig rig;

    for (int i = 0; i < 2; i++) {
        milvus_search search = {.call = &rig.call, .level = -1};

        rig_init(&rig);
        rig.schema.metric = NULL;
        rig.schema.index_type = i ? "BIN_FLAT" : "";
        rig.schema.server_metric = i ? "SUBSTRUCTURE" : "";
        rig_key(&rig, "k");
        simplugin_write_uint(&rig.body, 1);
        rig_ask(&rig);
        rig_refused(&rig, milvus_search_read(&search),
                    i ? SIMPLUGIN_UNIMPLEMENTED : SIMPLUGIN_INVALID_ARGUMENT,
                    i ? "the metric \"SUBSTRUCTURE\"" : "no index", "search");
        rig_clear(&rig);
    }
}

static const unit_case cases[] = {
    UNIT_CASE(request_too_large, "R262 a request that is too large is sent in halves"),
    UNIT_CASE(row_too_large, "R262 a row that is too large"),
    UNIT_CASE(reply_too_large, "R262 R277 a reply that is too large: nothing is sent twice"),
    UNIT_CASE(replies_fit, "R262 batches by the size of their replies"),
    UNIT_CASE(refused_batch, "R277 a batch that is refused: what is written is told"),
    UNIT_CASE(others_in_flight, "R277 a connection lost: what is not known is told"),
    UNIT_CASE(out_of_time, "R274 R277 no time left: what is written is told"),
    UNIT_CASE(index_replaced, "R156 an index takes the place of another"),
    UNIT_CASE(index_refused, "R156 R277 an index that is refused leaves the old one there"),
    UNIT_CASE(compaction_failed, "R168 R277 a compaction of which a part fails"),
    UNIT_CASE(unknown_metric, "R277 an index by a metric that is not known"),
    UNIT_CASE(index_lost, "R156 R277 a collection without its index keeps its metric"),
};

UNIT_MAIN("milvus writes", cases)

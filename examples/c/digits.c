/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Indexes the 1,797 handwritten digits of data/ and searches them: by id, by vector, by a
 * list of ids, and inside a view. The first steps use the typed functions of simplugin.h;
 * the last two the generic call, with the reader and writer of simplugin/envelope.h.
 *
 *     digits digits.npy digits_labels.txt
 *
 * The backend is the configured one: sklearn, exact and local, unless for example
 * FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND says otherwise.
 */
#include <simplugin.h>
#include <simplugin/envelope.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define K 4

typedef struct digits {
    uint64_t count;
    uint64_t dimension;
    float *vectors;    /* count x dimension */
    int *labels;
    const char **ids;  /* "digit-0000" ... */
    char *id_memory;
} digits;

/* ---- the data ---------------------------------------------------------------------------- */

/* A .npy file of version 1 with a matrix of float32; 0 on failure. */
static int read_npy(const char *path, digits *d)
{
    unsigned char head[10];
    char header[1024] = "";
    const char *shape;
    unsigned long long rows = 0, cols = 0;
    size_t size = 0;
    FILE *file = fopen(path, "rb");
    int ok = file && fread(head, 1, sizeof head, file) == sizeof head &&
             memcmp(head, "\x93NUMPY\x01", 7) == 0;

    if (ok) {
        size = (size_t)head[8] + 256 * (size_t)head[9];
        ok = size < sizeof header && fread(header, 1, size, file) == size;
    }
    shape = strstr(header, "'shape': (");
    ok = ok && strstr(header, "'<f4'") && strstr(header, "'fortran_order': False") && shape &&
         sscanf(shape, "'shape': (%llu, %llu)", &rows, &cols) == 2 && rows && cols &&
         rows < 1000000 && cols < 10000;
    if (ok) {
        size = (size_t)(rows * cols);
        d->vectors = malloc(size * sizeof *d->vectors);
        ok = d->vectors && fread(d->vectors, sizeof *d->vectors, size, file) == size;
    }
    d->count = rows;
    d->dimension = cols;
    if (file)
        fclose(file);
    return ok;
}

/* One number a line, and an id for each. */
static int read_labels(const char *path, digits *d)
{
    enum { ID = 32 };
    FILE *file = fopen(path, "r");
    uint64_t read = 0;

    d->labels = calloc(d->count, sizeof *d->labels);
    d->ids = calloc(d->count, sizeof *d->ids);
    d->id_memory = calloc(d->count, ID);
    while (file && d->labels && d->ids && d->id_memory && read < d->count &&
           fscanf(file, "%d", &d->labels[read]) == 1) {
        d->ids[read] = d->id_memory + read * ID;
        snprintf(d->id_memory + read * ID, ID, "digit-%04llu", (unsigned long long)read);
        read++;
    }
    if (file)
        fclose(file);
    return read == d->count;
}

static void digits_clear(digits *d)
{
    free(d->vectors);
    free(d->labels);
    free(d->ids);
    free(d->id_memory);
}

static int label_of(const digits *d, const char *id)
{
    unsigned long long row = d->count;

    return sscanf(id, "digit-%llu", &row) == 1 && row < d->count ? d->labels[row] : -1;
}

/* ---- the table ----------------------------------------------------------------------------- */

static void print_head(void)
{
    printf("%-15s  %-18s  %s\n", "search", "query", "nearest first: image, digit, distance");
}

static void print_hit(const digits *d, const char *id, double distance)
{
    printf("  %s %d %.4f", id + strlen("digit-"), label_of(d, id), distance);
}

static void print_hits(const digits *d, const char *search, const char *query,
                       const simplugin_hits *hits)
{
    printf("%-15s  %-18s", search, query);
    for (uint64_t i = 0; i < hits->hit_count; i++)
        print_hit(d, hits->ids[i], (double)hits->distances[i]);
    printf("\n");
}

/* ---- searches ------------------------------------------------------------------------------ */

static int32_t search_by_id(const digits *d, uint64_t index, simplugin_error **error)
{
    const char *query = "digit-0000";
    simplugin_hits hits = {.size = sizeof hits};
    int32_t code = simplugin_index_search_ids(index, &query, 1, K, NULL, &hits, error);

    if (code == SIMPLUGIN_OK)
        print_hits(d, "by id", "0000 (a 0)", &hits);
    simplugin_hits_clear(&hits);
    return code;
}

/* The query is no image of the index: the mean of all sevens. */
static int32_t search_by_vector(const digits *d, uint64_t index, simplugin_error **error)
{
    float *mean = calloc(d->dimension, sizeof *mean);
    simplugin_hits hits = {.size = sizeof hits};
    float sevens = 0;
    int32_t code;

    if (!mean)
        return SIMPLUGIN_OUT_OF_MEMORY;
    for (uint64_t i = 0; i < d->count; i++)
        sevens += d->labels[i] == 7 ? 1.0f : 0.0f;
    for (uint64_t i = 0; i < d->count; i++)
        for (uint64_t j = 0; d->labels[i] == 7 && j < d->dimension; j++)
            mean[j] += d->vectors[i * d->dimension + j] / sevens;
    code = simplugin_index_search(index, mean, 1, d->dimension, K, NULL, &hits, error);
    if (code == SIMPLUGIN_OK)
        print_hits(d, "by vector", "the mean of all 7s", &hits);
    simplugin_hits_clear(&hits);
    free(mean);
    return code;
}

/* Calls a method of docs/protocol.md with the body in writer. */
static int32_t call(uint64_t target, const char *method, const simplugin_writer *writer,
                    simplugin_reply *reply, simplugin_error **error)
{
    simplugin_request request = simplugin_writer_request(writer);

    if (writer->failed)
        return SIMPLUGIN_OUT_OF_MEMORY;
    return simplugin_call(target, method, strlen(method), &request, NULL, reply, error);
}

/* Prints the first list of hits in a reply to index.search. */
static void print_reply(const digits *d, const char *search, const char *query,
                        const simplugin_reply *reply)
{
    simplugin_value body = simplugin_body_value(reply->body, reply->body_size), value;
    const simplugin_tensor *distances = NULL;
    simplugin_column ids;

    if (!simplugin_find(&body, "ids", &value) ||
        simplugin_column_read(&value, reply->tensors, reply->tensor_count, &ids) ||
        simplugin_find_tensor(&body, "distances", reply->tensors, reply->tensor_count,
                              &distances) != 1)
        return;
    printf("%-15s  %-18s", search, query);
    for (uint64_t i = 0; i < ids.count; i++) {
        char id[256];
        uint64_t size;
        const char *text = simplugin_column_text(&ids, i, &size);

        snprintf(id, sizeof id, "%.*s", (int)size, text);
        print_hit(d, id, (double)((const float *)distances->data)[i]);
    }
    printf("\n");
}

/* Three threes as one query: the mean of the distances to them. */
static int32_t search_by_list(const digits *d, uint64_t index, simplugin_error **error)
{
    static const char *const ids[] = {"digit-0003", "digit-0013", "digit-0023"};
    simplugin_reply reply = {.size = sizeof reply};
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 3);
    simplugin_write_string(&writer, "ids");
    simplugin_write_array(&writer, 3);
    for (int i = 0; i < 3; i++)
        simplugin_write_string(&writer, ids[i]);
    simplugin_write_string(&writer, "aggregation");
    simplugin_write_string(&writer, "post-mean");
    simplugin_write_string(&writer, "k");
    simplugin_write_uint(&writer, K);
    code = call(index, "index.search", &writer, &reply, error);
    if (code == SIMPLUGIN_OK)
        print_reply(d, "by list of ids", "0003, 0013, 0023", &reply);
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    return code;
}

/* Which nines look most like the first four? */
static int32_t search_in_view(const digits *d, uint64_t index, simplugin_error **error)
{
    simplugin_reply reply = {.size = sizeof reply};
    simplugin_writer writer;
    simplugin_value body;
    uint64_t position, nines = 0;
    int64_t view = 0;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    simplugin_write_string(&writer, "ids");
    position = simplugin_write_array_begin(&writer);
    for (uint64_t i = 0; i < d->count; i++)
        if (d->labels[i] == 9) {
            simplugin_write_string(&writer, d->ids[i]);
            nines++;
        }
    simplugin_write_end(&writer, position, nines);
    code = call(index, "view.create", &writer, &reply, error);
    body = simplugin_body_value(reply.body, reply.body_size);
    simplugin_find_int(&body, "view", &view);
    simplugin_reply_clear(&reply);
    if (code == SIMPLUGIN_OK) {
        simplugin_writer_reset(&writer);
        simplugin_write_map(&writer, 3);
        simplugin_write_string(&writer, "ids");
        simplugin_write_array(&writer, 1);
        simplugin_write_string(&writer, "digit-0004");
        simplugin_write_string(&writer, "view");
        simplugin_write_uint(&writer, (uint64_t)view);
        simplugin_write_string(&writer, "k");
        simplugin_write_uint(&writer, K);
        code = call(index, "index.search", &writer, &reply, error);
    }
    if (code == SIMPLUGIN_OK)
        print_reply(d, "in a view of 9s", "0004 (a 4)", &reply);
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    return code;
}

static int32_t run(const digits *d, simplugin_error **error)
{
    uint64_t index = 0, size = 0;
    int32_t code = simplugin_index_create(NULL, &index, NULL, error);

    if (code == SIMPLUGIN_OK)
        code = simplugin_index_add(index, d->ids, d->vectors, d->count, d->dimension, NULL, error);
    if (code == SIMPLUGIN_OK)
        code = simplugin_index_size(index, &size, NULL, error);
    if (code == SIMPLUGIN_OK) {
        printf("%llu images of %llu pixels are in the index.\n\n",
               (unsigned long long)size, (unsigned long long)d->dimension);
        print_head();
        code = search_by_id(d, index, error);
    }
    if (code == SIMPLUGIN_OK)
        code = search_by_vector(d, index, error);
    if (code == SIMPLUGIN_OK)
        code = search_by_list(d, index, error);
    if (code == SIMPLUGIN_OK)
        code = search_in_view(d, index, error);
    if (index) {
        simplugin_index_cleanup(index, NULL, NULL);
        simplugin_close(index, NULL);
    }
    return code;
}

int main(int argc, char **argv)
{
    simplugin_error *error = NULL;
    digits d = {0};
    int32_t code = SIMPLUGIN_IO;

    if (argc != 3)
        fprintf(stderr, "usage: digits digits.npy digits_labels.txt\n");
    else if (!read_npy(argv[1], &d) || !read_labels(argv[2], &d))
        fprintf(stderr, "digits: cannot read %s and %s\n", argv[1], argv[2]);
    else
        code = run(&d, &error);
    if (error)
        fprintf(stderr, "digits: %s: %s\n", simplugin_code_name(simplugin_error_code(error)),
                simplugin_error_message(error, NULL));
    simplugin_error_free(&error);
    digits_clear(&d);
    return code == SIMPLUGIN_OK ? 0 : 1;
}

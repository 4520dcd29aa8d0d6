/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numeric kernels: what is computed over many floats or bytes, in a version for each
 * kind of CPU, chosen once at run time.
 *
 * Rows are float32 and need only be aligned to 4 bytes; strides count elements. Where a
 * list `index` of row numbers may be given, NULL stands for 0..count-1. Nothing here
 * allocates, except sp_codes_new. All of it may be called from any thread.
 */
#ifndef SP_KERNELS_H
#define SP_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* ---- the int8 copy of the rows -------------------------------------------------------- */

/*
 * Beside each float row stands an int8 code: the row after a fixed rotation, divided by a
 * scale of its own and rounded. The rotation (random signs and Hadamard transforms, the
 * same for ever for a dimension) spreads outlying dimensions over all, so that 8 bits are
 * enough; being orthogonal it changes no dot product and no length. With the length of
 * what the code misses, a dot product of codes bounds that of the rows.
 */
typedef struct sp_codes sp_codes;

/* NULL: no memory, or dimension is 0 or above 2^31. */
sp_codes *sp_codes_new(uint64_t dimension);
void sp_codes_free(sp_codes *codes);

/* Bytes from one code to the next: the dimension rounded up to 64. */
uint64_t sp_codes_stride(uint64_t dimension);

/*
 * Encodes count rows: out (count x code_stride bytes, zero-padded), and for each row its
 * scale, at least |row - scale * code| as error, and |row| as norm. Rows that int8 cannot
 * serve (of no or enormous length) get scale 0 and their length as error. rows may not
 * hold NaN or infinity. Several threads may use one sp_codes.
 */
void sp_codes_encode(const sp_codes *codes, const float *rows, uint64_t stride, uint64_t count,
                     int8_t *out, uint64_t code_stride, float *scales, float *errors,
                     float *norms);

/* A query in the same basis: once in 16 bits, as scale * (high + low / 254), and once in 8. */
typedef struct sp_query_code {
    double scale;
    double error;       /* at least |query - scale * (high + low / 254)| */
    double length;      /* |scale * (high + low / 254)| */
    double high_error;  /* at least |query - scale * high| */
    double high_length; /* |scale * high| */
} sp_query_code;

/* high and low: code_stride bytes each. Returns 0 if int8 cannot serve that query. */
int sp_codes_query(const sp_codes *codes, const float *query, uint64_t code_stride, int8_t *high,
                   int8_t *low, sp_query_code *code);

/* ---- the table ------------------------------------------------------------------------ */

/* Distances that are computed from the rows themselves, in double. */
#define SP_EXACT_DOT 0         /* q.x */
#define SP_EXACT_COSINE 1      /* q.x / |x|; 0 for |x| = 0 */
#define SP_EXACT_SQUARED 2     /* |q - x|^2 */
#define SP_EXACT_MANHATTAN 3
#define SP_EXACT_CHEBYSHEV 4
#define SP_EXACT_CANBERRA 5    /* a term 0/0 counts 0 */
#define SP_EXACT_BRAYCURTIS 6  /* 0/0 is 0 */
#define SP_EXACT_CORRELATION 7 /* the coefficient; 0 where a side does not vary */
#define SP_EXACT_COUNT 8

/* One query against count rows. */
typedef void (*sp_rows_f32_fn)(const float *query, const float *rows, uint64_t stride,
                               const uint32_t *index, uint64_t count, uint64_t dimension,
                               float *out);
typedef void (*sp_rows_f64_fn)(const float *query, const float *rows, uint64_t stride,
                               const uint32_t *index, uint64_t count, uint64_t dimension,
                               double *out);

/*
 * A row i and a query j belong together unless
 *     approx * a[i] + b[i] * s[j] + c[i] * r[j] < t[j]
 * where approx is their dot product of codes or floats. A NaN anywhere lets the pair pass.
 */
typedef struct sp_match {
    uint32_t row; /* its position in index */
    uint32_t query;
    int32_t dot;
} sp_match;

/* Rows, and queries packed by sp_pack_queries, of one call of match_codes. */
typedef struct sp_match_input {
    const int8_t *codes;
    uint64_t stride;        /* bytes from code to code */
    const uint32_t *index;
    uint64_t row_count;     /* at most SP_MATCH_ROWS */
    const float *a, *b, *c; /* one a row, in the order of index */
    const uint8_t *queries; /* panels of 16 queries */
    uint64_t query_count;   /* rounded up to 16; at most SP_MATCH_QUERIES */
    const float *s, *r, *t; /* one a query */
    uint64_t length;        /* bytes of a code: a multiple of 64 */
    const float *rests;     /* one a query, from sp_code_rest, 0 for what pads; NULL: not known.
                               With them a kernel may see from the head of the codes alone that
                               a pair does not belong together. */
} sp_match_input;

#define SP_MATCH_ROWS 48
#define SP_MATCH_QUERIES 256
/* Codes longer than this could overflow 32 bits. */
#define SP_CODES_MAX 65536

typedef struct sp_kernels {
    const char *name;
    int fast_match; /* match_codes beats a float matrix product on this CPU */

    sp_rows_f32_fn dot;
    sp_rows_f32_fn squared;             /* |q - x|^2 */
    sp_rows_f64_fn exact[SP_EXACT_COUNT];
    double (*square)(const float *row, uint64_t dimension); /* |x|^2 */

    /* out[i] = high . code + low . code / 254. length: a multiple of 64. low may be NULL. */
    void (*dot_codes)(const int8_t *high, const int8_t *low, const int8_t *codes, uint64_t stride,
                      const uint32_t *index, uint64_t count, uint64_t length, float *out);
    /* The pairs that pass, in out (room for row_count x query_count); returns how many. */
    uint64_t (*match_codes)(const sp_match_input *input, sp_match *out);
    /* The positions that pass for one query, in out (room for count); returns how many. */
    uint64_t (*select)(const float *approx, const float *a, const float *b, const float *c,
                       uint64_t count, float s, float r, float t, uint32_t *out);

    /* The Hadamard transform of n (a power of 2) floats, in place, not normalised. */
    void (*hadamard)(float *values, uint64_t n);
    /* Codes of n floats with the given largest magnitude; the best scale and the squared
       error by it. */
    void (*quantise)(const float *values, uint64_t n, float largest, int8_t *codes, float *scale,
                     double *squared_error);
    float (*largest)(const float *values, uint64_t n); /* magnitude */

    /* out[i] = values[i] * factors[i] */
    void (*multiply)(const float *values, const float *factors, uint64_t n, float *out);

    void (*from_float16)(const uint16_t *values, uint64_t n, float *out);
    void (*from_float64)(const double *values, uint64_t n, float *out);
    int (*all_finite)(const float *values, uint64_t n);
} sp_kernels;

/* The best table for this CPU, or the forced one. */
const sp_kernels *sp_kernels_get(void);
/* "scalar", "avx2", "avx512", "neon"; NULL if this CPU or build has none of that name. */
const sp_kernels *sp_kernels_named(const char *name);
/* Makes sp_kernels_get answer with that table; NULL: choose again. For tests. */
void sp_kernels_force(const sp_kernels *kernels);

/*
 * Packs count queries (codes of length bytes) for match_codes, into out: panels of 16, the
 * last one filled up with zeros, (count rounded up to 16) x length bytes. A panel holds
 * four bytes of each query, then the next four of each, all of them plus 128.
 */
/* How many bytes are the head of a code; 0: a code so short has none. */
uint64_t sp_code_head(uint64_t length);
/* The Euclidean length of what is behind the head: no two codes' dot product there exceeds the product of these. */
float sp_code_rest(const int8_t *code, uint64_t length);
void sp_pack_queries(const int8_t *const *queries, uint64_t count, uint64_t length, uint8_t *out);

#endif

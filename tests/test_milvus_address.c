/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What users and servers write, as tables: addresses, settings, names, metrics, index
 * types, and what servers say against a call.
 */
#include "config.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

#include "address.h"
#include "index_spec.h"
#include "metric.h"
#include "milvus_rig.h"
#include "name.h"
#include "pb.h"
#include "settings.h"
#include "status.h"
#include "conformance/tree.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- addresses ------------------------------------------------------------------------------ */

static void addresses(void)
{
    static const struct {
        const char *uri;
        const char *target;
        int port, tls, is_loopback;
    } good[] = {
        {"http://localhost:19530", "localhost:19530", 19530, 0, 1},
        {"tcp://localhost:19530", "localhost:19530", 19530, 0, 1},
        {"grpc://localhost", "localhost:19530", 19530, 0, 1},
        {"https://milvus.example.com:443", "milvus.example.com:443", 443, 1, 0},
        {"HTTPS://Milvus.Example.com/", "Milvus.Example.com:19530", 19530, 1, 0},
        {"localhost", "localhost:19530", 19530, 0, 1},
        {"LocalHost:1", "LocalHost:1", 1, 0, 1},
        {"milvus_standalone-1:65535/", "milvus_standalone-1:65535", 65535, 0, 0},
        {"10.0.0.7:19531", "10.0.0.7:19531", 19531, 0, 0},
        {"127.0.0.1:00080", "127.0.0.1:80", 80, 0, 1},
        {"127.1.2.3", "127.1.2.3:19530", 19530, 0, 1},
        {"127.example.com", "127.example.com:19530", 19530, 0, 0},
        {"127.0.0.1.example.com", "127.0.0.1.example.com:19530", 19530, 0, 0},
        {"localhost.example.com", "localhost.example.com:19530", 19530, 0, 0},
        {"http://[::1]:7", "[::1]:7", 7, 0, 1},
        {"[::1]", "[::1]:19530", 19530, 0, 1},
        {"https://[2001:db8::1]/", "[2001:db8::1]:19530", 19530, 1, 0},
    };

    for (size_t i = 0; i < COUNT(good); i++) {
        milvus_address address;
        const char *wrong = milvus_address_parse(good[i].uri, &address);

        rig_check(!wrong, wrong ? wrong : "", good[i].uri);
        if (wrong)
            continue;
        rig_same(address.target, good[i].target, good[i].uri);
        CU_ASSERT_EQUAL(address.port, good[i].port);
        CU_ASSERT_EQUAL(address.tls, good[i].tls);
        rig_check(address.is_loopback == good[i].is_loopback, "loopback", good[i].uri);
    }
}

static void bad_addresses(void)
{
    char longest[400];
    static const struct {
        const char *uri;
        const char *says;
    } bad[] = {
        {"", "no name and no address"},
        {"http://", "no name and no address"},
        {":19530", "no name and no address"},
        {"http:///", "no name and no address"},
        {"my host", "no name and no address"},
        {" localhost", "no name and no address"},
        {"local\thost", "no name and no address"},
        {"h\xc3\xb6st", "no name and no address"},
        {"ftp://localhost", "scheme"},
        {"http://tcp://localhost", "scheme"},
        {"unix:///var/run/milvus", "scheme"},
        {"http://root:geheim@localhost", "user"},
        {"root:geheim@localhost:19530", "user"},
        {"http://localhost:geheim", "port"},
        {"localhost:", "port"},
        {"localhost:0", "port"},
        {"localhost:65536", "port"},
        {"localhost:99999999999999999999", "port"},
        {"localhost:-1", "port"},
        {"localhost:+1", "port"},
        {"localhost: 1", "port"},
        {"localhost:80x", "port"},
        {"localhost:80/db", "port"},
        {"localhost:80//", "port"},
        {"localhost:80?token=geheim", "port"},
        {"localhost/geheim", "db_name"},
        {"http://localhost?geheim", "db_name"},
        {"http://localhost#geheim", "db_name"},
        {"::1", "port"},
        {"[::1", "bracket"},
        {"[]", "no name and no address"},
        {"[::1]x", "db_name"},
        {"[::1]:", "port"},
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        milvus_address address;
        const char *wrong = milvus_address_parse(bad[i].uri, &address);

        rig_check(wrong && strstr(wrong, bad[i].says), wrong ? wrong : "is taken", bad[i].uri);
        rig_check(!wrong || !strstr(wrong, "geheim"), "a secret", bad[i].uri);
    }
    for (size_t size = 254; size < 258; size++) {
        milvus_address address;

        memset(longest, 'a', size);
        longest[size] = 0;
        CU_ASSERT_EQUAL(milvus_address_parse(longest, &address) == NULL, size <= 255);
        CU_ASSERT_EQUAL(milvus_address_of(longest, 19530, &address) == NULL, size <= 255);
    }
}

static void hosts(void)
{
    static const struct {
        const char *host;
        int port;
        const char *target; /* NULL: refused */
    } table[] = {
        {"localhost", 0, "localhost:19530"},
        {"milvus", 1, "milvus:1"},
        {"10.0.0.7", 65535, "10.0.0.7:65535"},
        {"::1", 7, "[::1]:7"},
        {"2001:db8::1", 0, "[2001:db8::1]:19530"},
        {"::ffff:10.0.0.7", 0, "[::ffff:10.0.0.7]:19530"},
        {"http://localhost", 0, NULL},
        {"localhost:19530", 0, NULL},
        {"a:b:c.example", 0, NULL},
        {"localhost/", 0, NULL},
        {"root@localhost", 0, NULL},
        {"[::1]", 0, NULL},
        {"", 0, NULL},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        milvus_address address;
        const char *wrong = milvus_address_of(table[i].host, table[i].port, &address);

        rig_check(!wrong == (table[i].target != NULL), wrong ? wrong : "is taken", table[i].host);
        if (!wrong && table[i].target)
            rig_same(address.target, table[i].target, table[i].host);
    }
}

/* ---- settings --------------------------------------------------------------------------------- */

/* "uri=localhost", "port=#7" an int, "secure=?1" a bool; words between blanks. */
static void settings_ask(milvus_rig *rig, const char *words)
{
    while (*words) {
        size_t size = strcspn(words, " ");
        const char *value = memchr(words, '=', size);

        rig_key(rig, rig_copy(rig, words, (size_t)(value - words)));
        value++;
        if (*value == '#')
            simplugin_write_int(&rig->body, strtoll(value + 1, NULL, 10));
        else if (*value == '?')
            simplugin_write_bool(&rig->body, value[1] == '1');
        else
            simplugin_write_text(&rig->body, value, (uint64_t)(words + size - value));
        words += size + (words[size] != 0);
    }
    rig_ask(rig);
}

/* The settings as a text, the interesting ones. */
static const char *settings_text(milvus_rig *rig, const milvus_settings *s)
{
    rig->text[0] = 0;
    rig_put(rig, "%s", s->address.target);
    rig_put(rig, "%s", s->address.tls ? " tls" : "");
    rig_put(rig, "%s", s->verify ? "" : " unverified");
    if (*s->db_name)
        rig_put(rig, " db=%s", s->db_name);
    if (s->authorization)
        rig_put(rig, " authorization=%s", s->authorization);
    if (s->server_name)
        rig_put(rig, " name=%s", s->server_name);
    return rig->text;
}

static void settings(void)
{
    static const struct {
        const char *words, *expected;
    } table[] = {
        {"", "localhost:19530"},
        {"uri=http://localhost:19530", "localhost:19530"},
        {"uri=tcp://milvus", "milvus:19530"},
        {"uri=https://milvus:443", "milvus:443 tls"},
        {"host=milvus", "milvus:19530"},
        {"host=milvus port=#7", "milvus:7"},
        {"host=localhost port=19530", "localhost:19530"},
        {"port=00007", "localhost:7"},
        {"host=::1 port=#65535", "[::1]:65535"},
        {"uri=http://milvus secure=?1", "milvus:19530 tls"},
        {"uri=https://milvus secure=?0", "milvus:19530"},
        {"host=milvus secure=?1 tls_verify=?0 tls_server_name=db",
         "milvus:19530 tls unverified name=db"},
        {"db_name=shelf", "localhost:19530 db=shelf"},
        {"user=root password=Milvus", "localhost:19530 authorization=cm9vdDpNaWx2dXM="},
        {"user=root", "localhost:19530 authorization=cm9vdDo="},
        {"user=a password=bc", "localhost:19530 authorization=YTpiYw=="},
        {"user=\xc3\xa4 password=b", "localhost:19530 authorization=w6Q6Yg=="},
        {"user=a password=b", "localhost:19530 authorization=YTpi"},
        {"token=root:Milvus", "localhost:19530 authorization=cm9vdDpNaWx2dXM="},
        {"user= password= token=", "localhost:19530"},
        {"token=k user=", "localhost:19530 authorization=aw=="},
    };
    milvus_rig rig;

    rig_init(&rig);
    for (size_t i = 0; i < COUNT(table); i++) {
        milvus_settings s;
        int32_t code;

        settings_ask(&rig, table[i].words);
        code = milvus_settings_read(&s, &rig.call.base);
        rig_refused(&rig, code, SIMPLUGIN_OK, NULL, table[i].words);
        if (!code)
            rig_same(settings_text(&rig, &s), table[i].expected, table[i].words);
        milvus_settings_clear(&s);
        rig_reset(&rig);
    }
    rig_clear(&rig);
}

static void bad_settings(void)
{
    static const struct {
        const char *words;
        const char *argument;
    } table[] = {
        {"uri=http://localhost host=localhost", "uri"},
        {"uri=http://localhost port=#7", "uri"},
        {"uri=#7", "uri"},
        {"uri=ftp://geheim", "uri"},
        {"uri=http://user:geheim@host", "uri"},
        {"host=http://localhost", "host"},
        {"host=#1", "host"},
        {"host=localhost:19530", "host"},
        {"port=#0", "port"},
        {"port=#65536", "port"},
        {"port=#-1", "port"},
        {"port=", "port"},
        {"port=123456", "port"},
        {"port=7a", "port"},
        {"port=-7", "port"},
        {"port=?1", "port"},
        {"secure=yes", "secure"},
        {"user=a password=geheim token=geheim", "token"},
        {"password=geheim", "user"},
        {"user= password=geheim", "user"},
        {"user=#1", "user"},
        {"password=#1", "password"},
        {"token=#1", "token"},
        {"tls_verify=no", "tls_verify"},
        {"tls_server_name=#1", "tls_server_name"},
        {"tls_ca=#1", "tls_ca"},
        {"uri=https://a tls_ca=ca.pem", "tls_ca"},
        {"uri=https://a tls_cert=./cert.pem", "tls_cert"},
        {"uri=https://a tls_key=", "tls_key"},
        {"max_receive_bytes=#1023", "max_receive_bytes"},
        {"max_receive_bytes=#2147483648", "max_receive_bytes"},
        {"keepalive_ms=#-1", "keepalive_ms"},
        {"retry_ms=1", "retry_ms"},
        {"batch_bytes=#1023", "batch_bytes"},
        {"batch_bytes=#1073741825", "batch_bytes"},
        {"batches_in_flight=#0", "batches_in_flight"},
        {"batches_in_flight=#65", "batches_in_flight"},
    };
    milvus_rig rig;

    rig_init(&rig);
    for (size_t i = 0; i < COUNT(table); i++) {
        milvus_settings s;
        int32_t code;

        settings_ask(&rig, table[i].words);
        code = milvus_settings_read(&s, &rig.call.base);
        rig_check(rig.error && strcmp(simplugin_error_detail_value(rig.error, 0),
                                      table[i].argument) == 0,
                  "another argument", table[i].words);
        rig_check(!strstr(rig_message(&rig), "geheim"), "a secret", table[i].words);
        rig_refused(&rig, code, SIMPLUGIN_INVALID_ARGUMENT, table[i].argument, table[i].words);
        milvus_settings_clear(&s);
        rig_reset(&rig);
    }
    rig_clear(&rig);
}

static void limits(void)
{
    milvus_rig rig;
    milvus_settings s;

    rig_init(&rig);
    settings_ask(&rig, "");
    CU_ASSERT_EQUAL(milvus_settings_read(&s, &rig.call.base), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(s.max_receive_bytes, 1073741824);
    CU_ASSERT_EQUAL(s.keepalive_ms, 30000);
    CU_ASSERT_EQUAL(s.retry_ms, 30000);
    CU_ASSERT_EQUAL(s.batch_bytes, 8388608);
    CU_ASSERT_EQUAL(s.batches_in_flight, 4);
    milvus_settings_clear(&s);
    rig_reset(&rig);
    settings_ask(&rig, "max_receive_bytes=#1024 keepalive_ms=#0 retry_ms=#0 batch_bytes=#1024 "
                       "batches_in_flight=#64");
    CU_ASSERT_EQUAL(milvus_settings_read(&s, &rig.call.base), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(s.max_receive_bytes, 1024);
    CU_ASSERT_EQUAL(s.keepalive_ms, 0);
    CU_ASSERT_EQUAL(s.retry_ms, 0);
    CU_ASSERT_EQUAL(s.batch_bytes, 1024);
    CU_ASSERT_EQUAL(s.batches_in_flight, 64);
    milvus_settings_clear(&s);
    rig_clear(&rig);
}

/* A password that would travel in the open is warned of, and not told. */
static int warnings;

static void warning_count(int32_t level, const char *message, uint64_t size)
{
    CU_ASSERT_EQUAL(level, SIMPLUGIN_LOG_WARNING);
    CU_ASSERT_PTR_NULL(memmem(message, (size_t)size, "geheim", 6));
    warnings++;
}

static void open_passwords(void)
{
    static const struct {
        const char *words;
        int warned;
    } table[] = {
        {"uri=http://milvus user=a password=geheim", 1},
        {"host=10.0.0.7 token=geheim", 1},
        {"host=127.example.com token=geheim", 1},
        {"uri=https://milvus user=a password=geheim", 0},
        {"uri=http://localhost user=a password=geheim", 0},
        {"host=127.0.0.1 token=geheim", 0},
        {"uri=http://milvus", 0},
    };
    static simplugin_host host;
    milvus_rig rig;

    rig_init(&rig);
    host = sp_host;
    host.log = warning_count;
    plug_host = &host;
    for (size_t i = 0; i < COUNT(table); i++) {
        milvus_settings s;

        warnings = 0;
        settings_ask(&rig, table[i].words);
        CU_ASSERT_EQUAL(milvus_settings_read(&s, &rig.call.base), SIMPLUGIN_OK);
        rig_check(warnings == table[i].warned, "warnings", table[i].words);
        milvus_settings_clear(&s);
        rig_reset(&rig);
    }
    plug_host = &sp_host;
    rig_clear(&rig);
}

/* ---- certificates ------------------------------------------------------------------------------- */

static void file_write(const char *dir, const char *name, const char *text, size_t size)
{
    char path[4200];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    file = fopen(path, "wb");
    CU_ASSERT_EQUAL_FATAL(file != NULL, 1);
    for (size_t i = 0; i < size; i += strlen(text))
        fputs(text, file);
    fclose(file);
}

#define PEM "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"

/* The files of each row stand in a directory. */
static void certificates(void)
{
    static const struct {
        const char *words; /* %s: the directory */
        int32_t code;
        const char *says;
    } table[] = {
        {"uri=https://a tls_ca=%s/good", SIMPLUGIN_OK, ""},
        {"uri=https://a tls_cert=%s/good tls_key=%s/good", SIMPLUGIN_OK, ""},
        {"uri=https://a tls_ca=%s/large tls_cert=%s/good tls_key=%s/good", SIMPLUGIN_OK, ""},
        {"host=a secure=?1 tls_ca=%s/good", SIMPLUGIN_OK, ""},
        {"uri=https://a tls_ca=%s/none", SIMPLUGIN_NOT_FOUND, "/none"},
        {"uri=https://a tls_cert=%s/good/x tls_key=%s/good", SIMPLUGIN_IO, "/good/x"},
        {"uri=https://a tls_ca=%s", SIMPLUGIN_INVALID_ARGUMENT, "no PEM file of at most 1 MiB"},
        {"uri=https://a tls_ca=%s/empty", SIMPLUGIN_INVALID_ARGUMENT, "no PEM file of at most"},
        {"uri=https://a tls_ca=%s/huge", SIMPLUGIN_INVALID_ARGUMENT, "no PEM file of at most"},
        {"uri=https://a tls_ca=/dev/zero", SIMPLUGIN_INVALID_ARGUMENT, "no PEM file of at most"},
        {"uri=https://a tls_key=%s/text tls_cert=%s/good", SIMPLUGIN_INVALID_ARGUMENT,
         "tls_key: "},
        {"uri=https://a tls_cert=%s/good", SIMPLUGIN_INVALID_ARGUMENT, "needed together"},
        {"uri=https://a tls_key=%s/good", SIMPLUGIN_INVALID_ARGUMENT, "needed together"},
        {"uri=http://a tls_ca=%s/good", SIMPLUGIN_INVALID_ARGUMENT, "has no TLS"},
        {"uri=http://a tls_cert=%s/good tls_key=%s/good", SIMPLUGIN_INVALID_ARGUMENT, "has no TLS"},
        {"uri=https://a secure=?0 tls_ca=%s/good", SIMPLUGIN_INVALID_ARGUMENT, "has no TLS"},
    };
    char *dir = unit_temp_dir();
    milvus_rig rig;

    file_write(dir, "good", PEM, 1);
    file_write(dir, "large", PEM, 1048576 - sizeof PEM);
    file_write(dir, "huge", PEM, 1048576 + sizeof PEM);
    file_write(dir, "empty", "", 0);
    file_write(dir, "text", "geheim", 1);
    rig_init(&rig);
    for (size_t i = 0; i < COUNT(table); i++) {
        milvus_settings s;
        char words[4096 * 3];
        int32_t code;

        /* three at most */
        snprintf(words, sizeof words, "%s", table[i].words);
        for (char *at; (at = strstr(words, "%s"));) {
            char rest[4096];

            snprintf(rest, sizeof rest, "%s", at + 2);
            snprintf(at, sizeof words - (size_t)(at - words), "%s%s", dir, rest);
        }
        settings_ask(&rig, words);
        code = milvus_settings_read(&s, &rig.call.base);
        rig_check(!strstr(rig_message(&rig), "geheim"), "a secret", table[i].words);
        rig_refused(&rig, code, table[i].code, table[i].says, table[i].words);
        if (!code && s.certificate) {
            CU_ASSERT_STRING_EQUAL(s.certificate, PEM);
            CU_ASSERT_STRING_EQUAL(s.key, PEM);
        }
        if (!code && s.ca)
            CU_ASSERT_EQUAL(strncmp(s.ca, PEM, strlen(PEM)), 0);
        milvus_settings_clear(&s);
        rig_reset(&rig);
    }
    rig_clear(&rig);
    tree_remove(dir);
    free(dir);
}

static void unreadable_certificates(void)
{
    char *dir = unit_temp_dir();
    char path[4200], words[4300];
    milvus_settings s;
    milvus_rig rig;

    file_write(dir, "closed", PEM, 1);
    snprintf(path, sizeof path, "%s/closed", dir);
    chmod(path, 0);
    snprintf(words, sizeof words, "uri=https://a tls_ca=%s", path);
    rig_init(&rig);
    settings_ask(&rig, words);
    if (geteuid() == 0)
        printf("\n    root reads everything");
    else
        rig_refused(&rig, milvus_settings_read(&s, &rig.call.base), SIMPLUGIN_PERMISSION_DENIED,
                    "cannot read", "a file of others");
    if (geteuid() != 0)
        milvus_settings_clear(&s);
    rig_clear(&rig);
    tree_remove(dir);
    free(dir);
}

/* ---- names ------------------------------------------------------------------------------------- */

static void names(void)
{
    static const struct {
        const char *given, *name; /* NULL: refused */
        const char *says;
    } table[] = {
        {"books", "books", NULL},
        {"_", "_", NULL},
        {"A9_z", "A9_z", NULL},
        {"your-index", "your_index", NULL},
        {"custom-milvus-collection", "custom_milvus_collection", NULL},
        {"-", "_", NULL},
        {"-1", "_1", NULL},
        {"", NULL, "is empty"},
        {"2024_data", NULL, "begin with a letter or an underscore"},
        {"a b", NULL, "takes no \" \""},
        {"a.b", NULL, "takes no \".\""},
        {"a/b", NULL, "takes no \"/\""},
        {"a\"b", NULL, "takes no \"\"\""},
        {"b\xc3\xbc" "cher", NULL, "takes no \"\xc3\xbc\""},
        {"\xf0\x9f\x98\x80", NULL, "takes no \"\xf0\x9f\x98\x80\""},
        {"a$", NULL, "takes no \"$\""},
    };
    char longest[300];
    milvus_rig rig;

    rig_init(&rig);
    for (size_t i = 0; i < COUNT(table); i++) {
        int32_t code;

        rig_key(&rig, "collection");
        simplugin_write_string(&rig.body, table[i].given);
        rig_ask(&rig);
        code = milvus_name_read(&rig.call);
        rig_check(table[i].name || (rig.error && strcmp(simplugin_error_detail_value(rig.error, 0),
                                                        "collection") == 0),
                  "another argument", table[i].given);
        rig_refused(&rig, code, table[i].name ? SIMPLUGIN_OK : SIMPLUGIN_INVALID_ARGUMENT,
                    table[i].says, table[i].given);
        if (table[i].name)
            rig_same(rig.call.collection, table[i].name, table[i].given);
        rig.call.base.name.data = NULL;
        rig_reset(&rig);
    }
    rig_ask(&rig);
    rig_refused(&rig, milvus_name_read(&rig.call), SIMPLUGIN_INVALID_ARGUMENT, "needed", "no name");
    rig_reset(&rig);
    for (size_t size = 254; size < 258; size++) {
        const char *name = NULL;
        int32_t code;

        memset(longest, 'a', size);
        longest[size] = 0;
        code = milvus_name_check(&rig.call.base, "alias", longest, "an alias", &name);
        rig_refused(&rig, code, size <= 255 ? SIMPLUGIN_OK : SIMPLUGIN_INVALID_ARGUMENT,
                    size <= 255 ? NULL : "the name of an alias has at most 255 bytes", "long names");
    }
    rig_clear(&rig);
}

/* ---- metrics and indexes ------------------------------------------------------------------------ */

static void metrics(void)
{
    static const struct {
        const char *ours, *theirs, *also;
    } table[] = {
        {"dotproduct", "IP", "ip"},
        {"cosine", "COSINE", "Cosine"},
        {"euclidean", "L2", "l2"},
        {"hamming", "HAMMING", "hamming"},
        {"jaccard", "JACCARD", "jaccard"},
    };
    static const struct {
        const char *ours;
        float theirs, score, distance;
    } scores[] = {
        {"dotproduct", 2.5f, 2.5f, -2.5f}, {"dotproduct", -1, -1, 1},
        {"cosine", 1, 1, 0},               {"cosine", -1, -1, 2},
        {"cosine", NAN, 0, 1},             {"euclidean", 9, 3, 3},
        {"euclidean", 0, 0, 0},            {"euclidean", -1e-9f, 0, 0},
        {"hamming", 7, 7, 7},              {"jaccard", 0.5f, 0.5f, 0.5f},
    };

    CU_ASSERT_STRING_EQUAL(milvus_metric_names[0], "dotproduct");
    for (size_t i = 0; i < COUNT(table); i++) {
        rig_same(milvus_metric_theirs(table[i].ours), table[i].theirs, table[i].ours);
        rig_same(milvus_metric_ours(table[i].theirs), table[i].ours, table[i].theirs);
        rig_same(milvus_metric_ours(table[i].also), table[i].ours, table[i].also);
        CU_ASSERT_EQUAL(milvus_metric_is_binary(table[i].ours), i >= MILVUS_METRICS);
    }
    CU_ASSERT_PTR_NULL(milvus_metric_theirs("manhattan"));
    CU_ASSERT_PTR_NULL(milvus_metric_theirs("IP"));
    CU_ASSERT_PTR_NULL(milvus_metric_ours("BM25"));
    CU_ASSERT_PTR_NULL(milvus_metric_ours(""));
    for (size_t i = 0; i < COUNT(scores); i++) {
        float score = scores[i].theirs, distance;

        milvus_metric_convert(scores[i].ours, &score, &distance);
        rig_check(score == scores[i].score && distance == scores[i].distance, "other numbers",
                  scores[i].ours);
    }
}

/* The words of settings_ask as the map "parameters". */
static simplugin_value parameters_of(milvus_rig *rig, const char *words)
{
    settings_ask(rig, words);
    return rig->call.base.body;
}

static void indexes(void)
{
    static const struct {
        const char *words;
        const char *type, *params; /* type NULL: refused, params is what is said */
    } table[] = {
        {"", "HNSW", "{\"M\": 16, \"efConstruction\": 200}"},
        {"index_type=HNSW", "HNSW", "{\"M\": 16, \"efConstruction\": 200}"},
        {"index_type=hnsw M=#2 efConstruction=#1", "HNSW", "{\"M\": 2, \"efConstruction\": 1}"},
        {"M=#2048 efConstruction=#999999", "HNSW", "{\"M\": 2048, \"efConstruction\": 999999}"},
        {"index_type=FLAT", "FLAT", "{}"},
        {"index_type=IVF_FLAT", "IVF_FLAT", "{\"nlist\": 1024}"},
        {"index_type=IVF_FLAT nlist=#65536", "IVF_FLAT", "{\"nlist\": 65536}"},
        {"index_type=ivf_sq8 nlist=#1", "IVF_SQ8", "{\"nlist\": 1}"},
        {"index_type=GPU_IVF_FLAT nlist=#1024", "GPU_IVF_FLAT", "{\"nlist\": 1024}"},
        {"index_type=AUTOINDEX", "AUTOINDEX", "{}"},
        {"index_type=NOPE", NULL, "known: FLAT, IVF_FLAT, IVF_SQ8, HNSW, GPU_IVF_FLAT, AUTOINDEX"},
        {"index_type=HNSV", NULL, "did you mean \"HNSW\""},
        {"index_type=", NULL, "unknown index type \"\""},
        {"index_type=#1", NULL, "index_type is a text"},
        {"index_type=FLAT nlist=#1024", NULL, "nlist is no parameter of the index type FLAT"},
        {"nlist=#1024", NULL, "HNSW, which takes M and efConstruction"},
        {"index_type=IVF_FLAT M=#16", NULL, "IVF_FLAT, which takes nlist"},
        {"index_type=AUTOINDEX efConstruction=#1", NULL, "which takes none"},
        {"M=#1", NULL, "M is an int from 2 to 2048"},
        {"M=#2049", NULL, "M is an int from 2 to 2048"},
        {"efConstruction=#0", NULL, "efConstruction is an int from 1"},
        {"efConstruction=#1000000", NULL, "efConstruction is an int from 1"},
        {"index_type=IVF_FLAT nlist=#0", NULL, "nlist is an int from 1 to 65536"},
        {"index_type=IVF_FLAT nlist=#65537", NULL, "nlist is an int from 1 to 65536"},
        {"index_type=IVF_FLAT nlist=many", NULL, "nlist is an int from 1 to 65536"},
        {"index_type=BIN_FLAT", NULL, "is none for the metric L2"},
    };
    milvus_rig rig;

    rig_init(&rig);
    for (size_t i = 0; i < COUNT(table); i++) {
        simplugin_value parameters = parameters_of(&rig, table[i].words);
        milvus_index_spec spec;
        int32_t code = milvus_index_spec_read(&rig.call.base, &parameters, "L2", &spec);

        rig_refused(&rig, code, table[i].type ? SIMPLUGIN_OK : SIMPLUGIN_INVALID_ARGUMENT,
                    table[i].type ? NULL : table[i].params, table[i].words);
        if (!code && table[i].type) {
            rig_same(spec.type, table[i].type, table[i].words);
            rig_same(spec.params, table[i].params, table[i].words);
            rig_same(spec.metric, "L2", table[i].words);
        }
        rig_reset(&rig);
    }
    rig_clear(&rig);
}

static void binary_indexes(void)
{
    static const struct {
        const char *words, *type;
    } table[] = {{"", "BIN_FLAT"},
                 {"index_type=bin_ivf_flat", "BIN_IVF_FLAT"},
                 {"index_type=HNSW", NULL}};
    milvus_rig rig;

    rig_init(&rig);
    for (size_t i = 0; i < COUNT(table); i++) {
        simplugin_value parameters = parameters_of(&rig, table[i].words);
        milvus_index_spec spec;
        int32_t code = milvus_index_spec_read(&rig.call.base, &parameters, "JACCARD", &spec);

        rig_refused(&rig, code, table[i].type ? SIMPLUGIN_OK : SIMPLUGIN_INVALID_ARGUMENT, NULL,
                    table[i].words);
        if (!code && table[i].type)
            rig_same(spec.type, table[i].type, table[i].words);
        rig_reset(&rig);
    }
    rig_clear(&rig);
}

static void searches(void)
{
    static const struct {
        const char *words, *type;
        uint64_t k;
        const char *json; /* "{...}"; else what is said */
    } table[] = {
        {"", "HNSW", 10, "{\"ef\": 256}"},
        {"", "HNSW", 256, "{\"ef\": 1024}"},
        {"", "HNSW", 257, "{\"ef\": 1028}"},
        {"", "HNSW", 16384, "{\"ef\": 32768}"},
        {"ef=#64", "HNSW", 10, "{\"ef\": 64}"},
        {"ef=#64", "HNSW", 64, "{\"ef\": 64}"},
        {"ef=#64", "HNSW", 65, "{\"ef\": 65}"},
        {"ef=#1", "HNSW", 1, "{\"ef\": 1}"},
        {"ef=#32768", "HNSW", 5, "{\"ef\": 32768}"},
        {"ef=#5", "HNSW_SQ8", 10, "{\"ef\": 10}"},
        {"", "IVF_FLAT", 10, "{\"nprobe\": 16}"},
        {"nprobe=#10", "IVF_FLAT", 5, "{\"nprobe\": 10}"},
        {"nprobe=#65536", "IVF_SQ8", 5, "{\"nprobe\": 65536}"},
        {"nprobe=#1", "GPU_IVF_FLAT", 5, "{\"nprobe\": 1}"},
        {"nprobe=#1", "BIN_IVF_FLAT", 5, "{\"nprobe\": 1}"},
        /* both at once: what the type takes */
        {"nprobe=#10 ef=#64", "HNSW", 5, "{\"ef\": 64}"},
        {"nprobe=#10 ef=#64", "IVF_FLAT", 5, "{\"nprobe\": 10}"},
        {"nprobe=#10 ef=#64", "FLAT", 5, "{}"},
        {"nprobe=#10 ef=#64", "AUTOINDEX", 5, "{}"},
        {"nprobe=#10 ef=#64", "", 5, "{}"},
        {"ef=#0", "HNSW", 5, "ef is an int from 1 to 32768"},
        {"ef=#32769", "HNSW", 5, "ef is an int from 1 to 32768"},
        {"ef=many", "FLAT", 5, "ef is an int from 1 to 32768"},
        {"nprobe=#0", "HNSW", 5, "nprobe is an int from 1 to 65536"},
        {"nprobe=#65537", "IVF_FLAT", 5, "nprobe is an int from 1 to 65536"},
    };
    milvus_rig rig;

    rig_init(&rig);
    for (size_t i = 0; i < COUNT(table); i++) {
        simplugin_value parameters = parameters_of(&rig, table[i].words);
        milvus_search_params params;
        int is_good = table[i].json[0] == '{';
        int32_t code = milvus_search_params_read(&rig.call.base, &parameters, table[i].type,
                                                 table[i].k, &params);

        rig_refused(&rig, code, is_good ? SIMPLUGIN_OK : SIMPLUGIN_INVALID_ARGUMENT,
                    is_good ? NULL : table[i].json, table[i].words);
        if (!code && is_good)
            rig_same(params.json, table[i].json, table[i].words);
        rig_reset(&rig);
    }
    rig_clear(&rig);
}

/* What is wrong with a new collection is said before a server is asked. */
static void creations(void)
{
    static const struct {
        const char *parameters;
        int32_t code;
        const char *says;
    } table[] = {
        {"metric=manhattan", SIMPLUGIN_INVALID_ARGUMENT, "known: dotproduct, cosine, euclidean"},
        {"metric=cosin", SIMPLUGIN_INVALID_ARGUMENT, "did you mean \"cosine\""},
        {"metric=hamming", SIMPLUGIN_INVALID_ARGUMENT, "known: dotproduct, cosine, euclidean"},
        {"metric=#1", SIMPLUGIN_INVALID_ARGUMENT, "metric"},
        {"consistency_level=Sometimes", SIMPLUGIN_INVALID_ARGUMENT,
         "Strong, Session, Bounded or Eventually"},
        {"index_type=NOPE", SIMPLUGIN_INVALID_ARGUMENT, "unknown index type"},
        {"shards=#0", SIMPLUGIN_INVALID_ARGUMENT, "shards"},
        {"replicas=two", SIMPLUGIN_INVALID_ARGUMENT, "replicas"},
        {"metrik=cosine", SIMPLUGIN_UNKNOWN_PARAMETER, "did you mean \"metric\""},
    };
    milvus_rig rig;

    rig_init(&rig);
    for (size_t i = 0; i < COUNT(table); i++) {
        const char *value = strchr(table[i].parameters, '=') + 1;

        rig_key(&rig, "dimension");
        simplugin_write_int(&rig.body, 2);
        rig_key(&rig, "parameters");
        simplugin_write_map(&rig.body, 1);
        simplugin_write_text(&rig.body, table[i].parameters,
                             (uint64_t)(value - 1 - table[i].parameters));
        if (*value == '#')
            simplugin_write_int(&rig.body, strtoll(value + 1, NULL, 10));
        else
            simplugin_write_string(&rig.body, value);
        rig_ask(&rig);
        rig_refused(&rig, milvus_serve_collection_create(&rig.call), table[i].code, table[i].says,
                    table[i].parameters);
        rig_reset(&rig);
    }
    rig_ask(&rig);
    rig_refused(&rig, milvus_serve_collection_create(&rig.call), SIMPLUGIN_INVALID_ARGUMENT,
                "dimension", "no dimension");
    rig_clear(&rig);
}

/* ---- what servers say ------------------------------------------------------------------------------ */

typedef struct said {
    int32_t error_code, code;
    const char *reason;
    int32_t ours;
    int retryable;
} said;

/* As seen on Milvus 2.3.5 and Milvus Lite 3.2; the codes of later ones below. */
static const said statuses[] = {
    {0, 0, "", SIMPLUGIN_OK, 0},
    {0, 0, "search result is empty", SIMPLUGIN_OK, 0},
    /* missing things */
    {4, 100, "collection not found[database=default][collection=nope]", SIMPLUGIN_NOT_FOUND, 0},
    {4, 100, "collection 'nope' does not exist", SIMPLUGIN_NOT_FOUND, 0},
    {1, 100, "can't find collection collection not found[database=default][collection=nope]",
     SIMPLUGIN_NOT_FOUND, 0},
    {25, 700, "index not found[collection=t1]", SIMPLUGIN_NOT_FOUND, 0},
    {11, 700, "no index to drop", SIMPLUGIN_NOT_FOUND, 0},
    {15, 200, "partition not found[partition=nope]", SIMPLUGIN_NOT_FOUND, 0},
    {200, 200, "zz", SIMPLUGIN_NOT_FOUND, 0},
    {1, 65535, "partition name zz not found", SIMPLUGIN_NOT_FOUND, 0},
    {1, 800, "database not found[database=nodb]", SIMPLUGIN_NOT_FOUND, 0},
    {1, 65535, "database:nodb not found", SIMPLUGIN_NOT_FOUND, 0},
    {1, 1600, "alias not found[database=default][alias=al1]", SIMPLUGIN_NOT_FOUND, 0},
    /* what is there already */
    {1, 1, "collection 't1' already exists", SIMPLUGIN_ALREADY_EXISTS, 0},
    {1, 65535, "create duplicate collection with different parameters, collection: t1",
     SIMPLUGIN_ALREADY_EXISTS, 0},
    {1, 65535, "CreateIndex failed: at most one distinct index is allowed per field",
     SIMPLUGIN_ALREADY_EXISTS, 0},
    {35, 35, "index already exists on field 'vector'; call drop_index first",
     SIMPLUGIN_ALREADY_EXISTS, 0},
    {1, 1602, "alias already exist[alias=al1]", SIMPLUGIN_ALREADY_EXISTS, 0},
    {1, 1601, "collection name and alias conflict", SIMPLUGIN_ALREADY_EXISTS, 0},
    {1, 65535, "database already exist: db1", SIMPLUGIN_ALREADY_EXISTS, 0},
    {29, 65535, "user already exists: u1", SIMPLUGIN_ALREADY_EXISTS, 0},
    /* what is wrong with the request */
    {5, 1100, "Invalid collection name: 1-x y. the first character must be an underscore or "
              "letter: invalid parameter", SIMPLUGIN_INVALID_ARGUMENT, 0},
    {0, 1, "collection name must not be empty", SIMPLUGIN_INVALID_ARGUMENT, 0},
    {0, 1, "collection name too long (256 bytes, max 255)", SIMPLUGIN_INVALID_ARGUMENT, 0},
    {1, 65535, "invalid dimension: 32769. should be in range 1 ~ 32768", SIMPLUGIN_INVALID_ARGUMENT,
     0},
    {1, 65535, "invalid index type: NOPE", SIMPLUGIN_INVALID_ARGUMENT, 0},
    {1, 65535, "metric type not found or not supported, supported: [L2 IP COSINE]",
     SIMPLUGIN_INVALID_ARGUMENT, 0},
    {0, 1, "metric_type must be one of COSINE/L2/IP/BM25/NONE, got 'NOPE'",
     SIMPLUGIN_INVALID_ARGUMENT, 0},
    {1, 65535, "Invalid partition name: 1 x. The first character must be an underscore or letter.",
     SIMPLUGIN_INVALID_ARGUMENT, 0},
    {1, 65535, "topk [0] is invalid, top k should be in range [1, 16384], but got 0",
     SIMPLUGIN_INVALID_ARGUMENT, 0},
    {1, 65535, "invalid max query result window, (offset+limit) should be in range [1, 16384], but "
               "got 16385", SIMPLUGIN_INVALID_ARGUMENT, 0},
    {1, 65535, "failed to create query plan: cannot parse expression: foo bar, error: line 1:4",
     SIMPLUGIN_INVALID_ARGUMENT, 0},
    {6, 6, "syntax error\n  foo bar\n      ^", SIMPLUGIN_INVALID_ARGUMENT, 0},
    {6, 6, "vector field 'vector' expected dim 4, got 3", SIMPLUGIN_DIMENSION_MISMATCH, 0},
    {0, 1, "matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature "
           "(n?,k),(k,m?)->(n?,m?) (size 3 is different from 4)", SIMPLUGIN_DIMENSION_MISMATCH, 0},
    {1, 65535, "the length(3) of float data should divide the dim(4)",
     SIMPLUGIN_DIMENSION_MISMATCH, 0},
    {1, 65535, "fail to search on all shard leaders: Assert \"field_meta.get_sizeof() == "
               "element.line_sizeof_\"", SIMPLUGIN_DIMENSION_MISMATCH, 0},
    {1, 65535, "value 'NaN' is not a number or infinity", SIMPLUGIN_INVALID_ARGUMENT, 0},
    {5, 1100, "the length (256) of 0th string exceeds max length (255)", SIMPLUGIN_INVALID_ARGUMENT,
     0},
    {1, 802, "invalid database name[database=1x]", SIMPLUGIN_INVALID_ARGUMENT, 0},
    {1, 65535, "index cannot be dropped, collection is loaded, please release it first",
     SIMPLUGIN_INVALID_ARGUMENT, 0},
    {1, 65535, "partition cannot be dropped, partition is loaded, please release it first",
     SIMPLUGIN_INVALID_ARGUMENT, 0},
    {1, 65535, "unsupported pattern: a%c", SIMPLUGIN_INVALID_ARGUMENT, 0},
    {1, 65535, "json: cannot unmarshal string into Go value of type map[string]interface {}",
     SIMPLUGIN_INVALID_ARGUMENT, 0},
    {1, 1000, "cannot unmarshal JSON: IO failed", SIMPLUGIN_INVALID_ARGUMENT, 0},
    /* what is not loaded is loaded, and not waited for */
    {1, 101, "failed to query: collection not loaded[collection=447]", SIMPLUGIN_UNAVAILABLE, 0},
    {101, 101, "Collection 't1' is in state 'released'; call load() first", SIMPLUGIN_UNAVAILABLE,
     0},
    {1, 201, "partition not loaded[partition=7]", SIMPLUGIN_UNAVAILABLE, 0},
    {1, 65535, "partition not loaded[partition=7]", SIMPLUGIN_UNAVAILABLE, 0},
    /* limits */
    {49, 8, "request is rejected by grpc RateLimiter middleware, please retry later: rate limit "
            "exceeded[rate=104857.6]", SIMPLUGIN_RESOURCE_EXHAUSTED, 1},
    {48, 9, "quota exceeded[reason=the writing has been deactivated by the administrator]",
     SIMPLUGIN_RESOURCE_EXHAUSTED, 0},
    {1, 65535, "query results exceed the limit size : service internal error",
     SIMPLUGIN_RESOURCE_EXHAUSTED, 0},
    {24, 65535, "out of memory", SIMPLUGIN_RESOURCE_EXHAUSTED, 0},
    /* who asks */
    {1, 1400, "old password not correct for u1: not authenticated", SIMPLUGIN_UNAUTHENTICATED, 0},
    {1, 1401, "root user cannot be deleted: privilege not permitted", SIMPLUGIN_PERMISSION_DENIED,
     0},
    {3, 0, "permission deny", SIMPLUGIN_PERMISSION_DENIED, 0},
    /* servers that will do later */
    {2, 0, "connect failed", SIMPLUGIN_UNAVAILABLE, 1},
    {1, 2, "service unavailable", SIMPLUGIN_UNAVAILABLE, 1},
    {1, 1, "service not ready[standby=proxy]", SIMPLUGIN_UNAVAILABLE, 1},
    {1, 503, "channel not available", SIMPLUGIN_UNAVAILABLE, 1},
    {1, 65535, "Timestamp lag too large", SIMPLUGIN_UNAVAILABLE, 1},
    {1, 65535, "context deadline exceeded", SIMPLUGIN_UNAVAILABLE, 1},
    {1, 7, "disk quota", SIMPLUGIN_NO_SPACE, 0},
    {1000, 0, "race", SIMPLUGIN_BUSY, 0},
    /* nothing is known of it */
    {1, 65535, "something else", SIMPLUGIN_INTERNAL, 0},
    {1, 0, "", SIMPLUGIN_INTERNAL, 0},
    {0, 99999, "", SIMPLUGIN_INTERNAL, 0},
    {-7, -7, "", SIMPLUGIN_INTERNAL, 0},
};

/* The Status of a reply, alone or as its first field. */
static void status_pack(sp_buffer *out, const said *s, int is_status, int retriable)
{
    size_t begin = 0;

    sp_buffer_init(out);
    if (!is_status)
        begin = pb_begin(out, 1);
    pb_uint(out, 1, (uint64_t)(int64_t)s->error_code);
    pb_text(out, 2, s->reason);
    pb_uint(out, 3, (uint64_t)(int64_t)s->code);
    pb_uint(out, 4, (uint64_t)retriable);
    pb_text(out, 5, s->reason);
    if (!is_status)
        pb_end(out, begin);
}

static void server_statuses(void)
{
    for (size_t i = 0; i < COUNT(statuses); i++)
        for (int is_status = 0; is_status < 2; is_status++) {
            const said *s = &statuses[i];
            milvus_status status;
            sp_buffer out;

            status_pack(&out, s, is_status, 0);
            milvus_status_read(&status, out.data, out.size, is_status);
            rig_check(status.code == s->ours, simplugin_code_name(status.code), s->reason);
            rig_check(status.retryable == s->retryable, "retryable", s->reason);
            CU_ASSERT_EQUAL(status.arrived, 1);
            CU_ASSERT_EQUAL(status.server_code, s->code ? s->code : s->error_code);
            sp_buffer_clear(&out);
            /* the server may know better */
            status_pack(&out, s, is_status, 1);
            milvus_status_read(&status, out.data, out.size, is_status);
            CU_ASSERT_EQUAL(status.retryable, 1);
            sp_buffer_clear(&out);
        }
}

static void status_read(milvus_status *status, const char *bytes, size_t size, int is_status)
{
    uint8_t *exact = rig_exact(bytes, size);

    milvus_status_read(status, exact, size, is_status);
    free(exact);
}

#define BYTES(text) text, sizeof text - 1

static void odd_statuses(void)
{
    milvus_status status;
    said long_one = {5, 1100, NULL, 0, 0};
    char reason[1200];
    sp_buffer out;

    for (int is_status = 0; is_status < 2; is_status++) {
        status_read(&status, BYTES(""), is_status);
        CU_ASSERT_EQUAL(status.code, SIMPLUGIN_OK);
        status_read(&status, BYTES("\x0b"), is_status);
        CU_ASSERT_EQUAL(status.code, SIMPLUGIN_PROTOCOL);
        CU_ASSERT_PTR_NOT_NULL(strstr(status.reason, "not what Milvus sends"));
    }
    status_read(&status, BYTES("\x0a\x00"), 0);
    CU_ASSERT_EQUAL(status.code, SIMPLUGIN_OK);
    status_read(&status, BYTES("\x12\x00\x0a\x02\x08\x01"), 0); /* none, and then rows */
    CU_ASSERT_EQUAL(status.code, SIMPLUGIN_OK);
    status_read(&status, BYTES("\x08\x01"), 0);
    CU_ASSERT_EQUAL(status.code, SIMPLUGIN_PROTOCOL);
    status_read(&status, BYTES("\x0a\x02\x08"), 0);
    CU_ASSERT_EQUAL(status.code, SIMPLUGIN_PROTOCOL);
    status_read(&status, BYTES("\x0a\x01\x08"), 0);
    CU_ASSERT_EQUAL(status.code, SIMPLUGIN_PROTOCOL);
    /* one line of UTF-8, whatever came */
    status_read(&status, BYTES("\x08\x05\x12\x0a" "a\nb\x01\x7f\xc3\xbc" "c\xff" "d"), 1);
    CU_ASSERT_EQUAL(status.code, SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT_STRING_EQUAL(status.reason, "a b  \xc3\xbc" "c");
    status_read(&status, BYTES("\x08\x05\x12\x03" "a\0b"), 1);
    CU_ASSERT_EQUAL(strlen(status.reason), 3);
    /* cut at a character's border */
    for (size_t size = MILVUS_REASON_MAX - 6; size < 1000; size += 7) {
        memset(reason, 'x', size);
        memcpy(reason + MILVUS_REASON_MAX - 3, "\xe2\x82\xac", 3);
        reason[size] = 0;
        long_one.reason = reason;
        status_pack(&out, &long_one, 1, 0);
        milvus_status_read(&status, out.data, out.size, 1);
        CU_ASSERT_TRUE(strlen(status.reason) < MILVUS_REASON_MAX);
        CU_ASSERT_TRUE(simplugin_utf8_check((const uint8_t *)status.reason, strlen(status.reason)));
        sp_buffer_clear(&out);
    }
}

static void grpc_statuses(void)
{
    static const struct {
        grpc_status_code code;
        const char *details;
        int32_t ours;
        int retryable;
    } table[] = {
        {GRPC_STATUS_OK, "", SIMPLUGIN_OK, 0},
        {GRPC_STATUS_CANCELLED, "", SIMPLUGIN_CANCELLED, 0},
        {GRPC_STATUS_DEADLINE_EXCEEDED, "Deadline Exceeded", SIMPLUGIN_DEADLINE_EXCEEDED, 0},
        {GRPC_STATUS_UNIMPLEMENTED, "MilvusLite does not support LoadPartitions: ...",
         SIMPLUGIN_UNIMPLEMENTED, 0},
        {GRPC_STATUS_UNAUTHENTICATED, "missing authorization in header", SIMPLUGIN_UNAUTHENTICATED,
         0},
        {GRPC_STATUS_UNAUTHENTICATED,
         "auth check failure, please check username and password are correct",
         SIMPLUGIN_UNAUTHENTICATED, 0},
        {GRPC_STATUS_PERMISSION_DENIED, "PrivilegeInsert: permission deny to u1",
         SIMPLUGIN_PERMISSION_DENIED, 0},
        {GRPC_STATUS_RESOURCE_EXHAUSTED,
         "grpc: received message larger than max (67125175 vs. 67108864)",
         SIMPLUGIN_RESOURCE_EXHAUSTED, 0},
        {GRPC_STATUS_RESOURCE_EXHAUSTED,
         "CLIENT: Received message larger than max (32783946 vs. 4194304)",
         SIMPLUGIN_RESOURCE_EXHAUSTED, 0},
        {GRPC_STATUS_UNAVAILABLE, "failed to connect to all addresses; last error: UNKNOWN: "
                                  "ipv4:127.0.0.1:1: Failed to connect to remote host: Connection "
                                  "refused", SIMPLUGIN_UNAVAILABLE, 1},
        {GRPC_STATUS_UNAVAILABLE, "Socket closed", SIMPLUGIN_UNAVAILABLE, 1},
        {GRPC_STATUS_UNKNOWN, "Stream removed (Socket closed)", SIMPLUGIN_UNAVAILABLE, 1},
        {GRPC_STATUS_INTERNAL, "Connection reset by peer", SIMPLUGIN_UNAVAILABLE, 1},
        {GRPC_STATUS_ABORTED, "", SIMPLUGIN_UNAVAILABLE, 1},
        /* no second handshake goes better */
        {GRPC_STATUS_UNAVAILABLE, "SSL_ERROR_SSL: error:1000007d:SSL routines:OPENSSL_internal:"
                                  "CERTIFICATE_VERIFY_FAILED: certificate has expired",
         SIMPLUGIN_UNAVAILABLE, 0},
        {GRPC_STATUS_UNAVAILABLE, "Ssl handshake failed: SSL_ERROR_SSL: WRONG_VERSION_NUMBER",
         SIMPLUGIN_UNAVAILABLE, 0},
        {GRPC_STATUS_UNAVAILABLE, "error:100000f7:SSL routines:OPENSSL_internal:"
                                  "WRONG_VERSION_NUMBER", SIMPLUGIN_UNAVAILABLE, 0},
        {GRPC_STATUS_UNAVAILABLE, "Hostname Verification Check failed.", SIMPLUGIN_UNAVAILABLE, 0},
        {GRPC_STATUS_UNAVAILABLE, "empty address list: ", SIMPLUGIN_CONFIG, 0},
        {GRPC_STATUS_NOT_FOUND, "", SIMPLUGIN_NOT_FOUND, 0},
        {GRPC_STATUS_ALREADY_EXISTS, "", SIMPLUGIN_ALREADY_EXISTS, 0},
        {GRPC_STATUS_INVALID_ARGUMENT, "", SIMPLUGIN_INVALID_ARGUMENT, 0},
        {GRPC_STATUS_FAILED_PRECONDITION, "", SIMPLUGIN_INVALID_ARGUMENT, 0},
        {GRPC_STATUS_OUT_OF_RANGE, "", SIMPLUGIN_INVALID_ARGUMENT, 0},
        {GRPC_STATUS_UNKNOWN, "collection not found", SIMPLUGIN_NOT_FOUND, 0},
        {GRPC_STATUS_UNKNOWN, "", SIMPLUGIN_PROTOCOL, 0},
        {GRPC_STATUS_INTERNAL, "Exception iterating responses", SIMPLUGIN_PROTOCOL, 0},
        {GRPC_STATUS_DATA_LOSS, "", SIMPLUGIN_PROTOCOL, 0},
        {(grpc_status_code)77, "", SIMPLUGIN_PROTOCOL, 0},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        milvus_status status;
        char *details = (char *)rig_exact(table[i].details, strlen(table[i].details));

        milvus_status_of_grpc(&status, table[i].code, details, strlen(table[i].details));
        rig_check(status.code == table[i].ours, simplugin_code_name(status.code),
                  table[i].details);
        rig_check(status.retryable == table[i].retryable, "retryable", table[i].details);
        CU_ASSERT_EQUAL(status.arrived, 0);
        CU_ASSERT_EQUAL(status.server_code, (int64_t)table[i].code);
        free(details);
    }
}

/* The error has the server's words, and says what to do. */
static void errors(void)
{
    static const struct {
        int32_t code;
        int arrived;
        const char *reason;
        const char *says;
    } table[] = {
        {SIMPLUGIN_UNAVAILABLE, 0, "Connection refused",
         "Search at milvus:19530: Connection refused; is the server running there"},
        {SIMPLUGIN_UNAVAILABLE, 0, "CERTIFICATE_VERIFY_FAILED: certificate has expired", "tls_ca"},
        {SIMPLUGIN_UNAVAILABLE, 0, "WRONG_VERSION_NUMBER", "is https right"},
        {SIMPLUGIN_UNAVAILABLE, 0, "Ssl handshake failed", "is https right"},
        {SIMPLUGIN_UNAVAILABLE, 0, "Hostname Verification Check failed.", "tls_server_name"},
        {SIMPLUGIN_UNAVAILABLE, 0, "certificate verify failed", "has it expired"},
        {SIMPLUGIN_UNAVAILABLE, 0, "failed to connect to all addresses; last error: UNAVAILABLE: "
                                   "ipv4:127.0.0.1:1: Socket closed", "an https:// uri"},
        {SIMPLUGIN_UNAVAILABLE, 0, "failed to connect to all addresses; last error: UNAVAILABLE: "
                                   "ipv4:127.0.0.1:1: Endpoint read failed", "tls_cert, tls_key"},
        {SIMPLUGIN_UNAVAILABLE, 0, "Socket closed", "is the server running there"},
        {SIMPLUGIN_CONFIG, 0, "empty address list: ", "tls_cert and tls_key"},
        {SIMPLUGIN_UNAUTHENTICATED, 0, "auth check failure", "check user and password, or token"},
        {SIMPLUGIN_PERMISSION_DENIED, 0, "permission deny to u1", "lacks this privilege"},
        {SIMPLUGIN_RESOURCE_EXHAUSTED, 0, "CLIENT: Received message larger than max (2 vs. 1)",
         "max_receive_bytes"},
        {SIMPLUGIN_PROTOCOL, 0, "", "failed; does a Milvus server answer there?"},
        {SIMPLUGIN_INTERNAL, 1, "something else", "Search at milvus:19530: something else"},
    };
    milvus_rig rig;

    rig_init(&rig);
    for (size_t i = 0; i < COUNT(table); i++) {
        milvus_status status = {.code = table[i].code, .arrived = table[i].arrived,
                                .server_code = 4711, .retryable = (int)i % 2};
        int32_t code;

        snprintf(status.reason, sizeof status.reason, "%s", table[i].reason);
        code = milvus_status_fail(&rig.call.base, "Search", "milvus:19530", &status);
        CU_ASSERT_EQUAL(simplugin_error_backend_code(rig.error), 4711);
        CU_ASSERT_STRING_EQUAL(simplugin_error_backend_message(rig.error, NULL), table[i].reason);
        CU_ASSERT_EQUAL(simplugin_error_retryable(rig.error), (int)i % 2);
        rig_refused(&rig, code, table[i].code, table[i].says, table[i].reason);
    }
    rig_clear(&rig);
}

static const unit_case cases[] = {
    UNIT_CASE(addresses, "R39 R108 R147 addresses"),
    UNIT_CASE(bad_addresses, "R39 R278 addresses that are none, and no password in an error"),
    UNIT_CASE(hosts, "R37 R39 R188 hosts and ports apart"),
    UNIT_CASE(settings, "R18 R37 R39 R108-R110 R146 R147 what a connection is opened with"),
    UNIT_CASE(bad_settings, "R39 R277 R278 what is wrong with it, and no password in an error"),
    UNIT_CASE(limits, "R22 limits and their defaults"),
    UNIT_CASE(open_passwords, "R278 passwords that travel unencrypted are warned of"),
    UNIT_CASE(certificates, "R29 R277 files of certificates and keys"),
    UNIT_CASE(unreadable_certificates, "R277 files that cannot be read"),
    UNIT_CASE(names, "R58 R215 R239 names of collections"),
    UNIT_CASE(metrics, "R104-R106 R197-R199 R247 R268 metrics, scores and distances"),
    UNIT_CASE(indexes, "R200-R204 R277 index types and their parameters"),
    UNIT_CASE(binary_indexes, "index types of binary vectors"),
    UNIT_CASE(searches, "R209 R229 R230 R256 R269 search parameters: ef is never below k"),
    UNIT_CASE(creations, "R106 R240 R277 new collections that cannot be"),
    UNIT_CASE(server_statuses, "R277 what Milvus says against a call"),
    UNIT_CASE(odd_statuses, "R277 replies that say nothing of use"),
    UNIT_CASE(grpc_statuses, "R274 R277 what gRPC says against a call"),
    UNIT_CASE(errors, "R277 errors with the server's words and what to do"),
};

UNIT_MAIN("milvus addresses, settings and statuses", cases)

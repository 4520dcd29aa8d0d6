/* SPDX-License-Identifier: Apache-2.0 */
/* What users write, as tables: addresses, settings, parameters of collections and searches. */
#include "config.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "describe.h"
#include "qdrant_link_rig.h"
#include "conformance/tree.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- addresses ------------------------------------------------------------------------------ */

static void addresses(void)
{
    static const struct {
        const char *url;
        const char *target;
        int port, tls, is_loopback;
        const char *prefix;
    } good[] = {
        {"localhost:6333", "localhost:6333", 6333, 0, 1, ""},
        {"http://localhost:6333", "localhost:6333", 6333, 0, 1, ""},
        {"localhost", "localhost:6333", 6333, 0, 1, ""},
        {"http://localhost", "localhost:6333", 6333, 0, 1, ""},
        {"https://xyz.cloud.qdrant.io", "xyz.cloud.qdrant.io:6333", 6333, 1, 0, ""},
        {"https://xyz.cloud.qdrant.io:443/", "xyz.cloud.qdrant.io:443", 443, 1, 0, ""},
        {"http://qdrant:80", "qdrant:80", 80, 0, 0, ""},
        {"HTTPS://Qdrant.Example.com/", "Qdrant.Example.com:6333", 6333, 1, 0, ""},
        {"https://example.com/qdrant", "example.com:6333", 6333, 1, 0, "/qdrant"},
        {"https://example.com:443/a/b-c/%20/v1//", "example.com:443", 443, 1, 0, "/a/b-c/%20/v1"},
        {"example.com/qdrant/", "example.com:6333", 6333, 0, 0, "/qdrant"},
        {"LocalHost:1", "LocalHost:1", 1, 0, 1, ""},
        {"qdrant_node-1:65535", "qdrant_node-1:65535", 65535, 0, 0, ""},
        {"127.0.0.1:00080", "127.0.0.1:80", 80, 0, 1, ""},
        {"127.1.2.3", "127.1.2.3:6333", 6333, 0, 1, ""},
        /* what is not surely this machine is another */
        {"127.1", "127.1:6333", 6333, 0, 0, ""},
        {"127.example.com", "127.example.com:6333", 6333, 0, 0, ""},
        {"127.0.0.1.example.com", "127.0.0.1.example.com:6333", 6333, 0, 0, ""},
        {"localhost.example.com", "localhost.example.com:6333", 6333, 0, 0, ""},
        {"10.0.0.7:6334", "10.0.0.7:6334", 6334, 0, 0, ""},
        {"http://[::1]:7/x", "[::1]:7", 7, 0, 1, "/x"},
        {"[0:0:0:0:0:0:0:1]", "[0:0:0:0:0:0:0:1]:6333", 6333, 0, 1, ""},
        {"https://[2001:db8::1]/", "[2001:db8::1]:6333", 6333, 1, 0, ""},
        {"[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]:6333", 6333, 0, 0, ""},
    };

    for (size_t i = 0; i < COUNT(good); i++) {
        qdrant_address address;
        const char *wrong = qdrant_address_parse(good[i].url, &address);

        rig_check(!wrong, wrong ? wrong : "", good[i].url);
        if (wrong)
            continue;
        rig_same(address.target, good[i].target, good[i].url);
        rig_same(address.prefix, good[i].prefix, good[i].url);
        CU_ASSERT_EQUAL(address.port, good[i].port);
        CU_ASSERT_EQUAL(address.tls, good[i].tls);
        rig_check(address.is_loopback == good[i].is_loopback, "loopback", good[i].url);
    }
}

static void bad_addresses(void)
{
    char longest[600];
    static const struct {
        const char *url;
        const char *says;
    } bad[] = {
        {"", "no name and no address"},
        {"http://", "no name and no address"},
        {":6333", "no name and no address"},
        {"http:///geheim", "no name and no address"},
        {"my host", "no name and no address"},
        {" localhost", "no name and no address"},
        {"local\thost", "no name and no address"},
        {"h\xc3\xb6st", "no name and no address"},
        {"ftp://localhost", "scheme"},
        {"grpc://localhost:6334", "scheme"},
        {"http://http://localhost", "scheme"},
        {"http://root:geheim@localhost", "user"},
        {"root:geheim@localhost:6333", "user"},
        {"http://localhost/geheim@x", "user"},
        {"http://localhost:geheim", "port"},
        {"localhost:", "port"},
        {"localhost:0", "port"},
        {"localhost:65536", "port"},
        {"localhost:99999999999999999999", "port"},
        {"localhost:-1", "port"},
        {"localhost: 1", "port"},
        {"localhost:80x", "port"},
        {"localhost:80?api-key=geheim", "port"},
        {"http://localhost?geheim", "path"},
        {"http://localhost#geheim", "path"},
        {"http://localhost/x?geheim", "path"},
        {"http://localhost/x#geheim", "path"},
        {"http://localhost/a b", "percent-encoded"},
        {"http://localhost/\xc3\xb6", "percent-encoded"},
        {"http://localhost/a\r\nb", "percent-encoded"},
        {"::1", "port"},
        {"[::1", "bracket"},
        {"[]", "IPv6"},
        {"[localhost]", "IPv6"},
        {"[a:b]", "no name and no address"},
        {"[::1]x", "path"},
        {"[::1]:", "port"},
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        qdrant_address address;
        const char *wrong = qdrant_address_parse(bad[i].url, &address);

        rig_check(wrong && strstr(wrong, bad[i].says), wrong ? wrong : "is taken", bad[i].url);
        rig_check(!wrong || !strstr(wrong, "geheim"), "a secret", bad[i].url);
    }
    for (size_t size = 254; size < 258; size++) {
        qdrant_address address;

        memset(longest, 'a', size);
        longest[size] = 0;
        CU_ASSERT_EQUAL(qdrant_address_parse(longest, &address) == NULL, size <= 255);
        CU_ASSERT_EQUAL(qdrant_address_of(longest, 6333, &address) == NULL, size <= 255);
        memmove(longest + 2, longest, size + 1);
        memcpy(longest, "h/", 2);
        CU_ASSERT_EQUAL(qdrant_address_parse(longest, &address) == NULL, size + 1 <= 255);
    }
}

static void hosts(void)
{
    static const struct {
        const char *host;
        int port;
        const char *target; /* NULL: refused */
    } table[] = {
        {"localhost", 0, "localhost:6333"},
        {"qdrant", 1, "qdrant:1"},
        {"::1", 7, "[::1]:7"},
        {"::ffff:10.0.0.7", 0, "[::ffff:10.0.0.7]:6333"},
        {"http://localhost", 0, NULL},
        {"localhost:6333", 0, NULL},
        {"a:b:c.example", 0, NULL},
        {"localhost/", 0, NULL},
        {"root@localhost", 0, NULL},
        {"[::1]", 0, NULL},
        {"", 0, NULL},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        qdrant_address address;
        const char *wrong = qdrant_address_of(table[i].host, table[i].port, &address);

        rig_check(!wrong == (table[i].target != NULL), wrong ? wrong : "is taken", table[i].host);
        if (!wrong && table[i].target)
            rig_same(address.target, table[i].target, table[i].host);
    }
}

/* ---- settings --------------------------------------------------------------------------------- */

/* The settings as a text, the interesting ones. */
static const char *settings_text(const qdrant_settings *s, char *text, size_t size)
{
    snprintf(text, size, "%s%s%s%s%s%s%s%s%s%s%s%s", s->address.target, s->address.prefix,
             s->address.tls ? " tls" : "", s->verify ? "" : " unverified",
             s->api_key ? " key=" : "", s->api_key ? s->api_key : "",
             s->server_name ? " name=" : "", s->server_name ? s->server_name : "",
             s->consistency ? " consistency=" : "", s->consistency ? s->consistency : "",
             s->ordering ? " ordering=" : "", s->ordering ? s->ordering : "");
    return text;
}

static void settings(void)
{
    static const struct {
        const char *words, *expected;
    } table[] = {
        {"", "localhost:6333"},
        {"url=localhost:6333", "localhost:6333"},
        {"url=http://localhost:6333", "localhost:6333"},
        {"url=https://qdrant:443/x", "qdrant:443/x tls"},
        {"host=qdrant", "qdrant:6333"},
        {"host=qdrant port=#7", "qdrant:7"},
        {"port=00007", "localhost:7"},
        {"host=qdrant https=?1 tls_verify=?0 tls_server_name=db", "qdrant:6333 tls unverified name=db"},
        {"host=qdrant https=?0", "qdrant:6333"},
        /* a key never decides about TLS */
        {"api_key=k", "localhost:6333 key=k"},
        {"url=https://qdrant api_key=k.-_~ey", "qdrant:6333 tls key=k.-_~ey"},
        {"url=http://qdrant api_key=k allow_insecure_api_key=?1", "qdrant:6333 key=k"},
        {"url=http://qdrant api_key=", "qdrant:6333"},
        {"consistency=majority ordering=strong", "localhost:6333 consistency=majority ordering=strong"},
        {"consistency=#2 ordering=weak", "localhost:6333 consistency=2 ordering=weak"},
        {"consistency=3", "localhost:6333 consistency=3"},
        {"consistency=all ordering=medium", "localhost:6333 consistency=all ordering=medium"},
    };
    char text[2048];
    link_rig rig;

    rig_prepare(&rig);
    for (size_t i = 0; i < COUNT(table); i++) {
        qdrant_settings s;
        int32_t code;

        rig_words(&rig, table[i].words);
        code = qdrant_settings_read(&s, &rig.call);
        rig_refused(&rig, code, SIMPLUGIN_OK, NULL, table[i].words);
        if (!code)
            rig_same(settings_text(&s, text, sizeof text), table[i].expected, table[i].words);
        qdrant_settings_clear(&s);
        rig_reset(&rig);
    }
    simplugin_writer_clear(&rig.body);
}

static void bad_settings(void)
{
    static const struct {
        const char *words;
        const char *argument;
    } table[] = {
        {"url=http://localhost host=localhost", "url"},
        {"url=http://localhost port=#7", "url"},
        {"url=http://localhost https=?1", "https"},
        {"url=#7", "url"},
        {"url=ftp://geheim", "url"},
        {"url=http://user:geheim@host", "url"},
        {"host=http://localhost", "host"},
        {"host=localhost:6333", "host"},
        {"port=#0", "port"},
        {"port=#65536", "port"},
        {"port=7a", "port"},
        {"https=yes", "https"},
        {"url=http://qdrant api_key=geheim", "api_key"},
        {"url=http://127.0.0.1.example.com api_key=geheim", "api_key"},
        {"host=10.0.0.7 api_key=geheim", "api_key"},
        {"host=10.0.0.7 api_key=geheim allow_insecure_api_key=?0", "api_key"},
        {"url=http://localhost:6333 api_key=geheim proxy=http://10.0.0.7:3128", "api_key"},
        {"api_key=geheim\n", "api_key"},
        {"api_key=geheim\rx", "api_key"},
        {"api_key=geheim\xc3\xb6", "api_key"},
        {"api_key=#1", "api_key"},
        {"allow_insecure_api_key=yes", "allow_insecure_api_key"},
        {"tls_verify=no", "tls_verify"},
        {"tls_server_name=#1", "tls_server_name"},
        {"tls_server_name=a/b", "tls_server_name"},
        {"tls_server_name=a:1", "tls_server_name"},
        {"tls_server_name=::1", "tls_server_name"},
        {"tls_ca=#1", "tls_ca"},
        {"url=https://a tls_ca=ca.pem", "tls_ca"},
        {"url=https://a tls_cert=./cert.pem", "tls_cert"},
        {"url=https://a tls_key=", "tls_key"},
        {"proxy=#1", "proxy"},
        {"consistency=most", "consistency"},
        {"consistency=#0", "consistency"},
        {"consistency=-1", "consistency"},
        {"consistency=?1", "consistency"},
        {"consistency=", "consistency"},
        {"ordering=loose", "ordering"},
        {"max_receive_bytes=#1023", "max_receive_bytes"},
        {"retry_ms=1", "retry_ms"},
        {"batch_bytes=#1023", "batch_bytes"},
        {"batch_bytes=#33554432", "batch_bytes"},
        {"batches_in_flight=#0", "batches_in_flight"},
        {"batches_in_flight=#65", "batches_in_flight"},
    };
    link_rig rig;

    rig_prepare(&rig);
    for (size_t i = 0; i < COUNT(table); i++) {
        qdrant_settings s;
        int32_t code;

        rig_words(&rig, table[i].words);
        code = qdrant_settings_read(&s, &rig.call);
        rig_check(rig.error && strcmp(simplugin_error_detail_value(rig.error, 0),
                                      table[i].argument) == 0,
                  "another argument", table[i].words);
        rig_check(!strstr(rig_message(&rig), "geheim"), "a secret", table[i].words);
        rig_refused(&rig, code, SIMPLUGIN_INVALID_ARGUMENT, table[i].argument, table[i].words);
        qdrant_settings_clear(&s);
        rig_reset(&rig);
    }
    simplugin_writer_clear(&rig.body);
}

static void limits(void)
{
    link_rig rig;

    rig_open(&rig, "%s", "");
    CU_ASSERT_EQUAL(rig.settings.max_receive_bytes, 1073741824);
    CU_ASSERT_EQUAL(rig.settings.retry_ms, 30000);
    CU_ASSERT_EQUAL(rig.settings.batch_bytes, 8388608);
    CU_ASSERT_EQUAL(rig.settings.batches_in_flight, 4);
    CU_ASSERT_PTR_NULL(rig.settings.proxy);
    rig_close(&rig);
    rig_open(&rig, "max_receive_bytes=#8589934592 retry_ms=#0 batch_bytes=#31457280 "
                   "batches_in_flight=#64 proxy=");
    CU_ASSERT_EQUAL(rig.settings.max_receive_bytes, 8589934592);
    CU_ASSERT_EQUAL(rig.settings.retry_ms, 0);
    CU_ASSERT_EQUAL(rig.settings.batch_bytes, 31457280);
    CU_ASSERT_EQUAL(rig.settings.batches_in_flight, 64);
    CU_ASSERT_STRING_EQUAL(rig.settings.proxy, "");
    rig_close(&rig);
}

static void file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    if (!file || fputs(text, file) < 0 || fclose(file))
        abort();
}

static void certificates(void)
{
    static const char pem[] = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    static const struct {
        const char *format; /* of the directory, twice */
        int32_t code;
        const char *says;
    } table[] = {
        {"url=https://a tls_ca=%s/good.pem", SIMPLUGIN_OK, NULL},
        {"url=https://a tls_cert=%s/good.pem tls_key=%s/good.pem", SIMPLUGIN_OK, NULL},
        {"host=a https=?1 tls_ca=%s/good.pem", SIMPLUGIN_OK, NULL},
        {"url=https://a tls_ca=%s/none.pem", SIMPLUGIN_NOT_FOUND, "/none.pem"},
        {"url=https://a tls_ca=%s/empty.pem", SIMPLUGIN_INVALID_ARGUMENT, "no PEM file"},
        {"url=https://a tls_ca=%s/text.pem", SIMPLUGIN_INVALID_ARGUMENT, "no PEM file"},
        {"url=https://a tls_ca=%s", SIMPLUGIN_INVALID_ARGUMENT, "no PEM file"},
        {"url=https://a tls_cert=%s/good.pem", SIMPLUGIN_INVALID_ARGUMENT, "together"},
        {"url=https://a tls_key=%s/good.pem", SIMPLUGIN_INVALID_ARGUMENT, "together"},
        {"url=http://a tls_ca=%s/good.pem", SIMPLUGIN_INVALID_ARGUMENT, "https://"},
        {"tls_cert=%s/good.pem tls_key=%s/good.pem", SIMPLUGIN_INVALID_ARGUMENT, "https://"},
    };
    char *dir = unit_temp_dir();
    char path[4200], words[9000];
    link_rig rig;

    rig_prepare(&rig);
    snprintf(path, sizeof path, "%s/good.pem", dir);
    file_write(path, pem);
    snprintf(path, sizeof path, "%s/empty.pem", dir);
    file_write(path, "");
    snprintf(path, sizeof path, "%s/text.pem", dir);
    file_write(path, "no certificate");
    for (size_t i = 0; i < COUNT(table); i++) {
        const char *at = table[i].format;
        size_t size = 0;
        qdrant_settings s;

        words[0] = 0;
        for (const char *mark; (mark = strstr(at, "%s")); at = mark + 2)
            size += (size_t)snprintf(words + size, sizeof words - size, "%.*s%s", (int)(mark - at), at,
                                     dir);
        snprintf(words + size, sizeof words - size, "%s", at);
        rig_words(&rig, words);
        rig_refused(&rig, qdrant_settings_read(&s, &rig.call), table[i].code, table[i].says,
                    table[i].format);
        qdrant_settings_clear(&s);
        rig_reset(&rig);
    }
    simplugin_writer_clear(&rig.body);
    tree_remove(dir);
    free(dir);
}

/* ---- collections and searches -------------------------------------------------------------------- */

static void json_write(simplugin_writer *out, const json_t *json)
{
    const char *key;
    size_t i;
    json_t *item;

    if (json_is_object(json)) {
        simplugin_write_map(out, json_object_size(json));
        json_object_foreach((json_t *)(uintptr_t)json, key, item)
        {
            simplugin_write_string(out, key);
            json_write(out, item);
        }
    } else if (json_is_array(json)) {
        simplugin_write_array(out, json_array_size(json));
        json_array_foreach(json, i, item)
            json_write(out, item);
    } else if (json_is_string(json)) {
        simplugin_write_string(out, json_string_value(json));
    } else if (json_is_integer(json)) {
        simplugin_write_int(out, json_integer_value(json));
    } else if (json_is_real(json)) {
        simplugin_write_double(out, json_real_value(json));
    } else if (json_is_boolean(json)) {
        simplugin_write_bool(out, json_is_true(json));
    } else {
        simplugin_write_nil(out);
    }
}

/* A request whose parameters are that JSON, with ' for ". */
static void parameters_ask(link_rig *rig, const char *text)
{
    char copy[4096];
    json_t *json;

    snprintf(copy, sizeof copy, "%s", text);
    for (char *at = copy; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    json = json_loads(copy, JSON_DECODE_ANY, NULL);
    if (!json)
        abort();
    simplugin_writer_reset(&rig->body);
    simplugin_write_map(&rig->body, 1);
    simplugin_write_string(&rig->body, "parameters");
    json_write(&rig->body, json);
    json_decref(json);
    rig_ask(rig);
}

static void creation(void)
{
    static const struct {
        const char *parameters, *expected;
    } table[] = {
        {"null", "{}"},
        {"{}", "{}"},
        {"{'collection_name': 'a', 'metric': 'cosine'}", "{}"},
        {"{'replication_factor': 2, 'shard_number': 2}",
         "{'replication_factor':2,'shard_number':2}"},
        /* FiftyOne's example of the whole configuration */
        {"{'metric': 'cosine', 'replication_factor': null, 'shard_number': null, "
         "'write_consistency_factor': null, 'hnsw_config': {'m': 16, 'ef_construct': 100, "
         "'full_scan_threshold': 10000, 'max_indexing_threads': null, 'on_disk': null, "
         "'payload_m': null}, 'optimizers_config': {'deleted_threshold': 0.2, "
         "'vacuum_min_vector_number': 1000, 'default_segment_number': 0, 'max_segment_size': null, "
         "'memmap_threshold': null, 'indexing_threshold': 20000, 'flush_interval_sec': 5, "
         "'max_optimization_threads': 1}, 'wal_config': {'wal_capacity_mb': 32, "
         "'wal_segments_ahead': 0}}",
         "{'hnsw_config':{'ef_construct':100,'full_scan_threshold':10000,'m':16},"
         "'optimizers_config':{'default_segment_number':0,'deleted_threshold':0.2,"
         "'flush_interval_sec':5,'indexing_threshold':20000,'max_optimization_threads':1,"
         "'vacuum_min_vector_number':1000},'wal_config':{'wal_capacity_mb':32,"
         "'wal_segments_ahead':0}}"},
        {"{'hnsw_config': {}, 'wal_config': {'wal_capacity_mb': null}}", "{}"},
        {"{'write_consistency_factor': 1, 'on_disk_payload': false}",
         "{'on_disk_payload':false,'write_consistency_factor':1}"},
        {"{'hnsw_config': {'m': 0, 'on_disk': true, 'payload_m': 8, 'inline_storage': false, "
         "'memory': 'cold', 'max_indexing_threads': 2}}",
         "{'hnsw_config':{'inline_storage':false,'m':0,'max_indexing_threads':2,'memory':'cold',"
         "'on_disk':true,'payload_m':8}}"},
        {"{'optimizers_config': {'max_optimization_threads': 'auto', 'deleted_threshold': 1}}",
         "{'optimizers_config':{'deleted_threshold':1,'max_optimization_threads':'auto'}}"},
        {"{'quantization_config': {'scalar': {'type': 'int8', 'quantile': 0.99, 'always_ram': true}}}",
         "{'quantization_config':{'scalar':{'always_ram':true,'quantile':0.99,"
         "'type':'int8'}}}"},
        {"{'quantization_config': {'product': {'compression': 'x16'}, 'scalar': null}}",
         "{'quantization_config':{'product':{'compression':'x16'}}}"},
        {"{'quantization_config': {'binary': {}}}", "{'quantization_config':{'binary':{}}}"},
    };
    link_rig rig;

    rig_prepare(&rig);
    for (size_t i = 0; i < COUNT(table); i++) {
        json_t *config;
        char *text;

        parameters_ask(&rig, table[i].parameters);
        rig_refused(&rig, qdrant_creation_read(&rig.call, &config), SIMPLUGIN_OK, NULL,
                    table[i].parameters);
        text = json_dumps(config, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(6));
        for (char *at = text; at && *at; at++)
            *at = *at == '"' ? '\'' : *at;
        rig_same(text, table[i].expected, table[i].parameters);
        free(text);
        json_decref(config);
        rig_reset(&rig);
    }
    simplugin_writer_clear(&rig.body);
}

static void bad_creation(void)
{
    static const struct {
        const char *parameters;
        int32_t code;
        const char *says;
    } table[] = {
        {"7", SIMPLUGIN_INVALID_ARGUMENT, "parameters is a map"},
        {"{'shards': 2}", SIMPLUGIN_UNKNOWN_PARAMETER, "known: collection_name, metric"},
        {"{'shard_number': 0}", SIMPLUGIN_INVALID_ARGUMENT, "shard_number is an int, 1 at least"},
        {"{'shard_number': 4294967296}", SIMPLUGIN_INVALID_ARGUMENT, "shard_number"},
        {"{'replication_factor': '2'}", SIMPLUGIN_INVALID_ARGUMENT, "replication_factor is an int"},
        {"{'on_disk_payload': 1}", SIMPLUGIN_INVALID_ARGUMENT, "on_disk_payload is a bool"},
        {"{'hnsw_config': 16}", SIMPLUGIN_INVALID_ARGUMENT, "hnsw_config is a map"},
        {"{'hnsw_config': {'M': 16}}", SIMPLUGIN_INVALID_ARGUMENT,
         "unknown member of hnsw_config \"M\", did you mean \"m\"?; known: m, ef_construct"},
        {"{'hnsw_config': {'m': -1}}", SIMPLUGIN_INVALID_ARGUMENT, "hnsw_config.m is an int, 0 at least"},
        {"{'hnsw_config': {'m': 1.5}}", SIMPLUGIN_INVALID_ARGUMENT, "hnsw_config.m"},
        {"{'hnsw_config': {'on_disk': 'yes'}}", SIMPLUGIN_INVALID_ARGUMENT, "hnsw_config.on_disk is a bool"},
        {"{'hnsw_config': {'memory': 'hot'}}", SIMPLUGIN_INVALID_ARGUMENT,
         "hnsw_config.memory is one of cold, cached, pinned"},
        {"{'wal_config': {'wal_capacity_mb': 0}}", SIMPLUGIN_INVALID_ARGUMENT, "wal_config.wal_capacity_mb"},
        {"{'optimizers_config': {'deleted_threshold': 1.5}}", SIMPLUGIN_INVALID_ARGUMENT,
         "optimizers_config.deleted_threshold is a number from 0 to 1"},
        {"{'optimizers_config': {'max_optimization_threads': 'all'}}", SIMPLUGIN_INVALID_ARGUMENT,
         "is an int or auto"},
        {"{'optimizers_config': {'flush': 5}}", SIMPLUGIN_INVALID_ARGUMENT, "flush_interval_sec"},
        {"{'quantization_config': {'ternary': {}}}", SIMPLUGIN_INVALID_ARGUMENT,
         "known: scalar, product, binary, turbo"},
        {"{'quantization_config': {'binary': {}, 'turbo': {}}}", SIMPLUGIN_INVALID_ARGUMENT,
         "quantization_config is a map of one of scalar, product, binary, turbo"},
        {"{'quantization_config': {'scalar': {'type': 'int4'}}}", SIMPLUGIN_INVALID_ARGUMENT,
         "quantization_config.scalar.type is one of int8"},
    };
    link_rig rig;

    rig_prepare(&rig);
    for (size_t i = 0; i < COUNT(table); i++) {
        json_t *config;

        parameters_ask(&rig, table[i].parameters);
        rig_refused(&rig, qdrant_creation_read(&rig.call, &config), table[i].code, table[i].says,
                    table[i].parameters);
        CU_ASSERT_PTR_NULL(config);
        rig_reset(&rig);
    }
    simplugin_writer_clear(&rig.body);
}

static void searching(void)
{
    static const struct {
        const char *parameters;
        int64_t ef;
        int exact, indexed_only;
        const char *consistency;
        const char *says; /* NULL: is taken */
    } table[] = {
        {"null", 0, -1, -1, NULL, NULL},
        {"{'hnsw_ef': 128, 'exact': true, 'indexed_only': false, 'consistency': 'quorum'}", 128, 1, 0,
         "quorum", NULL},
        {"{'hnsw_ef': null, 'consistency': 2}", 0, -1, -1, "2", NULL},
        {"{'ef': 7}", 0, 0, 0, NULL, "known: hnsw_ef, exact"},
        {"{'hnsw_ef': 0}", 0, 0, 0, NULL, "hnsw_ef is an int"},
        {"{'exact': 1}", 0, 0, 0, NULL, "exact is a bool"},
        {"{'consistency': 'some'}", 0, 0, 0, NULL, "majority, quorum, all"},
    };
    link_rig rig;

    rig_prepare(&rig);
    for (size_t i = 0; i < COUNT(table); i++) {
        qdrant_searching s;
        int32_t code;

        parameters_ask(&rig, table[i].parameters);
        code = qdrant_searching_read(&rig.call, &s);
        if (!table[i].says && !code) {
            CU_ASSERT_EQUAL(s.hnsw_ef, table[i].ef);
            CU_ASSERT_EQUAL(s.exact, table[i].exact);
            CU_ASSERT_EQUAL(s.indexed_only, table[i].indexed_only);
            CU_ASSERT((!s.consistency && !table[i].consistency) ||
                      (s.consistency && table[i].consistency &&
                       strcmp(s.consistency, table[i].consistency) == 0));
        }
        rig_refused(&rig, code,
                    !table[i].says                          ? SIMPLUGIN_OK
                    : strstr(table[i].parameters, "{'ef'") ? SIMPLUGIN_UNKNOWN_PARAMETER
                                                            : SIMPLUGIN_INVALID_ARGUMENT,
                    table[i].says, table[i].parameters);
        rig_reset(&rig);
    }
    simplugin_writer_clear(&rig.body);
}

static const unit_case cases[] = {
    UNIT_CASE(addresses, "R13 R122 R248 addresses as people write them"),
    UNIT_CASE(bad_addresses, "R277 R278 addresses that are none, no part of which is repeated"),
    UNIT_CASE(hosts, "host and port apart"),
    UNIT_CASE(settings, "R13 R14 R30 R123 R248 settings"),
    UNIT_CASE(bad_settings, "R277 R278 settings that are none; a key goes nowhere unencrypted"),
    UNIT_CASE(limits, "limits and their defaults"),
    UNIT_CASE(certificates, "files of certificates"),
    UNIT_CASE(creation, "R25 R117 R124-R144 R251 parameters of a collection, partial and null"),
    UNIT_CASE(bad_creation, "R277 parameters that no collection has"),
    UNIT_CASE(searching, "R269 parameters of a search"),
};

UNIT_MAIN("qdrant address", cases)

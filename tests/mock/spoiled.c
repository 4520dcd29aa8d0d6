/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend "minimal", of which $MOCK_SPOIL spoils one method: "points.get crash". For what a
 * program does about backends that crash, exit, hang, or answer with strange words.
 */
#define simplugin_backend_entry minimal_entry
#include "minimal.c"
#undef simplugin_backend_entry

#include <unistd.h>

SIMPLUGIN_EXPORT int32_t simplugin_backend_entry(const simplugin_host *host,
                                                 const simplugin_backend **backend,
                                                 simplugin_error **error);

static simplugin_backend spoiled;

/* Where the hanging process is to be looked for. */
static void write_pid(const char *path)
{
    FILE *file = path ? fopen(path, "w") : NULL;

    if (!file)
        return;
    fprintf(file, "%ld\n", (long)getpid());
    fclose(file);
}

static int32_t spoil(const char *how, simplugin_error **error)
{
    /* what ends XML, YAML and lines, and is no text */
    static const char words[] =
        "it's <![CDATA[ \"]]> & # \\ -- \x01\x1b[31m\xef\xbf\xbf \xc3\xa9 end";

    if (!strcmp(how, "crash"))
        abort();
    if (!strcmp(how, "exit"))
        exit(3);
    if (!strcmp(how, "hang")) {
        write_pid(getenv("MOCK_SPOIL_PID"));
        for (;;)
            pause();
    }
    printf("to stdout: %s\n\xff\xfe no UTF-8\n", words);
    fprintf(stderr, "to stderr: %s\n", words);
    return minimal_host->error_set(error, SIMPLUGIN_INTERNAL, words, sizeof words - 1);
}

static int32_t spoiled_call(simplugin_instance *instance, const simplugin_call_info *info,
                            const simplugin_request *request, simplugin_reply *reply,
                            simplugin_error **error)
{
    const char *spoils = getenv("MOCK_SPOIL");
    size_t size = (size_t)info->method_size;

    if (spoils && !strncmp(spoils, info->method, size) && spoils[size] == ' ')
        return spoil(spoils + size + 1, error);
    return minimal_call(instance, info, request, reply, error);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    const simplugin_backend *table = NULL;
    int32_t code = minimal_entry(host, &table, error);

    if (code)
        return code;
    spoiled = *table;
    spoiled.call = spoiled_call;
    *backend = &spoiled;
    return SIMPLUGIN_OK;
}

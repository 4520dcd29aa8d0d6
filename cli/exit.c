/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "exit.h"

#include <stddef.h>

#include "simplugin.h"

/* Statuses are never given another meaning; new ones go to the end. */
static const struct {
    int32_t code;
    int status;
    const char *meaning;
} table[] = {
    {SIMPLUGIN_INVALID_ARGUMENT, 3, "a value is wrong"},
    {SIMPLUGIN_NOT_FOUND, 4, "no such file, run, index, collection or id"},
    {SIMPLUGIN_ALREADY_EXISTS, 5, "it is there already, and was not to be replaced"},
    {SIMPLUGIN_UNIMPLEMENTED, 6, "the backend cannot do that"},
    {SIMPLUGIN_DEADLINE_EXCEEDED, 7, "--timeout ran out"},
    {SIMPLUGIN_CANCELLED, 8, "cancelled, but not by a signal"},
    {SIMPLUGIN_BUSY, 9, "another process holds what is needed"},
    {SIMPLUGIN_UNAVAILABLE, 10, "the server does not answer"},
    {SIMPLUGIN_UNAUTHENTICATED, 11, "credentials are missing or refused"},
    {SIMPLUGIN_PERMISSION_DENIED, 12, "not allowed"},
    {SIMPLUGIN_RESOURCE_EXHAUSTED, 13, "a limit of the server or the program"},
    {SIMPLUGIN_OUT_OF_MEMORY, 14, "out of memory"},
    {SIMPLUGIN_IO, 15, "reading or writing failed"},
    {SIMPLUGIN_CORRUPT, 16, "stored data is damaged"},
    {SIMPLUGIN_READ_ONLY, 17, "the store cannot be written"},
    {SIMPLUGIN_NO_SPACE, 18, "the disk or the quota is full"},
    {SIMPLUGIN_VERSION_TOO_OLD, 19, "a server or store is too old"},
    {SIMPLUGIN_VERSION_TOO_NEW, 20, "a server or store is too new"},
    {SIMPLUGIN_INCOMPATIBLE, 21, "a plugin of another ABI version"},
    {SIMPLUGIN_STALE_HANDLE, 22, "a handle is not open"},
    {SIMPLUGIN_FORKED, 23, "opened by the parent process"},
    {SIMPLUGIN_PROMPT_UNSUPPORTED, 24, "text queries need an embedding function"},
    {SIMPLUGIN_DIMENSION_MISMATCH, 25, "vectors of another dimension"},
    {SIMPLUGIN_MALFORMED, 26, "a malformed request"},
    {SIMPLUGIN_CONFIG, 27, "a configuration file or value cannot be used"},
    {SIMPLUGIN_UNKNOWN_METHOD, 28, "no such method"},
    {SIMPLUGIN_UNKNOWN_PARAMETER, 29, "no such parameter of the backend"},
    {SIMPLUGIN_INTERNAL, 30, "a bug"},
    {SIMPLUGIN_PROTOCOL, 31, "a backend or server answered with nonsense"},
    {SIMPLUGIN_BACKEND_UNKNOWN, 40, "no plugin of that name"},
    {SIMPLUGIN_BACKEND_NAME, 41, "not a name of a backend"},
    {SIMPLUGIN_PLUGIN_PATH, 42, "a plugin directory that is not absolute"},
    {SIMPLUGIN_PLUGIN_UNSAFE, 43, "others may write the plugin"},
    {SIMPLUGIN_PLUGIN_UNLOADABLE, 44, "the plugin cannot be loaded"},
    {SIMPLUGIN_PLUGIN_NO_ENTRY, 45, "the plugin has no entry"},
    {SIMPLUGIN_PLUGIN_FOREIGN_ENTRY, 46, "the plugin's entry belongs to another file"},
    {SIMPLUGIN_PLUGIN_BAD_TABLE, 47, "the plugin's table is incomplete"},
    {SIMPLUGIN_PLUGIN_ENTRY_FAILED, 48, "the plugin's entry failed"},
};

int cli_exit_status(int32_t code)
{
    if (code == SIMPLUGIN_OK)
        return CLI_EXIT_OK;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].code == code)
            return table[i].status;
    return CLI_EXIT_FAILURE;
}

void cli_exit_man(FILE *out)
{
    fprintf(out, ".SH EXIT STATUS\n"
                 ".TP\n0\neverything went well\n"
                 ".TP\n1\nan error without a status of its own\n"
                 ".TP\n2\nthe command line makes no sense\n");
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        fprintf(out, ".TP\n%d\n%s (%s)\n", table[i].status, table[i].meaning,
                simplugin_code_name(table[i].code));
    fprintf(out, ".TP\n%d\ninterrupted by Ctrl\\-C\n.TP\n%d\nended by SIGTERM\n",
            CLI_EXIT_INTERRUPTED, CLI_EXIT_TERMINATED);
}

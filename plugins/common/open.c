/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "plug_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plug_args.h"

#define PEM_MAX 1048576

int32_t plug_arg_port(plug_call *call, int *port)
{
    simplugin_value value;
    int64_t number = 0;

    *port = 0;
    if (!simplugin_find(&call->body, "port", &value))
        return SIMPLUGIN_OK;
    if (value.type == SIMPLUGIN_INT)
        number = value.as.i;
    else if (value.type == SIMPLUGIN_TEXT && value.size <= 5)
        for (uint64_t i = 0; i < value.size && number >= 0; i++)
            number = value.data[i] >= '0' && value.data[i] <= '9'
                         ? number * 10 + (value.data[i] - '0')
                         : -1;
    if (number < 1 || number > 65535)
        return plug_fail_argument(call, "port", "port is a number from 1 to 65535");
    *port = (int)number;
    return SIMPLUGIN_OK;
}

int32_t plug_arg_pem(plug_call *call, const char *parameter, char **pem)
{
    const char *path;
    struct stat about;
    ssize_t got = 0;
    int fd = -1;
    int32_t code = plug_arg_string(call, parameter, &path);

    *pem = NULL;
    if (code || !path)
        return code;
    if (*path != '/')
        return plug_fail_argument(call, parameter, "%s is an absolute path", parameter);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &about)) {
        code = plug_error_errno(call->error, errno, "read", path);
        goto out;
    }
    if (!S_ISREG(about.st_mode) || about.st_size <= 0 || about.st_size > PEM_MAX) {
        code = plug_fail_argument(call, parameter, "%s: %s is no PEM file of at most 1 MiB",
                                  parameter, path);
        goto out;
    }
    *pem = calloc((size_t)about.st_size + 1, 1);
    if (!*pem) {
        code = plug_no_memory(call);
        goto out;
    }
    got = read(fd, *pem, (size_t)about.st_size);
    if (got < 0)
        code = plug_error_errno(call->error, errno, "read", path);
    else if (!strstr(*pem, "-----BEGIN "))
        code = plug_fail_argument(call, parameter, "%s: %s is no PEM file", parameter, path);
out:
    if (fd >= 0)
        close(fd);
    return code;
}

void plug_secret_free(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

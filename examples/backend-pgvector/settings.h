/* SPDX-License-Identifier: Apache-2.0 */
/* What `open` is given: how to reach the server, and where in it the tables are. */
#ifndef PGV_SETTINGS_H
#define PGV_SETTINGS_H

#include <stdint.h>

struct pgv_call;

#define PGV_POOL_MAX 64

typedef struct pgv_settings {
    char *conninfo; /* NULL: as libpq and its environment say */
    char *password; /* NULL: likewise */
    char *sslpassword;
    char *schema;
    uint32_t pool_size;
} pgv_settings;

int32_t pgv_settings_read(struct pgv_call *call, pgv_settings *settings);
void pgv_settings_clear(pgv_settings *settings);

#endif

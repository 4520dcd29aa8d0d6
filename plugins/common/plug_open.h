/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of open that every plugin of a server reads. */
#ifndef PLUG_OPEN_H
#define PLUG_OPEN_H

#include "plug_call.h"

/* "port", a number or text that is one; absent: 0. */
int32_t plug_arg_port(plug_call *call, int *port);
/*
 * The content of the PEM file at the absolute path that the parameter gives, to be wiped
 * and freed; absent: NULL.
 */
int32_t plug_arg_pem(plug_call *call, const char *parameter, char **pem);
/* Wipes and frees a zero-terminated text; NULL is harmless. */
void plug_secret_free(char *secret);

#endif

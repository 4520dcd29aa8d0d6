/* SPDX-License-Identifier: Apache-2.0 */
/* simplugin-conformance with the backend "minimal" linked in, which is no file then. */
#include "config.h"

#include "conformance/program.h"

int main(int argc, char **argv)
{
    static const conf_static statics[] = {{"minimal", simplugin_backend_entry}, {NULL, NULL}};

    return conf_program(argc, argv, statics);
}

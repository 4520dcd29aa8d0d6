/* SPDX-License-Identifier: Apache-2.0 */
/* simplugin-conformance with the backend "minimal" linked in, which is no file then. */
#include "simplugin/conformance.h"

int main(int argc, char **argv)
{
    static const simplugin_conformance_backend backends[] = {
        {"minimal", simplugin_backend_entry},
        {NULL, NULL},
    };

    return simplugin_conformance_main(argc, argv, backends);
}

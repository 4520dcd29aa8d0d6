/* SPDX-License-Identifier: Apache-2.0 */
#include "simplugin/conformance.h"

int main(int argc, char **argv)
{
    return simplugin_conformance_main(argc, argv, NULL);
}

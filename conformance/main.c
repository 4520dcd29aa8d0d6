/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "program.h"

int main(int argc, char **argv)
{
    return conf_program(argc, argv, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

char *milvus_base64(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = strlen(text);
    char *out = malloc((size + 2) / 3 * 4 + 1);
    char *at = out;

    for (size_t i = 0; out && i < size; i += 3) {
        uint32_t bits = 0;

        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (i + j < size ? (uint8_t)text[i + j] : 0);
        *at++ = digits[bits >> 18];
        *at++ = digits[bits >> 12 & 63];
        *at++ = i + 1 < size ? digits[bits >> 6 & 63] : '=';
        *at++ = i + 2 < size ? digits[bits & 63] : '=';
    }
    if (out)
        *at = 0;
    return out;
}

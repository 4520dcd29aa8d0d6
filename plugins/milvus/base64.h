/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MILVUS_BASE64_H
#define MILVUS_BASE64_H

/* Zero-terminated, malloc'd; NULL: no memory. */
char *milvus_base64(const char *text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Milvus' own operations, which no other backend has: methods under "native.". */
#ifndef MILVUS_NATIVE_H
#define MILVUS_NATIVE_H

#include "call.h"

/* native_rows.c: collections of any schema, and their rows */
int32_t milvus_native_collection_create(milvus_call *call);
int32_t milvus_native_insert(milvus_call *call);
int32_t milvus_native_query(milvus_call *call);
int32_t milvus_native_search(milvus_call *call);
int32_t milvus_native_delete(milvus_call *call);

/* native_admin.c: everything around them */
int32_t milvus_native_load_state(milvus_call *call);
int32_t milvus_native_compact_start(milvus_call *call);
int32_t milvus_native_compact_state(milvus_call *call);
int32_t milvus_native_alias_create(milvus_call *call);
int32_t milvus_native_alias_alter(milvus_call *call);
int32_t milvus_native_alias_drop(milvus_call *call);
int32_t milvus_native_alias_list(milvus_call *call);
int32_t milvus_native_database_create(milvus_call *call);
int32_t milvus_native_database_drop(milvus_call *call);
int32_t milvus_native_database_list(milvus_call *call);
int32_t milvus_native_user_create(milvus_call *call);
int32_t milvus_native_user_update(milvus_call *call);
int32_t milvus_native_user_drop(milvus_call *call);
int32_t milvus_native_user_list(milvus_call *call);
int32_t milvus_native_role_create(milvus_call *call);
int32_t milvus_native_role_drop(milvus_call *call);
int32_t milvus_native_role_assign(milvus_call *call);
int32_t milvus_native_role_withdraw(milvus_call *call);
int32_t milvus_native_role_grant(milvus_call *call);
int32_t milvus_native_role_revoke(milvus_call *call);

#endif

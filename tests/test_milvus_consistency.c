/* SPDX-License-Identifier: Apache-2.0 */
/* Which writes a read must see, whatever the order in which calls of several threads end. */
#include "config.h"

#include "consistency.h"
#include "milvus_rig.h"

static void session_begin(milvus_rig *rig)
{
    rig_init(rig);
    rig->schema.consistency = MILVUS_SESSION;
}

static void session_end(milvus_rig *rig)
{
    milvus_written_free(&rig->instance);
    rig_clear(rig);
}

/* Before the first read, and after it. */
static void nothing_written(void)
{
    static milvus_rig rig;
    milvus_freshness read;

    session_begin(&rig);
    read = milvus_freshness_of(&rig.call, -1);
    CU_ASSERT_EQUAL(read.level, MILVUS_STRONG);
    milvus_read_done(&rig.call, &read);
    read = milvus_freshness_of(&rig.call, -1);
    CU_ASSERT_EQUAL(read.level, MILVUS_SESSION);
    CU_ASSERT_EQUAL(read.timestamp, 1);
    session_end(&rig);
}

static void written_with_time(void)
{
    static milvus_rig rig;
    milvus_freshness read;

    session_begin(&rig);
    milvus_written_at(&rig.call, 4711);
    read = milvus_freshness_of(&rig.call, -1);
    CU_ASSERT_EQUAL(read.level, MILVUS_SESSION);
    CU_ASSERT_EQUAL(read.timestamp, 4711);
    milvus_written_at(&rig.call, 4000);
    CU_ASSERT_EQUAL(milvus_freshness_of(&rig.call, -1).timestamp, 4711);
    session_end(&rig);
}

/*
 * A deletion; another thread begins a read, which is a strong one; an upsert is acknowledged;
 * that read ends, which has not seen the upsert.
 */
static void read_between_writes(void)
{
    static milvus_rig rig;
    milvus_freshness other, own;

    session_begin(&rig);
    milvus_written_at(&rig.call, 0);
    other = milvus_freshness_of(&rig.call, -1);
    CU_ASSERT_EQUAL(other.level, MILVUS_STRONG);
    milvus_written_at(&rig.call, 4711);
    milvus_read_done(&rig.call, &other);
    own = milvus_freshness_of(&rig.call, -1);
    CU_ASSERT(own.level == MILVUS_STRONG || own.timestamp >= 4711);
    /* and once that has been read, no read need be a strong one */
    milvus_read_done(&rig.call, &own);
    CU_ASSERT_EQUAL(milvus_freshness_of(&rig.call, -1).level, MILVUS_SESSION);
    milvus_written_at(&rig.call, 4712);
    CU_ASSERT_EQUAL(milvus_freshness_of(&rig.call, -1).timestamp, 4712);
    session_end(&rig);
}

/* The first read of all is a strong one that an upsert comes into. */
static void read_before_writes(void)
{
    static milvus_rig rig;
    milvus_freshness other, own;

    session_begin(&rig);
    other = milvus_freshness_of(&rig.call, -1);
    milvus_written_at(&rig.call, 4711);
    milvus_read_done(&rig.call, &other);
    own = milvus_freshness_of(&rig.call, -1);
    CU_ASSERT(own.level == MILVUS_STRONG || own.timestamp >= 4711);
    session_end(&rig);
}

static const unit_case cases[] = {
    UNIT_CASE(nothing_written, "R113 the first read sees everything, the next ones need not"),
    UNIT_CASE(written_with_time, "R113 what was written is read"),
    UNIT_CASE(read_between_writes, "R113 a read of another thread between two writes"),
    UNIT_CASE(read_before_writes, "R113 a read of another thread before the first write"),
};

UNIT_MAIN("milvus consistency", cases)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters of docs/filters.md as Qdrant's, each leaf with its two-valued meaning. Qdrant's own
 * conditions hold where any element of a list meets them, so that where the type of a field
 * is not known a second condition says that it is no list; and it compares numbers as doubles,
 * so that integers beyond those are named one by one.
 */
#include "config.h"

#include "condition.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "filter.h"
#include "ids.h"
#include "instance.h"
#include "json_write.h"
#include "member.h"

#define EXACT_MAX (INT64_C(1) << 53) /* integers below are doubles, and no other's nearest one */
#define TWO_TO_63 9223372036854775808.0

typedef struct printer {
    qdrant_call *call;
    const sp_filter *filter;
    const plug_seen *seen;
    sp_buffer out;
} printer;

/* What a leaf is about. */
typedef struct target {
    sp_text name;
    uint32_t type; /* of its values, for certain; else SP_FILTER_UNKNOWN_TYPE */
    uint32_t item; /* SP_INT64, ...: of the values or a list's items, as a payload index has it; 0:
                      numbers may be of either type */
    uint32_t hint; /* of some points' values or items; 0: none was seen */
    const char *behind; /* of its path: "[]" are the elements of a list, and of nothing else */
} target;

/* ---- names ------------------------------------------------------------------------------ */

static int is_plain(sp_text name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-'))
            return 0;
    }
    return name.size > 0;
}

void qdrant_path_put(sp_buffer *out, sp_text name, const char *behind)
{
    sp_buffer path;

    if (is_plain(name) && !*behind) {
        plug_json_text(out, name.data, name.size);
        return;
    }
    sp_buffer_init(&path);
    if (!is_plain(name))
        sp_buffer_append(&path, "\"", 1);
    qdrant_member_put(&path, name);
    if (!is_plain(name))
        sp_buffer_append(&path, "\"", 1);
    sp_buffer_append_text(&path, behind);
    if (!path.failed)
        plug_json_text(out, (const char *)path.data, path.size);
    out->failed |= path.failed;
    sp_buffer_clear(&path);
}

/* ---- types ------------------------------------------------------------------------------ */

/* Only what was declared is certain: some points that were seen say nothing of the others. */
static uint32_t type_of(void *context, sp_text name)
{
    const printer *p = context;
    const qdrant_declared *declared = qdrant_declared_find(p->call->schema, name);

    if (!qdrant_field_is_shown(p->call->schema, name))
        return 0;
    return declared && !declared->is_index ? declared->type : SP_FILTER_UNKNOWN_TYPE;
}

static target target_of(printer *p, sp_text name)
{
    const qdrant_declared *declared = qdrant_declared_find(p->call->schema, name);
    target t = {.name = name, .behind = ""};

    t.type = type_of(p, name);
    t.item = declared ? declared->type & ~SP_LIST : 0;
    for (uint64_t i = 0; i < p->seen->count; i++)
        if (strlen(p->seen->names[i]) == name.size &&
            memcmp(p->seen->names[i], name.data, name.size) == 0)
            t.hint = p->seen->types[i] & ~SP_LIST;
    return t;
}

/* Of numbers so large that doubles do not tell them apart the likelier type is taken. */
static uint32_t item_type(const target *t, int is_large)
{
    return t->item || !is_large ? t->item : t->hint;
}

/* ---- conditions -------------------------------------------------------------------------- */

static void key_put(printer *p, const target *t)
{
    sp_buffer_append_text(&p->out, "{\"key\":");
    qdrant_path_put(&p->out, t->name, t->behind);
}

/* Never true, and always. */
static void never_put(printer *p)
{
    sp_buffer_append_text(&p->out, "{\"has_id\":[]}");
}

static void always_put(printer *p)
{
    sp_buffer_append_text(&p->out, "{\"must_not\":[{\"has_id\":[]}]}");
}

static void value_put(printer *p, const sp_filter_value *value)
{
    switch (value->type) {
    case SP_TEXT: plug_json_text(&p->out, value->as.text.data, value->as.text.size); break;
    case SP_INT64: plug_json_int64(&p->out, value->as.int64); break;
    case SP_FLOAT64: plug_json_double(&p->out, value->as.float64); break;
    default: plug_json_bool(&p->out, value->as.boolean);
    }
}

static void match_put(printer *p, const target *t, const sp_filter_value *value)
{
    key_put(p, t);
    sp_buffer_append_text(&p->out, ",\"match\":{\"value\":");
    value_put(p, value);
    sp_buffer_append_text(&p->out, "}}");
}

static void range_put(printer *p, const target *t, const char *operator, double bound)
{
    key_put(p, t);
    sp_buffer_printf(&p->out, ",\"range\":{\"%s\":", operator);
    plug_json_double(&p->out, bound);
    sp_buffer_append_text(&p->out, "}}");
}

static void equal_put(printer *p, const target *t, double value)
{
    key_put(p, t);
    sp_buffer_append_text(&p->out, ",\"range\":{\"gte\":");
    plug_json_double(&p->out, value);
    sp_buffer_append_text(&p->out, ",\"lte\":");
    plug_json_double(&p->out, value);
    sp_buffer_append_text(&p->out, "}}");
}

static void is_empty_put(printer *p, const target *t)
{
    sp_buffer_append_text(&p->out, "{\"is_empty\":{\"key\":");
    qdrant_path_put(&p->out, t->name, "");
    sp_buffer_append_text(&p->out, "}}");
}

/* An empty list is as good as nothing to Qdrant, so that points say which of theirs are. */
static void exists_put(printer *p, const target *t)
{
    const target empty = {.name = {QDRANT_EMPTY, sizeof QDRANT_EMPTY - 1}, .behind = ""};
    const sp_filter_value name = {.type = SP_TEXT, .as.text = t->name};

    sp_buffer_append_text(&p->out, "{\"should\":[{\"must_not\":[");
    is_empty_put(p, t);
    sp_buffer_append_text(&p->out, "]},");
    match_put(p, &empty, &name);
    sp_buffer_append_text(&p->out, "]}");
}

/* ---- numbers ------------------------------------------------------------------------------ */

static const char *range_of(uint8_t kind)
{
    switch (kind) {
    case SP_FILTER_LT: return "lt";
    case SP_FILTER_LE: return "lte";
    case SP_FILTER_GT: return "gt";
    default: return "gte";
    }
}

static int is_below(uint8_t kind)
{
    return kind == SP_FILTER_LT || kind == SP_FILTER_LE;
}

static int holds(uint8_t kind, int64_t a, int64_t b)
{
    switch (kind) {
    case SP_FILTER_LT: return a < b;
    case SP_FILTER_LE: return a <= b;
    case SP_FILTER_GT: return a > b;
    default: return a >= b;
    }
}

/*
 * Integers against one that is near no double's neighbours: those that are clearly on the
 * right side by a range, and those around the bound, some hundreds, by their names.
 */
static void large_put(printer *p, const target *t, uint8_t kind, int64_t bound)
{
    double clear = nextafter((double)bound, is_below(kind) ? -INFINITY : INFINITY);
    int is_first = 1;
    int64_t first, last;

    if (bound == (is_below(kind) ? INT64_MIN : INT64_MAX) && !holds(kind, bound, bound)) {
        never_put(p);
        return;
    }
    if (is_below(kind)) {
        first = clear <= -TWO_TO_63 ? INT64_MIN : (int64_t)clear;
        last = bound;
    } else {
        first = bound;
        last = clear >= TWO_TO_63 ? INT64_MAX : (int64_t)clear;
    }
    sp_buffer_append_text(&p->out, "{\"should\":[");
    /* beyond all integers, an index of them would take the outermost one for it */
    if (clear < TWO_TO_63 && clear > -TWO_TO_63) {
        range_put(p, t, is_below(kind) ? "lte" : "gte", clear);
        sp_buffer_append(&p->out, ",", 1);
    }
    key_put(p, t);
    sp_buffer_append_text(&p->out, ",\"match\":{\"any\":[");
    for (int64_t i = first;; i++) {
        if (holds(kind, i, bound)) {
            plug_json_comma(&p->out, &is_first);
            plug_json_int64(&p->out, i);
        }
        if (i == last)
            break;
    }
    sp_buffer_append_text(&p->out, "]}}]}");
}

static int is_large(int64_t value)
{
    return value >= EXACT_MAX || value <= -EXACT_MAX;
}

/* An integer's order among integers. */
static void integers_put(printer *p, const target *t, uint8_t kind, int64_t bound)
{
    if (is_large(bound))
        large_put(p, t, kind, bound);
    else
        range_put(p, t, range_of(kind), (double)bound);
}

/* A fraction's among integers: the same condition without one. */
static void fraction_put(printer *p, const target *t, uint8_t kind, double bound)
{
    double whole = kind == SP_FILTER_LT || kind == SP_FILTER_GE ? ceil(bound) : floor(bound);

    if (whole >= TWO_TO_63 || whole < -TWO_TO_63) {
        /* beyond all integers: every one, or none */
        if ((whole > 0) == is_below(kind))
            range_put(p, t, "lte", TWO_TO_63);
        else
            never_put(p);
    } else {
        integers_put(p, t, kind, (int64_t)whole);
    }
}

static int is_double(int64_t value)
{
    double nearest = (double)value;

    return nearest < TWO_TO_63 && (int64_t)nearest == value;
}

/* An integer's among doubles: where it is none, the nearest one from the right side. */
static void doubles_put(printer *p, const target *t, uint8_t kind, int64_t bound)
{
    double nearest = (double)bound;
    int is_above = nearest >= TWO_TO_63 || (int64_t)nearest > bound;

    if (is_double(bound))
        range_put(p, t, range_of(kind), nearest);
    else if (is_below(kind))
        range_put(p, t, is_above ? "lt" : "lte", nearest);
    else
        range_put(p, t, is_above ? "gte" : "gt", nearest);
}

static void order_put(printer *p, const target *t, uint8_t kind, const sp_filter_value *value)
{
    double bound;

    if (value->type == SP_INT64) {
        int large = is_large(value->as.int64);
        uint32_t type = item_type(t, large);

        if (type == SP_FLOAT64)
            doubles_put(p, t, kind, value->as.int64);
        else if (type == SP_INT64 || large)
            integers_put(p, t, kind, value->as.int64);
        else
            range_put(p, t, range_of(kind), (double)value->as.int64);
        return;
    }
    if (value->type != SP_FLOAT64) {
        never_put(p); /* leaves_check lets none of these come here */
        return;
    }
    bound = value->as.float64;
    if (item_type(t, fabs(bound) >= (double)EXACT_MAX) == SP_INT64)
        fraction_put(p, t, kind, bound);
    else
        range_put(p, t, range_of(kind), bound);
}

static void one_put(printer *p, const target *t, const sp_filter_value *value)
{
    double number;

    if (value->type != SP_INT64 && value->type != SP_FLOAT64) {
        match_put(p, t, value);
        return;
    }
    if (value->type == SP_INT64) {
        int large = is_large(value->as.int64);
        uint32_t type = item_type(t, large);

        if (type == SP_INT64 || (!type && large))
            match_put(p, t, value);
        else if (type == SP_FLOAT64 && !is_double(value->as.int64))
            never_put(p);
        else
            equal_put(p, t, (double)value->as.int64);
        return;
    }
    number = value->as.float64;
    if (item_type(t, fabs(number) >= (double)EXACT_MAX) != SP_INT64) {
        equal_put(p, t, number);
    } else if (number != floor(number) || number >= TWO_TO_63 || number < -TWO_TO_63) {
        never_put(p);
    } else {
        const sp_filter_value whole = {.type = SP_INT64, .as.int64 = (int64_t)number};

        match_put(p, t, &whole);
    }
}

/* ---- sets ---------------------------------------------------------------------------------- */

/* Whether a value goes into a list of Qdrant's own, which holds texts or integers. */
static int is_listed(const target *t, const sp_filter_value *value)
{
    return value->type == SP_TEXT || (value->type == SP_INT64 && t->item == SP_INT64);
}

static void listed_put(printer *p, const target *t, const sp_filter_node *leaf)
{
    int is_first = 1;

    key_put(p, t);
    sp_buffer_append_text(&p->out, ",\"match\":{\"any\":[");
    for (uint32_t i = 0; i < leaf->value_count; i++)
        if (is_listed(t, &leaf->values[i])) {
            plug_json_comma(&p->out, &is_first);
            value_put(p, &leaf->values[i]);
        }
    sp_buffer_append_text(&p->out, "]}}");
}

static void any_put(printer *p, const target *t, const sp_filter_node *leaf)
{
    uint64_t listed = 0;
    int is_first = 1;

    for (uint32_t i = 0; i < leaf->value_count; i++)
        listed += (uint64_t)is_listed(t, &leaf->values[i]);
    sp_buffer_append_text(&p->out, "{\"should\":[");
    if (listed || !leaf->value_count) {
        plug_json_comma(&p->out, &is_first);
        if (listed)
            listed_put(p, t, leaf);
        else
            never_put(p);
    }
    for (uint32_t i = 0; i < leaf->value_count; i++)
        if (!is_listed(t, &leaf->values[i])) {
            plug_json_comma(&p->out, &is_first);
            one_put(p, t, &leaf->values[i]);
        }
    sp_buffer_append_text(&p->out, "]}");
}

static void all_put(printer *p, const target *t, const sp_filter_node *leaf)
{
    sp_buffer_append_text(&p->out, "{\"must\":[");
    for (uint32_t i = 0; i < leaf->value_count; i++) {
        if (i)
            sp_buffer_append(&p->out, ",", 1);
        one_put(p, t, &leaf->values[i]);
    }
    sp_buffer_append_text(&p->out, "]}");
}

/* ---- the tree ------------------------------------------------------------------------------- */

static void bare_put(printer *p, const target *t, const sp_filter_node *leaf)
{
    switch (leaf->kind) {
    case SP_FILTER_EXISTS: exists_put(p, t); break;
    case SP_FILTER_EQ:
    case SP_FILTER_CONTAINS: one_put(p, t, &leaf->values[0]); break;
    case SP_FILTER_IN:
    case SP_FILTER_CONTAINS_ANY: any_put(p, t, leaf); break;
    case SP_FILTER_CONTAINS_ALL: all_put(p, t, leaf); break;
    default: order_put(p, t, leaf->kind, &leaf->values[0]);
    }
}

/* True of single values only, or of lists only, as the language has it. */
static void positive_put(printer *p, target *t, const sp_filter_node *leaf)
{
    if (leaf->kind >= SP_FILTER_CONTAINS) {
        t->behind = t->type == SP_FILTER_UNKNOWN_TYPE ? "[]" : "";
        bare_put(p, t, leaf);
    } else if (leaf->kind == SP_FILTER_EXISTS || t->type != SP_FILTER_UNKNOWN_TYPE) {
        bare_put(p, t, leaf);
    } else {
        sp_buffer_append_text(&p->out, "{\"must\":[");
        bare_put(p, t, leaf);
        sp_buffer_append_text(&p->out, "],\"must_not\":[");
        t->behind = "[]";
        bare_put(p, t, leaf);
        sp_buffer_append_text(&p->out, "]}");
    }
}

static void leaf_put(printer *p, const sp_filter_node *leaf)
{
    target t = target_of(p, p->filter->fields[leaf->field]);

    if (leaf->negated)
        sp_buffer_append_text(&p->out, "{\"must_not\":[");
    positive_put(p, &t, leaf);
    if (leaf->negated)
        sp_buffer_append_text(&p->out, "]}");
}

static void node_put(printer *p, uint32_t at)
{
    const sp_filter_node *node = &p->filter->nodes[at];
    int is_first = 1;

    if (node->kind == SP_FILTER_CONST && node->truth) {
        always_put(p);
        return;
    }
    if (node->kind == SP_FILTER_CONST) {
        never_put(p);
        return;
    }
    if (node->kind != SP_FILTER_AND && node->kind != SP_FILTER_OR) {
        leaf_put(p, node);
        return;
    }
    sp_buffer_append_text(&p->out, node->kind == SP_FILTER_AND ? "{\"must\":[" : "{\"should\":[");
    for (uint32_t member = at + 1; member < node->end; member = p->filter->nodes[member].end) {
        plug_json_comma(&p->out, &is_first);
        node_put(p, member);
    }
    sp_buffer_append_text(&p->out, "]}");
}

/* The core sends nothing but what describe names; a program's filter may hold anything. */
static int32_t leaves_check(qdrant_call *call, const sp_filter *filter)
{
    for (uint32_t i = 0; i < filter->node_count; i++) {
        const sp_filter_node *leaf = &filter->nodes[i];
        int is_order = leaf->kind >= SP_FILTER_LT && leaf->kind <= SP_FILTER_GE;

        if (leaf->kind < SP_FILTER_EQ)
            continue;
        if (leaf->kind == SP_FILTER_LIKE ||
            (is_order && leaf->values[0].type != SP_INT64 && leaf->values[0].type != SP_FLOAT64))
            return plug_fail(&call->base, SIMPLUGIN_UNIMPLEMENTED,
                             "filter: Qdrant does not evaluate %s%s here",
                             sp_filter_kind_name(leaf->kind, leaf->negated),
                             is_order ? " of anything but numbers" : "");
    }
    return SIMPLUGIN_OK;
}

static int32_t filter_print(printer *p, const char **condition)
{
    const sp_filter_node *root = &p->filter->nodes[0];
    int32_t code = SIMPLUGIN_OK;

    if (root->kind == SP_FILTER_CONST && root->truth)
        return SIMPLUGIN_OK;
    sp_buffer_init(&p->out);
    node_put(p, 0);
    *condition = p->out.failed ? NULL
                               : sp_arena_text(&p->call->base.scratch, (const char *)p->out.data,
                                               p->out.size);
    if (!*condition)
        code = plug_no_memory(&p->call->base);
    sp_buffer_clear(&p->out);
    return code;
}

int32_t qdrant_condition_read(qdrant_call *call, const char **condition)
{
    plug_known_of known = qdrant_known(call);
    simplugin_value value;
    sp_filter_error wrong = {0};
    sp_filter *filter = NULL, *simple = NULL;
    plug_seen seen = {0};
    printer p = {.call = call, .seen = &seen};
    int32_t code;

    *condition = "";
    if (!simplugin_find(&call->base.body, "filter", &value))
        return SIMPLUGIN_OK;
    code = sp_filter_decode(&value, &filter, &wrong);
    if (code == SIMPLUGIN_OUT_OF_MEMORY)
        return plug_no_memory(&call->base);
    if (code)
        return plug_fail_argument(&call->base, "filter", "filter: %s", wrong.message);
    code = leaves_check(call, filter);
    if (!code)
        code = plug_known_list(&known, &seen);
    if (!code && sp_filter_simplify(filter, type_of, &p, &simple))
        code = plug_no_memory(&call->base);
    p.filter = simple;
    if (!code)
        code = filter_print(&p, condition);
    sp_filter_free(filter);
    sp_filter_free(simple);
    return code;
}

/* ---- ids -------------------------------------------------------------------------------------- */

static void ids_put(const qdrant_call *call, sp_buffer *out, qdrant_id_set *set)
{
    int is_first = 1;

    sp_buffer_append_text(out, "{\"has_id\":[");
    set->count = 0;
    for (; set->next < set->ids->count && set->count < set->limit; set->next++) {
        qdrant_key key;

        if ((set->is_wanted && !set->is_wanted(set->context, set->next)) ||
            !qdrant_key_of(call->schema->is_mapped, sp_column_text(set->ids, set->next), &key))
            continue;
        plug_json_comma(out, &is_first);
        qdrant_key_put(out, &key);
        set->count++;
    }
    sp_buffer_append_text(out, "]}");
}

void qdrant_filter_put(const qdrant_call *call, sp_buffer *out, const char *condition,
                       qdrant_id_set *ids)
{
    int is_first = 1;

    if (!*condition && !ids)
        return;
    sp_buffer_append_text(out, "\"filter\":{\"must\":[");
    if (*condition) {
        plug_json_comma(out, &is_first);
        sp_buffer_append_text(out, condition);
    }
    if (ids) {
        plug_json_comma(out, &is_first);
        ids_put(call, out, ids);
    }
    sp_buffer_append_text(out, "]},");
}

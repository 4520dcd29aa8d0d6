/* SPDX-License-Identifier: Apache-2.0 */
#include "addon.h"

#include <stdlib.h>
#include <string.h>

napi_value throw_error(napi_env env, const home *home, int32_t code, const char *message)
{
    const char *name = simplugin_code_name(code);
    napi_value function, receiver, error, argument[3];
    bool is_pending = false;

    if (home && napi_get_reference_value(env, home->failed, &function) == napi_ok &&
        napi_get_undefined(env, &receiver) == napi_ok &&
        napi_create_int32(env, code, &argument[0]) == napi_ok &&
        napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &argument[1]) == napi_ok &&
        napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &argument[2]) == napi_ok &&
        napi_call_function(env, receiver, function, 3, argument, &error) == napi_ok)
        napi_throw(env, error);
    napi_is_exception_pending(env, &is_pending);
    if (!is_pending)
        napi_throw_error(env, name, message);
    return NULL;
}

int home_tell_locked(home *home)
{
    int tells = !home->is_told;

    home->is_told = 1;
    home->telling += tells;
    return tells;
}

void home_tell(home *home)
{
    napi_call_threadsafe_function(home->wake, NULL, napi_tsfn_nonblocking);
    pthread_mutex_lock(&home->lock);
    if (--home->telling == 0)
        pthread_cond_signal(&home->quiet);
    pthread_mutex_unlock(&home->lock);
}

/* ---- handles that close with a worker --------------------------------------------------- */

#define FREE_BIT (UINT64_C(1) << 63) /* in the place of a handle: the next free place */

static napi_value own(napi_env env, napi_callback_info info)
{
    napi_value argument, result = NULL;
    size_t count = 1;
    uint64_t handle = 0;
    uint32_t place;
    bool lossless;
    home *home = NULL;

    if (napi_get_cb_info(env, info, &count, &argument, NULL, (void **)&home) != napi_ok ||
        napi_get_value_bigint_uint64(env, argument, &handle, &lossless) != napi_ok)
        return throw_error(env, home, SIMPLUGIN_INVALID_ARGUMENT, "own: expected a handle");
    if (home->owned_free) {
        place = home->owned_free - 1;
        home->owned_free = (uint32_t)home->owned[place];
    } else {
        place = home->owned_count;
        if ((place & (place + 1)) == 0) { /* 0, 1, 3, 7, ...: full */
            uint64_t *owned = realloc(home->owned, (2 * (size_t)place + 1) * sizeof *owned);
            if (!owned)
                return throw_error(env, home, SIMPLUGIN_OUT_OF_MEMORY, "out of memory");
            home->owned = owned;
        }
        home->owned_count++;
    }
    home->owned[place] = handle;
    napi_create_uint32(env, place, &result);
    return result;
}

static napi_value disown(napi_env env, napi_callback_info info)
{
    napi_value argument;
    size_t count = 1;
    uint32_t place = 0;
    home *home = NULL;

    if (napi_get_cb_info(env, info, &count, &argument, NULL, (void **)&home) != napi_ok ||
        napi_get_value_uint32(env, argument, &place) != napi_ok || place >= home->owned_count ||
        home->owned[place] & FREE_BIT)
        return throw_error(env, home, SIMPLUGIN_INVALID_ARGUMENT, "disown: no such place");
    home->owned[place] = FREE_BIT | home->owned_free;
    home->owned_free = place + 1;
    return NULL;
}

/* ---- the end of an environment ---------------------------------------------------------- */

static void cancel_all_locked(home *home)
{
    for (call *one = home->calls; one; one = one->next) {
        if (one->cancel)
            simplugin_cancel_fire(one->cancel);
        pool_hurry(&one->task);
    }
}

/* Returns when no other thread works for this home, or tells it anything; none will again. */
static void home_quiet(home *home)
{
    home->is_over = 1;
    log_leave(home);
    simplugin_cancel_fire(home->cancel);
    pthread_mutex_lock(&home->lock);
    cancel_all_locked(home);
    while (home->calls || home->telling)
        pthread_cond_wait(&home->quiet, &home->lock);
    pthread_mutex_unlock(&home->lock);
}

/* process.exit runs no cleanup hooks, but the listeners of its "exit". */
static napi_value end(napi_env env, napi_callback_info info)
{
    size_t count = 0;
    home *home;

    if (napi_get_cb_info(env, info, &count, NULL, NULL, (void **)&home) == napi_ok)
        home_quiet(home);
    return NULL;
}

static void home_end(void *data)
{
    home *home = data;
    log_line *line;
    call *one;

    home_quiet(home);
    napi_release_threadsafe_function(home->wake, napi_tsfn_abort);
    while ((one = home->ended_first)) {
        home->ended_first = one->next;
        call_free(one);
    }
    while ((line = home->lines_first)) {
        home->lines_first = line->next;
        free(line);
    }
    for (uint32_t i = 0; i < home->owned_count; i++)
        if (!(home->owned[i] & FREE_BIT))
            simplugin_close(home->owned[i], NULL);
    simplugin_cancel_free(home->cancel);
    pthread_cond_destroy(&home->quiet);
    pthread_mutex_destroy(&home->lock);
    free(home->owned);
    free(home);
}

/* ---- its beginning ---------------------------------------------------------------------- */

static napi_value version(napi_env env, napi_callback_info info)
{
    napi_value result = NULL;

    (void)info;
    napi_create_string_utf8(env, simplugin_version(), NAPI_AUTO_LENGTH, &result);
    return result;
}

static napi_value code_name(napi_env env, napi_callback_info info)
{
    napi_value argument, result = NULL;
    size_t count = 1;
    int32_t code = -1;

    napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
    napi_get_value_int32(env, argument, &code);
    napi_create_string_utf8(env, simplugin_code_name(code), NAPI_AUTO_LENGTH, &result);
    return result;
}

static int wake_create(napi_env env, home *home)
{
    napi_value name;

    return napi_create_string_utf8(env, "simplugin", NAPI_AUTO_LENGTH, &name) == napi_ok &&
           napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, home,
                                           results_deliver, &home->wake) == napi_ok &&
           napi_unref_threadsafe_function(env, home->wake) == napi_ok;
}

/* init(deliver, failed, pins): the functions of this environment */
static napi_value init(napi_env env, napi_callback_info info)
{
    napi_value argument[3], functions = NULL;
    bool pins = false;
    size_t count = 3;
    home *home = calloc(1, sizeof *home);

    if (!home || pthread_mutex_init(&home->lock, NULL) || pthread_cond_init(&home->quiet, NULL) ||
        simplugin_cancel_new(&home->cancel, NULL))
        goto fail;
    home->env = env;
    if (napi_get_cb_info(env, info, &count, argument, NULL, NULL) != napi_ok ||
        napi_create_reference(env, argument[0], 1, &home->deliver) != napi_ok ||
        napi_create_reference(env, argument[1], 1, &home->failed) != napi_ok ||
        napi_get_value_bool(env, argument[2], &pins) != napi_ok ||
        !wake_create(env, home))
        goto fail;
    home->has_pins = pins && pin_is_possible();
    {
        const napi_property_descriptor all[] = {
            {"start", NULL, call_start, NULL, NULL, NULL, napi_enumerable, home},
            {"cancel", NULL, call_cancel, NULL, NULL, NULL, napi_enumerable, home},
            {"end", NULL, end, NULL, NULL, NULL, napi_enumerable, home},
            {"own", NULL, own, NULL, NULL, NULL, napi_enumerable, home},
            {"disown", NULL, disown, NULL, NULL, NULL, napi_enumerable, home},
            {"logSet", NULL, log_set, NULL, NULL, NULL, napi_enumerable, home},
            {"version", NULL, version, NULL, NULL, NULL, napi_enumerable, home},
            {"codeName", NULL, code_name, NULL, NULL, NULL, napi_enumerable, home},
        };
        if (napi_create_object(env, &functions) != napi_ok ||
            napi_define_properties(env, functions, sizeof all / sizeof *all, all) != napi_ok)
            goto fail;
    }
    /* hooks run in reverse: this one before that of the thread-safe function */
    if (napi_add_env_cleanup_hook(env, home_end, home) != napi_ok)
        goto fail;
    return functions;

fail:
    if (home && home->wake)
        napi_release_threadsafe_function(home->wake, napi_tsfn_abort);
    if (home && home->cancel)
        simplugin_cancel_free(home->cancel);
    free(home);
    return throw_error(env, NULL, SIMPLUGIN_INTERNAL, "simplugin: the addon could not be started");
}

NAPI_MODULE_INIT()
{
    napi_value function = NULL;

    napi_create_function(env, "init", NAPI_AUTO_LENGTH, init, NULL, &function);
    napi_set_named_property(env, exports, "init", function);
    return exports;
}

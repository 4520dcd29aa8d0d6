// SPDX-License-Identifier: Apache-2.0
// Node-API has nothing for this: V8's own function, whose name and form have been the same since Node 14. It is linked
// weakly, so that the addon loads where Node-API is there without V8.
#include "pin.h"

#include <cstring>
#include <memory>
#include <new>
#include <v8.h>

#define GET_BACKING_STORE "_ZN2v811ArrayBuffer15GetBackingStoreEv"

extern "C" void get_backing_store(void) __asm__(GET_BACKING_STORE) __attribute__((weak));

using share = std::shared_ptr<v8::BackingStore>;

static_assert(sizeof(v8::Local<v8::ArrayBuffer>) == sizeof(napi_value), "a napi_value is a v8::Local");

int pin_is_possible(void)
{
    return get_backing_store != nullptr;
}

void *pin_new(napi_value buffer)
{
    v8::Local<v8::ArrayBuffer> local;

    std::memcpy(static_cast<void *>(&local), &buffer, sizeof local);
    return new (std::nothrow) share(local->GetBackingStore());
}

void pin_free(void *pin)
{
    delete static_cast<share *>(pin);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a sanitizer that has an allocator of its own is built in. */
#ifndef CONFORMANCE_SANITIZED_H
#define CONFORMANCE_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CONF_IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CONF_IS_SANITIZED 1
#endif
#endif
#ifndef CONF_IS_SANITIZED
#define CONF_IS_SANITIZED 0
#endif

#endif

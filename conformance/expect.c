/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "expect.h"

void conf_expect(conf_rig *rig, const char *method, json_t *body, int32_t code, const char *when)
{
    conf_answer answer;

    if (conf_call(rig, method, body, &answer) != code)
        conf_fail(rig->run,
                  "%s answers %s %s; %s was expected (docs/protocol.md, Backend protocol)", method,
                  conf_answer_text(&answer), when, simplugin_code_name(code));
    conf_answer_clear(&answer);
}

void conf_refused(conf_rig *rig, const char *method, json_t *body, const char *key,
                  const char *how)
{
    conf_answer answer;

    conf_call(rig, method, body, &answer);
    /* which code fits is the backend's to say, as long as it tells a wrong request */
    if (!answer.code || answer.code == SIMPLUGIN_INTERNAL || answer.code == SIMPLUGIN_PROTOCOL ||
        answer.code == SIMPLUGIN_UNKNOWN_METHOD)
        conf_fail(rig->run,
                  "%s answers %s to a request in which \"%s\" %s; INVALID_ARGUMENT was expected",
                  method, conf_answer_text(&answer), key, how);
    conf_answer_clear(&answer);
}

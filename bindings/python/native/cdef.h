/* SPDX-License-Identifier: Apache-2.0 */
/* For cffi: what Python sees of simplugin.h and native.h. The compiler compares them. */
typedef struct simplugin_tensor {
    uint32_t dtype;
    const void *data;
    uint64_t rows;
    uint64_t cols;
    uint64_t row_stride;
    ...;
} simplugin_tensor;
typedef struct simplugin_error simplugin_error;

const char *simplugin_version(void);
int32_t simplugin_close(uint64_t handle, simplugin_error **error);
int32_t simplugin_cancel_new(uint64_t *cancel, simplugin_error **error);
int32_t simplugin_cancel_fire(uint64_t cancel);
const char *simplugin_error_message(const simplugin_error *error, uint64_t *size);
const char *simplugin_error_domain(const simplugin_error *error);
int64_t simplugin_error_backend_code(const simplugin_error *error);
const char *simplugin_error_backend_message(const simplugin_error *error, uint64_t *size);
int32_t simplugin_error_retryable(const simplugin_error *error);
uint64_t simplugin_error_detail_count(const simplugin_error *error);
const char *simplugin_error_detail_key(const simplugin_error *error, uint64_t i);
const char *simplugin_error_detail_value(const simplugin_error *error, uint64_t i);
void simplugin_error_free(simplugin_error **error);
const char *simplugin_code_name(int32_t code);

typedef struct py_answer {
    const char *body;
    uint64_t body_size;
    const simplugin_tensor *tensors;
    simplugin_error *error;
    ...;
} py_answer;
typedef struct py_extra {
    uint64_t cancel;
    void *listener;
    const char *trace_id;
    uint64_t trace_id_size;
} py_extra;
int32_t py_call(py_answer *answer, uint64_t target, const char *method, uint64_t method_size,
                const void *body, uint64_t body_size, const void *tensors, uint64_t tensor_count,
                int64_t timeout_ms, const py_extra *extra, int32_t interruptible);
int32_t py_call_plain(py_answer *answer, uint64_t target, const char *method, uint64_t method_size,
                      int32_t interruptible);
void py_answer_clear(py_answer *answer);
void py_close(const uint64_t *handle);
void py_cancel_free(const uint64_t *cancel);
extern "Python+C" void py_progress(void *listener, uint64_t done, uint64_t total);

void py_interrupt_learn(void);

typedef struct py_message {
    int32_t level;
    uint64_t size;
    char text[];
    ...;
} py_message;
void py_log_on(int32_t level);
void py_log_off(void);
int32_t py_log_wait(void);
py_message *py_log_take(void);
void py_log_free(py_message *message);
int32_t *py_log_muted(void);

// SPDX-License-Identifier: Apache-2.0
// The one place that turns what the library says into an error.
import * as errors from './errors.js';

const classes = new Map(Object.values(errors).filter(({ codeNumber }) => codeNumber).map((Class) => [Class.codeNumber, Class]));

/** Made where the call is awaited, so that the stack shows who called. list: result.c's error_value. */
export function errorOf(codeNumber, code, list) {
  const [message, domain, backendCode, backendMessage, retryable, ...pairs] = list;
  const details = {};
  for (let i = 0; i < pairs.length; i += 2) details[pairs[i]] = pairs[i + 1];
  const Class = classes.get(codeNumber) ?? errors.SimpluginError;
  return new Class(message || code, { code, codeNumber, domain, backendCode, backendMessage, retryable, details });
}

// SPDX-License-Identifier: Apache-2.0
const LEVELS = ['off', 'error', 'warning', 'info', 'debug'];

let listener = null;

/** From the addon: level, text, level, text, ... A number in place of a text is how many were lost. */
export function logDeliver(lines) {
  for (let i = 0; i < lines.length; i += 2) {
    const text = typeof lines[i + 1] === 'number' ? `${lines[i + 1]} messages were lost: the event loop was busy` : lines[i + 1];
    try {
      listener?.(LEVELS[lines[i]], text);
    } catch (error) {
      // no call is to blame: as of any listener that throws
      queueMicrotask(() => { throw error; });
    }
  }
}

export function logSet(addon, fn, level) {
  if (fn !== null && typeof fn !== 'function') throw new TypeError('setLog expects a function or null');
  const number = LEVELS.indexOf(level);
  if (number < 0) throw new TypeError(`the level is one of ${LEVELS.join(', ')}`);
  listener = fn;
  addon.logSet(fn === null ? undefined : number);
}

// SPDX-License-Identifier: Apache-2.0
// Finds the addon: the one packed with its library, or the one node-gyp built.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const PLACES = ['../native/simplugin.node', '../build/Release/simplugin.node'];

const paths = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url)));
const path = paths.find((one) => existsSync(one));
if (!path)
  throw new Error(`simplugin: the addon is not built; looked for ${paths.join(' and ')}. ` +
    'With the C library installed and found by pkg-config, "npm rebuild simplugin" builds it.');

/** @returns {{ init(deliver: Function): object }} */
function load() {
  try {
    return createRequire(import.meta.url)(path);
  } catch (cause) {
    if (!/libsimplugin/.test(cause.message)) throw cause;
    throw new Error(`simplugin: the C library that ${path} needs is not found (${cause.message}). ` +
      'Install it (in its source tree: ./configure && make && make install, or ./quickstart); where its prefix is not a usual one, ' +
      'set LD_LIBRARY_PATH=PREFIX/lib.', { cause });
  }
}

export const { init } = load();
